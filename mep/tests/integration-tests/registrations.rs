//! Application instances: registered, declared, and what becomes of their services.

use axum::body::Body;
use mep::config::DeclaredApplication;
use serde_json::json;

use crate::in_process::{InProcess, SERVICES, SUPPORT, quiet, registration, service};

fn at(id: &str) -> String {
    format!("{SUPPORT}/registrations/{id}")
}

#[tokio::test]
async fn a_registration_can_be_read_replaced_and_ended() {
    let platform = InProcess::new(quiet()).await;
    let created = platform
        .json("POST", &format!("{SUPPORT}/registrations"), registration("a/b"))
        .await
        .expect(201);
    assert_eq!(
        created.header("location"),
        format!("http://mep.test{}", at("a%2Fb"))
    );
    let found = platform.get(&at("a%2Fb")).await.expect(200);
    assert_eq!(
        (&found.body, found.header("etag")),
        (&created.body, created.header("etag"))
    );
    let mut changed = registration("a/b");
    changed["appProvider"] = json!("somebody");
    let etag = created.header("etag");
    let headers = [("content-type", "application/json"), ("if-match", etag)];
    let put = || {
        platform.call(
            "PUT",
            "/mec_app_support/v1/registrations/a%2Fb",
            &headers,
            Body::from(changed.to_string()),
        )
    };
    let replaced = put().await.expect(204);
    assert_ne!(replaced.header("etag"), etag);
    put().await.expect(412);
    assert_eq!(platform.get(&at("a%2Fb")).await.expect(200).body, changed);
    platform
        .call("DELETE", &at("a%2Fb"), &[("if-match", etag)], Body::empty())
        .await
        .expect(412);
    platform
        .call("DELETE", &at("a%2Fb"), &[], Body::empty())
        .await
        .expect(204);
    for method in ["GET", "DELETE"] {
        platform
            .call(method, &at("a%2Fb"), &[], Body::empty())
            .await
            .expect(404);
    }
    platform.json("PUT", &at("a%2Fb"), changed).await.expect(404);
}

#[tokio::test]
async fn identifiers_are_given_or_taken_or_refused() {
    let platform = InProcess::with_application().await;
    let path = format!("{SUPPORT}/registrations");
    let mut body = registration("app");
    let taken = platform.json("POST", &path, body.clone()).await.expect(403);
    assert_eq!(
        (&taken.body["pointer"], &taken.body["rule"]),
        (&json!("/appInstanceId"), &json!("unique"))
    );
    for odd in ["", ".", "..", "a\u{0}b", &"x".repeat(257)] {
        body["appInstanceId"] = json!(odd);
        let refused = platform.json("POST", &path, body.clone()).await.expect(400);
        assert_eq!(refused.body["pointer"], "/appInstanceId", "{refused:?}");
    }
    body.as_object_mut().unwrap().remove("appInstanceId");
    let given = platform.json("POST", &path, body).await.expect(201);
    let id = given.body["appInstanceId"].as_str().unwrap();
    assert_eq!(given.header("location"), format!("http://mep.test{}", at(id)));
    let mut other = registration("other");
    let moved = platform.json("PUT", &at(id), other.clone()).await.expect(400);
    assert_eq!(moved.body["pointer"], "/appInstanceId");
    other.as_object_mut().unwrap().remove("appInstanceId");
    platform.json("PUT", &at(id), other).await.expect(204);
    assert_eq!(platform.get(&at(id)).await.body["appInstanceId"], id);
}

#[tokio::test]
async fn services_go_with_their_application() {
    let platform = InProcess::with_application().await;
    platform
        .json("POST", &format!("{SUPPORT}/registrations"), registration("app2"))
        .await
        .expect(201);
    for application in ["app", "app", "app2"] {
        let path = format!("{SERVICES}/applications/{application}/services");
        platform.json("POST", &path, service("one")).await.expect(201);
    }
    platform
        .call("DELETE", &at("app"), &[], Body::empty())
        .await
        .expect(204);
    let rest = platform.get(&format!("{SERVICES}/services")).await.body;
    assert_eq!(rest.as_array().unwrap().len(), 1);
    platform
        .get(&format!("{SERVICES}/applications/app/services"))
        .await
        .expect(404);
    platform
        .json(
            "POST",
            &format!("{SERVICES}/applications/app/services"),
            service("one"),
        )
        .await
        .expect(404);
}

#[tokio::test]
async fn no_service_outlives_a_deregistration_at_the_same_time() {
    let platform = std::sync::Arc::new(InProcess::new(quiet()).await);
    for _ in 0..20 {
        platform
            .json("POST", &format!("{SUPPORT}/registrations"), registration("app"))
            .await
            .expect(201);
        let creations: Vec<_> = (0..8)
            .map(|_| {
                let platform = platform.clone();
                let path = format!("{SERVICES}/applications/app/services");
                tokio::spawn(async move { platform.json("POST", &path, service("one")).await.status })
            })
            .collect();
        platform
            .call("DELETE", &at("app"), &[], Body::empty())
            .await
            .expect(204);
        for creation in creations {
            let status = creation.await.unwrap();
            assert!(status == 201 || status == 404, "{status}");
        }
        assert_eq!(
            platform.get(&format!("{SERVICES}/services")).await.body,
            json!([])
        );
        assert_eq!(platform.store.figures().entries, 0);
    }
}

#[tokio::test]
async fn declared_applications_need_no_registration() {
    let mut settings = quiet();
    settings.applications = vec![DeclaredApplication {
        app_instance_id: "old".to_owned(),
        app_name: "an app of 2020".to_owned(),
    }];
    let platform = InProcess::new(settings).await;
    let path = format!("{SERVICES}/applications/old/services");
    platform.json("POST", &path, service("one")).await.expect(201);
    platform.get(&at("old")).await.expect(404);
    // It may register all the same, and stays when it deregisters.
    platform
        .json("POST", &format!("{SUPPORT}/registrations"), registration("old"))
        .await
        .expect(201);
    platform
        .call("DELETE", &at("old"), &[], Body::empty())
        .await
        .expect(204);
    assert_eq!(platform.get(&path).await.expect(200).body, json!([]));
    platform.json("POST", &path, service("two")).await.expect(201);
}

#[tokio::test]
async fn configured_transports_are_offered() {
    let mut settings = quiet();
    settings.transports = Some(vec![json!({
        "id": "bus", "name": "bus", "type": "MB_PUBSUB", "protocol": "MQTT", "version": "5.0",
        "endpoint": {"uris": ["mqtt://bus.example"]}, "security": {},
    })]);
    let platform = InProcess::with(settings).await;
    let offered = platform
        .get(&format!("{SERVICES}/transports"))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (offered.as_array().unwrap().len(), &offered[0]["id"]),
        (1, &json!("bus"))
    );
    let mut body = service("one");
    let path = format!("{SERVICES}/applications/app/services");
    platform.json("POST", &path, body.clone()).await.expect(400);
    body["transportId"] = json!("bus");
    assert_eq!(
        platform.json("POST", &path, body).await.expect(201).body["transportInfo"],
        offered[0]
    );
}

#[tokio::test]
async fn an_application_without_rules_has_empty_lists_of_them() {
    let platform = InProcess::with_application().await;
    for list in ["dns_rules", "traffic_rules"] {
        let rules = platform.get(&format!("{SUPPORT}/applications/app/{list}")).await;
        assert_eq!(rules.expect(200).body, json!([]));
        platform
            .get(&format!("{SUPPORT}/applications/nobody/{list}"))
            .await
            .expect(404);
    }
}
