//! Small changes to JSON values, blind to any schema: what comes out may be valid or not, the judge decides.

use proptest::prelude::Rng;
use serde_json::{Value, json};

/// Changes one place of a value.
pub(crate) fn mutate(value: &mut Value, random: &mut impl Rng) {
    let places = count(value);
    let mut target = pick(random, places);
    at(value, &mut target, random);
}

fn pick(random: &mut impl Rng, below: usize) -> usize {
    (random.next_u64() % below.max(1) as u64) as usize
}

/// How many places a value has, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

fn at(value: &mut Value, target: &mut usize, random: &mut impl Rng) -> bool {
    if *target == 0 {
        change(value, random);
        return true;
    }
    *target -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| at(item, target, random)),
        Value::Object(members) => members.values_mut().any(|member| at(member, target, random)),
        _ => false,
    }
}

fn change(value: &mut Value, random: &mut impl Rng) {
    // One time in three any value is replaced by one of another kind; otherwise it is changed in its own.
    if pick(random, 3) == 0 {
        let others = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(""),
            json!("x"),
            json!([]),
            json!({}),
        ];
        *value = others[pick(random, others.len())].clone();
        return;
    }
    match value {
        Value::Null => *value = json!("null"),
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(_) => {
            let others = [
                json!(-1),
                json!(0),
                json!(1),
                json!(0.5),
                json!(1.0),
                json!(255),
                json!(256),
                json!(65536),
                json!(4294967296_u64),
                json!(u64::MAX),
                json!(i64::MIN),
                json!(-90.5),
                json!(361),
            ];
            *value = others[pick(random, others.len())].clone();
        }
        Value::String(text) => change_text(text, random),
        Value::Array(items) => match pick(random, 4) {
            0 => items.clear(),
            1 => {
                let repeated = items.first().cloned();
                items.extend(repeated);
            }
            2 => items.push(json!("x")),
            _ => {
                let repeated = items.first().cloned();
                (0..40).for_each(|_| items.extend(repeated.clone()));
            }
        },
        Value::Object(members) => {
            let names = members.keys().cloned().collect::<Vec<_>>();
            match pick(random, 4) {
                0 => drop(members.insert("undeclared-property".to_owned(), json!([1, {"a": null}]))),
                1 => members.clear(),
                _ if names.is_empty() => {}
                _ => drop(members.remove(&names[pick(random, names.len())])),
            }
        }
    }
}

fn change_text(text: &mut String, random: &mut impl Rng) {
    match pick(random, 6) {
        0 => text.clear(),
        1 => text.push_str("_X"),
        2 => *text = text.to_lowercase(),
        3 => *text = "%zz not a uri".to_owned(),
        4 => *text = "é".repeat(400),
        _ => drop(text.pop()),
    }
}
