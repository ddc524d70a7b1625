//! Rules as other handlers see them.

use mec011_app_support::{DnsRule, DnsRuleIpAddressType, DnsRuleState};
use mecforge_contracts::rules::{DnsRules, RuleChange};
use mecforge_contracts::{Belongings, keys};
use mecforge_dns::Options;
use mecforge_store::{CommitError, Transaction};
use serde_json::{Value, json};

use crate::subject::{Subject, options, rule};

/// Status and members of the refusal of rules.
#[track_caller]
fn refused(subject: &Subject, application: &str, change: RuleChange<DnsRule>) -> (u16, Value) {
    match subject.server.stage(application, change, Transaction::new()) {
        Ok(_) => panic!("not refused"),
        Err(problem) => (
            problem.status().as_u16(),
            serde_json::to_value(problem.details()).unwrap(),
        ),
    }
}

fn inactive(mut rule: DnsRule) -> DnsRule {
    rule.state = DnsRuleState::Inactive;
    rule
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_kept_for_each_application() {
    let subject = Subject::start().await;
    assert_eq!(subject.server.list("a"), []);
    for (application, id) in [("a", "2"), ("a", "1"), ("a/b", "1"), ("ab", "1")] {
        let name = format!("{}.{id}.example", application.replace('/', "-"));
        subject.activate(application, id, &name, "192.0.2.1", 7).await;
    }
    let ids = |application: &str| -> Vec<String> {
        let rules = subject.server.list(application);
        assert!(rules.iter().all(|kept| kept.app_instance_id == application));
        rules.into_iter().map(|kept| kept.rule.dns_rule_id).collect()
    };
    assert_eq!(ids("a"), ["1", "2"]);
    assert_eq!(ids("a/b"), ["1"]);
    let kept = subject.server.get("a", "1").unwrap();
    assert_eq!(kept.rule, rule("1", "a.1.example", "192.0.2.1").ttl(7));
    assert_eq!(
        subject.store.get(&keys::dns_rule("a", "1")).unwrap().modified,
        kept.modified
    );
    assert_eq!(subject.server.get("a", "3"), None);
    let replaced = vec![
        rule("3", "new.example", "192.0.2.1"),
        inactive(rule("2", "old.example", "192.0.2.2")),
    ];
    subject.change("a", RuleChange::ReplaceAll(replaced)).await;
    assert_eq!(ids("a"), ["2", "3"]);
    subject.dig("a.1.example").expect("REFUSED", &[]);
    assert_eq!(subject.dig("new.example").data(), ["192.0.2.1"]);
    let transaction = subject.server.remove_all("a", Transaction::new());
    subject.store.commit(transaction).await.unwrap();
    assert_eq!(ids("a").len(), 0);
    assert_eq!(
        (ids("a/b"), ids("ab")),
        (vec!["1".to_owned()], vec!["1".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_as_it_is_keeps_its_revision() {
    let subject = Subject::start().await;
    let rules = || {
        vec![
            rule("1", "a.example", "192.0.2.1"),
            rule("2", "b.example", "192.0.2.1"),
        ]
    };
    let first = subject.change("a", RuleChange::ReplaceAll(rules())).await;
    let mut changed = rules();
    changed[1].ttl = Some(9);
    let second = subject.change("a", RuleChange::ReplaceAll(changed)).await;
    let modified = |id| subject.server.get("a", id).unwrap().modified;
    assert_eq!((modified("1"), modified("2")), (first, second));
    let stale = subject
        .server
        .stage("a", RuleChange::ReplaceAll(rules()), Transaction::new())
        .unwrap();
    subject.change("a", RuleChange::RemoveAll).await;
    assert!(matches!(
        subject.store.commit(stale).await,
        Err(CommitError::Conflict { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_no_name_server_could_answer_by_are_refused() {
    let subject = Subject::start().await;
    for (name, address, pointer, named) in [
        ("*.example", "192.0.2.1", "/domainName", "hostname"),
        ("a b", "192.0.2.1", "/domainName", "hostname"),
        ("192.0.2.1", "192.0.2.1", "/domainName", "hostname"),
        ("", "192.0.2.1", "/domainName", "hostname"),
        ("a.example", "192.0.2.256", "/ipAddress", "ipAddressType"),
        ("a.example", "192.0.2.1/32", "/ipAddress", "ipAddressType"),
        ("a.example", "fe80::1%eth0", "/ipAddress", "ipAddressType"),
        ("a.example", "", "/ipAddress", "ipAddressType"),
    ] {
        for rule in [rule("1", name, address), inactive(rule("1", name, address))] {
            let (status, problem) = refused(&subject, "a", RuleChange::Set(rule.clone()));
            assert_eq!(
                (status, &problem["pointer"], &problem["rule"]),
                (400, &json!(pointer), &json!(named)),
                "{problem}"
            );
            let list = vec![crate::subject::rule("0", "b.example", "192.0.2.1"), rule];
            let (status, problem) = refused(&subject, "a", RuleChange::ReplaceAll(list));
            assert_eq!(
                (status, &problem["pointer"]),
                (400, &json!(format!("/1{pointer}"))),
                "{problem}"
            );
        }
    }
    let mut other_family = rule("1", "a.example", "192.0.2.1");
    other_family.ip_address_type = DnsRuleIpAddressType::IpV6;
    let (status, problem) = refused(&subject, "a", RuleChange::Set(other_family));
    assert_eq!((status, &problem["pointer"]), (400, &json!("/ipAddress")));
    let twice = vec![
        rule("1", "a.example", "192.0.2.1"),
        rule("1", "b.example", "192.0.2.1"),
    ];
    let (status, problem) = refused(&subject, "a", RuleChange::ReplaceAll(twice));
    assert_eq!(
        (status, &problem["pointer"]),
        (400, &json!("/1/dnsRuleId")),
        "{problem}"
    );
    assert_eq!(subject.server.list("a"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_belongs_to_one_application_at_a_time() {
    let subject = Subject::start().await;
    subject
        .activate("a", "first", "app.example", "192.0.2.1", 60)
        .await;
    subject
        .activate("a", "second", "App.Example.", "192.0.2.2", 60)
        .await;
    let other = rule("x", "APP.example", "192.0.2.3");
    let (status, problem) = refused(&subject, "b", RuleChange::Set(other.clone()));
    assert_eq!(
        (status, &problem["pointer"]),
        (409, &json!("/domainName")),
        "{problem}"
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("\"first\"") && detail.contains("\"a\""),
        "{detail}"
    );
    assert_eq!(problem["conflictingAppInstanceId"], "a");
    assert_eq!(problem["conflictingDnsRuleId"], "first");
    subject
        .change("b", RuleChange::Set(inactive(other.clone())))
        .await;
    assert_eq!(
        refused(&subject, "b", RuleChange::ReplaceAll(vec![other.clone()])).0,
        409
    );
    subject.change("a", RuleChange::RemoveAll).await;
    subject.change("b", RuleChange::Set(other)).await;
    assert_eq!(subject.dig("app.example").data(), ["192.0.2.3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_cannot_both_win() {
    let subject = Subject::start().await;
    for round in 0..50 {
        let name = format!("app{round}.example");
        let staged = ["a", "b"].map(|application| {
            let change = RuleChange::Set(rule(&format!("r{round}"), &name, "192.0.2.1"));
            subject
                .server
                .stage(application, change, Transaction::new())
                .unwrap()
        });
        let commits = staged.map(|transaction| subject.store.commit(transaction));
        let mut won = 0;
        for commit in commits {
            match commit.await {
                Ok(_) => won += 1,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
    assert_eq!(subject.server.status().active_rules, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_staged_on_an_old_rule_is_not_committed() {
    let subject = Subject::start().await;
    subject.activate("a", "1", "app.example", "192.0.2.1", 60).await;
    let stale = RuleChange::Set(inactive(rule("1", "app.example", "192.0.2.1")));
    let stale = subject.server.stage("a", stale, Transaction::new()).unwrap();
    subject.activate("a", "1", "app.example", "192.0.2.2", 60).await;
    assert!(matches!(
        subject.store.commit(stale).await,
        Err(CommitError::Conflict { .. })
    ));
    assert_eq!(subject.dig("app.example").data(), ["192.0.2.2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_has_a_limited_number_of_addresses() {
    let limited = Options {
        addresses_per_name: 2,
        ..options()
    };
    let subject = Subject::with(limited).await;
    for (id, address) in [("1", "192.0.2.1"), ("2", "192.0.2.2"), ("3", "2001:db8::1")] {
        subject.activate("a", id, "app.example", address, 60).await;
    }
    subject.activate("a", "2", "app.example", "192.0.2.3", 60).await;
    let (status, problem) = refused(
        &subject,
        "a",
        RuleChange::Set(rule("4", "app.example", "192.0.2.4")),
    );
    assert_eq!(
        (status, &problem["pointer"]),
        (422, &json!("/ipAddress")),
        "{problem}"
    );
    subject.activate("a", "4", "other.example", "192.0.2.4", 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_server_no_rule_is_active() {
    let off = Options {
        listen: Vec::new(),
        ..options()
    };
    let mut subject = Subject::with(off).await;
    assert!(subject.server.listens_on().is_empty());
    let (status, problem) = refused(
        &subject,
        "a",
        RuleChange::Set(rule("1", "app.example", "192.0.2.1")),
    );
    assert_eq!(
        (status, &problem["pointer"]),
        (503, &json!("/state")),
        "{problem}"
    );
    subject
        .change(
            "a",
            RuleChange::Set(inactive(rule("1", "app.example", "192.0.2.1"))),
        )
        .await;
    assert_eq!(subject.server.list("a").len(), 1);
    subject.running = None;
    let mut stopped = Subject::start().await;
    drop(stopped.running.take());
    assert_eq!(
        refused(
            &stopped,
            "a",
            RuleChange::Set(rule("1", "app.example", "192.0.2.1"))
        )
        .0,
        503
    );
}
