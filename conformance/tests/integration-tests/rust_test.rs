//! The Rust tests in reports: one is written, compiled and run against a wrong server and a right one.
//!
//! `EXPECTORATE=overwrite` writes it again; if it no longer compiles, give `output/finding.txt` an empty `f_1` first.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use mecforge_conformance::profile;
use mecforge_conformance::suite::{Origin, OriginApi, rust_test};
use mecforge_report::{Answer, Exchange, Message};

/// The address of the test in `output/`: of this machine, and used by nothing else.
const TARGET: &str = "http://127.83.71.1:18011";

/// The written test, with a runtime of its own, so that it can be called.
mod written {
    mod tokio {
        pub(super) use ::tokio::main as test;
        pub(super) use ::tokio::*;
    }
    include!("../output/finding.txt");

    pub(super) fn run() -> Result<(), Box<dyn std::error::Error>> {
        f_1()
    }
}

fn exchange(method: &str, path: &str, body: Option<&str>, status: u16, headers: &[(&str, &str)]) -> Exchange {
    let fields = |fields: &[(&str, &str)]| {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(field).collect()
    };
    Exchange {
        role: "judged".to_owned(),
        request: Message {
            method: method.to_owned(),
            url: format!("{TARGET}/edge/mec_service_mgmt/v1{path}"),
            headers: match body {
                Some(_) => fields(&[("Content-Type", "application/json")]),
                None => fields(&[("If-None-Match", "\"1\""), ("Host", "127.83.71.1")]),
            },
            body: body.map(str::to_owned),
            ..Message::default()
        },
        response: Some(Answer {
            status,
            headers: fields(headers),
            ..Answer::default()
        }),
        ..Exchange::default()
    }
}

fn exchanges() -> [Exchange; 2] {
    let location = "/edge/mec_service_mgmt/v1/applications/one/services/service-1";
    let made = exchange(
        "POST",
        "/applications/one/services",
        Some("{\"serName\": \"a\"}"),
        201,
        &[("Location", location), ("ETag", "\"1\"")],
    );
    let read = exchange("GET", "/applications/one/services/service-1", None, 500, &[]);
    [made, read]
}

fn written_for(package: Option<&str>, exchanges: &[Exchange]) -> String {
    let apis = profile::find("mec011-service-management").unwrap();
    let origin = Origin {
        target: TARGET,
        apis: vec![OriginApi {
            api: &apis[0].0,
            base_path: "/edge/mec_service_mgmt/v1",
            package,
        }],
    };
    rust_test(&origin, "f_1", "304 or 412", exchanges)
}

/// A server whose services are read with a status of the caller's.
fn start(runtime: &tokio::runtime::Runtime, read: u16) -> tokio::task::JoinHandle<()> {
    let location = "/edge/mec_service_mgmt/v1/applications/one/services/other";
    let made = move || async move { (StatusCode::CREATED, [("location", location), ("etag", "\"7\"")]) };
    let status = StatusCode::from_u16(read).unwrap();
    let router = Router::new()
        .route("/edge/mec_service_mgmt/v1/applications/one/services", post(made))
        .route(location, get(move || async move { status }));
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(
            TARGET.strip_prefix("http://").unwrap(),
        ))
        .unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() })
}

#[test]
fn it_fails_while_the_fault_is_there_and_passes_afterwards() {
    let text = written_for(Some("mec011-service-management"), &exchanges());
    expectorate::assert_contents("tests/output/finding.txt", &text);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let wrong = start(&runtime, 500);
    assert!(std::panic::catch_unwind(written::run).is_err());
    wrong.abort();
    assert!(runtime.block_on(wrong).unwrap_err().is_cancelled());
    // The other server gives other identifiers and tags, which the test takes from the answers.
    let right = start(&runtime, 304);
    written::run().unwrap();
    right.abort();
}

#[test]
fn what_no_generated_client_sends_is_sent_below_it() {
    let mut odd = exchanges();
    odd[1].request.method = "TRACE".to_owned();
    let text = written_for(Some("mec011-service-management"), &odd);
    assert!(
        text.contains("reqwest::Client") && text.contains("\"TRACE\""),
        "{text}"
    );
    let text = written_for(None, &exchanges());
    assert!(text.contains("reqwest::Client"), "{text}");
}
