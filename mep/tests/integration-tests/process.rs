//! Running the real binary.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::http::{Answer, Connection};

/// A running platform; killed when dropped.
pub(crate) struct Mep {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed when it started.
    pub(crate) banner: String,
}

/// The binary, without variables from outside.
pub(crate) fn bare_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mep"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MEP_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// The binary on free ports, which leaves the machine's packets alone.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = bare_command();
    command.args(["--listen", "127.0.0.1:0", "--dns-listen", "127.0.0.1:0"]);
    command.env("MEP_DATAPLANE_BACKEND", "disabled");
    command.arg("--data-dir").arg(data);
    command
}

impl Mep {
    pub(crate) fn start(data: &Path) -> Self {
        Self::from(&mut command(data))
    }

    /// A platform with a configuration file of this content.
    pub(crate) fn configured(data: &Path, configuration: &str) -> Self {
        let file = data.join("mep.toml");
        std::fs::write(&file, configuration).unwrap();
        Self::from(command(data).arg("--config").arg(file))
    }

    pub(crate) fn from(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        while !banner.contains("Try: ") {
            let line = lines.next().expect("the platform did not start").unwrap();
            banner += &format!("{line}\n");
        }
        let address = banner
            .split("http://")
            .nth(1)
            .unwrap()
            .split([',', '\n'])
            .next()
            .unwrap();
        Self {
            address: address.parse().unwrap(),
            banner,
            child,
        }
    }

    /// Where its name server answers, as address and port.
    pub(crate) fn name_server(&self) -> String {
        let rest = self.banner.split("Name server: ").nth(1).unwrap();
        rest.split([',', '\n']).next().unwrap().to_owned()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().request("GET", path, &[], b"").unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the end, for ten seconds at most.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "the platform does not stop"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Mep {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a platform that is expected not to start; returns what it says.
pub(crate) fn refused(command: &mut Command) -> String {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("the platform started");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}
