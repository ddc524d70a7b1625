//! A laboratory: four hosts and a router between them, each in a network namespace of its own.
//!
//! Every host has a network with the router: `10.9.N.0/24` and `fd09:N::/64`, the host being `2` and the router `1`.
//! Where namespaces cannot be made the tests fail, and say so.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use mecforge_dataplane::Options;
use serde_json::{Value, json};

/// The ports that every host serves, over UDP and TCP and both families.
pub(crate) const PORTS: [u16; 8] = [80, 443, 2152, 5000, 5005, 5010, 5011, 9000];

/// A host that does as it is told.
pub(crate) struct Host {
    number: usize,
    namespace: String,
    endpoint: Mutex<Endpoint>,
}

struct Endpoint {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Hosts and a router.
pub(crate) struct Lab {
    prefix: String,
    pub(crate) client: Host,
    pub(crate) server: Host,
    pub(crate) app: Host,
    pub(crate) tap: Host,
}

const NAMES: [&str; 4] = ["client", "server", "app", "tap"];

/// Runs a program that must succeed, and returns what it prints.
#[track_caller]
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {} failed; these tests need root (CAP_NET_ADMIN, CAP_SYS_ADMIN), iproute2, nftables and python3: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Lab {
    /// Builds it.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("mepdp-{}-{number}", std::process::id());
        let router = format!("{prefix}-router");
        namespace(&router);
        let forwarding = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"];
        for parameter in forwarding {
            run("ip", &["netns", "exec", &router, "sysctl", "-qw", parameter]);
        }
        let hosts = NAMES.map(|name| {
            let index = NAMES.iter().position(|one| *one == name).unwrap() + 1;
            Host::new(&prefix, &router, name, index)
        });
        let [client, server, app, tap] = hosts;
        let lab = Self {
            prefix,
            client,
            server,
            app,
            tap,
        };
        // Neighbours find each other, so that no test waits for that.
        for host in [&lab.server, &lab.app, &lab.tap] {
            for version in [4, 6] {
                lab.await_answer(host, version);
            }
        }
        lab
    }

    fn await_answer(&self, host: &Host, version: u8) {
        for _ in 0..50 {
            if self.client.udp(&host.address(version), 9000).is_some() {
                return;
            }
        }
        panic!(
            "{} cannot be reached over IPv{version} in the laboratory",
            host.namespace
        );
    }

    /// The namespace of the router, where the data plane is.
    pub(crate) fn router(&self) -> String {
        format!("{}-router", self.prefix)
    }

    /// Options for a data plane in the router.
    pub(crate) fn options(&self) -> Options {
        Options {
            network_namespace: Some(self.router()),
            check_interval: std::time::Duration::from_millis(100),
            ..Options::default()
        }
    }

    /// Runs a program in the router.
    #[track_caller]
    pub(crate) fn in_router(&self, arguments: &[&str]) -> String {
        let router = self.router();
        run("ip", &[&["netns", "exec", &router], arguments].concat())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in NAMES.into_iter().chain(["router"]) {
            let namespace = format!("{}-{name}", self.prefix);
            let _ = Command::new("ip").args(["netns", "del", &namespace]).output();
        }
    }
}

fn namespace(name: &str) {
    run("ip", &["netns", "add", name]);
    run("ip", &["-n", name, "link", "set", "lo", "up"]);
}

impl Host {
    fn new(prefix: &str, router: &str, name: &str, number: usize) -> Self {
        let own = format!("{prefix}-{name}");
        namespace(&own);
        let port = format!("to-{name}");
        run(
            "ip",
            &[
                "-n", &own, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns", router,
            ],
        );
        for (namespace, device, last) in [(own.as_str(), "eth0", 2), (router, port.as_str(), 1)] {
            run(
                "ip",
                &[
                    "-n",
                    namespace,
                    "addr",
                    "add",
                    &format!("10.9.{number}.{last}/24"),
                    "dev",
                    device,
                ],
            );
            let v6 = format!("fd09:{number}::{last}/64");
            run(
                "ip",
                &["-n", namespace, "addr", "add", &v6, "dev", device, "nodad"],
            );
            run("ip", &["-n", namespace, "link", "set", device, "up"]);
        }
        run(
            "ip",
            &[
                "-n",
                &own,
                "route",
                "add",
                "default",
                "via",
                &format!("10.9.{number}.1"),
            ],
        );
        run(
            "ip",
            &[
                "-n",
                &own,
                "-6",
                "route",
                "add",
                "default",
                "via",
                &format!("fd09:{number}::1"),
            ],
        );
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/integration-tests/lab/endpoint.py"
        );
        let mut child = Command::new("ip")
            .args(["netns", "exec", &own, "python3", script, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let endpoint = Endpoint { child, input, output };
        let host = Self {
            number,
            namespace: own,
            endpoint: Mutex::new(endpoint),
        };
        assert_eq!(host.answer(), json!("ready"));
        host.tell(json!({ "do": "serve", "ports": PORTS }));
        host.tell(json!({ "do": "sniff" }));
        host
    }

    fn answer(&self) -> Value {
        let mut line = String::new();
        self.endpoint.lock().unwrap().output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the endpoint in {} has died", self.namespace);
        serde_json::from_str(&line).unwrap()
    }

    /// Has something done and returns what comes of it.
    pub(crate) fn tell(&self, command: Value) -> Value {
        writeln!(self.endpoint.lock().unwrap().input, "{command}").unwrap();
        self.answer()
    }

    fn told(&self, command: Value) -> Option<String> {
        self.tell(command).as_str().map(str::to_owned)
    }

    /// Its address.
    pub(crate) fn address(&self, version: u8) -> String {
        match version {
            4 => format!("10.9.{}.2", self.number),
            _ => format!("fd09:{}::2", self.number),
        }
    }

    /// Its Ethernet address.
    pub(crate) fn mac(&self) -> String {
        let shown = run("ip", &["-n", &self.namespace, "-j", "link", "show", "eth0"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown[0]["address"].as_str().unwrap().to_owned()
    }

    /// Runs a program in its namespace.
    #[track_caller]
    pub(crate) fn execute(&self, arguments: &[&str]) -> String {
        run("ip", &[&["netns", "exec", &self.namespace], arguments].concat())
    }

    /// Who answers a datagram, if anybody.
    pub(crate) fn udp(&self, to: &str, port: u16) -> Option<String> {
        self.told(json!({ "do": "udp", "to": to, "port": port }))
    }

    /// Who answers a datagram with a text of its own.
    pub(crate) fn udp_with(&self, to: &str, port: u16, text: &str) -> Option<String> {
        self.told(json!({ "do": "udp", "to": to, "port": port, "text": text }))
    }

    /// Who takes a TCP connection, if anybody.
    pub(crate) fn tcp(&self, to: &str, port: u16) -> Option<String> {
        self.told(json!({ "do": "tcp", "to": to, "port": port }))
    }

    /// The IP destinations of the frames that have arrived with a text in them, with the interface.
    pub(crate) fn seen(&self, text: &str) -> Vec<(String, String)> {
        let frames = self.tell(json!({ "do": "seen", "text": text }));
        let frames = frames.as_array().unwrap().iter();
        frames
            .map(|frame| {
                (
                    frame[0].as_str().unwrap().to_owned(),
                    frame[2].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }

    /// How many datagrams with a text were served.
    pub(crate) fn counted(&self, text: &str) -> u64 {
        self.tell(json!({ "do": "counted", "text": text }))
            .as_u64()
            .unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Ok(endpoint) = self.endpoint.get_mut() {
            let _ = endpoint.child.kill();
            let _ = endpoint.child.wait();
        }
    }
}
