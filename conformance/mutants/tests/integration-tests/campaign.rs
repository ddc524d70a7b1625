//! The short form of `cargo xtask mutants`: the suite finds a dozen faults of different classes, at the real platform.

use std::time::Duration;

use mecforge_mutants::{Settings, Suite, find, run};

use crate::program::{mep, suite};

/// Faults that a suite should find soon, each of another class.
const FOUND: [&str; 12] = [
    "drops-property/serName-in-list",
    "wrong-type/list-as-object",
    "limit/livenessInterval-minus-1-accepted",
    "filter/all-ser_instance_id-ignored",
    "storage/update-lost",
    "links/location-wrong-path",
    "status/200-for-201-service",
    "conditions/if-match-ignored-service",
    "existence/service-not-deleted",
    "isolation/read-other-service",
    "problems/problem-as-text",
    "http/405-without-allow",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_a_dozen_faults() {
    let settings = Settings {
        platform: mep(),
        suite: Suite::Conformance(suite()),
        time: Duration::from_secs(120),
        seed: 1,
        goes_on: false,
    };
    let mut survivors = Vec::new();
    for id in FOUND {
        let outcome = run(&settings, find(id).unwrap()).await.unwrap();
        if !outcome.killed {
            survivors.push((id, outcome.exit, outcome.said));
        }
    }
    assert!(survivors.is_empty(), "{survivors:?}");
}
