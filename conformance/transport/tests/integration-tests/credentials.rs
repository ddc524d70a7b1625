//! Tokens are asked for once, renewed when they expire, and failures are one sentence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mecforge_transport::{Client, Credentials, Fault, Request, Secret};

use crate::server::{answering, ok, settings};

fn oauth(token_url: String) -> Credentials {
    Credentials::ClientCredentials {
        token_url,
        client_id: "my app".to_owned(),
        client_secret: Secret::from("pass:word"),
        scope: Some("a b".to_owned()),
        audience: None,
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_and_renewed_when_it_expires() {
    let number = Arc::new(AtomicUsize::new(0));
    let counted = number.clone();
    let (tokens, asked) = answering(move |_, _| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        ok(&format!(
            "{{\"access_token\":\"token-{number}\",\"token_type\":\"bearer\",\"expires_in\":1}}"
        ))
    })
    .await;
    let (address, seen) = answering(|_, _| ok("{}")).await;
    let mut settings = settings(&address);
    settings.credentials = oauth(format!("{tokens}/oauth/token"));
    let client = Client::new(settings).unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&Request::new("GET", "/")).await.status() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Some(200));
    }
    assert_eq!(number.load(Ordering::SeqCst), 1);
    assert!(
        seen.lock()
            .unwrap()
            .iter()
            .all(|request| request.contains("authorization: Bearer token-0\r\n"))
    );
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /oauth/token HTTP/1.1\r\n"), "{request}");
    // "my%20app:pass%3Aword", RFC 6749 clause 2.3.1.
    assert!(
        request.contains("authorization: Basic bXklMjBhcHA6cGFzcyUzQXdvcmQ=\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\ngrant_type=client_credentials&scope=a%20b"),
        "{request}"
    );
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(client.send(&Request::new("GET", "/")).await.status(), Some(200));
    assert_eq!(number.load(Ordering::SeqCst), 2);
    let anonymous = client.send(&Request::new("GET", "/").anonymous()).await;
    assert!(
        anonymous
            .request
            .headers
            .iter()
            .all(|(name, _)| name != "authorization")
    );
}

#[tokio::test]
async fn failures_to_get_a_token_are_one_sentence() {
    let refusal = "{\"error\":\"invalid_client\",\"error_description\":\"unknown pass:word\"}";
    let refused = format!(
        "HTTP/1.1 401 U\r\nContent-Length: {}\r\n\r\n{refusal}",
        refusal.len()
    );
    for (answer, expected) in [
        (refused, "invalid_client"),
        (ok("<html>"), "not JSON"),
        (ok("{}"), "access_token is missing"),
        (ok("{\"access_token\":\"a\",\"token_type\":\"mac\"}"), "mac"),
        (ok("{\"access_token\":\"a\\nb\"}"), "no header can carry"),
    ] {
        let (tokens, _) = answering(move |_, _| answer.clone()).await;
        let (address, seen) = answering(|_, _| ok("{}")).await;
        let mut settings = settings(&address);
        settings.credentials = oauth(tokens);
        let exchange = Client::new(settings)
            .unwrap()
            .send(&Request::new("GET", "/"))
            .await
            .masked();
        let fault = exchange.outcome.unwrap_err();
        assert!(
            matches!(&fault, Fault::Credentials(text) if text.contains(expected)),
            "{fault}"
        );
        assert!(!fault.to_string().contains("pass:word"), "{fault}");
        assert!(seen.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn requests_are_signed_with_access_keys() {
    let (address, seen) = answering(|_, _| ok("{}")).await;
    let mut settings = settings(&address);
    settings.credentials = Credentials::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: Secret::from("secret-key"),
        token_url: None,
    };
    let client = Client::new(settings).unwrap();
    let exchange = client
        .send(&Request::new("POST", "/a?b=1").body("application/json", "{}"))
        .await;
    assert_eq!(exchange.status(), Some(200));
    let request = seen.lock().unwrap()[0].clone();
    let expected =
        "authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-sdk-date, Signature=";
    assert!(request.contains(expected), "{request}");
    assert!(request.contains("x-sdk-date: 20"), "{request}");
}
