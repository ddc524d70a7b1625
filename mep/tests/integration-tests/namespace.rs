//! A network namespace of its own for the packets of one platform, so that tests leave the machine's rules alone.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A namespace; removed when dropped.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mep-{}-{number}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]));
        Self { name }
    }

    /// All rules of the namespace's kernel, as `nft` prints them.
    pub(crate) fn rules(&self) -> String {
        run(Command::new("ip").args(["netns", "exec", &self.name, "nft", "list", "ruleset"]))
    }

    /// Removes all rules, as somebody else on the machine might.
    pub(crate) fn flush(&self) {
        run(Command::new("ip").args(["netns", "exec", &self.name, "nft", "flush", "ruleset"]));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Nothing is left to say if it is gone already.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// Runs a command that must succeed (as root: tests that cannot make namespaces fail, and do not skip).
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed, which needs root and network namespaces: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
