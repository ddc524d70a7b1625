//! What goes with a deregistration or a removal, and what stays.

use std::time::Duration;

use mecforge_contracts::lifecycle::{EndAction, Lifecycle};
use mecforge_contracts::{Applications, Presence, keys};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn deregistering_takes_everything_of_an_instance_that_only_registered() {
    let api = Api::new().await;
    api.equip("app").await;
    api.register("other").await;
    api.add_service("other", "service").await;
    let tag = api
        .get("/registrations/app")
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    let stale = [("if-match", "\"1000\"")];
    api.call("DELETE", "/registrations/app", &stale, json!(null))
        .await
        .expect(412);
    assert_eq!(api.removals(), 0);
    let current = [("if-match", &*tag)];
    api.call("DELETE", "/registrations/app", &current, json!(null))
        .await
        .expect(204);
    api.expect_gone("app");
    assert_eq!(api.removals(), 1);
    assert_eq!(api.count(&keys::services_of("other")), 1, "others keep theirs");
    api.delete("/registrations/app").await.expect(404);
}

#[tokio::test]
async fn deregistering_leaves_what_a_manager_has_given() {
    let api = Api::new().await;
    api.configure("app").await;
    api.equip("app").await;
    api.confirm_ready("app").await.expect(204);
    assert_eq!(api.instances.presence("app"), Presence::Configured);
    api.delete("/registrations/app").await.expect(204);
    assert_eq!(api.instances.presence("app"), Presence::Configured);
    assert_eq!((api.count(&keys::services_of("app")), api.removals()), (0, 1));
    assert_eq!(
        api.get("/applications/app/subscriptions").await.body["_links"]["subscriptions"],
        json!([])
    );
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    assert_eq!(api.names.answers("name.test").len(), 1);
    assert!(!api.life("app").ready);
    api.delete("/registrations/app").await.expect(404);
    // The manager's removal takes the rest.
    api.support.remove("app").await.unwrap();
    api.expect_gone("app");
    assert_eq!(api.count(keys::CONFIGURATIONS), 0);
}

#[tokio::test]
async fn deregistering_does_not_take_an_announced_end_back() {
    let api = Api::new().await;
    api.configure("app").await;
    api.equip("app").await;
    let minute = Duration::from_secs(60);
    api.support
        .end("app", EndAction::Terminating, minute)
        .await
        .unwrap();
    let pending = api.life("app").pending;
    api.delete("/registrations/app").await.expect(204);
    assert_eq!(api.life("app").pending, pending);
    api.confirm("app", "TERMINATING").await.expect(204);
    api.expect_gone("app");
}

#[tokio::test]
async fn removing_who_is_not_there_is_404() {
    let api = Api::new().await;
    let refused = api.support.remove("nobody").await;
    assert_eq!(refused.unwrap_err().status(), 404);
}

#[tokio::test]
async fn a_registration_of_another_instance_shows_where_it_is() {
    let api = Api::new().await;
    api.configure("app").await;
    assert_eq!((api.instances.registered(), api.instances.configured()), (1, 1));
    assert_eq!(api.instances.declared().collect::<Vec<_>>(), ["declared"]);
    api.configure("declared").await;
    assert_eq!(api.instances.presence("declared"), Presence::Declared);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_deregistrations_at_once_one_succeeds() {
    let api = std::sync::Arc::new(Api::empty());
    for round in 0..1_000 {
        let app = format!("app-{round}");
        api.register(&app).await;
        let path = format!("/registrations/{app}");
        let deletions = (0..4).map(|_| {
            let (api, path) = (api.clone(), path.clone());
            tokio::spawn(async move { api.delete(&path).await.status })
        });
        let deletions: Vec<_> = deletions.collect();
        let mut statuses = Vec::new();
        for deletion in deletions {
            statuses.push(deletion.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404], "{app}");
    }
}
