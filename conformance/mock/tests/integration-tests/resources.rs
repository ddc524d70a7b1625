//! The life of what can be made: made, read, listed, replaced, removed.

use mecforge_api::{Kind, Resource};
use mecforge_mock::Options;
use serde_json::{Value, json};

use crate::client::{Client, documents, serve};

/// How often a text is in a value.
fn mentions(value: &Value, text: &str) -> usize {
    match value {
        Value::String(own) => usize::from(own == text || own.ends_with(&format!("/{text}"))),
        Value::Array(values) => values.iter().map(|value| mentions(value, text)).sum(),
        Value::Object(members) => members.values().map(|value| mentions(value, text)).sum(),
        _ => 0,
    }
}

async fn lives(client: &Client, resource: &Resource) -> bool {
    let Some(maker) = resource.maker.map(|index| &client.api.operations[index]) else {
        return false;
    };
    let context = format!("{}: {}", client.api.id, resource.path.text());
    let values = client.place(maker).await;
    let collection = maker.path.expand(&values);
    let mut body = client.body(maker).unwrap();
    client.bind(&mut body, &values);
    let made = client.call("POST", &collection, Some(&body)).await.is(201);
    let mut another = client.body(maker).unwrap();
    client.bind(&mut another, &values);
    let other = client.call("POST", &collection, Some(&another)).await.is(201);
    let path = made.header("location").to_owned();
    assert!(path.starts_with("http://mock/"), "{context}: {path}");
    assert_ne!(path, other.header("location"), "{context}");
    let id = path.rsplit('/').next().unwrap();
    if resource.operation("GET").is_some() {
        let read = client.call("GET", &path, None).await.is(200);
        assert_eq!(read.json(), made.json(), "{context}");
        assert_eq!(read.headers.get("etag"), made.headers.get("etag"), "{context}");
    }
    if client.api.operation("GET", maker.path.text()).is_some() {
        let listed = client.call("GET", &collection, None).await.is(200).json();
        let named =
            mentions(&listed, id) > 0 || listed.as_array().is_some_and(|list| list.contains(&made.json()));
        assert!(named, "{context}: {id} is not in {listed}");
    }
    if let Some(put) = resource
        .operation("PUT")
        .map(|index| &client.api.operations[index])
    {
        let mut body = client.body(put).unwrap();
        client.bind(&mut body, &values);
        if let (Some(name), Some(members)) = (resource.path.last_parameter(), body.as_object_mut())
            && members.contains_key(name)
        {
            members.insert(name.to_owned(), json!(id));
        }
        let put = client.call("PUT", &path, Some(&body)).await;
        assert!(matches!(put.status, 200 | 204), "{context}: {}", put.text);
        if resource.operation("GET").is_some() {
            let read = client.call("GET", &path, None).await.is(200);
            if put.status == 200 {
                assert_eq!(read.json(), put.json(), "{context}");
            }
            if let Some(tag) = made.headers.get("etag") {
                assert_ne!(Some(tag), read.headers.get("etag"), "{context}");
                let stale = [("if-match", tag.to_str().unwrap())];
                client.call_with("PUT", &path, Some(&body), &stale).await.is(412);
                let fresh = read.header("etag").to_owned();
                client
                    .call_with("GET", &path, None, &[("if-none-match", &fresh)])
                    .await
                    .is(304);
                client
                    .call_with("PUT", &path, Some(&body), &[("if-match", &fresh)])
                    .await
                    .is(200);
            }
        }
    }
    if resource.operation("DELETE").is_some() {
        client.call("DELETE", &path, None).await.is(204);
        client.call("DELETE", &path, None).await.is(404);
        if resource.operation("GET").is_some() {
            client.call("GET", &path, None).await.is(404);
        }
        if client.api.operation("GET", maker.path.text()).is_some() && resource.operation("GET").is_some() {
            let listed = client.call("GET", &collection, None).await.is(200).json();
            assert_eq!(mentions(&listed, id), 0, "{context}: {id} is still in {listed}");
        }
    }
    true
}

#[tokio::test]
async fn what_is_made_lives_and_ends() {
    let mut count = 0;
    for api in documents() {
        let client = Client::new(api, Options::default());
        for resource in &client.api.clone().resources {
            count += usize::from(lives(&client, resource).await);
        }
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test]
async fn what_nobody_can_make_is_there_already() {
    let mut count = 0;
    for api in documents() {
        let client = Client::new(api, Options::default());
        for resource in &client.api.clone().resources {
            let seeded = resource.kind == Kind::Item && resource.maker.is_none();
            let Some(get) = resource.operation("GET").filter(|_| seeded) else {
                continue;
            };
            let get = &client.api.operations[get];
            if get.path.text().contains("/services/") {
                continue;
            }
            let values = client.place(get).await;
            let path = get.path.expand(&values);
            let read = client.call("GET", &path, None).await.is(200);
            client.judge(get, &read);
            let unknown = format!("{}/unknown", path.rsplit_once('/').unwrap().0);
            client.call("GET", &unknown, None).await.is(404);
            if let Some(put) = resource
                .operation("PUT")
                .map(|index| &client.api.operations[index])
            {
                let mut body = read.json();
                let state = body["state"]
                    .as_str()
                    .map(|state| if state == "ACTIVE" { "INACTIVE" } else { "ACTIVE" });
                body["state"] = json!(state);
                let changed = client.call("PUT", &path, Some(&body)).await.is(200);
                client.judge(put, &changed);
                assert_eq!(changed.json(), body);
                assert_eq!(client.call("GET", &path, None).await.json(), body);
                let listed = client
                    .call("GET", path.rsplit_once('/').unwrap().0, None)
                    .await
                    .json();
                assert_eq!(
                    listed
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter(|one| **one == body)
                        .count(),
                    1
                );
                assert_eq!(listed.as_array().unwrap().len(), 2);
            }
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let mut texts = Vec::new();
    for _ in 0..2 {
        let client = serve("mec015-bandwidth-management");
        let maker = client.api.operation("POST", "/bw_allocations").unwrap();
        let body = client.body(maker).unwrap();
        texts.push(
            client
                .call("POST", "/bw_allocations", Some(&body))
                .await
                .is(201)
                .text,
        );
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn a_patch_merges() {
    let client = serve("mec040-federation-enablement");
    let body = json!({"systemName": "a", "systemProvider": "b"});
    let made = client
        .call("POST", "/fed_resources/system_info", Some(&body))
        .await
        .is(201);
    let path = made.header("location").to_owned();
    let patched = client
        .call("PATCH", &path, Some(&json!({"systemName": "c"})))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&patched["systemName"], &patched["systemProvider"]),
        (&json!("c"), &json!("b"))
    );
    assert_eq!(patched["systemId"], made.json()["systemId"]);
    let list = |query: &'static str| {
        let client = &client;
        async move {
            client
                .call("GET", &format!("/fed_resources/system_info{query}"), None)
                .await
                .is(200)
                .json()
        }
    };
    assert_eq!(list("?systemname=c").await.as_array().unwrap().len(), 1);
    assert_eq!(list("?systemname=a").await, json!([]));
}

#[tokio::test]
async fn what_expires_is_gone() {
    let client = serve("mec012-radio-network-information");
    let maker = client.api.operation("POST", "/subscriptions").unwrap();
    let mut body = client.body(maker).unwrap();
    body["expiryDeadline"] = json!({"seconds": 1_800_000_010, "nanoSeconds": 0});
    let made = client.call("POST", "/subscriptions", Some(&body)).await.is(201);
    assert_eq!(made.json()["expiryDeadline"], body["expiryDeadline"]);
    let path = made.header("location").to_owned();
    client.call("GET", &path, None).await.is(200);
    *client.clock.lock().unwrap() += std::time::Duration::from_secs(11);
    client.call("GET", &path, None).await.is(404);
}
