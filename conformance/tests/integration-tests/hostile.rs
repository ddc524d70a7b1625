//! Targets that are not there, not HTTP, or never end: one sentence, exit 3 or 1, never a panic, never "conforms".

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use crate::server::test;

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
