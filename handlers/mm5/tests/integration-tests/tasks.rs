//! Tasks: one at a time, the same again is the same, and a crash loses none.

use std::time::Duration;

use mecforge_contracts::{keys, lifecycle::Life};
use mecforge_mm5::Options;
use serde_json::json;

use crate::platform::{Fault, Platform, configuration, dns, traffic};

#[tokio::test]
async fn one_task_at_a_time_for_an_application() {
    let mut platform = Platform::idle(Options::default());
    let body = json!({"appName": "n"});
    let first = platform
        .send("PUT", &configuration("a"), Some(&body))
        .await
        .expect(202);
    assert_eq!(first.body["state"], "PENDING");
    let same = platform
        .send("PUT", &configuration("a"), Some(&body))
        .await
        .expect(202);
    assert_eq!(same.task_id(), first.task_id());
    let other = platform
        .send("PUT", &configuration("a"), Some(&json!({"appName": "m"})))
        .await
        .expect(409);
    assert_eq!(other.body["taskId"], first.body["taskId"]);
    assert_eq!(other.header("retry-after"), "1");
    let instance = platform
        .send("PUT", &configuration("b"), Some(&json!({"appName": "m"})))
        .await;
    instance.expect(202);
    platform.start();
    assert_eq!(platform.finished(&first.task_id()).await["state"], "SUCCEEDED");
    assert_eq!(
        platform.configure("a", &json!({"appName": "o"})).await["state"],
        "SUCCEEDED"
    );
}

#[tokio::test]
async fn an_idempotency_key_names_one_request() {
    let platform = Platform::new();
    let body = json!({"appName": "n"});
    let key = [("idempotency-key", "k1")];
    let path = configuration("a");
    let first = platform
        .send_with("POST", &path, Some(&body), &key)
        .await
        .expect(202);
    platform.finished(&first.task_id()).await;
    let again = platform
        .send_with("POST", &path, Some(&body), &key)
        .await
        .expect(202);
    assert_eq!(again.task_id(), first.task_id());
    assert_eq!(again.body["state"], "SUCCEEDED");
    let other = json!({"appName": "m"});
    platform
        .send_with("POST", &path, Some(&other), &key)
        .await
        .expect_parameter(422, "Idempotency-Key");
    platform.send("POST", &path, Some(&body)).await.expect(409);
    platform
        .send_with("POST", &path, Some(&body), &[("idempotency-key", "")])
        .await
        .expect_parameter(400, "Idempotency-Key");
}

#[tokio::test]
async fn a_task_that_a_crash_cuts_off_goes_on() {
    let platform = Platform::new();
    platform.fail_with(Fault::Hang);
    let body =
        json!({"appName": "n", "dnsRules": [dns("d", "a.example")], "trafficRules": [traffic("t", 1)]});
    let answer = platform
        .send("PUT", &configuration("a"), Some(&body))
        .await
        .expect(202);
    let task = format!("/tasks/{}", answer.task_id());
    while platform.get(&task).await.body["state"] != "PROCESSING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut platform = platform.restart().await;
    assert_eq!(platform.get(&task).await.body["state"], "PROCESSING");
    platform.get(&configuration("a")).await.expect(404);
    platform.start();
    let finished = platform.finished(&answer.task_id()).await;
    assert_eq!(
        (&finished["state"], &finished["attempts"]),
        (&json!("SUCCEEDED"), &json!(2))
    );
    assert_eq!(platform.get(&configuration("a")).await.expect(200).body, body);
}

#[tokio::test]
async fn a_task_that_is_never_finished_fails_in_the_end() {
    let mut platform = Platform::with(Options {
        attempts: 3,
        ..Options::default()
    });
    let body = json!({"appName": "n", "trafficRules": [traffic("t", 1)]});
    platform.fail_with(Fault::Hang);
    let task = platform
        .send("PUT", &configuration("a"), Some(&body))
        .await
        .expect(202)
        .task_id();
    for attempt in 1..=3 {
        while platform.get(&format!("/tasks/{task}")).await.body["attempts"] != attempt {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        platform = platform.restart().await;
        platform.fail_with(Fault::Hang);
        platform.start();
    }
    let finished = platform.finished(&task).await;
    assert_eq!(
        (&finished["state"], &finished["problem"]["status"]),
        (&json!("FAILED"), &json!(500))
    );
    platform.fail_with(Fault::None);
    assert_eq!(platform.configure("a", &body).await["state"], "SUCCEEDED");
}

#[tokio::test]
async fn a_task_that_panics_fails_and_blocks_nothing() {
    let platform = Platform::new();
    platform.fail_with(Fault::Panic);
    let body = json!({"appName": "n", "trafficRules": [traffic("t", 1)]});
    let task = platform.configure("a", &body).await;
    assert_eq!(
        (&task["state"], &task["problem"]["status"]),
        (&json!("FAILED"), &json!(500))
    );
    assert_eq!(task["attempts"], 1, "what panics once is not tried again");
    platform.fail_with(Fault::None);
    assert_eq!(platform.configure("a", &body).await["state"], "SUCCEEDED");
}

#[tokio::test]
async fn old_tasks_are_forgotten_with_their_keys() {
    let platform = Platform::with(Options {
        finished_tasks: 3,
        ..Options::default()
    });
    let mut ids = Vec::new();
    for index in 0..5 {
        let (app, key) = (format!("a{index}"), format!("k{index}"));
        let body = json!({"appName": app});
        let answer = platform
            .send_with(
                "POST",
                &configuration(&app),
                Some(&body),
                &[("idempotency-key", &key)],
            )
            .await
            .expect(202);
        platform.finished(&answer.task_id()).await;
        ids.push(answer.task_id());
    }
    let listed = platform.get("/tasks").await.expect(200).body;
    let listed: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["taskId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, [&*ids[4], &*ids[3], &*ids[2]]);
    platform
        .get(&format!("/tasks/{}", ids[0]))
        .await
        .expect_parameter(404, "taskId");
    let left = platform
        .world
        .store
        .range("mm5/idempotency/", None, 100)
        .entries
        .len();
    assert_eq!(left, 3);
    assert_eq!(
        platform
            .world
            .store
            .range("mm5/running/", None, 100)
            .entries
            .len(),
        0
    );
}

#[tokio::test]
async fn tasks_are_listed_by_application_and_state_in_pages() {
    let platform = Platform::new();
    for name in ["n1", "n2", "n3"] {
        platform.configure("a", &json!({"appName": name})).await;
    }
    platform
        .configure("b", &json!({"appName": "m", "trafficRules": [traffic("t", 13)]}))
        .await;
    let first = platform.get("/tasks?appInstanceId=a&limit=2").await.expect(200);
    assert_eq!(first.body.as_array().unwrap().len(), 2);
    let next = first
        .header("link")
        .strip_prefix("<http://mep.example/mm5/v1")
        .unwrap();
    let next = next.strip_suffix(">; rel=\"next\"").unwrap();
    assert!(
        next.starts_with("/tasks?appInstanceId=a&limit=2&after="),
        "{next}"
    );
    let second = platform.get(next).await.expect(200);
    assert_eq!(
        (second.body.as_array().unwrap().len(), second.header("link")),
        (1, "")
    );
    let failed = platform.get("/tasks?state=FAILED").await.expect(200);
    assert_eq!(failed.body[0]["appInstanceId"], "b");
    assert_eq!(failed.body.as_array().unwrap().len(), 1);
    platform
        .get("/tasks?state=LOST")
        .await
        .expect_parameter(400, "state");
    platform
        .get("/tasks?limit=0")
        .await
        .expect_parameter(400, "limit");
    platform
        .get("/tasks?stat=FAILED")
        .await
        .expect_parameter(400, "stat");
}

#[tokio::test]
async fn too_many_unfinished_tasks_are_refused() {
    let platform = Platform::idle(Options {
        unfinished_tasks: 1,
        ..Options::default()
    });
    platform
        .send("PUT", &configuration("a"), Some(&json!({"appName": "a"})))
        .await
        .expect(202);
    platform
        .send("PUT", &configuration("b"), Some(&json!({"appName": "b"})))
        .await
        .expect(429);
}

#[tokio::test]
async fn deleting_a_configuration_ends_the_application() {
    let platform = Platform::new();
    let body =
        json!({"appName": "n", "dnsRules": [dns("d", "a.example")], "trafficRules": [traffic("t", 1)]});
    platform.configure("a", &body).await;
    let answer = platform
        .send("DELETE", &configuration("a"), None)
        .await
        .expect(202);
    assert_eq!(answer.body["operation"], "END");
    assert_eq!(platform.finished(&answer.task_id()).await["state"], "SUCCEEDED");
    platform.get(&configuration("a")).await.expect(404);
    platform.get("/applications/a").await.expect(404);
    assert_eq!(
        platform.world.store.range(keys::DNS_RULES, None, 9).entries.len(),
        0
    );
    platform
        .send("DELETE", &configuration("a"), None)
        .await
        .expect_parameter(404, "appInstanceId");
}

#[tokio::test]
async fn an_application_may_take_its_time_to_end() {
    let platform = Platform::new();
    platform.configure("a", &json!({"appName": "n"})).await;
    let path = format!("{}?gracePeriod=60", configuration("a"));
    let task = platform.send("DELETE", &path, None).await.expect(202).task_id();
    while platform.get("/applications/a").await.body["state"] != "TERMINATING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = platform.get(&format!("/tasks/{task}")).await.body;
    assert_eq!(
        (&waiting["state"], &waiting["phase"]),
        (&json!("PROCESSING"), &json!("ENDING"))
    );
    // The application confirms.
    use mecforge_contracts::lifecycle::Lifecycle;
    platform.world.remove("a").await.unwrap();
    assert_eq!(platform.finished(&task).await["state"], "SUCCEEDED");
}

#[tokio::test]
async fn an_application_that_does_not_end_is_removed() {
    let platform = Platform::with(Options {
        patience: Duration::from_millis(50),
        ..Options::default()
    });
    platform.configure("a", &json!({"appName": "n"})).await;
    let body = json!({"operationAction": "TERMINATING", "maxGracefulTimeout": 0});
    let answer = platform
        .send("POST", "/applications/a/terminate", Some(&body))
        .await
        .expect(202);
    assert_eq!(platform.finished(&answer.task_id()).await["state"], "SUCCEEDED");
    platform.configure("a", &json!({"appName": "n"})).await;
    let body = json!({"operationAction": "TERMINATING", "maxGracefulTimeout": 1});
    let answer = platform
        .send("POST", "/applications/a/terminate", Some(&body))
        .await
        .expect(202);
    assert_eq!(platform.finished(&answer.task_id()).await["state"], "SUCCEEDED");
    platform.get("/applications/a").await.expect(404);
}

#[tokio::test]
async fn an_application_that_stops_stays() {
    let platform = Platform::new();
    platform.configure("a", &json!({"appName": "n"})).await;
    let body = json!({"operationAction": "STOPPING", "maxGracefulTimeout": 60});
    let task = platform
        .send("POST", "/applications/a/terminate", Some(&body))
        .await
        .expect(202)
        .task_id();
    while platform.get("/applications/a").await.body["state"] != "STOPPING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    platform.world.set_life("a", Life::default()).await;
    assert_eq!(platform.finished(&task).await["state"], "SUCCEEDED");
    platform.get(&configuration("a")).await.expect(200);
    let task = platform
        .send(
            "POST",
            "/applications/a/terminate",
            Some(&json!({
                "operationAction": "STOPPING", "maxGracefulTimeout": 0,
            })),
        )
        .await
        .expect(202)
        .task_id();
    let stuck = platform.finished(&task).await;
    assert_eq!(
        (&stuck["state"], &stuck["problem"]["status"]),
        (&json!("FAILED"), &json!(504))
    );
}

#[tokio::test]
async fn tasks_are_counted() {
    let platform = Platform::new();
    let mut registry = prometheus_client::registry::Registry::default();
    platform.mm5.register_metrics(&mut registry);
    platform.configure("a", &json!({"appName": "n"})).await;
    platform.configure("a", &json!({"appName": "n"})).await;
    platform
        .configure("a", &json!({"appName": "n", "trafficRules": [traffic("t", 13)]}))
        .await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "mm5_tasks_finished_total{operation=\"configure\",outcome=\"succeeded\"} 1",
        "mm5_tasks_finished_total{operation=\"configure\",outcome=\"unchanged\"} 1",
        "mm5_tasks_finished_total{operation=\"configure\",outcome=\"failed\"} 1",
        "mm5_tasks_unfinished 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
