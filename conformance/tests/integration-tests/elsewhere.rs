//! A platform that is right and has the liveness of its services at a path of its own, beyond the base path of the API,
//! as MEC 011 leaves it to the platform.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mecforge_mock::Options;
use serde_json::{Value, json};

use crate::notifications::run;
use crate::server::serve;

/// The beginning of the paths.
const ELSEWHERE: &str = "/hb/";

fn elsewhere() -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec011-service-management").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let options = Options {
        callbacks: true,
        known_instances: Some(vec!["one".to_owned(), "two".to_owned()]),
        ..Options::default()
    };
    let router = mecforge_mock::router(apis, options).unwrap();
    serve(router.layer(axum::middleware::from_fn(between)))
}

/// Leads requests and links to where the liveness is.
async fn between(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.ends_with("/liveness") {
        let problem = json!({"status": 404, "title": "there is nothing"}).to_string();
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        return (StatusCode::NOT_FOUND, media_type, problem).into_response();
    }
    if let Some((application, service)) = path.strip_prefix(ELSEWHERE).and_then(|key| key.split_once('~')) {
        let services = format!("/mec_service_mgmt/v1/applications/{application}/services");
        *request.uri_mut() = format!("{services}/{service}/liveness").parse().unwrap();
    }
    let head = request.method() == Method::HEAD;
    if head {
        // Its length is that of another link.
        *request.method_mut() = Method::GET;
    }
    let (mut parts, body) = next.run(request).await.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    if let (true, Ok(mut body)) = (parts.status.is_success(), serde_json::from_slice(&bytes)) {
        move_links(&mut body);
        bytes = Bytes::from(body.to_string());
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    if head {
        parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn move_links(body: &mut Value) {
    if let Some(Value::String(link)) = body.pointer_mut("/_links/liveness/href") {
        let parts: Vec<_> = link.split('/').collect();
        let at = parts.iter().position(|part| *part == "applications").unwrap();
        *link = format!("{ELSEWHERE}{}~{}", parts[at + 1], parts[at + 3]);
    } else if let Value::Array(items) = body {
        items.iter_mut().for_each(move_links);
    }
}

#[test]
fn the_liveness_is_where_its_link_leads() {
    let statement = tempfile::NamedTempFile::new().unwrap();
    let claim = |method: &str| {
        let path = "/applications/{appInstanceId}/services/{serviceId}/liveness";
        format!("[[feature]]\nid = \"mec011-service-management {method} {path}\"\nsupported = true\n")
    };
    std::fs::write(statement.path(), claim("GET") + &claim("PATCH")).unwrap();
    let path = statement.path().to_str().unwrap();
    let more = [
        "--tp",
        "--statement",
        path,
        "--app-instance-id",
        "one,two",
        "--timeout",
        "60",
    ];
    let (code, text, report) = run(elsewhere(), "mec011-service-management", &[], &more);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"], json!([]), "{text}");
    let requirements = report["requirements"].as_array().unwrap().iter();
    let passed: BTreeSet<_> = requirements
        .filter(|one| {
            one["verdict"] == "pass"
                && one["operation"]
                    .as_str()
                    .unwrap_or_default()
                    .ends_with("/liveness")
        })
        .map(|one| one["check"].as_str().unwrap())
        .collect();
    for check in [
        "liveness-agrees",
        "heartbeat-counts",
        "liveness-goes-with-service",
        "silent-service-suspended",
        "heartbeats-keep-active",
        "statement-claimed",
    ] {
        assert!(passed.contains(check), "{check} was not judged: {text}");
    }
    let purposes = report["test_purposes"].as_array().unwrap().iter();
    let own: Vec<_> = purposes
        .filter(|purpose| purpose["id"].as_str().unwrap().contains("_MSL_"))
        .collect();
    assert_eq!(own.len(), 4);
    assert!(own.iter().all(|purpose| purpose["verdict"] == "pass"), "{own:?}");
}
