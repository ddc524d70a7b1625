//! The catalogue as data.

use std::collections::BTreeSet;

use mecforge_mutants::{Class, catalogue, find};

#[test]
fn ids_are_unique_and_begin_with_their_class() {
    let mut seen = BTreeSet::new();
    for fault in catalogue() {
        assert!(seen.insert(fault.id), "{} is there twice", fault.id);
        let (class, rest) = fault.id.split_once('/').unwrap();
        assert_eq!(class, fault.class.name());
        let plain = |each: char| each.is_ascii_alphanumeric() || "-_".contains(each);
        assert!(!rest.is_empty() && rest.chars().all(plain), "{}", fault.id);
    }
}

#[test]
fn every_fault_says_what_it_is() {
    for fault in catalogue() {
        assert!(
            fault.what.len() > 10 && !fault.what.ends_with('.'),
            "{}: {}",
            fault.id,
            fault.what
        );
        assert!(
            !fault.clause.is_empty() && !fault.operations.is_empty(),
            "{}",
            fault.id
        );
        assert_eq!(find(fault.id).unwrap().what, fault.what);
    }
    assert!(find("no/such-fault").is_none());
    assert_eq!(find("none").unwrap().id, "none");
}

#[test]
fn there_are_enough_faults_of_each_class() {
    let mut faults = catalogue();
    faults.retain(|fault| fault.permitted.is_none());
    assert!(faults.len() >= 150, "{}", faults.len());
    for class in Class::ALL {
        let count = faults.iter().filter(|fault| fault.class == class).count();
        assert!(count >= 5, "{class} has {count}");
    }
}
