//! The vendor's statement: what it denies is not tested, what it claims has to be there.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use mecforge_mock::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::courier::reference;
use crate::notifications::{run, verdicts};
use crate::server::{Fault, directory, serve, suite, test, things};

/// The statement of the small document, with one feature denied.
fn statement(denied: Option<&str>) -> (tempfile::TempDir, String) {
    let (directory, document) = directory();
    let output = suite(&["statement", "--document", document.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let mut text = String::from_utf8(output.stdout).unwrap();
    if let Some(denied) = denied {
        let claim = format!("id = \"things {denied}\"\nsupported = true");
        assert!(text.contains(&claim), "{text}");
        let denial = format!("id = \"things {denied}\"\nsupported = false\nreason = \"nobody asked for it\"");
        text = text.replace(&claim, &denial);
    }
    let file = directory.path().join("statement.toml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (directory, path)
}

fn requirements<'report>(report: &'report Value, verdict: &str) -> Vec<&'report Value> {
    let all = report["requirements"].as_array().unwrap();
    all.iter()
        .filter(|requirement| requirement["verdict"] == verdict)
        .collect()
}

#[test]
fn a_right_server_has_what_its_vendor_claims() {
    let (_directory, path) = statement(None);
    let address = format!("http://{}", things(Fault::None));
    let (code, text, report) = test(
        &address,
        &["--statement", &path, "--only", "check=statement-claimed"],
    );
    assert_eq!(code, 0, "{text}");
    let claimed = requirements(&report, "pass");
    let claimed = claimed
        .iter()
        .filter(|requirement| requirement["check"] == "statement-claimed");
    assert!(claimed.count() >= 4, "{text}");
    let features = report["requirements"].as_array().unwrap();
    assert!(
        features
            .iter()
            .any(|requirement| requirement["feature"] == "things POST /things")
    );
}

#[test]
fn what_is_denied_is_not_tested_and_its_presence_is_told() {
    let (_directory, path) = statement(Some("DELETE /things/{thingId}"));
    let address = format!("http://{}", things(Fault::Resurrects));
    let only = [
        "--only",
        "check=delete-removes",
        "--only",
        "check=statement-denied",
    ];
    let (code, text, report) = test(&address, &[&only[..], &["--statement", &path]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("the statement denies DELETE /things/{thingId}, and it is answered 204"),
        "{text}"
    );
    let reasons: Vec<_> = requirements(&report, "not-applicable")
        .iter()
        .map(|requirement| requirement["reason"].as_str().unwrap())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("nobody asked for it")),
        "{reasons:?}"
    );
    // Without the statement the same server fails.
    assert_eq!(test(&address, &only).0, 1);
}

#[test]
fn what_is_claimed_and_missing_fails() {
    let (_directory, path) = statement(None);
    let router = Router::new().route("/v1/things", get(|| async { axum::Json(json!([])) }));
    let address = format!("http://{}", serve(router));
    let more = ["--statement", &path, "--only", "check=statement-claimed"];
    let (code, text, report) = test(&address, &more);
    assert_eq!(code, 1, "{text}");
    let titles = report["findings"].to_string();
    assert!(
        titles.contains("the statement claims POST /things, and it is answered 405"),
        "{text}"
    );
}

#[test]
fn an_unknown_feature_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("statement.toml");
    std::fs::write(
        &file,
        "\n[[feature]]\nid = \"things teleport\"\nsupported = true\n",
    )
    .unwrap();
    let (code, text, _) = test("http://127.0.0.1:1", &["--statement", file.to_str().unwrap()]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("line 3: no API under test has the feature \"things teleport\""),
        "{text}"
    );
}

/// A statement that claims one behaviour of MEC 012, and what comes of it: exit code, text, verdicts.
fn claiming(address: SocketAddr, behaviour: &str) -> (i32, String, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("statement.toml");
    let claim =
        format!("[[feature]]\nid = \"mec012-radio-network-information {behaviour}\"\nsupported = true\n");
    std::fs::write(&file, claim).unwrap();
    let more = ["--statement", file.to_str().unwrap(), "--patience", "3s"];
    let (code, text, report) = run(address, "mec012-v2.2.1", &["statement-claimed"], &more);
    let told = verdicts(&report, "statement-claimed");
    (code, text, told)
}

const BEHAVIOURS: [&str; 4] = ["test-notifications", "websockets", "expiry", "http2"];

#[test]
fn what_the_reference_server_does_can_be_claimed() {
    std::thread::scope(|scope| {
        for behaviour in BEHAVIOURS {
            scope.spawn(move || {
                let (code, text, told) = claiming(reference("mec012-v2.2.1", true), behaviour);
                assert_eq!(code, 0, "{behaviour}: {text}");
                assert_eq!(told, ["pass"], "{behaviour}: {text}");
            });
        }
    });
}

#[test]
fn a_behaviour_that_is_claimed_and_missing_fails() {
    std::thread::scope(|scope| {
        for (behaviour, title) in [
            (
                "test-notifications",
                "claims test-notifications: no notification comes",
            ),
            ("websockets", "claims websockets, and it is not offered"),
            ("expiry", "claims expiry, and it is not offered"),
            ("http2", "claims HTTP/2, and it is not offered"),
        ] {
            scope.spawn(move || {
                let (code, text, told) = claiming(without(), behaviour);
                assert_eq!(code, 1, "{behaviour}: {text}");
                assert!(
                    told.len() == 1 && told[0].contains("fail"),
                    "{behaviour}: {told:?}"
                );
                assert!(text.contains(title), "{behaviour}: {text}");
            });
        }
    });
}

/// The reference server of MEC 012 without notifications and deadlines, behind somebody who takes HTTP/1 only.
fn without() -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec012-v2.2.1").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let router = mecforge_mock::router(apis, Options::default()).unwrap();
    let endless = |request: Request, next: Next| async move {
        let (mut parts, body) = next.run(request).await.into_parts();
        let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
        if let Ok(Value::Object(mut body)) = serde_json::from_slice(&bytes)
            && body.remove("expiryDeadline").is_some()
        {
            bytes = Bytes::from(Value::Object(body).to_string());
            parts.headers.remove("content-length");
        }
        Response::from_parts(parts, Body::from(bytes))
    };
    let upstream = serve(router.layer(axum::middleware::from_fn(endless)));
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // The preface of HTTP/2 (RFC 9113, 3.4).
                    let mut start = [0; 3];
                    if stream.read_exact(&mut start).await.is_err() || &start == b"PRI" {
                        return;
                    }
                    let mut other = TcpStream::connect(upstream).await.unwrap();
                    other.write_all(&start).await.unwrap();
                    // Either side may go first.
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
                });
            }
        });
    });
    receiver.recv().unwrap()
}
