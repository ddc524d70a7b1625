//! Secrets are nowhere in what is shown.

use mecforge_transport::{Client, Credentials, Request, Secret, SocketFault};

use crate::server::{answering, settings};

#[tokio::test]
async fn no_secret_survives_masking() {
    let (address, _) = answering(|request, _| {
        // An echo, as a careless server's error page would be, with secrets of its own.
        let body = format!("{{\"echo\":\"{}\",\"access_token\" : \"is\\\"sued\"}}", request.escape_debug());
        format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: sid=cookie-value\r\nX-Echo: tok+en/secret\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    })
    .await;
    let mut settings = settings(&address);
    settings
        .headers
        .push(("X-Custom".to_owned(), Secret::from("custom-secret")));
    settings.credentials = Credentials::Bearer(Secret::from("tok+en/secret"));
    assert!(!format!("{settings:?}").contains("secret\""), "{settings:?}");
    let client = Client::new(settings).unwrap();
    let request = Request::new("POST", "/x?t=tok%2Ben%2Fsecret&u=tok+en/secret")
        .header("x-api-key", "key-value")
        .body("text/plain", "tok+en/secret \u{0}\u{7f} custom-secret");
    let exchange = client.send(&request).await;
    assert_eq!(exchange.status(), Some(200), "{:?}", exchange.outcome);
    let shown = |exchange: &mecforge_transport::Exchange| {
        let response = exchange.response().unwrap();
        let sent = &exchange.request;
        let body = String::from_utf8_lossy(sent.body.as_deref().unwrap_or_default()).into_owned();
        let parts = [
            &sent.target,
            &sent.url,
            &body,
            &format!("{:?}", sent.headers),
            &format!("{:?}", response.headers),
        ];
        parts.map(String::as_str).join("\n") + &response.text()
    };
    let secrets = [
        "tok+en/secret",
        "tok%2Ben%2Fsecret",
        "custom-secret",
        "key-value",
        "cookie-value",
        "sued",
    ];
    for secret in &secrets {
        assert!(
            shown(&exchange).contains(secret),
            "the test shows nothing about {secret}"
        );
    }
    let masked = shown(&exchange.masked());
    for secret in &secrets[..] {
        // The echo has the other application's key in it, which nobody knows to be a secret.
        let text = if *secret == "key-value" {
            masked.split("\"echo\"").next().unwrap()
        } else {
            &masked
        };
        assert!(!text.contains(secret), "{secret} in {masked}");
    }
    assert!(masked.contains("Bearer ***"));
    assert!(!format!("{exchange:?}").contains("secret"));
}

#[tokio::test]
async fn credentials_stay_at_the_target() {
    let (own, seen) =
        answering(|_, _| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    let (other, elsewhere) =
        answering(|_, _| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    let mut settings = settings(&own);
    settings.credentials = Credentials::Bearer(Secret::new("confidential".to_owned()));
    settings
        .headers
        .push(("X-Api-Key".to_owned(), Secret::new("confidential".to_owned())));
    let client = Client::new(settings).unwrap();
    let time = std::time::Duration::from_secs(5);
    for address in [&own, &other] {
        let socket = address.replace("http:", "ws:");
        let refused = client.websocket(&format!("{socket}/a?b=c"), time).await;
        assert_eq!(refused.unwrap_err(), SocketFault::Refused(404));
    }
    let (seen, elsewhere) = (
        seen.lock().unwrap()[0].clone(),
        elsewhere.lock().unwrap()[0].clone(),
    );
    assert!(seen.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{seen}");
    assert_eq!(seen.matches("confidential").count(), 2, "{seen}");
    assert!(!elsewhere.contains("confidential"), "{elsewhere}");
}
