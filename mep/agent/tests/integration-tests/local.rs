//! What the application is answered.

use mep_agent::local;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::platform::{APP, TestPlatform};
use crate::running::{Running, configuration, service};

async fn serve(agent: &Running) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = local::router(agent.clients.clone(), agent.status.clone());
    tokio::spawn(local::serve(listener, router, std::future::pending()));
    url
}

async fn get(url: &str) -> (u16, String, Value) {
    let response = reqwest::get(url).await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, content_type, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_learns_where_services_are() {
    let platform = TestPlatform::start().await;
    let inactive = service("asleep", "1", None).replace("version: 1\n", "version: 1\n    state: INACTIVE\n");
    let file = format!(
        "application: {{appInstanceId: {APP}}}\nservices:{}{inactive}",
        service("camera/1", "1", None)
    );
    let mut agent = Running::start(configuration(&platform.url(), &file));
    let url = serve(&agent).await;
    agent.until_ready().await;
    for path in ["/endpoint/camera%2F1", "/mep-agent/v1/endpoint/camera%2F1"] {
        let (status, content_type, body) = get(&format!("{url}{path}")).await;
        assert_eq!((status, content_type.as_str()), (200, "application/json"));
        assert_eq!(body, json!({"uris": ["http://camera/1.example:30005"]}));
    }
    for (path, expected) in [
        ("/endpoint/asleep", 404),
        ("/endpoint/nobody", 404),
        ("/mep-agent/v1/token", 501),
        ("/elsewhere", 404),
    ] {
        let (status, content_type, body) = get(&format!("{url}{path}")).await;
        assert_eq!(
            (status, content_type.as_str()),
            (expected, "application/problem+json"),
            "{body}"
        );
        assert_eq!(body["status"], expected);
    }
    let (status, _, body) = get(&format!("{url}/readyz")).await;
    assert_eq!((status, &body["ready"]), (200, &json!(true)), "{body}");

    platform.stop().await;
    agent.until("disconnected", |status| !status.connected).await;
    let (status, _, body) = get(&format!("{url}/endpoint/camera%2F1")).await;
    assert_eq!(status, 503, "{body}");
    let (status, _, body) = get(&format!("{url}/readyz")).await;
    assert_eq!((status, &body["connected"]), (503, &json!(false)), "{body}");
    let (status, _, body) = get(&format!("{url}/healthz")).await;
    assert_eq!(
        (status, &body["services"][0]["serName"]),
        (200, &json!("camera/1")),
        "{body}"
    );
}
