//! Readiness.

use std::time::Duration;

use mecforge_contracts::lifecycle::{EndAction, Life, Lifecycle};
use mecforge_runtime::server::Principal;
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn readiness_is_kept_and_may_be_confirmed_again() {
    let api = Api::new().await;
    assert_eq!(api.life("app"), Life::default());
    api.confirm_ready("app").await.expect(204);
    assert!(api.life("app").ready);
    let revision = api.store.revision();
    api.confirm_ready("app").await.expect(204);
    assert_eq!(api.store.revision(), revision, "nothing was written again");
    let api = api.restarted();
    assert!(api.life("app").ready);
}

#[tokio::test]
async fn readiness_is_refused_where_it_makes_no_sense() {
    let mut api = Api::new().await;
    let body = json!({"indication": "STEADY"});
    let refused = api.post("/applications/app/confirm_ready", body).await;
    refused.expect_pointer(400, "/indication", "enum");
    api.confirm_ready("nobody").await.expect(404);
    api.subscribe("app").await;
    let minute = Duration::from_secs(60);
    api.support.end("app", EndAction::Stopping, minute).await.unwrap();
    api.confirm_ready("app").await.expect(409);
    api.principal = Principal::application("other");
    api.confirm_ready("app").await.expect(403);
    api.confirm("app", "STOPPING").await.expect(403);
    assert!(api.life("app").pending.is_some());
}

#[tokio::test]
async fn readiness_ends_with_the_instance() {
    let api = Api::new().await;
    api.confirm_ready("app").await.expect(204);
    api.delete("/registrations/app").await.expect(204);
    api.register("app").await;
    assert!(!api.life("app").ready);
}
