//! What comes is kept and answered as told, within bounds.

use std::time::Duration;

use mecforge_transport::{Client, Exchange, Request, Settings, TargetUrl};

use super::{Behaviour, Receiver};

async fn receiver() -> Receiver {
    Receiver::start("http://127.0.0.1:9", None, None).await.unwrap()
}

async fn post(url: &str, body: &str) -> Exchange {
    let at = url.match_indices('/').nth(2).unwrap().0;
    let mut settings = Settings::new(TargetUrl::parse(&url[..at]).unwrap());
    settings.timeout = Duration::from_millis(1_500);
    let mut request = Request::new("POST", &url[at..]);
    request.body = Some(body.to_owned().into());
    Client::new(settings).unwrap().send(&request).await
}

async fn status(url: &str) -> u16 {
    post(url, "{}").await.outcome.map_or(0, |answer| answer.status)
}

#[tokio::test]
async fn a_mailbox_keeps_what_comes() {
    let receiver = receiver().await;
    assert!(!receiver.has_heard());
    let mailbox = receiver.open("one");
    assert_eq!(status(&format!("{}/more?a=b", mailbox.url)).await, 204);
    let letters = mailbox.letters();
    assert_eq!(letters[0].target, "/mec-conformance/one/more?a=b");
    assert_eq!((letters[0].method.as_str(), letters[0].answered), ("POST", 204));
    assert_eq!(letters[0].json(), Some(serde_json::json!({})));
    assert!(receiver.has_heard());
    let url = mailbox.url.clone();
    drop(mailbox);
    assert_eq!(status(&url).await, 204, "what comes late is swallowed");
    assert_eq!(status(&receiver.swallowing()).await, 204);
    assert_eq!(status(&format!("{}/elsewhere", receiver.base())).await, 404);
}

#[tokio::test]
async fn mailboxes_misbehave_as_they_are_told() {
    let receiver = receiver().await;
    let fails = receiver.open_apart(
        "fails",
        Behaviour::Fail {
            status: 503,
            times: 1,
        },
    );
    let fails = fails.await.unwrap();
    assert_eq!((status(&fails.url).await, status(&fails.url).await), (503, 204));
    let closes = receiver
        .open_apart("closes", Behaviour::Close { times: 1 })
        .await
        .unwrap();
    assert_eq!((status(&closes.url).await, status(&closes.url).await), (0, 204));
    let hangs = receiver.open_apart("hangs", Behaviour::Hang).await.unwrap();
    assert_eq!(status(&hangs.url).await, 0);
    assert_eq!(hangs.letters().len(), 1);
    let redirects = receiver.open_apart("redirects", Behaviour::Redirect(fails.url.clone()));
    let redirects = redirects.await.unwrap();
    let answer = post(&redirects.url, "{}").await.outcome.unwrap();
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some(fails.url.as_str()))
    );
}

#[tokio::test]
async fn a_large_notification_is_taken() {
    let receiver = receiver().await;
    let mailbox = receiver.open("large");
    let body = "x".repeat(4 << 20);
    let (one, other) = (post(&mailbox.url, &body), post(&mailbox.url, &body));
    let answers = tokio::join!(one, other);
    for answer in [answers.0, answers.1] {
        assert_eq!(answer.outcome.unwrap().status, 204);
    }
    let letters = mailbox.letters();
    assert!(letters.iter().all(|letter| letter.body.len() == body.len()));
    assert!(letters.len() == 2 && !mailbox.has_refused());
}

#[tokio::test]
async fn a_body_without_end_is_not_kept() {
    let receiver = receiver().await;
    let mailbox = receiver.open("big");
    let answer = post(&mailbox.url, &"x".repeat(5 << 20)).await.outcome;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 413));
    assert!(mailbox.letters().is_empty() && mailbox.has_refused());
}

#[tokio::test]
async fn what_is_kept_has_a_limit() {
    let receiver = receiver().await;
    let mailbox = receiver.open("much");
    let body = "x".repeat(4 << 20);
    for _ in 0..16 {
        assert_eq!(post(&mailbox.url, &body).await.outcome.unwrap().status, 204);
    }
    assert!(!mailbox.has_refused());
    assert_eq!(status(&mailbox.url).await, 503);
    assert!(mailbox.has_refused());
    drop(mailbox);
    let mailbox = receiver.open("more");
    assert_eq!(status(&mailbox.url).await, 204);
    assert!(!mailbox.has_refused());
}

#[tokio::test]
async fn a_receiver_behind_a_proxy_has_its_address() {
    let url = Some("https://suite.example/in/");
    let receiver = Receiver::start("http://127.0.0.1:9", Some("127.0.0.1:0"), url)
        .await
        .unwrap();
    assert_eq!(
        receiver.open("one").url,
        "https://suite.example/in/mec-conformance/one"
    );
    assert!(receiver.open_apart("two", Behaviour::Hang).await.is_none());
    assert!(
        Receiver::start("http://127.0.0.1:9", None, Some("suite"))
            .await
            .is_err()
    );
}
