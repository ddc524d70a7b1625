//! Effects of rules: names that resolve, and what a command sees; each fault is found, and the real platform conforms.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::{serve, suite};

/// What is wrong with the name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    NeverResolves,
    KeepsResolving,
    LongerThanTtl,
    KeepsOldAddress,
}

type Rule = Arc<Mutex<Value>>;

fn rule() -> Value {
    json!({"dnsRuleId": "r", "domainName": "a.mec.internal", "ipAddressType": "IP_V4", "ipAddress": "192.0.2.7", "ttl": 60, "state": "INACTIVE"})
}

/// A platform with one DNS rule, whose address an application may change.
fn platform(rule: &Rule) -> SocketAddr {
    let read = |State(rule): State<Rule>| async move { Json(rule.lock().unwrap().clone()) };
    let list = |State(rule): State<Rule>| async move { Json(json!([rule.lock().unwrap().clone()])) };
    let put = |State(rule): State<Rule>, Path(_): Path<(String, String)>, Json(body): Json<Value>| async move {
        *rule.lock().unwrap() = body.clone();
        Json(body)
    };
    let base = "/mec_app_support/v1/applications/{app}/dns_rules";
    let router = Router::new()
        .route(base, get(list))
        .route(&format!("{base}/{{id}}"), get(read).put(put))
        .with_state(Arc::clone(rule));
    serve(router)
}

/// A name server that answers every question by the rule.
fn name_server(rule: Rule, fault: Fault) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        let mut before = false;
        while let Ok((read, from)) = socket.recv_from(&mut buffer) {
            let rule = rule.lock().unwrap().clone();
            let active = rule["state"] == "ACTIVE";
            before |= active;
            let resolves = match fault {
                Fault::NeverResolves => false,
                Fault::KeepsResolving => before,
                _ => active,
            };
            let told = match fault {
                Fault::KeepsOldAddress => "192.0.2.7",
                _ => rule["ipAddress"].as_str().unwrap(),
            };
            let told: std::net::Ipv4Addr = told.parse().unwrap();
            let ttl: u32 = if fault == Fault::LongerThanTtl { 61 } else { 60 };
            let mut answer = buffer[..read].to_vec();
            (answer[2], answer[3]) = (0x85, 0);
            if resolves {
                answer[7] = 1;
                answer.extend([0xc0, 12, 0, 1, 0, 1]);
                answer.extend(ttl.to_be_bytes());
                answer.extend([0, 4]);
                answer.extend(told.octets());
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    address
}

fn run(target: SocketAddr, more: &[&str]) -> (i32, String, Value) {
    let reports = tempfile::tempdir().unwrap();
    let target = format!("http://{target}");
    let mut arguments = vec!["run", "--target", &target, "--profile", "mec011-app-support"];
    arguments.extend(["--app-instance-id", "one", "--seed", "7"]);
    arguments.extend(["--report-dir", reports.path().to_str().unwrap()]);
    arguments.extend(more);
    let output = suite(&arguments);
    let report = std::fs::read_to_string(reports.path().join("report.json")).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.code().unwrap(),
        text,
        serde_json::from_str(&report).unwrap(),
    )
}

fn verdict(report: &Value, check: &str) -> String {
    let all = report["requirements"].as_array().unwrap();
    let found = all.iter().find(|one| one["check"] == check);
    found.map_or_else(String::new, |one| one["verdict"].as_str().unwrap().to_owned())
}

#[test]
fn faults_of_name_servers_are_found() {
    let faults = [
        (Fault::None, None),
        (Fault::NeverResolves, Some("an active DNS rule does not resolve")),
        (Fault::KeepsResolving, Some("an inactive DNS rule resolves")),
        (Fault::LongerThanTtl, Some("may be kept longer")),
        (Fault::KeepsOldAddress, Some("a changed address")),
    ];
    let check = "dns-rules-resolve";
    let tests = faults.map(|(fault, wanted)| {
        std::thread::spawn(move || {
            let rule = Arc::new(Mutex::new(rule()));
            let dns = name_server(Arc::clone(&rule), fault).to_string();
            let only = format!("check={check}");
            let (_, text, report) = run(platform(&rule), &["--only", &only, "--dns", &dns]);
            match wanted {
                None => assert_eq!(verdict(&report, check), "pass", "{text}"),
                Some(wanted) => assert!(text.contains(wanted), "{fault:?}: {text}"),
            }
            assert_eq!(rule.lock().unwrap()["state"], "INACTIVE", "{fault:?}");
            assert_eq!(rule.lock().unwrap()["ipAddress"], "192.0.2.7", "{fault:?}");
        })
    });
    for test in tests {
        test.join().unwrap();
    }
}

#[test]
fn without_a_name_server_nothing_is_judged() {
    let rule = Arc::new(Mutex::new(rule()));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let dns = silent.local_addr().unwrap().to_string();
    let only = ["--only", "check=dns-rules-resolve"];
    let (_, text, report) = run(platform(&rule), &only);
    assert_eq!(verdict(&report, "dns-rules-resolve"), "not-applicable", "{text}");
    let (_, text, report) = run(platform(&rule), &[only[0], only[1], "--dns", &dns]);
    assert_eq!(verdict(&report, "dns-rules-resolve"), "inconclusive", "{text}");
}

/// Our platform, with rules of an application, that ends with the test.
struct Mep {
    child: Child,
    target: SocketAddr,
    dns: String,
    _directory: tempfile::TempDir,
}

impl Drop for Mep {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of `mep`: of `MEP_BIN`, or built where this test was built.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("MEP_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let debug = test.parent().and_then(|deps| deps.parent()).unwrap();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "mep",
            "--bin",
            "mep",
            "--target-dir",
        ])
        .arg(debug.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "mep cannot be built");
    debug.join("mep")
}

fn mep() -> Mep {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mep.toml");
    let text = "[[applications]]\napp_instance_id = \"one\"\napp_name = \"one\"\n\n[dataplane]\nbackend = \"disabled\"\n";
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MEP_")) {
        command.env_remove(name); // They are the platform's configuration.
    }
    let mut child = command
        .args([
            "--listen",
            "127.0.0.1:0",
            "--dns-listen",
            "127.0.0.1:0",
            "--config",
        ])
        .arg(&file)
        .arg("--data-dir")
        .arg(directory.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let (mut target, mut dns) = (None, None);
    while target.is_none() || dns.is_none() {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, rest)) = line.split_once("listens on http://") {
            target = rest.split([',', ' ']).next().map(|text| text.parse().unwrap());
        }
        dns = line.strip_prefix("Name server: ").map(str::to_owned).or(dns);
    }
    std::thread::spawn(move || for _ in lines {});
    let target = target.unwrap();
    configure(target);
    Mep {
        child,
        target,
        dns: dns.unwrap(),
        _directory: directory,
    }
}

/// Gives the application a rule of each kind, through the manager's interface.
fn configure(target: SocketAddr) {
    use std::io::{Read, Write};
    let traffic = json!({"trafficRuleId": "t", "filterType": "FLOW", "priority": 1, "trafficFilter": [{"srcAddress": ["192.0.2.1"]}], "action": "DROP", "state": "INACTIVE"});
    let body = json!({"appName": "one", "dnsRules": [rule()], "trafficRules": [traffic]}).to_string();
    let ask = |request: String| {
        let mut stream = std::net::TcpStream::connect(target).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let length = body.len();
    let answer = ask(format!(
        "PUT /mm5/v1/applications/one/configuration HTTP/1.1\r\nHost: mep\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ));
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let rules = || {
        ask("GET /mec_app_support/v1/applications/one/dns_rules HTTP/1.1\r\nHost: mep\r\nConnection: close\r\n\r\n".to_owned())
    };
    for _ in 0..200 {
        if rules().contains("a.mec.internal") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the platform does not take its configuration");
}

#[test]
fn the_rules_of_the_real_platform_have_their_effect() {
    let mep = mep();
    let only = [
        "--only",
        "check=dns-rules-resolve",
        "--only",
        "check=traffic-rules-work",
    ];
    let more = ["--dns", mep.dns.as_str(), "--probe", "exit 2 #"];
    let (_, text, report) = run(mep.target, &[&only[..], &more[..]].concat());
    assert_eq!(verdict(&report, "dns-rules-resolve"), "pass", "{text}");
    // Without a data plane a traffic rule can't be made active, which is no fault.
    assert_eq!(verdict(&report, "traffic-rules-work"), "inconclusive", "{text}");
}

/// A platform with one traffic rule.
fn shaper() -> SocketAddr {
    let traffic = Arc::new(Mutex::new(
        json!({"trafficRuleId": "t", "state": "INACTIVE", "priority": 1, "filterType": "FLOW", "trafficFilter": [], "action": "DROP"}),
    ));
    let read = |State(rule): State<Rule>| async move { Json(rule.lock().unwrap().clone()) };
    let list = |State(rule): State<Rule>| async move { Json(json!([rule.lock().unwrap().clone()])) };
    let put = |State(rule): State<Rule>, Json(body): Json<Value>| async move {
        *rule.lock().unwrap() = body.clone();
        Json(body)
    };
    let base = "/mec_app_support/v1/applications/{app}/traffic_rules";
    let router = Router::new()
        .route(base, get(list))
        .route(&format!("{base}/{{id}}"), get(read).put(put))
        .with_state(traffic);
    serve(router)
}

#[test]
fn what_the_probe_sees_is_the_verdict() {
    let probes = [
        // The rule is on standard input, the state is the argument.
        ("grep -q '\"trafficRuleId\":\"t\"' && test active =", "pass"),
        ("exit 1 #", "fail"),
        ("exit 0 #", "fail"),
        ("exit 7 #", "inconclusive"),
    ];
    for (probe, wanted) in probes {
        let only = ["--only", "check=traffic-rules-work", "--probe", probe];
        let (_, text, report) = run(shaper(), &only);
        assert_eq!(verdict(&report, "traffic-rules-work"), wanted, "{probe}: {text}");
    }
}

/// A report with one finding, and the words that name it for `replay`.
fn found(target: SocketAddr, more: &[&str]) -> (tempfile::TempDir, String) {
    let (code, text, report) = run(target, more);
    assert_eq!(code, 1, "{text}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    std::fs::write(&path, report.to_string()).unwrap();
    let id = report["findings"][0]["id"].as_str().unwrap();
    let finding = format!("{}#{id}", path.display());
    (directory, finding)
}

#[test]
fn a_finding_about_names_is_repeated_with_the_name_server_of_the_report() {
    let rule = Arc::new(Mutex::new(rule()));
    let wrong = name_server(Arc::clone(&rule), Fault::KeepsResolving).to_string();
    let right = name_server(Arc::clone(&rule), Fault::None).to_string();
    let only = ["--only", "check=dns-rules-resolve", "--dns", &wrong];
    let (_directory, finding) = found(platform(&rule), &only);
    let again = suite(&["replay", &finding]);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(again.status.code(), Some(1), "{text}");
    assert!(text.contains("an inactive DNS rule resolves"), "{text}");
    let mended = suite(&["replay", &finding, "--dns", &right]);
    assert_eq!(mended.status.code(), Some(0), "{mended:?}");
    // Where nobody answers, nothing is known.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let unknown = suite(&["replay", &finding, "--dns", &silent]);
    assert_eq!(unknown.status.code(), Some(3), "{unknown:?}");
}

#[test]
fn a_finding_about_traffic_is_repeated_with_a_command_that_is_given_again() {
    let marker = tempfile::tempdir().unwrap();
    let ran = marker.path().join("ran");
    let probe = format!("touch {}; exit 1 #", ran.display());
    let only = ["--only", "check=traffic-rules-work", "--probe", &probe];
    let (_directory, finding) = found(shaper(), &only);
    std::fs::remove_file(&ran).unwrap();
    // A report may be anybody's: its command is told, and not run.
    let without = suite(&["replay", &finding]);
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert_eq!(without.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--probe COMMAND") && said.contains("exit 1"),
        "{said}"
    );
    assert!(!ran.exists());
    assert_eq!(
        suite(&["replay", &finding, "--probe", &probe]).status.code(),
        Some(1)
    );
    assert!(ran.exists());
    let right = suite(&["replay", &finding, "--probe", "test active ="]);
    assert_eq!(right.status.code(), Some(0), "{right:?}");
}
