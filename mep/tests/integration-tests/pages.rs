//! Health, metrics, documents, explorer.

use crate::process::Mep;

#[test]
fn health_and_readiness_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    assert_eq!(mep.get("/healthz").text(), "alive\n");
    assert_eq!(mep.get("/readyz").text(), "ready\n");
    let head = mep.connect().request("HEAD", "/healthz", &[], b"").unwrap();
    assert_eq!((head.status, head.header("content-length")), (200, Some("6")));
    let post = mep.connect().request("POST", "/healthz", &[], b"").unwrap();
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn what_is_not_there_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let answer = mep.get("/nowhere?x=1");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (404, Some("application/problem+json"))
    );
    assert_eq!(answer.json()["instance"], "/nowhere");
}

#[test]
fn requests_have_identifiers() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let answer = mep
        .connect()
        .request("GET", "/healthz", &[("X-Request-Id", "trace-1")], b"")
        .unwrap();
    assert_eq!(answer.header("x-request-id"), Some("trace-1"));
    let mine = mep.get("/healthz").header("x-request-id").unwrap().to_owned();
    assert_ne!(mep.get("/healthz").header("x-request-id"), Some(mine.as_str()));
}

#[test]
fn metrics_count_requests_and_tell_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    mep.get("/mec_service_mgmt/v1/services");
    mep.get("/mec_service_mgmt/v1/services/unknown");
    let answer = mep.get("/metrics");
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    let text = answer.text();
    for line in [
        r#"mep_http_requests_total{api="mec011-service-management",method="GET",path="/services",status="200"} 1"#,
        r#"mep_http_requests_total{api="mec011-service-management",method="GET",path="/services/{serviceId}",status="404"} 1"#,
        r#"mep_http_request_seconds_count{api="mec011-service-management",method="GET",path="/services"} 1"#,
        "mep_store_writable 1",
        "mep_services 0",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}

#[test]
fn the_explorer_and_the_documents_come_from_the_platform_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let script = mep.get("/explorer/swagger-initializer.js").text();
    for id in ["mec011-service-management", "mec011-app-support"] {
        let path = format!("/openapi/{id}.json");
        assert!(script.contains(&path), "{script}");
        assert!(mep.get("/").text().contains(&path));
        let document = mep.get(&path);
        assert_eq!(document.header("content-type"), Some("application/json"));
        assert_eq!(document.json()["openapi"], "3.1.0");
        let server = document.json()["servers"][0]["url"].as_str().unwrap().to_owned();
        assert!(
            server.starts_with(&format!("http://{}/mec_", mep.address)),
            "{server}"
        );
    }
    for (path, media_type) in [
        ("/explorer/", "text/html"),
        ("/explorer/swagger-ui-bundle.js", "text/javascript"),
        ("/explorer/swagger-ui.css", "text/css"),
    ] {
        let answer = mep.get(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(media_type)),
            "{path}"
        );
    }
    assert_eq!(mep.get("/explorer").header("location"), Some("/explorer/"));
}
