//! Platforms that want patience: connections that are closed while they are idle, and limits on how many requests are
//! taken. Neither is a fault.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::server::{Fault, test, things};

/// The bytes of a request with a known length; none where the client has closed.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.split("content-length:").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&some[..count]),
        }
    }
}

/// The answer of a server to a request, without a word on how long the connection lasts.
fn answer(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let line = request.windows(2).position(|two| two == b"\r\n")? + 2;
    let mut stream = TcpStream::connect(server).ok()?;
    let whole = [&request[..line], b"Connection: close\r\n", &request[line..]].concat();
    stream.write_all(&whole).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let kept = |line: &&str| !line.eq_ignore_ascii_case("connection: close");
    let head = head.split("\r\n").filter(kept).collect::<Vec<_>>().join("\r\n");
    Some([head.as_bytes(), &answer[end..]].concat())
}

/// A door before the small server: `refuses` tells of each request, by its number, whether it is answered 429;
/// `closes`, whether a connection is reset when a second request comes on it.
fn door(refuses: fn(usize) -> bool, closes: bool) -> String {
    let server = things(Fault::None);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            std::thread::spawn(move || {
                while let Some(request) = request(&mut stream) {
                    let answer = match refuses(count.fetch_add(1, Ordering::Relaxed)) {
                        true => Some(
                            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
                                .to_vec(),
                        ),
                        false => answer(server, &request),
                    };
                    let Some(answer) = answer else { return };
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                    if closes {
                        // What has come and is not read makes a reset of the end.
                        let _ = stream.peek(&mut [0; 1]);
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

/// Checks that do not look at bytes.
const CHECKS: [&str; 14] = [
    "--only",
    "check=answers-completely",
    "--only",
    "check=keeps-what-is-sent",
    "--only",
    "check=location",
    "--only",
    "check=list-agrees",
    "--only",
    "check=delete-removes",
    "--only",
    "check=refuses-invalid",
    "--only",
    "check=accepts-valid",
];

fn verdicts(report: &Value, verdict: &str) -> usize {
    let all = report["requirements"].as_array().unwrap();
    all.iter().filter(|one| one["verdict"] == verdict).count()
}

#[test]
fn a_connection_that_is_closed_while_idle_is_no_fault() {
    let (code, text, report) = test(&door(|_| false, true), &CHECKS);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
    assert!(verdicts(&report, "pass") > 5, "{text}");
}

#[test]
fn a_request_that_is_limited_is_sent_again() {
    // One worker: the door counts all requests, and whose turn the limit hits would be a matter of chance.
    let arguments = [&CHECKS[..], &["--jobs", "1"]].concat();
    let (code, text, report) = test(&door(|number| number % 3 == 1, false), &arguments);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
    let all = report["requirements"].as_array().unwrap();
    let inconclusive: Vec<&Value> = all
        .iter()
        .filter(|one| one["verdict"] == "inconclusive")
        .collect();
    assert!(inconclusive.is_empty(), "{inconclusive:#?}\n{text}");
    assert!(verdicts(&report, "pass") > 5, "{text}");
}

#[test]
fn a_limit_that_stays_is_no_fault_and_says_what_to_do() {
    let (_, text, report) = test(&door(|number| number > 20, false), &CHECKS);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
    let all = report["requirements"].as_array().unwrap();
    let limited = |one: &&Value| {
        let text = one.to_string();
        one["verdict"] == "inconclusive" && text.contains("--rate N")
    };
    assert!(all.iter().any(|one| limited(&one)), "{text}");
}
