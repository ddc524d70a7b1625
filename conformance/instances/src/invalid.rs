//! The list of invalid cases: each breaks one rule, at one place, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::breakers::{self, Break, Breaker};
use crate::cases::{InvalidCase, Limited, fairly};
use crate::generate::{Generator, Inclusion, Plan};
use crate::model::ROOT;
use crate::pointer;
use crate::schema::Inner;
use crate::sites::Walk;

/// A valid instance to break something in.
struct Ground {
    value: Value,
    walk: Walk,
}

/// How many places of one node are broken in one instance.
const PLACES: usize = 3;
/// How many instances are tried for one way to break a rule.
const GROUNDS: usize = 8;
/// How many ways to break the rules of one place are tried, where chance decides.
const TRIES: usize = 4;

/// At most `limit` cases, the most from `base`.
pub(crate) fn cases(schema: &Inner, base: &Value, limit: usize) -> Limited<InvalidCase> {
    let grounds = grounds(schema, base);
    let attempts = fairly(attempts(schema, &grounds));
    let total = attempts.len();
    let mut cases: Vec<InvalidCase> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut done = BTreeSet::new();
    let mut looked_at = 0;
    for attempt in attempts {
        if cases.len() >= limit {
            break;
        }
        looked_at += 1;
        // The first instance in which a rule breaks alone is enough for this way of breaking it.
        let key = (
            attempt.rule.clone(),
            attempt.template.clone(),
            attempt.what.clone(),
        );
        if done.contains(&key) {
            continue;
        }
        if let Some(case) = attempt.perform(schema, &grounds[attempt.ground]) {
            done.insert(key);
            if seen.insert(format!("{}\n{}", case.schema_pointer, case.value)) {
                cases.push(case);
            }
        }
    }
    Limited {
        cases,
        truncated: total - looked_at,
    }
}

/// At most `limit` cases of `base` alone, each at a place and of a rule that chance decides.
pub(crate) fn drawn(schema: &Inner, base: &Value, rng: &mut fastrand::Rng, limit: usize) -> Vec<InvalidCase> {
    let mut cases = Vec::new();
    if !(schema.model.accepts(ROOT, base) && schema.validator.is_valid(base)) {
        return cases;
    }
    let ground = Ground {
        walk: schema.model.walk(base),
        value: base.clone(),
    };
    let places = ground.walk.places.iter();
    let mut spots: Vec<_> = places
        .flat_map(|(id, places)| places.iter().map(|place| (*id, place)))
        .collect();
    rng.shuffle(&mut spots);
    for (id, place) in spots {
        if cases.len() >= limit {
            break;
        }
        let Some(value) = base.pointer(place) else {
            continue;
        };
        let mut ways = breakers::all(schema, id, value, place);
        rng.shuffle(&mut ways);
        let mut tried = ways.into_iter().take(TRIES);
        cases.extend(tried.find_map(|way| Attempt::new(0, place, way).perform(schema, &ground)));
    }
    cases
}

/// The instances to break: the base, what it can be extended to, and the witnesses.
fn grounds(schema: &Inner, base: &Value) -> Vec<Ground> {
    let mut values: Vec<Value> = Vec::new();
    if schema.model.accepts(ROOT, base) && schema.validator.is_valid(base) {
        values.push(base.clone());
        values.extend(extension(schema, base));
    }
    let mut witnesses: Vec<_> = schema.witnesses().list.iter().collect();
    witnesses.sort_by_key(|witness| witness.size);
    values.extend(witnesses.into_iter().map(|witness| witness.value.clone()));
    values
        .into_iter()
        .map(|value| Ground {
            walk: schema.model.walk(&value),
            value,
        })
        .collect()
}

/// The base with every property that it lacks and that may be added, alone at its place, from the full instance.
fn extension(schema: &Inner, base: &Value) -> Option<Value> {
    let plan = Plan {
        inclusion: Inclusion::All,
        ..Plan::default()
    };
    let full = Generator::new(&schema.model, &schema.options, &plan, None).root()?;
    let mut value = base.clone();
    let mut additions = Vec::new();
    missing(base, &full, "", &mut additions);
    let mut everything = base.clone();
    for (place, addition) in &additions {
        pointer::set(&mut everything, place, addition.clone());
    }
    if schema.accepts(&everything) {
        return (everything != *base).then_some(everything);
    }
    for (place, addition) in additions.into_iter().take(100) {
        if let Some(more) =
            pointer::replaced(&value, &place, addition).filter(|more| schema.model.accepts(ROOT, more))
        {
            value = more;
        }
    }
    (value != *base && schema.validator.is_valid(&value)).then_some(value)
}

/// What `full` has and `base` lacks, at the places that both have.
fn missing(base: &Value, full: &Value, place: &str, out: &mut Vec<(String, Value)>) {
    match (base, full) {
        (Value::Object(base), Value::Object(full)) => {
            for (name, inner) in full {
                let here = pointer::child(place, name);
                match base.get(name) {
                    Some(before) => missing(before, inner, &here, out),
                    None => out.push((here, inner.clone())),
                }
            }
        }
        (Value::Array(base), Value::Array(full)) => {
            if let (Some(before), Some(inner)) = (base.first(), full.first()) {
                missing(before, inner, &pointer::item(place, 0), out);
            }
        }
        _ => {}
    }
}

/// One way to break one rule in one instance.
struct Attempt {
    ground: usize,
    place: String,
    rule: String,
    template: String,
    keyword: &'static str,
    what: String,
    change: Break,
}

impl Attempt {
    fn new(ground: usize, place: &str, found: Breaker) -> Self {
        Self {
            ground,
            place: place.to_owned(),
            rule: found.rule,
            template: template(place),
            keyword: found.keyword,
            what: found.what,
            change: found.change,
        }
    }

    fn perform(&self, schema: &Inner, ground: &Ground) -> Option<InvalidCase> {
        let value = self.change.apply(&ground.value, &self.place)?;
        if schema.validator.is_valid(&value) {
            return None;
        }
        let failures = schema.model.failures(&ground.value, &value, &self.rule);
        let [failure] = failures.as_slice() else {
            return None;
        };
        if failure.rule != self.rule {
            return None;
        }
        Some(InvalidCase {
            value,
            what: self.what.clone(),
            keyword: self.keyword.to_owned(),
            schema_pointer: self.rule.clone(),
            instance_pointer: failure.place.clone(),
        })
    }
}

/// All attempts, grouped by rule and kind, those of one kind in the order of the instances.
fn attempts(schema: &Inner, grounds: &[Ground]) -> Vec<(String, Attempt)> {
    let mut all = Vec::new();
    for id in 0..schema.model.nodes.len() {
        let mut used = 0;
        for (index, ground) in grounds.iter().enumerate() {
            let Some(places) = ground.walk.places.get(&id) else {
                continue;
            };
            used += 1;
            if used > GROUNDS {
                break;
            }
            for place in places.iter().take(if used <= 2 { PLACES } else { 1 }) {
                let Some(value) = ground.value.pointer(place) else {
                    continue;
                };
                for (order, found) in breakers::all(schema, id, value, place).into_iter().enumerate() {
                    // Later instances are there for what didn't succeed in earlier ones, right after these.
                    let group = format!("{id} {} {}", found.rule, if order < 64 { "" } else { "late" });
                    all.push((group, Attempt::new(index, place, found)));
                }
            }
        }
    }
    all
}

/// A place with `*` for every index, so that the same thing isn't broken in every item.
fn template(place: &str) -> String {
    let step = |step: &str| {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            "*".to_owned()
        } else {
            step.to_owned()
        }
    };
    place.split('/').map(step).collect::<Vec<_>>().join("/")
}
