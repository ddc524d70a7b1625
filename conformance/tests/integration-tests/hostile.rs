//! Targets that are not there, not HTTP, or never end: one sentence, exit 3 or 1, never a panic, never "conforms".

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{DOCUMENT, Fault, directory, suite, test, things};

/// Answers every connection by a function of its stream.
fn listen(answer: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = std::sync::Arc::clone(&answer);
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

#[test]
fn an_absent_target_is_one_sentence_and_exit_3() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, text, report) = test(&format!("http://{free}"), &[]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("connection refused"), "{text}");
    assert_eq!(report["run"]["end"], "untestable");
}

#[test]
fn rubbish_resets_and_floods_never_conform() {
    let read = |stream: &mut std::net::TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
    };
    let targets: Vec<SocketAddr> = vec![
        listen(|_| {}),
        listen(move |mut stream| {
            read(&mut stream);
            let _ = stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n");
        }),
        listen(move |mut stream| {
            read(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
            while stream.write_all(&[b'x'; 65_536]).is_ok() {}
        }),
        listen(move |mut stream| {
            read(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X-More: and more\r\n").is_ok() {}
        }),
        listen(move |mut stream| {
            read(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>");
        }),
    ];
    for (at, address) in targets.into_iter().enumerate() {
        let (code, text, _) = test(
            &format!("http://{address}"),
            &["--timeout", "1", "--time", "5s", "--cases", "40"],
        );
        assert!(matches!(code, 1 | 3), "{at}: {code} {text}");
        assert!(!text.contains("panicked"), "{at}: {text}");
    }
}

fn read(stream: &mut std::net::TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
}

/// A complete answer with a head of one's own.
fn answering(head: &str, body: &[u8]) -> SocketAddr {
    let mut whole = format!(
        "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    whole.extend(body);
    listen(move |mut stream| {
        read(&mut stream);
        let _ = stream.write_all(&whole);
    })
}

/// Runs the binary and says how much memory it took at most, in MiB.
fn watched(address: SocketAddr) -> (i32, String, u64) {
    let (_directory, document) = directory();
    let url = format!("http://{address}");
    let arguments = ["run", "--target", &url, "--document", document.to_str().unwrap()];
    let limits = ["--seed", "7", "--timeout", "1", "--time", "5s", "--cases", "40"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_mec-conformance"))
        .args(arguments)
        .args(limits)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(size.unwrap_or_default() / 1024);
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text, most)
}

#[test]
fn what_never_ends_or_swells_takes_little_memory_and_time() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..512 {
        bomb.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let json = "200 OK\r\nContent-Type: application/json";
    let targets: [(&str, SocketAddr); 5] = [
        (
            "bomb",
            answering(&format!("{json}\r\nContent-Encoding: gzip"), &bomb),
        ),
        ("no UTF-8", answering(json, b"{\"a\": \"\xff\xfe\"}")),
        (
            "gigantic",
            listen(|mut stream| {
                read(&mut stream);
                let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n";
                let _ = stream.write_all(head);
                while stream.write_all(&[b'['; 65_536]).is_ok() {}
            }),
        ),
        (
            "drips",
            listen(|mut stream| {
                read(&mut stream);
                for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    .iter()
                    .cycle()
                {
                    if stream.write_all(&[*byte]).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
            }),
        ),
        ("interim", {
            listen(|mut stream| {
                read(&mut stream);
                while stream
                    .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                    .is_ok()
                {}
            })
        }),
    ];
    for (what, address) in targets {
        let started = Instant::now();
        let (code, text, memory) = watched(address);
        assert!(matches!(code, 1 | 3), "{what}: {code} {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
        assert!(memory < 150, "{what}: {memory} MiB");
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{what}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn redirections_are_not_followed() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&asked);
    let other = listen(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    for status in ["301 Moved", "307 Temporary", "308 Permanent"] {
        let target = answering(&format!("{status}\r\nLocation: http://{other}/v1/things"), b"");
        let (code, text, report) = test(&format!("http://{target}"), &["--cases", "40"]);
        assert!(matches!(code, 1 | 3), "{code} {text}");
        assert_ne!(report["summary"]["result"], "conforms");
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn tls_where_there_is_none_is_one_sentence() {
    let plain = answering("200 OK", b"hello");
    let (code, text, report) = test(&format!("https://{plain}"), &["--timeout", "2"]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("TLS"), "{text}");
    assert_eq!(report["run"]["end"], "untestable");
}

#[test]
fn a_wrong_base_path_is_said() {
    let address = format!("http://{}", things(Fault::None));
    let (code, text, report) = test(&address, &["--base-path", "things=/elsewhere"]);
    assert!(matches!(code, 1 | 3), "{code} {text}");
    assert!(text.contains("--base-path"), "{text}");
    assert_ne!(report["summary"]["result"], "conforms");
}

#[test]
fn a_wrong_file_is_one_line_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = directory.path().join("missing").to_str().unwrap().to_owned();
    let fine = write("fine.json", DOCUMENT.as_bytes());
    let reference = DOCUMENT.replacen("schemas/Thing\"", "schemas/Nothing\"", 1);
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "--document",
            write("a.yaml", b"openapi: 3.0.0\ninfo:\n  title: x\n version: 1\n"),
            "a.yaml:4:2",
        ),
        (
            "--document",
            write("b.json", b"{\"openapi\": \"3.1.0\",\n\"info\": {,}}"),
            "b.json:2:",
        ),
        ("--document", write("c.yaml", b"hello: world"), "openapi"),
        ("--document", write("d.yaml", b"\x00\xff\xfe"), "UTF-8"),
        ("--document", write("e.yaml", b""), "empty"),
        ("--document", write("f.json", reference.as_bytes()), "Nothing"),
        ("--document", missing.clone(), "--document"),
        (
            "--fixtures",
            write("g.toml", b"app_instance_ids = []\n\n[resources\n"),
            "line 3",
        ),
        ("--fixtures", write("h.toml", b"token = \"x\"\n"), "line 1"),
        ("--fixtures", missing.clone(), "--fixtures"),
        ("--expect", write("i.toml", b"[[expect]]\nreason = 5\n"), "line 2"),
        ("--expect", missing, "--expect"),
    ];
    for (option, file, wanted) in cases {
        let mut arguments = vec!["run", "--target", "http://127.0.0.1:1", option, &file];
        if option != "--document" {
            arguments.extend(["--document", &fine]);
        }
        let output = suite(&arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{file}: {text}");
        assert!(text.contains(wanted), "{file}: {text}");
        assert_eq!(text.trim().lines().count(), 1, "{file}: {text}");
    }
}

#[test]
fn secrets_are_in_no_report() {
    // It gives back whatever it is sent, header fields included.
    let echo = listen(|mut stream| {
        let mut buffer = vec![0; 65_536];
        let length = stream.read(&mut buffer).unwrap_or_default();
        let sent = &buffer[..length];
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(sent);
    });
    let (directory, document) = directory();
    let secrets = [
        "tok-5d1f0c77aa",
        "fixture-91ab33cd",
        "header-77f0e2b1",
        "pass-3c9d8e21",
    ];
    let fixtures = directory.path().join("fixtures.toml");
    let text = format!(
        "[[identity]]\napp_instance_id = \"one\"\ntoken = \"{}\"\n[[identity]]\napp_instance_id = \"two\"\ntoken = \"{}-two\"\n",
        secrets[1], secrets[1]
    );
    std::fs::write(&fixtures, text).unwrap();
    let reports = directory.path().join("reports");
    let field = format!("X-Api-Key: {}", secrets[2]);
    let output = Command::new(env!("CARGO_BIN_EXE_mec-conformance"))
        .args(["run", "--target", &format!("http://user:{}@{echo}", secrets[3])])
        .args(["--document", document.to_str().unwrap(), "--header", &field])
        .args([
            "--fixtures",
            fixtures.to_str().unwrap(),
            "--seed",
            "7",
            "--cases",
            "60",
        ])
        .args(["--report-dir", reports.to_str().unwrap()])
        .env("MEC_CONFORMANCE_TOKEN", secrets[0])
        .output()
        .unwrap();
    let mut texts = vec![(
        "output".to_owned(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )];
    texts.push((
        "errors".to_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ));
    for entry in std::fs::read_dir(&reports).unwrap() {
        let path = entry.unwrap().path();
        texts.push((
            path.display().to_string(),
            std::fs::read_to_string(&path).unwrap(),
        ));
    }
    assert!(
        texts.len() >= 8,
        "{:?}",
        texts.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    for (name, text) in texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{name} has {secret}");
        }
    }
}
