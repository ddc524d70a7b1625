//! Ways to break each keyword of a node at a place where it holds.

use serde_json::{Map, Number, Value};

use crate::formats;
use crate::generate::{Generator, Plan};
use crate::judge::shown;
use crate::model::{Node, NodeId, Types};
use crate::numbers;
use crate::pointer;
use crate::scalars;
use crate::schema::Inner;
use crate::witness::named;

/// A change to a valid instance.
#[derive(Clone, Debug)]
pub(crate) enum Break {
    /// Another value at the place.
    Replace(Value),
    /// The property of the object at the place is gone.
    Remove(String),
}

impl Break {
    pub(crate) fn apply(&self, root: &Value, place: &str) -> Option<Value> {
        match self {
            Break::Replace(value) => pointer::replaced(root, place, value.clone()),
            Break::Remove(name) => pointer::removed(root, &pointer::child(place, name)),
        }
    }
}

/// A change with the rule that it breaks.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    pub(crate) rule: String,
    pub(crate) keyword: &'static str,
    pub(crate) what: String,
    pub(crate) change: Break,
}

/// Texts longer than this are not built, nor arrays of more items than a hundredth of it.
const MOST: u64 = 1 << 20;

pub(crate) struct Maker<'a> {
    pub(crate) schema: &'a Inner,
    pub(crate) node: &'a Node,
    pub(crate) place: &'a str,
    out: Vec<Breaker>,
}

/// Everything that may break the node's own keywords, given the valid value at the place.
pub(crate) fn all(schema: &Inner, id: NodeId, value: &Value, place: &str) -> Vec<Breaker> {
    let node = &schema.model[id];
    let mut maker = Maker {
        schema,
        node,
        place,
        out: Vec::new(),
    };
    match value {
        Value::Object(object) => maker.object(object),
        Value::Array(items) => maker.array(items),
        Value::String(text) => maker.text(text),
        Value::Number(number) => maker.number(number),
        _ => {}
    }
    maker.listed(value);
    maker.types(value);
    maker.combinations(value);
    maker.out
}

impl Maker<'_> {
    fn add(&mut self, keyword: &'static str, what: String, change: Break) {
        let rule = format!("{}/{keyword}", self.node.pointer);
        self.out.push(Breaker {
            rule,
            keyword,
            what,
            change,
        });
    }

    pub(crate) fn replace(&mut self, keyword: &'static str, what: String, value: Value) {
        self.add(keyword, what, Break::Replace(value));
    }

    pub(crate) fn place(&self) -> &str {
        named(self.place)
    }

    fn types(&mut self, value: &Value) {
        let Some(types) = self.node.types else { return };
        let quoted = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text_first = if value.is_array() || value.is_object() {
            "a".to_owned()
        } else {
            quoted
        };
        let item = value.as_array().and_then(|items| items.first()).cloned();
        let wrong = [
            (Types::NULL, "null", Value::Null),
            (Types::STRING, "a string", Value::from(text_first)),
            (Types::INTEGER, "a number", Value::from(1)),
            (Types::FRACTION, "a number with a fraction", Value::from(1.5)),
            (Types::BOOLEAN, "a boolean", Value::Bool(true)),
            (
                Types::ARRAY,
                "an array",
                Value::Array(if value.is_array() {
                    Vec::new()
                } else {
                    vec![value.clone()]
                }),
            ),
            (Types::OBJECT, "an object", Value::Object(Map::new())),
        ];
        for (one, name, other) in wrong {
            let already = one == Types::FRACTION && !types.intersects(Types::INTEGER);
            if !types.intersects(one) && !already {
                let what = format!("{} is {name}, not {}", self.place(), expected(types));
                self.replace("type", what, other);
            }
        }
        if let Some(item) = item.filter(|item| !types.intersects(Types::of(item))) {
            let what = format!("{} is a single item, not an array", self.place());
            self.replace("type", what, item);
        }
    }

    fn listed(&mut self, value: &Value) {
        let (keyword, values) = match (&self.node.constant, &self.node.enumeration) {
            (Some(constant), _) => ("const", std::slice::from_ref(constant)),
            (None, Some(values)) => ("enum", values.as_slice()),
            _ => return,
        };
        let mut others: Vec<Value> = Vec::new();
        match value {
            Value::String(text) => {
                let upper = text.to_uppercase();
                let case = if *text == upper {
                    text.to_lowercase()
                } else {
                    upper
                };
                others.extend([Value::from("mecforge_unknown_value"), Value::from(case)]);
                others.extend([Value::from(""), Value::from(format!("{text} "))]);
            }
            Value::Number(_) => {
                let greatest = values.iter().filter_map(Value::as_i64).max().unwrap_or(0);
                let least = values.iter().filter_map(Value::as_i64).min().unwrap_or(0);
                others.extend(
                    [greatest.checked_add(1), least.checked_sub(1)]
                        .into_iter()
                        .flatten()
                        .map(Value::from),
                );
            }
            Value::Bool(flag) => others.push(Value::Bool(!flag)),
            _ => {}
        }
        for other in others {
            let what = format!(
                "{} is {}, not one of the allowed values",
                self.place(),
                shown(&other)
            );
            self.replace(keyword, what, other);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(min) = self.node.min_length.filter(|min| *min > 0 && *min <= MOST) {
            let shorter: String = text
                .chars()
                .chain(std::iter::repeat('a'))
                .take(usize::try_from(min - 1).unwrap_or(0))
                .collect();
            let what = format!(
                "{} has {} characters, fewer than minLength {min}",
                self.place(),
                min - 1
            );
            self.replace("minLength", what, Value::from(shorter));
        }
        if let Some(max) = self.node.max_length.filter(|max| *max < MOST) {
            let what = format!(
                "{} has {} characters, more than maxLength {max}",
                self.place(),
                max + 1
            );
            let length = usize::try_from(max + 1).unwrap_or(0);
            let fill = if text.is_empty() {
                'a'
            } else {
                text.chars().last().unwrap_or('a')
            };
            for longer in [
                text.chars().chain(std::iter::repeat(fill)).take(length).collect(),
                scalars::text_of_length(max + 1),
            ] {
                self.replace("maxLength", what.clone(), Value::String(longer));
            }
        }
        if self.node.pattern.is_some() {
            for other in [
                "",
                "!",
                "not a match ~",
                "\u{1F600}",
                "aaaaaaaa",
                "12",
                &format!("{text}~"),
                &text.to_lowercase(),
            ] {
                let what = format!(
                    "{} does not match the pattern: {}",
                    self.place(),
                    shown(&Value::from(other))
                );
                self.replace("pattern", what, Value::from(other));
            }
        }
        if let Some(format) = self.node.format.as_ref().map(|format| format.source.clone()) {
            for other in formats::invalid(&format) {
                let what = format!(
                    "{} is not in the format {format}: {}",
                    self.place(),
                    shown(&Value::from(*other))
                );
                self.replace("format", what, Value::from(*other));
            }
        }
    }

    fn number(&mut self, number: &Number) {
        let node = self.node;
        let limits = [
            ("minimum", &node.minimum, -1),
            ("maximum", &node.maximum, 1),
            ("exclusiveMinimum", &node.exclusive_minimum, 0),
            ("exclusiveMaximum", &node.exclusive_maximum, 0),
        ];
        for (keyword, limit, step) in limits {
            let Some(limit) = limit else { continue };
            let beyond = match numbers::whole(limit) {
                Some(whole) => numbers::integer(whole + step).or_else(|| beyond_integers(limit, step)),
                None => Number::from_f64(numbers::float(limit) + step as f64).map(Value::Number),
            };
            if let Some(value) = beyond {
                let what = format!("{} is {value}, beyond {keyword} {limit}", self.place());
                self.replace(keyword, what, value);
            }
        }
        if let Some(step) = &node.multiple_of {
            let half = Number::from_f64(numbers::float(step) / 2.0).map(Value::Number);
            let next = numbers::whole(number).and_then(|value| numbers::integer(value + 1));
            for value in next.into_iter().chain(half) {
                let what = format!("{} is {value}, not a multiple of {step}", self.place());
                self.replace("multipleOf", what, value);
            }
        }
    }

    fn array(&mut self, items: &[Value]) {
        let node = self.node;
        let array = |items: Vec<Value>| Value::Array(items);
        if let Some(min) = node.min_items.filter(|min| *min > 0) {
            let kept = usize::try_from(min - 1).unwrap_or(0);
            let what = format!("{} has {kept} items, fewer than minItems {min}", self.place());
            self.replace(
                "minItems",
                what,
                array(items.iter().take(kept).cloned().collect()),
            );
        }
        if let Some(max) = node.max_items.filter(|max| *max < MOST / 100) {
            let wanted = usize::try_from(max + 1).unwrap_or(0);
            let what = format!("{} has {wanted} items, more than maxItems {max}", self.place());
            for more in self.longer(items, wanted) {
                self.replace("maxItems", what.clone(), array(more));
            }
        }
        if node.unique {
            for more in self.longer(items, items.len().max(1)) {
                if let Some(first) = more.first().cloned() {
                    let what = format!("{} has an item twice", self.place());
                    let twice: Vec<Value> = if more.len() > 1 {
                        std::iter::once(first)
                            .chain(more[..more.len() - 1].iter().cloned())
                            .collect()
                    } else {
                        vec![first.clone(), first]
                    };
                    self.replace("uniqueItems", what, array(twice));
                }
            }
        }
        if let Some(contains) = node.contains {
            let without: Vec<Value> = items
                .iter()
                .filter(|item| !self.schema.model.accepts(contains.node, item))
                .cloned()
                .collect();
            let what = format!("{} has too few items of the demanded kind", self.place());
            self.replace("contains", what, array(without));
        }
        if node.unevaluated_items.is_some() {
            let what = format!("{} has an item too many", self.place());
            self.replace(
                "unevaluatedItems",
                what,
                array(items.iter().cloned().chain([Value::from("a")]).collect()),
            );
        }
    }

    /// The items, and more of their kind up to a count: repeated, and built to differ.
    fn longer(&self, items: &[Value], wanted: usize) -> Vec<Vec<Value>> {
        let mut found = Vec::new();
        if !items.is_empty() {
            found.push(items.iter().cycle().take(wanted).cloned().collect());
        }
        let schemas: Vec<_> = self
            .node
            .items
            .map(crate::facets::Demand::Hold)
            .into_iter()
            .collect();
        let plan = Plan::default();
        let mut generator = Generator::new(&self.schema.model, &self.schema.options, &plan, None);
        let mut made: Vec<Value> = items.to_vec();
        for variant in 0..wanted.saturating_add(items.len()).min(2_000) {
            if made.len() >= wanted {
                break;
            }
            generator.variant = variant;
            if let Some(item) = generator
                .value(&schemas, "/items")
                .filter(|item| !made.contains(item))
            {
                made.push(item);
            }
        }
        if made.len() == wanted {
            found.push(made);
        }
        found
    }

    fn object(&mut self, object: &Map<String, Value>) {
        let node = self.node;
        let list = format!("{}/required", node.pointer);
        for (index, name) in node.required.iter().enumerate() {
            let what = format!("{} lacks the required property {name}", self.place());
            let rule = pointer::item(&list, index);
            self.out.push(Breaker {
                rule,
                keyword: "required",
                what,
                change: Break::Remove(name.clone()),
            });
        }
        for (trigger, wanted) in &node.dependent_required {
            let list = pointer::child(&format!("{}/dependentRequired", node.pointer), trigger);
            for (index, name) in wanted.iter().enumerate().filter(|_| object.contains_key(trigger)) {
                let what = format!("{} has {trigger} but lacks {name}", self.place());
                let rule = pointer::item(&list, index);
                self.out.push(Breaker {
                    rule,
                    keyword: "dependentRequired",
                    what,
                    change: Break::Remove(name.clone()),
                });
            }
        }
        let with = |extra: &[(String, Value)]| {
            let mut more = object.clone();
            more.extend(extra.iter().cloned());
            Value::Object(more)
        };
        let unknown = ("x-mecforge-unknown".to_owned(), Value::from("a"));
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            let what = format!("{} has a property that is not allowed", self.place());
            self.replace(keyword, what, with(std::slice::from_ref(&unknown)));
        }
        if node.names.is_some() {
            for name in ["", "~ not a name ~", &"a".repeat(1000), "1", "A"] {
                let what = format!(
                    "{} has a property with the name {}",
                    self.place(),
                    shown(&Value::from(name))
                );
                let value = object
                    .values()
                    .next()
                    .cloned()
                    .unwrap_or_else(|| Value::from("a"));
                self.replace("propertyNames", what, with(&[(name.to_owned(), value)]));
            }
        }
        self.counts(object);
    }

    fn counts(&mut self, object: &Map<String, Value>) {
        if let Some(min) = self.node.min_properties.filter(|min| *min > 0) {
            let kept: Map<String, Value> = object
                .clone()
                .into_iter()
                .take(usize::try_from(min - 1).unwrap_or(0))
                .collect();
            let what = format!(
                "{} has {} properties, fewer than minProperties {min}",
                self.place(),
                kept.len()
            );
            self.replace("minProperties", what, Value::Object(kept));
        }
        if let Some(max) = self.node.max_properties.filter(|max| *max < MOST / 100) {
            let value = object
                .values()
                .next()
                .cloned()
                .unwrap_or_else(|| Value::from("a"));
            let mut more = object.clone();
            let missing = (0..=max).map(|index| format!("key{index}"));
            for name in missing {
                if more.len() as u64 <= max {
                    more.entry(name).or_insert_with(|| value.clone());
                }
            }
            let what = format!(
                "{} has {} properties, more than maxProperties {max}",
                self.place(),
                more.len()
            );
            self.replace("maxProperties", what, Value::Object(more));
        }
    }
}

/// One more than the greatest whole number that JSON can carry here, as a floating point number.
fn beyond_integers(limit: &Number, step: i128) -> Option<Value> {
    let float = numbers::float(limit);
    Number::from_f64(if step > 0 { float * 2.0 } else { float * 2.0 - 1.0 }).map(Value::Number)
}

fn expected(types: Types) -> String {
    let names = [
        (Types::OBJECT, "an object"),
        (Types::ARRAY, "an array"),
        (Types::STRING, "a string"),
        (Types::BOOLEAN, "a boolean"),
        (Types::NULL, "null"),
    ];
    let mut found: Vec<&str> = names
        .iter()
        .filter(|(one, _)| types.intersects(*one))
        .map(|(_, name)| *name)
        .collect();
    if types.intersects(Types::FRACTION) {
        found.push("a number");
    } else if types.intersects(Types::INTEGER) {
        found.push("a whole number");
    }
    found.join(" or ")
}
