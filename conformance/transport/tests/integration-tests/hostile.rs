//! Whatever a server does, an exchange ends in time, in bounded memory, and with the right fault.

use std::io::Write;
use std::time::{Duration, Instant};

use mecforge_transport::{Client, Fault, HttpVersion, Phase, Request};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::server::{answering, fixed, get, hasty, ok, read_request, scripted};

/// A server that answers with `start` and then with `again` for ever.
async fn endless(start: &'static str, again: Vec<u8>) -> String {
    let again = std::sync::Arc::new(again);
    scripted(move |mut stream: TcpStream, _| {
        let again = again.clone();
        async move {
            read_request(&mut stream).await;
            if stream.write_all(start.as_bytes()).await.is_ok() {
                while stream.write_all(&again).await.is_ok() {}
            }
        }
    })
    .await
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let exchange = get(&address).await;
    let fault = exchange.outcome.unwrap_err();
    assert!(
        matches!(fault, Fault::Refused { .. }) && fault.is_unreachable(),
        "{fault}"
    );
    let fault = get("http://no-such-host.invalid").await.outcome.unwrap_err();
    // A machine without DNS may run into the time instead.
    assert!(
        fault.is_unreachable() && !matches!(fault, Fault::Refused { .. }),
        "{fault}"
    );
}

#[tokio::test]
async fn bodies_without_end_and_of_gigantic_length() {
    let before = resident_kilobytes();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let begun = Instant::now();
    let exchange = get(&endless(head, chunk.into_bytes()).await).await;
    assert_eq!(exchange.outcome.unwrap_err(), Fault::TooLarge { limit: 4 << 20 });
    assert_eq!(exchange.partial.unwrap().body.len(), 64 << 10);
    for length in ["99999999999", "18446744073709551000"] {
        let head: &'static str =
            Box::leak(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_boxed_str());
        let exchange = get(&endless(head, vec![b'y'; 1 << 16]).await).await;
        let fault = exchange.outcome.unwrap_err();
        assert!(
            matches!(fault, Fault::TooLarge { .. } | Fault::Malformed(_)),
            "{length}: {fault}"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    let grown = resident_kilobytes().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
}

#[tokio::test]
async fn headers_and_interim_answers_without_end() {
    let header = endless(
        "HTTP/1.1 200 OK\r\n",
        b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec(),
    )
    .await;
    let line = endless("HTTP/1.1 200 OK\r\nX: ", vec![b'a'; 4096]).await;
    let interim = endless("", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).await;
    for address in [header, line, interim] {
        let fault = get(&address).await.outcome.unwrap_err();
        assert_eq!(fault, Fault::HeadersTooLarge { limit: 64 << 10 });
    }
    let some = format!(
        "{}{}",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(5),
        ok("{}")
    );
    assert_eq!(get(&fixed(some).await).await.status(), Some(200));
}

#[tokio::test]
async fn slow_drips_meet_the_total_timeout() {
    for (start, phase) in [
        ("HTTP/1.1 200 OK\r\nX: ", Phase::Headers),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Phase::Body),
        ("", Phase::Headers),
    ] {
        let address = scripted(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(start.as_bytes()).await;
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if !start.is_empty() && stream.write_all(b"a").await.is_err() {
                    return;
                }
            }
        })
        .await;
        let begun = Instant::now();
        let client = Client::new(hasty(&address)).unwrap();
        let exchange = client.send(&Request::new("GET", "/x")).await;
        let limit = Duration::from_millis(800);
        assert_eq!(exchange.outcome.unwrap_err(), Fault::Timeout { phase, limit });
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(exchange.partial.is_some(), phase == Phase::Body);
    }
}

#[tokio::test]
async fn compressed_bodies() {
    let text = "{\"x\":\"y\"}".repeat(100);
    for coding in ["gzip", "x-gzip", "GZIP, identity"] {
        let exchange = get(&fixed(encoded(coding, &gzip(text.as_bytes()))).await).await;
        let response = exchange.response().unwrap();
        assert_eq!(response.text(), text);
        assert!(response.encoded_length < text.len());
    }
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(text.as_bytes()).unwrap();
    let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    bare.write_all(text.as_bytes()).unwrap();
    for body in [zlib.finish().unwrap(), bare.finish().unwrap()] {
        assert_eq!(
            get(&fixed(encoded("deflate", &body)).await)
                .await
                .response()
                .unwrap()
                .text(),
            text
        );
    }
    let enormous = get(&fixed(encoded("gzip", &gzip(&vec![0; 64 << 20]))).await).await;
    assert_eq!(enormous.outcome.unwrap_err(), Fault::TooLarge { limit: 4 << 20 });
    let bomb = gzip(&vec![0; 3 << 20]);
    let whole = gzip(b"hello");
    for (coding, body) in [
        ("gzip", bomb),
        ("gzip", b"this is no gzip".to_vec()),
        ("gzip", whole[..whole.len() - 6].to_vec()),
        ("br", b"hello".to_vec()),
        ("gzip, gzip, gzip", whole),
    ] {
        let exchange = get(&fixed(encoded(coding, &body)).await).await;
        let fault = exchange.outcome.unwrap_err();
        assert!(matches!(fault, Fault::BadEncoding(_)), "{coding}: {fault}");
        assert!(exchange.partial.unwrap().body.len() <= 64 << 10);
    }
    let random: Vec<u8> = (0..5_u32 << 20)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let exchange = get(&fixed(encoded("gzip", &gzip(&random))).await).await;
    assert_eq!(exchange.outcome.unwrap_err(), Fault::TooLarge { limit: 4 << 20 });
}

#[tokio::test]
async fn closing_and_resetting() {
    assert_eq!(get(&fixed("").await).await.outcome.unwrap_err(), Fault::Closed);
    let middles = [
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ];
    for middle in middles {
        assert_eq!(
            get(&fixed(middle).await).await.outcome.unwrap_err(),
            Fault::Truncated,
            "{middle}"
        );
    }
    for (start, phase) in [
        ("", Phase::Headers),
        (middles[0], Phase::Headers),
        (middles[1], Phase::Body),
    ] {
        let address = scripted(move |mut stream: TcpStream, _| async move {
            read_request(&mut stream).await;
            stream.write_all(start.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger().unwrap();
        })
        .await;
        assert_eq!(
            get(&address).await.outcome.unwrap_err(),
            Fault::Reset { phase },
            "{start}"
        );
    }
}

#[tokio::test]
async fn rubbish_is_malformed() {
    for rubbish in [
        &b"<html>hello from HTTP/0.9</html>"[..],
        b"\x00\x01\x02\xff\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/7.3 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    ] {
        let fault = get(&fixed(rubbish).await).await.outcome.unwrap_err();
        assert!(
            matches!(fault, Fault::Malformed(_)),
            "{}: {fault:?}",
            rubbish.escape_ascii()
        );
        assert!(!fault.to_string().ends_with('.'));
    }
}

#[tokio::test]
async fn both_lengths_are_read_and_named() {
    let both =
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let exchange = get(&fixed(both).await).await;
    let response = exchange
        .response()
        .unwrap_or_else(|| panic!("{:?}", exchange.outcome));
    assert_eq!(
        (response.text().as_ref(), response.framing_defects().len()),
        ("abc", 1)
    );
}

#[tokio::test]
async fn what_is_no_utf8_is_replaced_not_refused() {
    let address = fixed(
        &b"HTTP/1.1 200 OK\r\nX-A: \xff\xfe\r\nX-B: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n\xff\x00"[..],
    )
    .await;
    let exchange = get(&address).await;
    let response = exchange.response().unwrap();
    assert_eq!(response.header("x-a"), Some("\u{fffd}\u{fffd}"));
    assert_eq!(
        response.header_all("X-A").collect::<Vec<_>>(),
        ["\u{fffd}\u{fffd}", "2"]
    );
    assert_eq!(
        (&response.body[..], response.text().as_ref()),
        (&b"\xff\x00"[..], "\u{fffd}\0")
    );
    assert!(response.json().is_err());
    let deep = "[".repeat(100_000);
    assert!(
        get(&fixed(ok(&deep)).await)
            .await
            .response()
            .unwrap()
            .json()
            .is_err()
    );
}

#[tokio::test]
async fn http2_faults_are_faults() {
    // A server of HTTP/1.1, silence, and GOAWAY with an error right after the settings.
    let (http1, _) = answering(|_, _| ok("{}")).await;
    let silent = scripted(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(stream);
    })
    .await;
    let goaway = fixed_bytes(b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b").await;
    for address in [http1, silent, goaway] {
        let mut settings = hasty(&address);
        settings.http_version = HttpVersion::Http2Prior;
        let exchange = Client::new(settings)
            .unwrap()
            .send(&Request::new("GET", "/"))
            .await;
        let fault = exchange.outcome.unwrap_err();
        assert!(!fault.is_ours(), "{address}: {fault:?}");
    }
}

/// A server that speaks first.
async fn fixed_bytes(bytes: &'static [u8]) -> String {
    scripted(move |mut stream: TcpStream, _| async move {
        let _ = stream.write_all(bytes).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await
}
