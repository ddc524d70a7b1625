//! Configurations take effect as a whole, or not at all.

use std::fmt::Debug;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use tracing::field::Field;
use tracing::{Event, Level, Metadata, span};

use crate::platform::{Fault, Platform, configuration, dns, traffic};

#[tokio::test]
async fn a_configuration_takes_effect_with_all_its_rules() {
    let platform = Platform::new();
    let body = json!({
        "appName": "camera",
        "requiredServices": [{"serName": "location", "version": "1.0"}],
        "producedServices": [{"serName": "faces", "version": "2.0"}],
        "dnsRules": [dns("d2", "b.example"), dns("d1", "a.example")],
        "trafficRules": [traffic("t1", 5)],
    });
    let answer = platform
        .send("POST", &configuration("a"), Some(&body))
        .await
        .expect(202);
    assert_eq!(
        answer.header("location"),
        format!("http://mep.example/mm5/v1/tasks/{}", answer.task_id())
    );
    let task = platform.finished(&answer.task_id()).await;
    assert_eq!(task["state"], "SUCCEEDED", "{task}");
    assert_eq!(
        (&task["changed"], &task["phase"]),
        (&json!(true), &json!("FINISHED"))
    );
    assert_eq!(
        task["rules"],
        json!([
            {"kind": "DNS", "id": "d2", "operation": "ADD", "outcome": "DONE"},
            {"kind": "DNS", "id": "d1", "operation": "ADD", "outcome": "DONE"},
            {"kind": "TRAFFIC", "id": "t1", "operation": "ADD", "outcome": "DONE"},
        ])
    );
    let read = platform.get(&configuration("a")).await.expect(200);
    assert_eq!(read.body["appName"], "camera");
    assert_eq!(
        read.body["dnsRules"],
        json!([dns("d1", "a.example"), dns("d2", "b.example")])
    );
    assert_eq!(read.body["trafficRules"], json!([traffic("t1", 5)]));
    assert_eq!(read.body["requiredServices"], body["requiredServices"]);
    assert_eq!(read.body["producedServices"], body["producedServices"]);
}

#[tokio::test]
async fn what_was_read_can_be_put_and_changes_nothing() {
    let platform = Platform::new();
    let body =
        json!({"appName": "camera", "dnsRules": [dns("d", "a.example")], "trafficRules": [traffic("t", 1)]});
    platform.configure("a", &body).await;
    let read = platform.get(&configuration("a")).await.expect(200);
    let commits = platform.world.commits.load(Ordering::SeqCst);
    let task = platform.configure("a", &read.body).await;
    assert_eq!(
        (&task["state"], &task["changed"]),
        (&json!("SUCCEEDED"), &json!(false))
    );
    assert_eq!(task["rules"][0]["operation"], "KEEP");
    assert_eq!(
        platform.world.commits.load(Ordering::SeqCst),
        commits + 1,
        "the data plane is asked whether the rules are in force"
    );
    let again = platform.get(&configuration("a")).await;
    assert_eq!(again.header("etag"), read.header("etag"));
    platform.fail_with(Fault::Refuse);
    let task = platform.configure("a", &read.body).await;
    assert_eq!(
        (&task["state"], &task["problem"]["status"]),
        (&json!("FAILED"), &json!(503)),
        "what is not in force is not said to be"
    );
}

/// Remembers the levels and fields of what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// The log of all tests: callsites remember who listens, so that a log of one thread could miss lines.
    fn get() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self::default();
            tracing::subscriber::set_global_default(log.clone()).unwrap();
            log
        };
        LOG.get_or_init(start).clone()
    }

    /// What was logged since the last time, of lines that hold a text.
    fn take(&self, text: &str) -> Vec<Level> {
        let mut lines = self.0.lock().unwrap();
        let taken = lines.extract_if(.., |(_, line)| line.contains(text));
        taken.map(|(level, _)| level).collect()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mecforge_mm5")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &Field, value: &dyn Debug| text += &format!("{field}={value:?} "));
        self.0.lock().unwrap().push((*event.metadata().level(), text));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn what_a_manager_gets_wrong_is_no_warning() {
    let log = Log::get();
    let platform = Platform::new();
    let body = |priority| json!({"appName": "n", "trafficRules": [traffic("t", priority)]});
    let levels = || log.take("app_instance_id=wrong ");
    platform.configure("wrong", &body(13)).await;
    assert_eq!(levels(), [Level::INFO], "422");
    platform.fail_with(Fault::Refuse);
    platform.configure("wrong", &body(1)).await;
    assert_eq!(levels(), [Level::WARN], "503");
}

#[tokio::test]
async fn a_rule_that_cannot_be_applied_changes_nothing() {
    let platform = Platform::new();
    platform
        .configure(
            "a",
            &json!({"appName": "camera", "dnsRules": [dns("d", "a.example")]}),
        )
        .await;
    let before = platform.get(&configuration("a")).await;
    let refused = [
        (
            json!({"appName": "n", "trafficRules": [traffic("t1", 1), traffic("t2", 13)]}),
            (422, "/trafficRules/1/dstInterface", "TRAFFIC", "t2"),
        ),
        (
            json!({"appName": "n", "dnsRules": [dns("d", "b.example"), dns("e", "taken.example")],
                   "trafficRules": [traffic("t1", 1)]}),
            (409, "/dnsRules/1/domainName", "DNS", "e"),
        ),
    ];
    for (body, (status, pointer, kind, id)) in refused {
        let task = platform.configure("a", &body).await;
        assert_eq!(task["state"], "FAILED", "{task}");
        assert_eq!(
            (&task["problem"]["status"], &task["problem"]["pointer"]),
            (&json!(status), &json!(pointer)),
            "{task}"
        );
        for rule in task["rules"].as_array().unwrap() {
            let is_it = rule["kind"] == kind && rule["id"] == id;
            assert_eq!(
                rule["outcome"],
                if is_it { "FAILED" } else { "NOT_DONE" },
                "{rule}"
            );
        }
        let after = platform.get(&configuration("a")).await;
        assert_eq!(
            (&after.body, after.header("etag")),
            (&before.body, before.header("etag"))
        );
    }
}

#[tokio::test]
async fn what_the_kernel_refuses_changes_nothing() {
    let platform = Platform::new();
    platform.fail_with(Fault::Refuse);
    let body =
        json!({"appName": "n", "dnsRules": [dns("d", "b.example")], "trafficRules": [traffic("t", 1)]});
    let task = platform.configure("a", &body).await;
    assert_eq!(
        (&task["state"], &task["problem"]["status"]),
        (&json!("FAILED"), &json!(503))
    );
    assert_eq!(task["problem"]["pointer"], "/trafficRules");
    platform.get(&configuration("a")).await.expect(404);
    platform.fail_with(Fault::None);
    assert_eq!(platform.configure("a", &body).await["state"], "SUCCEEDED");
}

#[tokio::test]
async fn rules_are_replaced_and_removed() {
    let platform = Platform::new();
    let body = json!({"appName": "n", "trafficRules": [traffic("t", 1), traffic("u", 2), traffic("v", 3)]});
    platform.configure("a", &body).await;
    let body = json!({"appName": "n", "trafficRules": [traffic("u", 7), traffic("v", 3), traffic("w", 4)]});
    let task = platform.configure("a", &body).await;
    let operations: Vec<_> = task["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["id"].as_str().unwrap(), rule["operation"].as_str().unwrap()))
        .collect();
    assert_eq!(
        operations,
        [("u", "REPLACE"), ("v", "KEEP"), ("w", "ADD"), ("t", "REMOVE")]
    );
    let read = platform.get(&configuration("a")).await.body;
    assert_eq!(read["trafficRules"], body["trafficRules"]);
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let platform = Platform::new();
    let body = json!({"appName": "n", "appSupportMp1": true, "dnsRules": [dns("d", "a.example")]});
    platform.configure("a", &body).await;
    let merge = [("content-type", "application/merge-patch+json")];
    let patch = json!({"appName": "m", "appSupportMp1": null, "trafficRules": [traffic("t", 1)]});
    let answer = platform
        .send_with("PATCH", &configuration("a"), Some(&patch), &merge)
        .await
        .expect(202);
    assert_eq!(platform.finished(&answer.task_id()).await["state"], "SUCCEEDED");
    assert_eq!(
        platform.get(&configuration("a")).await.body,
        json!({"appName": "m", "dnsRules": [dns("d", "a.example")], "trafficRules": [traffic("t", 1)]})
    );
    let patch = json!({"appName": null});
    platform
        .send_with("PATCH", &configuration("a"), Some(&patch), &merge)
        .await
        .expect_pointer(400, "", "required");
    platform
        .send_with("PATCH", &configuration("a"), Some(&json!([])), &merge)
        .await
        .expect_pointer(400, "", "type");
    platform
        .send_with("PATCH", &configuration("b"), Some(&patch), &merge)
        .await
        .expect_parameter(404, "appInstanceId");
    platform
        .send("PATCH", &configuration("a"), Some(&patch))
        .await
        .expect(415);
}

#[tokio::test]
async fn conditions_are_honoured() {
    let platform = Platform::new();
    let body = json!({"appName": "n", "dnsRules": [dns("d", "a.example")]});
    let path = configuration("a");
    platform
        .send_with("PUT", &path, Some(&body), &[("if-match", "*")])
        .await
        .expect_parameter(412, "If-Match");
    let answer = platform
        .send_with("PUT", &path, Some(&body), &[("if-none-match", "*")])
        .await
        .expect(202);
    assert_eq!(platform.finished(&answer.task_id()).await["state"], "SUCCEEDED");
    platform
        .send_with("PUT", &path, Some(&body), &[("if-none-match", "*")])
        .await
        .expect_parameter(412, "If-None-Match");
    let read = platform.get(&path).await;
    let tag = read.header("etag");
    platform
        .send_with("GET", &path, None, &[("if-none-match", tag)])
        .await
        .expect(304);
    // The application deactivates a rule: that is another state of the configuration.
    let mut rule = dns("d", "a.example");
    rule["state"] = json!("INACTIVE");
    let key = mecforge_contracts::keys::dns_rule("a", "d");
    platform.world.put(&key, rule.to_string().into_bytes()).await;
    assert_ne!(platform.get(&path).await.header("etag"), tag);
    for method in ["PUT", "DELETE"] {
        platform
            .send_with(method, &path, Some(&body), &[("if-match", tag)])
            .await
            .expect_parameter(412, "If-Match");
    }
    platform
        .send_with("PUT", &path, Some(&body), &[("if-match", "nonsense")])
        .await
        .expect_parameter(412, "If-Match");
}

#[tokio::test]
async fn names_are_unique() {
    let platform = Platform::new();
    platform.configure("a", &json!({"appName": "n"})).await;
    let taken = platform
        .send("PUT", &configuration("b"), Some(&json!({"appName": "n"})))
        .await;
    assert_eq!(taken.body["appInstanceId"], "a");
    taken.expect_pointer(409, "/appName", "unique");
    let other = platform.configure("b", &json!({"appName": "m"})).await;
    assert_eq!(other["state"], "SUCCEEDED");
    // A name that is given up is free again.
    platform.configure("a", &json!({"appName": "o"})).await;
    assert_eq!(
        platform.configure("c", &json!({"appName": "n"})).await["state"],
        "SUCCEEDED"
    );
    let answer = platform
        .send("DELETE", &configuration("a"), None)
        .await
        .expect(202);
    platform.finished(&answer.task_id()).await;
    assert_eq!(
        platform.configure("d", &json!({"appName": "o"})).await["state"],
        "SUCCEEDED"
    );
    let created = platform
        .send("POST", &configuration("b"), Some(&json!({"appName": "m"})))
        .await;
    created.expect(409);
}

#[tokio::test]
async fn of_two_that_want_a_name_at_the_same_time_one_fails() {
    let mut platform = Platform::idle(mecforge_mm5::Options::default());
    let body = json!({"appName": "n"});
    let first = platform
        .send("PUT", &configuration("a"), Some(&body))
        .await
        .expect(202)
        .task_id();
    let second = platform
        .send("PUT", &configuration("b"), Some(&body))
        .await
        .expect(202)
        .task_id();
    platform.start();
    let states = [platform.finished(&first).await, platform.finished(&second).await];
    let failed: Vec<_> = states.iter().filter(|task| task["state"] == "FAILED").collect();
    assert_eq!(failed.len(), 1, "{states:?}");
    assert_eq!(failed[0]["problem"]["pointer"], "/appName");
}

#[tokio::test]
async fn conditions_still_hold_when_the_task_runs() {
    let mut platform = Platform::new();
    let body = json!({"appName": "n", "dnsRules": [dns("d", "a.example")]});
    platform.configure("a", &body).await;
    let path = configuration("a");
    let tag = platform.get(&path).await.header("etag").to_owned();
    platform.stop();
    let wanted = json!({"appName": "m"});
    let conditions = [("if-match", &*tag)];
    let answer = platform
        .send_with("PUT", &path, Some(&wanted), &conditions)
        .await
        .expect(202);
    // The application is quicker than the task.
    let mut rule = dns("d", "a.example");
    rule["state"] = json!("INACTIVE");
    let key = mecforge_contracts::keys::dns_rule("a", "d");
    platform.world.put(&key, rule.to_string().into_bytes()).await;
    platform.start();
    let task = platform.finished(&answer.task_id()).await;
    assert_eq!(
        (&task["state"], &task["problem"]["status"]),
        (&json!("FAILED"), &json!(412))
    );
    assert_eq!(platform.get(&path).await.body["appName"], "n");
}
