//! Every operation of every generated document, with a minimal valid request.

use mecforge_instances::Schema;
use mecforge_mock::Options;
use serde_json::Value;

use crate::client::{Client, documents};

/// What is listed where, to see whether anything changed.
async fn state(client: &Client, path: &str) -> Vec<(u16, String)> {
    let mut seen = Vec::new();
    for path in [path, path.rsplit_once('/').map_or("", |(parent, _)| parent)] {
        let answer = client.call("GET", path, None).await;
        seen.push((answer.status, answer.text));
    }
    seen
}

#[tokio::test]
async fn a_minimal_request_succeeds() {
    let documents = documents();
    assert_eq!(documents.len(), 19);
    let mut answered = 0;
    for api in documents {
        let client = Client::new(api, Options::default());
        for operation in &client.api.clone().operations {
            let values = client.place(operation).await;
            let mut body = client.body(operation);
            body.iter_mut().for_each(|body| client.bind(body, &values));
            let path = format!("{}{}", operation.path.expand(&values), client.query(operation));
            let answer = match operation.body.as_ref().filter(|_| body.is_none()) {
                None => client.call(&operation.method, &path, body.as_ref()).await,
                Some(declared) => {
                    let headers = [("content-type", declared.content[0].media_type.as_str())];
                    client.call_with(&operation.method, &path, None, &headers).await
                }
            };
            client.judge(operation, &answer);
            if operation.method == "GET" {
                let again = client.call("GET", &path, None).await;
                assert_eq!(answer.text, again.text, "{}: {}", client.api.id, operation.key);
                let head = client.call("HEAD", &path, None).await;
                assert_eq!((head.status, head.text.as_str()), (answer.status, ""));
                if !operation.path.text().ends_with("current_time") {
                    assert_eq!(head.header("content-length"), answer.text.len().to_string());
                }
            }
            answered += 1;
        }
    }
    assert!(answered >= 179, "{answered}");
}

/// Callback addresses of other schemes are refused.
fn call_back_by_http(body: &mut Value) {
    for (name, member) in body.as_object_mut().into_iter().flatten() {
        match member {
            Value::String(text) if name.starts_with("callback") || name == "notificationUri" => {
                *text = "http://127.0.0.1:9/".to_owned();
            }
            Value::Object(_) => call_back_by_http(member),
            _ => {}
        }
    }
}

#[tokio::test]
async fn full_bodies_are_taken_and_come_back() {
    for api in documents() {
        let client = Client::new(api, Options::default());
        for operation in &client.api.clone().operations {
            let Some(pointer) = operation
                .json_body()
                .and_then(|content| content.schema.as_deref())
            else {
                continue;
            };
            let schema = Schema::new(&client.api.document, pointer).unwrap();
            let mut random = fastrand::Rng::with_seed(7);
            let mut bodies: Vec<Value> = schema.full().into_iter().collect();
            bodies.extend((0..3).filter_map(|_| schema.random(&mut random)));
            for mut body in bodies {
                let values = client.place(operation).await;
                client.bind(&mut body, &values);
                call_back_by_http(&mut body);
                // An identifier of its own would have to be free, and fit for an address.
                if operation.path.text() == "/registrations" {
                    body.as_object_mut()
                        .unwrap()
                        .insert("appInstanceId".to_owned(), format!("i{}", random.u64(..)).into());
                } else if let ("/app_contexts", Some(members)) = (operation.path.text(), body.as_object_mut())
                {
                    members.remove("contextId");
                }
                if !client.validator(pointer).is_valid(&body) {
                    continue;
                }
                let path = operation.path.expand(&values);
                let answer = client.call(&operation.method, &path, Some(&body)).await;
                client.judge(operation, &answer);
            }
        }
    }
}

#[tokio::test]
async fn an_invalid_body_is_refused_and_changes_nothing() {
    let mut refused = 0;
    for api in documents() {
        let client = Client::new(api, Options::default());
        for operation in &client.api.clone().operations {
            let Some(pointer) = operation
                .json_body()
                .and_then(|content| content.schema.as_deref())
            else {
                continue;
            };
            let values = client.place(operation).await;
            let mut base = client.body(operation).unwrap();
            client.bind(&mut base, &values);
            let path = operation.path.expand(&values);
            let before = state(&client, &path).await;
            let schema = Schema::new(&client.api.document, pointer).unwrap();
            for case in schema.invalid_cases(&base) {
                let answer = client.call(&operation.method, &path, Some(&case.value)).await;
                let what = format!("{}: {}: {}", client.api.id, operation.key, case.what);
                assert_eq!(answer.status, 400, "{what}: {} {}", case.value, answer.text);
                // MEC 030 declares `application/json` for problems too.
                let declared = operation.response(400).and_then(|response| response.json());
                let media_type = declared.map_or("application/problem+json", |content| &content.media_type);
                assert_eq!(answer.header("content-type"), media_type, "{what}");
                let problem = answer.json();
                for name in ["type", "title", "status", "detail", "instance", "pointer", "rule"] {
                    assert!(problem.get(name).is_some(), "{what}: {problem} lacks {name}");
                }
                refused += 1;
            }
            assert_eq!(
                before,
                state(&client, &path).await,
                "{}: {}",
                client.api.id,
                operation.key
            );
        }
    }
    assert!(refused > 500, "{refused}");
}
