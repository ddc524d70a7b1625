//! Ports that are taken, connections that misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use mecforge_dns::{BindError, NameServer, Options};

use crate::subject::{Subject, options, options_apart};

/// A question for the address of app.mec.internal.
const QUESTION: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03app\x03mec\x08internal\0\0\x01\0\x01";

fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(message);
    framed
}

fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

async fn bind(subject: &Subject, listen: SocketAddr, upstreams: Vec<SocketAddr>) -> BindError {
    let options = Options {
        listen: vec![listen],
        upstreams,
        ..options()
    };
    NameServer::new(&subject.store, options).bind().await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_an_error_that_says_what_to_do() {
    let subject = Subject::with(options_apart(6)).await;
    let tcp = TcpListener::bind("127.0.53.5:0").unwrap();
    let udp = UdpSocket::bind("127.0.53.1:0").unwrap();
    let sharing = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    sharing.set_reuse_port(true).unwrap();
    sharing
        .bind(&SocketAddr::from(([127, 0, 53, 1], 0)).into())
        .unwrap();
    let sharing = UdpSocket::from(sharing);
    for (address, transport) in [
        (sharing.local_addr().unwrap(), "UDP"),
        (tcp.local_addr().unwrap(), "TCP"),
        (udp.local_addr().unwrap(), "UDP"),
        (subject.address(), "TCP"),
    ] {
        let error = bind(&subject, address, Vec::new()).await;
        let text = error.to_string();
        for part in [
            transport,
            &address.ip().to_string(),
            &address.port().to_string(),
            "--dns-listen",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(matches!(error, BindError::Taken { .. }), "{error:?}");
    }
    let foreign = bind(&subject, "192.0.2.1:5300".parse().unwrap(), Vec::new()).await;
    assert!(matches!(foreign, BindError::Socket { .. }), "{foreign:?}");
    let free = TcpListener::bind("127.0.53.7:0").unwrap().local_addr().unwrap();
    let looped = bind(&subject, free, vec![free]).await;
    assert!(
        matches!(looped, BindError::Loop(upstream) if upstream == free),
        "{looped:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_free_after_a_stop() {
    let mut subject = Subject::with(options_apart(2)).await;
    let address = subject.address();
    for _ in 0..5 {
        subject.running.take().unwrap().stop().await;
        let options = Options {
            listen: vec![address],
            ..options()
        };
        let server = NameServer::new(&subject.store, options);
        subject.running = Some(server.bind().await.unwrap());
        assert_eq!(subject.address(), address);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_takes_many_questions() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    let mut stream = TcpStream::connect(subject.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut all = Vec::new();
    for id in 0_u16..100 {
        let mut question = QUESTION.to_vec();
        question[..2].copy_from_slice(&id.to_be_bytes());
        all.extend(framed(&question));
    }
    for part in all.chunks(7) {
        stream.write_all(part).unwrap();
    }
    for id in 0_u16..100 {
        let answer = read(&mut stream).unwrap();
        assert_eq!(answer[..2], id.to_be_bytes());
        assert_eq!(answer[answer.len() - 4..], [192, 0, 2, 1]);
    }
    stream
        .write_all(&framed(b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0broken"))
        .unwrap();
    assert_eq!(read(&mut stream).unwrap()[3] & 0x0F, 1);
    stream.write_all(&framed(b"")).unwrap();
    assert!(read(&mut stream).is_err(), "noise ends the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room() {
    let narrow = Options {
        tcp_idle: Duration::from_millis(500),
        tcp_connections: 2,
        ..options()
    };
    let subject = Subject::with(narrow).await;
    let idle: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(subject.address()).unwrap();
            stream.write_all(&[0]).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    subject.dig("app.mec.internal +tcp").expect("NXDOMAIN", &[]);
    let waited = began.elapsed();
    assert!(
        waited > Duration::from_millis(200),
        "both were in use: {waited:?}"
    );
    for mut stream in idle {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_counted() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    for question in [
        "app.mec.internal",
        "app.mec.internal AAAA",
        "b.mec.internal",
        "example",
    ] {
        subject.dig(question);
    }
    let mut registry = prometheus_client::registry::Registry::with_prefix("mep");
    subject.server.register_metrics(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "mep_dns_queries_total{outcome=\"answered\"} 1",
        "mep_dns_queries_total{outcome=\"no_data\"} 1",
        "mep_dns_queries_total{outcome=\"no_such_name\"} 1",
        "mep_dns_queries_total{outcome=\"refused\"} 1",
        "mep_dns_upstream_failures_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    let status = serde_json::to_value(subject.server.status()).unwrap();
    assert_eq!(status["listen"][0], subject.address().to_string());
    assert_eq!(status["zones"], serde_json::json!(["mec.internal."]));
    assert_eq!((&status["names"], &status["activeRules"]), (&2.into(), &1.into()));
}
