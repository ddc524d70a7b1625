//! What subscriptions are told of which changes.

use serde_json::{Value, json};

use crate::api::{Api, service, transport};

fn named(name: &str, changes: Value) -> Value {
    let mut body = service(json!({"serName": name}));
    crate::api::merge(&mut body, changes);
    body
}

#[tokio::test]
async fn each_change_is_told_once_and_in_order() {
    let api = Api::new();
    let all = api.subscribe("b", Value::Null).await;
    let id = api.register("a", named("x", json!({}))).await;
    for body in [
        // Nothing has changed.
        named("x", json!({})),
        named("x", json!({"state": "INACTIVE"})),
        named("x", json!({"state": "INACTIVE", "version": "2.0"})),
        // State and attributes: one reference that says so.
        named("x", json!({"state": "ACTIVE", "version": "3.0"})),
        named(
            "x",
            json!({"version": "3.0", "transportId": null, "transportInfo": transport()}),
        ),
        named(
            "x",
            json!({"version": "3.0", "transportId": null, "transportInfo": transport()}),
        ),
    ] {
        api.put("a", &id, body).await.expect(200);
    }
    api.delete(&format!("/applications/a/services/{id}"))
        .await
        .expect(204);
    let expected = "ADDED x ACTIVE|STATE_CHANGED x INACTIVE|ATTRIBUTES_CHANGED x INACTIVE\
                    |ATTRIBUTES_CHANGED x ACTIVE|ATTRIBUTES_CHANGED x ACTIVE|REMOVED x ACTIVE";
    assert_eq!(api.heard("b", &all), expected);
    // Refused changes are told to nobody.
    api.put("a", &id, named("x", json!({}))).await.expect(404);
    let other = api.register("a", named("y", json!({}))).await;
    let path = format!("/applications/a/services/{other}");
    let body = named("y", json!({"version": "9"}));
    api.call("PUT", &path, &[("if-match", "\"no\"")], body)
        .await
        .expect(412);
    assert_eq!(api.heard("b", &all), format!("{expected}|ADDED y ACTIVE"));
}

#[tokio::test]
async fn a_notification_looks_as_the_standard_says() {
    let api = Api::new();
    let subscription = api.subscribe("b", Value::Null).await;
    let id = api.register("a", service(json!({}))).await;
    api.delete(&format!("/applications/a/services/{id}"))
        .await
        .expect(204);
    let root = "http://mep.test:8080/mec_service_mgmt/v1";
    let links =
        json!({"subscription": {"href": format!("{root}/applications/b/subscriptions/{subscription}")}});
    let link = json!({"href": format!("{root}/services/{id}")});
    let reference = json!({"serName": "weather", "serInstanceId": id, "state": "ACTIVE"});
    let (mut added, mut removed) = (reference.clone(), reference);
    crate::api::merge(&mut added, json!({"changeType": "ADDED", "link": link}));
    crate::api::merge(&mut removed, json!({"changeType": "REMOVED"}));
    let told = |reference: Value| {
        json!({
            "notificationType": "SerAvailabilityNotification",
            "serviceReferences": [reference], "_links": links,
        })
    };
    assert_eq!(api.told("b", &subscription), [told(added), told(removed)]);
}

#[tokio::test]
async fn criteria_choose() {
    let api = Api::new();
    let category = |id: &str| json!({"href": "/c", "id": id, "name": "any", "version": "1"});
    let services = [
        ("plain", json!({})),
        ("idle", json!({"state": "INACTIVE"})),
        ("remote", json!({"isLocal": false})),
        ("one", json!({"serCategory": category("1")})),
        (
            "two",
            json!({"serCategory": category("2"), "isLocal": false, "state": "INACTIVE"}),
        ),
    ];
    let mut watched = Vec::new();
    for (criteria, expected) in [
        (Value::Null, "plain idle remote one two"),
        (json!({}), "plain idle remote one two"),
        (json!({"serNames": [], "states": []}), "plain idle remote one two"),
        (json!({"serNames": ["plain"]}), "plain"),
        (json!({"serNames": ["two", "plain", "nobody"]}), "plain two"),
        (json!({"serCategories": [category("1")]}), "one"),
        (
            json!({"serCategories": [category("1"), category("2")]}),
            "one two",
        ),
        (json!({"states": ["INACTIVE"]}), "idle two"),
        (
            json!({"states": ["INACTIVE", "ACTIVE"]}),
            "plain idle remote one two",
        ),
        (json!({"states": ["SUSPENDED"]}), ""),
        (json!({"isLocal": true}), "plain idle one"),
        // Local and remote ones, as in queries.
        (json!({"isLocal": false}), "plain idle remote one two"),
        (json!({"isLocal": true, "states": ["INACTIVE"]}), "idle"),
        (
            json!({"serNames": ["plain", "idle"], "states": ["ACTIVE"]}),
            "plain",
        ),
        (json!({"serCategories": [category("2")], "isLocal": true}), ""),
        (json!({"serInstanceIds": ["unknown"]}), ""),
    ] {
        let id = api.subscribe("b", criteria.clone()).await;
        watched.push((criteria, id, expected));
    }
    for (name, changes) in services {
        api.register("a", named(name, changes)).await;
    }
    for (criteria, id, expected) in watched {
        let told = api.told("b", &id);
        let names: Vec<&str> = told
            .iter()
            .map(|body| body["serviceReferences"][0]["serName"].as_str().unwrap())
            .collect();
        assert_eq!(names.join(" "), expected, "{criteria}");
    }
}

#[tokio::test]
async fn a_service_can_be_named_by_its_identifier() {
    let api = Api::new();
    let id = api.register("a", named("x", json!({}))).await;
    api.register("a", named("y", json!({}))).await;
    let subscription = api.subscribe("b", json!({"serInstanceIds": [id]})).await;
    api.put("a", &id, named("z", json!({"state": "INACTIVE"})))
        .await
        .expect(200);
    api.register("a", named("w", json!({}))).await;
    assert_eq!(api.heard("b", &subscription), "ATTRIBUTES_CHANGED z INACTIVE");
}

#[tokio::test]
async fn the_state_after_a_change_counts_and_what_the_service_was_or_is() {
    let api = Api::new();
    let active = api.subscribe("b", json!({"states": ["ACTIVE"]})).await;
    let inactive = api.subscribe("b", json!({"states": ["INACTIVE"]})).await;
    let old = api.subscribe("b", json!({"serNames": ["old"]})).await;
    let new = api.subscribe("b", json!({"serNames": ["new"]})).await;
    let both = api.subscribe("b", json!({"serNames": ["new", "old"]})).await;
    let id = api.register("a", named("old", json!({}))).await;
    api.put("a", &id, named("old", json!({"state": "INACTIVE"})))
        .await
        .expect(200);
    api.put("a", &id, named("new", json!({"state": "INACTIVE"})))
        .await
        .expect(200);
    api.put("a", &id, named("new", json!({}))).await.expect(200);
    api.delete(&format!("/applications/a/services/{id}"))
        .await
        .expect(204);
    for (subscription, expected) in [
        (
            active,
            "ADDED old ACTIVE|STATE_CHANGED new ACTIVE|REMOVED new ACTIVE",
        ),
        (
            inactive,
            "STATE_CHANGED old INACTIVE|ATTRIBUTES_CHANGED new INACTIVE",
        ),
        (
            old,
            "ADDED old ACTIVE|STATE_CHANGED old INACTIVE|ATTRIBUTES_CHANGED new INACTIVE",
        ),
        (
            new,
            "ATTRIBUTES_CHANGED new INACTIVE|STATE_CHANGED new ACTIVE|REMOVED new ACTIVE",
        ),
        (
            both,
            "ADDED old ACTIVE|STATE_CHANGED old INACTIVE|ATTRIBUTES_CHANGED new INACTIVE\
             |STATE_CHANGED new ACTIVE|REMOVED new ACTIVE",
        ),
    ] {
        assert_eq!(api.heard("b", &subscription), expected);
    }
}

#[tokio::test]
async fn subscriptions_match_after_a_restart_and_not_once_deleted() {
    let api = Api::new();
    let stays = api.subscribe("b", json!({"serNames": ["x"]})).await;
    let goes = api
        .subscribe("b", json!({"serNames": ["x"], "states": ["ACTIVE"]}))
        .await;
    let api = api.restarted();
    api.register("a", named("x", json!({}))).await;
    assert_eq!(api.heard("b", &goes), "ADDED x ACTIVE");
    api.delete(&format!("/applications/b/subscriptions/{goes}"))
        .await
        .expect(204);
    api.register("a", named("x", json!({}))).await;
    assert_eq!(api.told("b", &goes).len(), 0);
    assert_eq!(api.heard("b", &stays), "ADDED x ACTIVE|ADDED x ACTIVE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_are_told_as_they_happened() {
    let api = std::sync::Arc::new(Api::new());
    let subscription = api.subscribe("b", Value::Null).await;
    let id = api.register("a", named("x", json!({"version": "0"}))).await;
    let tasks: Vec<_> = (1..=24)
        .map(|task: u32| {
            let (api, id) = (api.clone(), id.clone());
            let state = if task.is_multiple_of(2) {
                "ACTIVE"
            } else {
                "INACTIVE"
            };
            tokio::spawn(async move {
                let body = named("x", json!({"state": state, "version": "0"}));
                api.put("a", &id, body).await.expect(200);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let last = api.state(&id).await;
    // Only the state changes: whatever the order was, told states alternate, and the last one is the service's.
    let heard = api.heard("b", &subscription);
    let mut states = heard.split('|').map(|told| told.rsplit(' ').next().unwrap());
    let mut state = states.next().unwrap();
    assert_eq!(state, "ACTIVE");
    for next in states {
        assert_ne!(next, state, "{heard}");
        state = next;
    }
    assert_eq!(state, last);
}

#[tokio::test]
async fn what_meets_another_change_is_worked_out_anew() {
    let api = Api::new();
    let subscription = api.subscribe("b", Value::Null).await;
    let id = api.register("a", named("x", json!({}))).await;
    let path = format!("/applications/a/services/{id}");
    // Somebody suspends the service while it is replaced by what it was.
    api.store.meddle(api.set_state("a", &id, "SUSPENDED"));
    api.put("a", &id, named("x", json!({}))).await.expect(200);
    // The other change did not come by the registry and is told to nobody, but it counts.
    assert_eq!(
        api.heard("b", &subscription),
        "ADDED x ACTIVE|STATE_CHANGED x ACTIVE"
    );
    api.store.meddle(api.set_state("a", &id, "SUSPENDED"));
    let etag = api.get(&path).await.header("etag").to_owned();
    let body = named("x", json!({"version": "2.0"}));
    api.call("PUT", &path, &[("if-match", &etag)], body)
        .await
        .expect_parameter(412, "If-Match");
    assert_eq!(api.state(&id).await, "SUSPENDED");
    api.store.meddle(api.set_state("a", &id, "INACTIVE"));
    api.delete(&path).await.expect(204);
    assert_eq!(
        api.heard("b", &subscription),
        "ADDED x ACTIVE|STATE_CHANGED x ACTIVE|REMOVED x INACTIVE"
    );
}
