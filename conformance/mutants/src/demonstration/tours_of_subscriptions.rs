//! Tours of subscriptions and notifications.

use bytes::Bytes;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::session::Session;
use super::tours::{OWN, SUBSCRIPTIONS, SUPPORT, service};
use crate::client::Call;

/// Subscriptions to the end of an application instance.
pub(super) const ENDS: &str = "/mec_app_support/v1/applications/mutant-1/subscriptions";

/// A subscription to services.
pub(super) fn watch(callback: &str, criteria: Option<Value>) -> Value {
    let mut body =
        json!({"subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": callback});
    if let Some(criteria) = criteria {
        body["filteringCriteria"] = criteria;
    }
    body
}

/// Subscriptions, right and wrong.
pub(super) async fn subscriptions(session: &mut Session) {
    let callback = "http://127.0.0.1:9/end?query=1";
    let category = json!({"href": "/c", "id": "c1", "name": "cars", "version": "1"});
    let mut places = Vec::new();
    for criteria in [
        None,
        Some(json!({"states": ["ACTIVE", "INACTIVE"], "isLocal": true})),
        Some(json!({"serCategories": [category]})),
        Some(json!({"serNames": ["a"]})),
        Some(json!({"serInstanceIds": ["a"]})),
    ] {
        let place = session.make(SUBSCRIPTIONS, &watch(callback, criteria)).await;
        session.ask("GET", &place, None).await;
        session.ask("GET", SUBSCRIPTIONS, None).await;
        places.push(place);
    }
    let end = json!({"subscriptionType": "AppTerminationNotificationSubscription", "callbackReference": callback, "appInstanceId": "mutant-1"});
    let place = session.make(ENDS, &end).await;
    session.ask("GET", &place, None).await;
    session
        .ask("GET", &place.replace("mec_app_support", "mec_service_mgmt"), None)
        .await;
    session.ask("GET", ENDS, None).await;
    let mut extra = watch(callback, None);
    extra["vendor"] = json!(1);
    session.ask("POST", SUBSCRIPTIONS, Some(&extra)).await;
    for criteria in [
        json!({"serNames": ["a"], "serInstanceIds": ["b"]}),
        json!({"states": ["UP"]}),
        json!({"serNames": "a"}),
        json!({"isLocal": "yes"}),
    ] {
        session
            .ask("POST", SUBSCRIPTIONS, Some(&watch(callback, Some(criteria))))
            .await;
    }
    for body in [
        json!({"subscriptionType": "SerAvailabilityNotificationSubscription"}),
        json!({"callbackReference": callback}),
        json!({}),
        json!({"subscriptionType": "Other", "callbackReference": callback}),
        watch("no address", None),
        watch("http://169.254.169.254/latest", None),
        watch("file:///etc/passwd", None),
        watch("gopher://127.0.0.1/", None),
    ] {
        session.ask("POST", SUBSCRIPTIONS, Some(&body)).await;
    }
    let mut other = end.clone();
    other["appInstanceId"] = json!("mutant-2");
    session.ask("POST", ENDS, Some(&other)).await;
    for place in places.iter().chain([&place]) {
        let answer = session
            .client
            .send(Call {
                method: "DELETE",
                path: place,
                headers: &[("if-match", "\"other\"")],
                body: Bytes::new(),
            })
            .await;
        session.transcript.answer("conditional DELETE", answer.as_ref());
        session.ask("DELETE", place, None).await;
        session.ask("GET", place, None).await;
        session.ask("DELETE", place, None).await;
    }
    session.ask("GET", SUBSCRIPTIONS, None).await;
}

/// Notifications of each kind of change, to subscribers of each kind.
pub(super) async fn notifications(session: &mut Session) {
    let base = format!("http://{}", session.receiver.address);
    let Ok(slow) = Receiver::start().await else { return };
    session.transcript.call(slow.address, "SLOW");
    let hanging = watch(&format!("http://{}/hangs", slow.address), None);
    session.make(SUBSCRIPTIONS, &hanging).await;
    let all = session
        .make(SUBSCRIPTIONS, &watch(&format!("{base}/all/below?query=1"), None))
        .await;
    session
        .make(SUBSCRIPTIONS, &watch(&format!("{base}/fails"), None))
        .await;
    for (name, criteria) in [
        ("names", json!({"serNames": ["other"]})),
        ("ids", json!({"serInstanceIds": ["other"]})),
        ("states", json!({"states": ["INACTIVE"]})),
        ("local", json!({"isLocal": true})),
        (
            "cars",
            json!({"serCategories": [{"href": "/", "id": "c9", "name": "n", "version": "1"}]}),
        ),
    ] {
        let place = session
            .make(SUBSCRIPTIONS, &watch(&format!("{base}/{name}"), Some(criteria)))
            .await;
        session.ask("GET", &place, None).await;
    }
    let end = json!({"subscriptionType": "AppTerminationNotificationSubscription", "callbackReference": format!("{base}/end"), "appInstanceId": "tour-1"});
    let registration =
        json!({"appName": "tour", "appInstanceId": "tour-1", "endpoint": {"uris": ["http://a.invalid/"]}});
    session
        .ask("POST", &format!("{SUPPORT}/registrations"), Some(&registration))
        .await;
    session
        .make(&format!("{SUPPORT}/applications/tour-1/subscriptions"), &end)
        .await;
    let path = session.make(OWN, &service("watched", json!({}))).await;
    session.received("/all", 1).await;
    for over in [
        json!({"state": "INACTIVE"}),
        json!({"state": "INACTIVE", "version": "9"}),
        json!({"version": "8"}),
    ] {
        session.ask("PUT", &path, Some(&service("watched", over))).await;
    }
    session.received("/all", 4).await;
    session.received("/fails", 5).await;
    session.ask("DELETE", &all, None).await;
    session.ask("GET", &all, None).await;
    session.ask("DELETE", &path, None).await;
    let terminate = json!({"operationAction": "TERMINATING", "maxGracefulTimeout": 60});
    session
        .ask("POST", "/mm5/v1/applications/tour-1/terminate", Some(&terminate))
        .await;
    session.received("/end", 1).await;
    for name in [
        "/all", "/names", "/ids", "/states", "/local", "/cars", "/below", "/",
    ] {
        if name == "/" {
            let lines = session.receiver.received("/", 0, 0).await;
            let at_root = lines
                .iter()
                .filter(|line| line.split(' ').nth(1) == Some("/"))
                .count();
            session.transcript.note(&format!("at the root: {at_root}"));
        } else {
            session.received(name, 0).await;
        }
    }
    session
        .ask(
            "POST",
            &format!("{SUPPORT}/applications/tour-1/confirm_termination"),
            Some(&json!({"operationAction": "TERMINATING"})),
        )
        .await;
}
