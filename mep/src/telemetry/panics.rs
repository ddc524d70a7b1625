//! Panics: bugs, which end the task that they happen in. They are logged and counted, and `/readyz` tells of them.
//!
//! What the platform has acknowledged is durable, so starting it again is safe, and the one way to have every
//! background task back: whoever watches `/readyz` does that.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Logs and counts every panic of this process from now on, instead of printing it.
pub fn watch() {
    std::panic::set_hook(Box::new(note));
}

/// How many there have been.
#[must_use]
pub fn count() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

fn note(info: &PanicHookInfo<'_>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(
        message,
        place,
        "a task has panicked: a bug; start the platform again"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted() {
        let before = count();
        let hook = std::panic::take_hook();
        watch();
        let ended = std::thread::spawn(|| panic!("as the test asks for")).join();
        std::panic::set_hook(hook);
        assert!(ended.is_err());
        assert_eq!(count(), before + 1);
    }
}
