//! What is sent is what was asked for, and what comes is what was sent.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mecforge_transport::{Client, Fault, HttpVersion, Place, RawEnd, Request, TargetUrl, Version};
use tokio::io::AsyncWriteExt;

use crate::server::{answering, fixed, get, ok, read_request, scripted, settings};

#[tokio::test]
async fn sends_byte_for_byte_and_records_what_it_adds() {
    let (address, seen) = answering(|_, _| ok("{\"a\":1}")).await;
    let client = Client::new(settings(&address)).unwrap();
    let request = Request::new("PUT", "/a//b/../%zz?x=%e4&x={}")
        .header("X-One", "1")
        .body("text/plain", "hello");
    let exchange = client.send(&request).await;
    assert_eq!(exchange.status(), Some(200), "{:?}", exchange.outcome);
    assert_eq!(exchange.response().unwrap().json().unwrap()["a"], 1);
    let host = address.trim_start_matches("http://");
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "PUT /a//b/../%zz?x=%e4&x={{}} HTTP/1.1\r\nhost: {host}\r\nuser-agent: mec-conformance/{version}\r\n\
         x-one: 1\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
    );
    assert_eq!(seen.lock().unwrap()[0], expected);
    let recorded: Vec<_> = exchange
        .request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        recorded,
        ["host", "user-agent", "x-one", "content-type", "content-length"]
    );
    assert_eq!(
        exchange.request.url,
        format!("{address}/a//b/../%zz?x=%e4&x={{}}")
    );
}

#[tokio::test]
async fn what_can_not_be_sent_exactly_is_refused_and_can_be_sent_raw() {
    let (address, seen) = answering(|_, _| ok("{}")).await;
    let client = Client::new(settings(&address)).unwrap();
    for request in [
        Request::new("GET", "/a b"),
        Request::new("GET", "/a#b"),
        Request::new("G T", "/"),
        Request::new("GET", "/").header("a b", "c"),
        Request::new("GET", "/").header("a", "b\r\nc: d"),
        Request::new("POST", "/")
            .body("text/plain", "x")
            .header("content-length", "7"),
    ] {
        let exchange = client.send(&request).await;
        assert!(
            matches!(exchange.outcome, Err(Fault::InvalidRequest(_))),
            "{:?}",
            exchange.outcome
        );
    }
    assert!(seen.lock().unwrap().is_empty());
    let bytes = b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = client.raw(bytes, 1 << 20, Duration::from_secs(5)).await.unwrap();
    assert_eq!((answer.end, answer.statuses()), (RawEnd::Silent, vec![200]));
    assert!(seen.lock().unwrap()[0].starts_with("GET /a b HTTP/1.1"));
}

#[tokio::test]
async fn raw_answers_are_taken_apart() {
    let wire = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                3\r\nabc\r\n0\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\n\r\noops";
    let address = fixed(wire).await;
    let client = Client::new(settings(&address)).unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = client
        .raw(request, 1 << 20, Duration::from_secs(5))
        .await
        .unwrap();
    let found = answer.responses();
    let bodies: Vec<_> = found
        .responses
        .iter()
        .map(|each| (each.status, each.body.as_slice()))
        .collect();
    assert_eq!(bodies, [(100, &b""[..]), (200, b"abc"), (204, b"")]);
    assert_eq!(found.rest, b"oops");
    let short = client.raw(request, 10, Duration::from_secs(5)).await.unwrap();
    assert_eq!((short.bytes.len(), short.end), (10, RawEnd::Limit));
}

#[tokio::test]
async fn redirects_are_only_reported() {
    let address =
        fixed("HTTP/1.1 302 Found\r\nLocation: http://evil.example/x\r\nContent-Length: 0\r\n\r\n").await;
    let exchange = get(&address).await;
    assert_eq!(exchange.status(), Some(302));
    let location = exchange.response().unwrap().header("LOCATION").unwrap();
    let target = TargetUrl::parse(&address).unwrap();
    assert_eq!(
        target.resolve("/x", location),
        Place::Elsewhere("http://evil.example/x".to_owned())
    );
}

#[test]
fn references_are_resolved_as_in_rfc_3986() {
    let target = TargetUrl::parse("HTTP://Mep.Example/base/").unwrap();
    assert_eq!(
        (target.to_string(), target.join("/x")),
        ("http://mep.example/base".to_owned(), "/base/x".to_owned())
    );
    for (reference, path) in [
        ("/a/./b/../c?q#f", "/a/c?q"),
        ("d", "/one/d"),
        ("../d", "/d"),
        ("?n=1", "/one/two?n=1"),
        ("", "/one/two?z=1"),
        ("http://mep.example:80/p%2f", "/p%2f"),
        ("//MEP.example/p", "/p"),
        ("http://mep.example", "/"),
    ] {
        assert_eq!(
            target.resolve("/one/two?z=1", reference),
            Place::Here(path.to_owned()),
            "{reference}"
        );
    }
    for reference in [
        "https://mep.example/",
        "http://mep.example:81/",
        "//other/",
        "mailto:a@b",
    ] {
        assert!(
            matches!(target.resolve("/", reference), Place::Elsewhere(_)),
            "{reference}"
        );
    }
    for wrong in [
        "mep:80",
        "ftp://a",
        "http://",
        "http://u@h",
        "http://h:0",
        "http://h:x",
        "http://h/?q",
        "http://[::1",
    ] {
        assert!(TargetUrl::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        TargetUrl::parse("https://[::1]:8443").unwrap().authority(),
        "[::1]:8443"
    );
}

#[tokio::test]
async fn a_connection_closed_while_idle_costs_a_get_nothing_and_a_post_is_never_sent_twice() {
    // The first request of a connection is answered; the second is read and the connection closed.
    let counts = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = counts.clone();
    let address = scripted(move |mut stream, _| {
        let counted = counted.clone();
        async move {
            read_request(&mut stream).await;
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            stream.write_all(ok("{}").as_bytes()).await.unwrap();
            if !read_request(&mut stream).await.is_empty() {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    })
    .await;
    let client = Client::new(settings(&address)).unwrap();
    assert_eq!(client.send(&Request::new("GET", "/1")).await.status(), Some(200));
    let repeated = client.send(&Request::new("GET", "/2")).await;
    assert_eq!((repeated.status(), repeated.attempts), (Some(200), 2));
    assert_eq!(counts.load(std::sync::atomic::Ordering::SeqCst), 3);
    let posted = client
        .send(&Request::new("POST", "/3").body("text/plain", "x"))
        .await;
    assert_eq!(
        (posted.outcome.as_ref().unwrap_err(), posted.attempts),
        (&Fault::Closed, 1)
    );
    assert!(posted.may_be_stale());
    assert_eq!(counts.load(std::sync::atomic::Ordering::SeqCst), 4);
    assert_eq!(client.send(&Request::new("GET", "/4")).await.status(), Some(200));
    let fresh = client
        .send_fresh(&Request::new("POST", "/3").body("text/plain", "x"))
        .await;
    assert_eq!((fresh.status(), fresh.reused_connection), (Some(200), false));
}

#[tokio::test]
async fn the_rate_is_shared_by_clones() {
    let (address, _) = answering(|_, _| ok("{}")).await;
    let mut settings = settings(&address);
    settings.rate = Some(50.0);
    let client = Client::new(settings).unwrap();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    assert_eq!(client.send(&Request::new("GET", "/")).await.status(), Some(200));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // 20 requests at 50 per second, less the slack of one.
    assert!(
        begun.elapsed() > Duration::from_millis(340),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn speaks_http2_with_prior_knowledge_over_one_connection() {
    let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = connections.clone();
    let address = scripted(move |stream, _| {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let text = format!("{} {}", request.method(), request.uri());
                Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::new(Bytes::from(text))))
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await;
    let mut settings = settings(&address);
    settings.http_version = HttpVersion::Http2Prior;
    let client = Client::new(settings).unwrap();
    for _ in 0..3 {
        let exchange = client.send(&Request::new("GET", "/a?b=%20")).await;
        let response = exchange
            .response()
            .unwrap_or_else(|| panic!("{:?}", exchange.outcome));
        assert_eq!(
            (response.version, response.text().as_ref()),
            (Version::Http2, &*format!("GET {address}/a?b=%20"))
        );
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}
