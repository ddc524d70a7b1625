//! `test`: what it installs, what it fetches and what it runs, with stand-ins for the programs that it calls.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::checkout::{Checkout, Outcome, mirror};

/// What tests need besides chromium.
const OTHERS: [&str; 7] = ["dig", "ip", "nft", "ping", "nc", "python3", "setpriv"];

/// A checkout with a directory of programs, the only one in PATH, which write down how they were called. Chromium is
/// the one that is missing.
struct Machine {
    checkout: Checkout,
}

impl Machine {
    fn new(user: u32) -> Self {
        let machine = Self {
            checkout: Checkout::new(),
        };
        machine.program("id", &format!("echo {user}"));
        machine.program("cargo", "echo \"cargo $*\" >> \"$LOG\"");
        let installs =
            "echo \"apt-get $*\" >> \"$LOG\"; case \"$*\" in *install*) : > \"$PATH/chromium\";; esac";
        machine.program("apt-get", installs);
        for name in OTHERS {
            machine.program(name, "");
        }
        machine
    }

    fn program(&self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        self.checkout.write(&path, &format!("#!/bin/sh\n{script}\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.checkout.path(&path), executable).unwrap();
    }

    fn with_documents(self) -> Self {
        for (path, text) in mirror() {
            self.checkout
                .write(&format!("etsi-specs/documents/{path}"), &text);
        }
        self
    }

    fn test(&self, arguments: &[&str]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("--root")
            .arg(self.checkout.path(""))
            .arg("test")
            .args(arguments)
            .env_remove("MECFORGE_ETSI_MIRROR")
            .env("PATH", self.checkout.path("bin"))
            .env("CARGO", self.checkout.path("bin/cargo"))
            .env("LOG", self.checkout.path("log"))
            .output()
            .unwrap();
        Outcome::new(output)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.checkout.path("log")).unwrap_or_default()
    }
}

#[test]
fn runs_all_tests_where_everything_is_there() {
    let machine = Machine::new(1000).with_documents();
    machine.program("chromium", "");
    let said = machine.test(&["--test", "one"]);
    assert!(said.success, "{}", said.stderr);
    assert_eq!(
        machine.log(),
        "cargo test --workspace --all-features --test one\n"
    );
}

#[test]
fn installs_what_is_missing_as_root() {
    let machine = Machine::new(0).with_documents();
    let said = machine.test(&[]);
    assert!(said.success, "{}", said.stderr);
    assert_eq!(
        machine.log(),
        "apt-get --quiet=2 update\n\
         apt-get --quiet=2 install --yes --no-install-recommends chromium\n\
         cargo test --workspace --all-features\n"
    );
}

#[test]
fn prints_the_line_to_run_where_it_may_not_install() {
    let machine = Machine::new(1000).with_documents();
    let said = machine.test(&[]);
    assert!(!said.success);
    assert!(
        said.stderr.contains("chromium is not installed"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.ends_with("sudo apt-get install --yes chromium\n"),
        "{}",
        said.stderr
    );
    assert_eq!(machine.log(), "");
}

#[test]
fn passes_the_failure_of_a_test_on() {
    let machine = Machine::new(0).with_documents();
    machine.program("cargo", "exit 101");
    let said = machine.test(&[]);
    assert!(!said.success && said.stderr.contains("failed"), "{}", said.stderr);
}

#[test]
fn says_why_the_tests_cannot_have_their_documents() {
    let machine = Machine::new(0);
    let said = machine.test(&[]);
    assert!(!said.success);
    assert!(
        said.stderr
            .contains("ETSI's documents are not on this machine: pulling them"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr
            .contains("error: https://forge.invalid/rep cannot be reached: "),
        "{}",
        said.stderr
    );
    assert!(!machine.log().contains("cargo"));
}
