//! Types tell the truth: for every schema of every document, our type accepts what the judge accepts and gives it
//! back equal, and refuses what the judge refuses, naming the place and the rule.

use mecforge_corpus::apis;
use mecforge_runtime::Invalid;
use mecforge_runtime::strategy::Case;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::judge::Judge;
use crate::mutate::mutate;

/// Drawn values a schema, and changed ones for each of them.
const VALUES: usize = 24;
const CHANGES: usize = 6;

fn runner() -> TestRunner {
    let config = Config {
        max_local_rejects: 1_000_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

macro_rules! every_type_agrees_with_the_judge {
    ($($test:ident: $id:literal,)+) => {
        $(#[test]
        fn $test() {
            check($id);
        })+

        #[test]
        fn no_document_is_left_out() {
            assert_eq!(apis().iter().map(|api| api.id).collect::<Vec<_>>(), [$($id),+]);
        }
    };
}

every_type_agrees_with_the_judge! {
    mec010_app_grant: "mec010-app-grant",
    mec010_app_lifecycle_management: "mec010-app-lifecycle-management",
    mec010_app_package_management: "mec010-app-package-management",
    mec011_app_support: "mec011-app-support",
    mec011_service_management: "mec011-service-management",
    mec012_radio_network_information: "mec012-radio-network-information",
    mec013_location: "mec013-location",
    mec014_ue_identity: "mec014-ue-identity",
    mec015_bandwidth_management: "mec015-bandwidth-management",
    mec015_traffic_steering: "mec015-traffic-steering",
    mec016_ue_application: "mec016-ue-application",
    mec021_application_mobility: "mec021-application-mobility",
    mec028_wlan_information: "mec028-wlan-information",
    mec029_fixed_access_information: "mec029-fixed-access-information",
    mec030_v2x_information: "mec030-v2x-information",
    mec033_iot: "mec033-iot",
    mec040_federation_enablement: "mec040-federation-enablement",
}

fn check(id: &str) {
    let api = apis().into_iter().find(|api| api.id == id).unwrap();
    let document: Value = serde_json::from_str(api.document).unwrap();
    let mut disagreements = Vec::new();
    let (mut valid, mut refused) = (0_usize, 0_usize);
    for case in &api.cases {
        let judge = Judge::new(&document, case.pointer);
        let mut report = |sentence: String| disagreements.push(format!("{}: {sentence}", case.name));
        let (accepted, denied) = compare(case, &judge, &mut report);
        valid += accepted;
        refused += denied;
    }
    disagreements.sort();
    let shown = disagreements
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        disagreements.is_empty(),
        "{} disagreements in {id}:\n{shown}",
        disagreements.len()
    );
    // The test would be worth nothing if the changes left everything valid, or nothing.
    let all = api.cases.len() * VALUES * CHANGES;
    assert!(
        valid > all / 4 && refused > all / 4,
        "only {valid} valid and {refused} invalid instances of {all}"
    );
}

/// Draws values and changes them; tells how many the judge accepted and refused.
pub(crate) fn compare(case: &Case, judge: &Judge, report: &mut impl FnMut(String)) -> (usize, usize) {
    let mut runner = runner();
    let strategy = (case.values)();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..VALUES {
        let value = match strategy.new_tree(&mut runner) {
            Ok(tree) => tree.current(),
            Err(reason) => {
                report(format!("the strategy finds no value: {reason}"));
                return (accepted, refused);
            }
        };
        drawn(case, judge, &value, report);
        accepted += 1;
        for _ in 0..CHANGES {
            let mut changed = value.clone();
            mutate(&mut changed, runner.rng());
            match judge.accepts(&changed) {
                true => {
                    accepted += 1;
                    still_valid(case, &changed, report);
                }
                false => {
                    refused += 1;
                    invalid(case, judge, &changed, report);
                }
            }
        }
    }
    (accepted, refused)
}

fn drawn(case: &Case, judge: &Judge, value: &Value, report: &mut impl FnMut(String)) {
    if let Some((place, fault)) = judge.faults(value).into_iter().next() {
        report(format!(
            "the strategy drew {value}, which the judge refuses at {place:?}: {fault}"
        ));
    }
    match (case.round_trip)(value.to_string().as_bytes()) {
        Ok(back) if equal(&back, value) => {}
        Ok(back) => report(format!("{value} came back as {back}")),
        Err(error) => report(format!("{value} is refused: {error}")),
    }
}

fn still_valid(case: &Case, value: &Value, report: &mut impl FnMut(String)) {
    match (case.round_trip)(value.to_string().as_bytes()) {
        Ok(back) if is_part(&back, value) => {}
        Ok(back) => report(format!("{value} came back as {back}")),
        Err(error) if is_beyond_64_bits(value, &error) => {}
        Err(error) => report(format!("{value} is valid, but refused: {error}")),
    }
}

/// The one exception: JSON Schema's integers have no limits, ours have 64 bits. Where a document sets no lower bound
/// they are signed, so that `i64` holds them.
fn is_beyond_64_bits(value: &Value, error: &Invalid) -> bool {
    let place = value.pointer(&error.pointer());
    error.rule() == "maximum" && place.is_some_and(|place| place.is_number() && place.as_i64().is_none())
}

fn invalid(case: &Case, judge: &Judge, value: &Value, report: &mut impl FnMut(String)) {
    match (case.round_trip)(value.to_string().as_bytes()) {
        Ok(_) => {
            let faults = judge.faults(value);
            report(format!("{value} is accepted, but {:?}", faults.first()));
        }
        Err(error) => {
            let pointer = error.pointer();
            let related = |place: &str| pointer.starts_with(place) || place.starts_with(&pointer);
            let faults = judge.faults(value);
            if !faults.iter().any(|(place, _)| related(place)) {
                report(format!(
                    "{value} is refused at {pointer:?} ({error}), but the judge says {faults:?}"
                ));
            }
            if value.pointer(&pointer).is_none() {
                report(format!("{value} is refused at {pointer:?}, which is not there"));
            }
        }
    }
}

/// Equality of JSON values: numbers by value (1 is 1.0).
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

/// Whether `part` is `whole` but for undeclared properties, which are dropped.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|other| is_part(value, other))),
        _ => equal(part, whole),
    }
}
