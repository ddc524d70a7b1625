//! A fault of each class really shows at the real platform; `mutants demonstrate` does the same for all of them.

use mecforge_mutants::{Platform, Stage, catalogue};

use crate::program::mep;

/// Faults whose demonstration is quick, one of a class and more of those that are made by state.
const SHOWN: [&str; 26] = [
    "drops-property/serName-in-list",
    "wrong-type/list-as-object",
    "wrong-value/state-lower-case",
    "limit/port-65536-accepted",
    "filter/or-for-and",
    "filter/own-ser_name-ignored",
    "storage/update-lost",
    "storage/stale-service",
    "links/location-wrong-path",
    "status/204-with-body",
    "conditions/if-match-ignored-service",
    "existence/service-not-deleted",
    "existence/deleted-still-readable",
    "isolation/replace-other-service",
    "acceptance/service-without-serName",
    "refusal/unknown-property",
    "problems/problem-as-text",
    "http/405-without-allow",
    "identifiers/reused-after-delete",
    "concurrency/several-writers-win",
    "notifications/none",
    "time/clock-frozen",
    "security/escapes-html",
    "robustness/500-on-unicode",
    "rules/dns-put-not-stored",
    "registration/put-merges",
];

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_each_class_show() {
    let mut stage = Stage::new(Platform::start(&mep()).await.unwrap());
    let mut invisible = Vec::new();
    for id in SHOWN {
        if stage.show(id).await.unwrap().is_none() {
            invisible.push(id);
        }
    }
    assert!(invisible.is_empty(), "{invisible:?}");
    let classes: std::collections::BTreeSet<_> = catalogue().iter().map(|fault| fault.class).collect();
    let shown: std::collections::BTreeSet<_> = catalogue()
        .iter()
        .filter(|fault| SHOWN.contains(&fault.id))
        .map(|fault| fault.class)
        .collect();
    assert_eq!(shown, classes);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_shows_nothing() {
    let mut stage = Stage::new(Platform::start(&mep()).await.unwrap());
    assert!(stage.show("none").await.unwrap().is_none());
}
