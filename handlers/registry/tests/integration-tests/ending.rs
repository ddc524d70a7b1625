//! The end of application instances.

use mecforge_contracts::{Belongings, keys};
use mecforge_registry::Options;
use mecforge_store::{CommitError, Store, Transaction};
use serde_json::{Value, json};

use crate::api::{Api, service};

fn removal(api: &Api) -> Transaction {
    api.registry
        .remove_all("a", Transaction::new().put("changes/1", ""))
}

#[tokio::test]
async fn services_go_with_one_notification_to_others() {
    let api = Api::new();
    let others = api.subscribe("b", Value::Null).await;
    let own = api.subscribe("a", Value::Null).await;
    for name in ["x", "y"] {
        api.register("a", service(json!({"serName": name}))).await;
    }
    let stays = api.register("b", service(json!({"serName": "stays"}))).await;
    assert_eq!(api.told("a", &own).len(), 3);
    api.store.commit(removal(&api)).await.unwrap();
    assert_eq!(
        api.heard("b", &others),
        "ADDED x ACTIVE|ADDED y ACTIVE|ADDED stays ACTIVE|REMOVED x ACTIVE,REMOVED y ACTIVE"
    );
    assert_eq!(api.told("a", &own).len(), 0);
    assert_eq!(
        (api.registry.count(None), api.registry.subscriptions().count()),
        (1, 1)
    );
    assert_eq!(api.state(&stays).await, "ACTIVE");
    // Nothing is left to do, and nothing is told again.
    api.store.commit(removal(&api)).await.unwrap();
    assert_eq!(api.told("b", &others).len(), 4);
}

#[tokio::test]
async fn what_happens_meanwhile_is_a_conflict() {
    let api = Api::new();
    let id = api.register("a", service(json!({}))).await;
    let path = format!("/applications/a/services/{id}");
    let refused = async |stale: Transaction, what: &str| {
        let committed = api.store.commit(stale).await;
        assert!(
            matches!(committed, Err(CommitError::Conflict { .. })),
            "{what}: {committed:?}"
        );
    };
    let stale = removal(&api);
    api.register("a", service(json!({}))).await;
    refused(stale, "a service has come").await;
    let stale = removal(&api);
    api.put("a", &id, service(json!({"version": "2"})))
        .await
        .expect(200);
    refused(stale, "a service has changed").await;
    let stale = removal(&api);
    api.delete(&path).await.expect(204);
    refused(stale, "a service has gone").await;
    let stale = removal(&api);
    api.subscribe("b", Value::Null).await;
    refused(stale, "somebody else has subscribed").await;
    let stale = removal(&api);
    api.subscribe("a", Value::Null).await;
    refused(stale, "the application itself has subscribed").await;
    let stale = removal(&api);
    api.register("b", service(json!({}))).await;
    api.store.commit(stale).await.unwrap();
    assert!(
        api.store
            .range(&keys::services_of("a"), None, 1)
            .entries
            .is_empty()
    );
}

#[tokio::test]
async fn orphans_are_removed_and_told_of() {
    let api = Api::new();
    api.register("a", service(json!({"serName": "x"}))).await;
    api.subscribe("a", Value::Null).await;
    let others = api.subscribe("b", Value::Null).await;
    let api = api.restarted();
    api.applications.0.lock().unwrap().remove("a");
    assert_eq!(api.registry.remove_orphans().await, Ok(1));
    assert_eq!(api.heard("b", &others), "REMOVED x ACTIVE");
    assert_eq!(api.registry.subscriptions().count(), 1);
}

/// One transaction for all of them would hold a reference for each service in each notification.
#[tokio::test]
async fn many_services_with_many_subscribers_go_in_parts() {
    const SERVICES: usize = 60;
    const SUBSCRIBERS: usize = 300;
    let api = Api::with(Options {
        subscriptions_per_application: None,
        ..Options::default()
    });
    for number in 0..SERVICES {
        let body = service(json!({"serName": format!("x{number}")}));
        api.register("a", body).await;
    }
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        subscribers.push(api.subscribe("b", Value::Null).await);
    }
    let mut parts = 0;
    while let Some(part) = api.registry.remove_part("a") {
        part.await.unwrap();
        parts += 1;
    }
    assert_eq!(parts, 1, "as much as fits goes at once");
    let left = api.registry.count(None);
    assert!(left > 0 && left < SERVICES / 2, "{left} are left");
    api.store.commit(removal(&api)).await.unwrap();
    assert_eq!(api.registry.count(None), 0);
    for subscriber in [&subscribers[0], &subscribers[SUBSCRIBERS - 1]] {
        assert_eq!(api.told("b", subscriber).len(), 2);
        let heard = api.heard("b", subscriber);
        assert_eq!(heard.matches("REMOVED").count(), SERVICES, "{heard}");
    }
}
