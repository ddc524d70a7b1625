//! The ledger: each fact of ETSI's document that the repaired one does not have, with the findings that tell why.

use std::collections::BTreeMap;

use mecforge_document::{Finding, Pointer};

use super::facts::{Fact, Inventory, Kind};

/// A fact that the repaired document has otherwise, or not at all.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The fact as ETSI's document has it.
    pub fact: Fact,
    /// What stands there now; `None` where nothing does.
    pub now: Option<String>,
    /// The class of the finding that tells of it; `None` where no finding does, which is a silent loss.
    pub class: Option<String>,
}

/// What became of the facts of one kind (and keyword).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many ETSI's document declares.
    pub declared: usize,
    /// How many of them the repaired document does not have.
    pub removed: usize,
    /// How many of them say something else now.
    pub changed: usize,
    /// How many the repaired document has beyond ETSI's: errata, views of requests, bounds of integer formats.
    pub added: usize,
    /// How many the repaired document has.
    pub repaired: usize,
}

/// Compares two states of a document.
pub(super) fn compare(
    raw: &Inventory,
    settled: &Inventory,
    findings: &[Finding],
) -> (BTreeMap<(Kind, String), Tally>, Vec<Difference>) {
    let mut tallies: BTreeMap<(Kind, String), Tally> = BTreeMap::new();
    let mut differences = Vec::new();
    for (name, fact) in raw {
        let tally = tallies.entry((fact.kind, fact.keyword.clone())).or_default();
        tally.declared += 1;
        let now = settled.get(name).map(|now| now.value.clone());
        match &now {
            Some(now) if *now == fact.value => continue,
            Some(_) => tally.changed += 1,
            None => tally.removed += 1,
        }
        let class = explanation(fact, now.is_some(), findings).map(|finding| finding.class.clone());
        differences.push(Difference {
            fact: fact.clone(),
            now,
            class,
        });
    }
    for (name, fact) in settled {
        let tally = tallies.entry((fact.kind, fact.keyword.clone())).or_default();
        tally.repaired += 1;
        tally.added += usize::from(!raw.contains_key(name));
    }
    (tallies, differences)
}

/// Lists, which an update adds to.
const APPENDED: [&str; 6] = ["/required", "/enum", "/oneOf", "/anyOf", "/allOf", "/parameters"];

/// The finding that tells of a change: the one whose place is nearest to the fact's.
fn explanation<'finding>(
    fact: &Fact,
    is_there: bool,
    findings: &'finding [Finding],
) -> Option<&'finding Finding> {
    let nearness = |finding: &Finding| {
        let target = fact
            .target
            .iter()
            .filter(|_| is_there && finding.class == "read-only");
        let places = fact.places.iter().chain(target);
        places
            .filter_map(|place| distance(place, is_there, finding))
            .min()
    };
    let near = findings
        .iter()
        .filter_map(|finding| Some((nearness(finding)?, finding)));
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, finding)| finding)
}

/// How many levels a finding's place is above a fact's; `None` where it does not bear on it.
fn distance(place: &Pointer, is_there: bool, finding: &Finding) -> Option<usize> {
    let (place, found) = (place.as_str(), finding.pointer.as_str());
    if let Some(sets) = finding
        .repair
        .strip_prefix("sets ")
        .filter(|_| finding.class == "erratum")
    {
        // An update changes nothing but what it names, and takes away only what it writes another value over.
        let written_over = |set: &String| !APPENDED.iter().any(|list| set.ends_with(list));
        let sets = set_places(found, sets).filter(|set| is_there || written_over(set));
        return sets.filter_map(|set| above(place, &set)).min();
    }
    // A wrapper is reported at the property that it wraps.
    let wrapped = || above(found, place).filter(|_| finding.class == "wrapped-body");
    above(place, found).or_else(wrapped)
}

/// The places that an erratum's update says it has set, as far as it names them.
fn set_places<'text>(target: &'text str, sets: &'text str) -> impl Iterator<Item = String> + 'text {
    let (named, more) = sets
        .rsplit_once(" and ")
        .filter(|(_, more)| more.ends_with(" more"))
        .unwrap_or((sets, ""));
    let unnamed = (!more.is_empty()).then(|| target.to_owned());
    let place = move |name: &str| match name {
        "elements" => target.to_owned(),
        name => format!("{target}/{name}"),
    };
    named.split(", ").map(place).chain(unnamed)
}

/// How many levels a place lies below another; `None` where it does not, or where the other is no single thing.
fn above(place: &str, other: &str) -> Option<usize> {
    let depth = |text: &str| text.matches('/').count();
    let within = place
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (within && depth(other) >= 2 && other != "/components/schemas").then(|| depth(place) - depth(other))
}
