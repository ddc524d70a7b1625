//! Notifications: delivered by the sender, taken by the receiver, refused where they break a rule.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use mecforge_runtime::callbacks::{DeliveryError, Notification, NotificationSender, Receiver, router};
use mecforge_runtime::rules::StringRules;
use mecforge_runtime::server::Problem;
use mecforge_runtime::{Decode, Invalid, Json, ObjectReader, decode};
use serde::Serialize;
use serde_json::json;

use crate::support::{call, serve};

/// A notification by hand, whose type is `KIND`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice<const KIND: char> {
    notification_type: String,
    text: String,
}

impl<const KIND: char> Notice<KIND> {
    fn new(text: &str) -> Self {
        Self {
            notification_type: format!("{KIND}Notice"),
            text: text.to_owned(),
        }
    }
}

impl<const KIND: char> Decode for Notice<KIND> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let reader = ObjectReader::new(json)?;
        let rules = StringRules {
            max_length: Some(5),
            ..StringRules::NONE
        };
        Ok(Self {
            notification_type: reader.required("notificationType", decode::string)?,
            text: reader.required("text", |json| decode::string_with(json, &rules))?,
        })
    }
}

impl Notification for Notice<'A'> {
    const NAME: &'static str = "ANotice";
    const NOTIFICATION_TYPE: Option<&'static str> = Some("ANotice");
}

impl Notification for Notice<'B'> {
    const NAME: &'static str = "BNotice";
    const NOTIFICATION_TYPE: Option<&'static str> = Some("BNotice");
}

/// A list of what was received, and a closure that adds to it.
fn log() -> (
    Arc<Mutex<Vec<String>>>,
    impl Fn(String) + Clone + Send + Sync + 'static,
) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    (log, move |entry| writer.lock().unwrap().push(entry))
}

#[tokio::test]
async fn what_is_sent_is_received() {
    let (received, write) = log();
    let receiver = router(move |notice: Notice<'A'>| {
        let write = write.clone();
        async move { write(notice.text) }
    });
    let base = serve(axum::Router::new().nest("/callback", receiver)).await;
    let sender = NotificationSender::new().unwrap();
    let delivered = sender
        .send(&format!("{base}/callback"), &Notice::<'A'>::new("hello"))
        .await
        .unwrap();
    assert_eq!(delivered.status, StatusCode::NO_CONTENT);
    let refused = sender
        .send(&format!("{base}/nothing"), &Notice::<'A'>::new("hello"))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, DeliveryError::Refused(answer) if answer.status() == 404)
            && !refused.is_temporary()
    );
    let invalid = sender
        .send(&format!("{base}/callback"), &Notice::<'A'>::new("too long"))
        .await
        .unwrap_err();
    assert!(
        matches!(&invalid, DeliveryError::Invalid(invalid) if invalid.pointer() == "/text"),
        "{invalid:?}"
    );
    assert_eq!(*received.lock().unwrap(), ["hello"]);
}

#[tokio::test]
async fn several_kinds_share_an_address() {
    let (received, write) = log();
    let (first, second) = (write.clone(), write);
    let receiver = || {
        let (first, second) = (first.clone(), second.clone());
        Receiver::new()
            .on(move |notice: Notice<'A'>| {
                let write = first.clone();
                async move { write(format!("A {}", notice.text)) }
            })
            .on(move |notice: Notice<'B'>| {
                let write = second.clone();
                async move {
                    write(format!("B {}", notice.text));
                    if notice.text == "no" {
                        Err(Problem::not_found("nobody has subscribed to this"))
                    } else {
                        Ok(())
                    }
                }
            })
            .into_router()
    };
    let post = async |body: serde_json::Value| {
        call(
            receiver(),
            "POST",
            "/",
            &["Content-Type: application/json"],
            body.to_string(),
        )
        .await
    };
    assert_eq!(
        post(json!({"notificationType": "ANotice", "text": "1"}))
            .await
            .status,
        204
    );
    assert_eq!(
        post(json!({"notificationType": "BNotice", "text": "2"}))
            .await
            .status,
        204
    );
    assert_eq!(
        post(json!({"notificationType": "BNotice", "text": "no"}))
            .await
            .status,
        404
    );
    for (body, pointer, rule) in [
        (
            json!({"notificationType": "CNotice", "text": "3"}),
            "/notificationType",
            "enum",
        ),
        (json!({"text": "3"}), "", "required"),
        (
            json!({"notificationType": "BNotice", "text": "too long"}),
            "/text",
            "maxLength",
        ),
        (json!([]), "", "required"),
    ] {
        let answer = post(body).await;
        let problem = answer.json();
        assert_eq!(
            (answer.status, &problem["pointer"], &problem["rule"]),
            (400, &json!(pointer), &json!(rule)),
            "{problem}"
        );
    }
    assert_eq!(*received.lock().unwrap(), ["A 1", "B 2", "B no"]);
}

#[tokio::test]
async fn receivers_refuse_as_servers_do() {
    let receiver = || router(|_: Notice<'A'>| async {});
    for (method, path, headers, status) in [
        ("GET", "/", &[][..], 405),
        ("POST", "/other", &[], 404),
        ("POST", "/", &["Content-Type: text/plain"], 415),
        ("POST", "/?a=b", &["Content-Type: application/json"], 400),
    ] {
        let answer = call(receiver(), method, path, headers, "{}").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn addresses_are_checked_and_redirects_not_followed() {
    let base = serve(axum::Router::new().fallback(async || {
        (
            StatusCode::TEMPORARY_REDIRECT,
            [(http::header::LOCATION, "http://127.0.0.1:1/")],
        )
    }))
    .await;
    let policy = |url: &_| {
        let url: &reqwest::Url = url;
        if url.path() == "/forbidden" {
            Err("it is ours".to_owned())
        } else {
            Ok(())
        }
    };
    let sender = NotificationSender::builder()
        .policy(policy)
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let send = async |url: &str| sender.send(url, &Notice::<'A'>::new("a")).await.unwrap_err();
    for url in ["", "/callback", "ws://host/", "mailto:a@b", "http://"] {
        assert!(matches!(send(url).await, DeliveryError::Address(_)), "{url}");
    }
    assert!(matches!(
        send(&format!("{base}/forbidden")).await,
        DeliveryError::Forbidden { .. }
    ));
    assert!(matches!(send(&base).await, DeliveryError::Refused(answer) if answer.status() == 307));
    let dead = send("http://127.0.0.1:1/").await;
    assert!(matches!(dead, DeliveryError::Transport(_)) && dead.is_temporary());
}

#[tokio::test]
async fn a_delivery_has_headers_of_its_own_and_a_refusal_says_how_long_to_wait() {
    let (received, write) = log();
    let respond = move |headers: http::HeaderMap| {
        let of = |name: &str| {
            headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect::<Vec<_>>()
                .join("+")
        };
        write(format!("{} {}", of("x-sender"), of("x-notification-id")));
        async { (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "17")]) }
    };
    let base = serve(axum::Router::new().route("/callback", axum::routing::post(respond))).await;
    let sender = NotificationSender::builder()
        .header("x-sender".parse().unwrap(), "platform".parse().unwrap())
        .header("x-notification-id".parse().unwrap(), "default".parse().unwrap())
        .connect_timeout(Duration::from_secs(1))
        .configure(|client| client.user_agent("tests"))
        .build()
        .unwrap();
    let headers = [("x-notification-id".parse().unwrap(), "1".parse().unwrap())];
    let url = format!("{base}/callback");
    let refused = sender
        .send_json_with(&url, &b"{}"[..], headers.into_iter().collect())
        .await
        .unwrap_err();
    assert!(refused.is_temporary());
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(17)));
    sender.send_json(&url, "{}").await.unwrap_err();
    assert_eq!(*received.lock().unwrap(), ["platform 1", "platform default"]);
    let forbidden = sender.send_json("nonsense", "{}").await.unwrap_err();
    assert_eq!(forbidden.retry_after(), None);
}
