//! Rules across properties: schemas that only say which properties go together, and how to say that in words.

use std::collections::BTreeSet;

use mecforge_document::{Node, Pointer, Value};

use super::Lowering;
use super::schema::is_annotation;
use crate::model::predicate::{Predicate, Rule};

impl Lowering<'_> {
    /// The rules that stand in a schema beside its properties: `oneOf`, `anyOf`, `not`, `if`, `dependentRequired`.
    /// (`allOf` is the caller's: its members may be schemas.)
    pub(super) fn rules(&mut self, node: &Node, pointer: &Pointer) -> Vec<Rule> {
        let mut rules = Vec::new();
        for key in ["oneOf", "anyOf", "not", "if", "dependentRequired", "contains"] {
            if node.get(key).is_none() {
                continue;
            }
            match only(node, key).and_then(|only| rule(key, &only)) {
                Some(rule) => rules.push(rule),
                None if key == "oneOf" || key == "anyOf" => {}
                None => self.refuse(
                    node,
                    &pointer.child(key),
                    format!("this {key} has no Rust form yet"),
                ),
            }
        }
        rules
    }
}

impl Lowering<'_> {
    /// Which members of an `allOf` are mere rules for what the others declare. One that declares a property of its
    /// own is a schema, however simple: its property must become a field.
    pub(super) fn rule_members(&self, node: &Node, members: &[Node]) -> Vec<bool> {
        let mut known = BTreeSet::new();
        let mut rest = node.clone();
        rest.remove("allOf");
        self.declared_names(&rest, &mut known, 0);
        for member in members.iter().filter(|member| predicate(member).is_none()) {
            self.declared_names(member, &mut known, 0);
        }
        let is_rule = |member: &Node| {
            let mut own = BTreeSet::new();
            self.declared_names(member, &mut own, 0);
            let is_rule = predicate(member).is_some() && own.is_subset(&known);
            known.extend(own);
            is_rule
        };
        members.iter().map(is_rule).collect()
    }

    /// Whether `oneOf` or `anyOf` is a choice between schemas rather than a rule: a member is more than a condition,
    /// or declares what the schema around it does not.
    pub(super) fn is_choice(&self, node: &Node, key: &str) -> bool {
        let members = node.get(key).and_then(Node::as_array).unwrap_or_default();
        let mut around = node.clone();
        around.remove(key);
        let mut known = BTreeSet::new();
        self.declared_names(&around, &mut known, 0);
        let says_kind = ["type", "properties", "allOf", "$ref"]
            .iter()
            .any(|key| node.get(key).is_some());
        members.iter().any(|member| {
            let mut own = BTreeSet::new();
            self.declared_names(member, &mut own, 0);
            let is_kind = !says_kind && member.get("type").is_some();
            predicate(member).is_none() || is_kind || !own.is_subset(&known)
        })
    }

    /// The properties that a schema declares, its parts and what it refers to included.
    fn declared_names(&self, node: &Node, names: &mut BTreeSet<String>, depth: usize) {
        let Some(node) = Some(node).filter(|_| depth < 16) else {
            return;
        };
        let properties = node.get("properties").and_then(Node::as_object);
        names.extend(properties.into_iter().flat_map(|object| object.keys().cloned()));
        for key in ["allOf", "anyOf", "oneOf"] {
            for member in node.get(key).and_then(Node::as_array).unwrap_or_default() {
                self.declared_names(member, names, depth + 1);
            }
        }
        if node.ref_target().is_some()
            && let Some(target) = self.document.resolve(node)
        {
            self.declared_names(target, names, depth + 1);
        }
    }
}

/// The schema with one keyword alone (`if` keeps `then` and `else`).
fn only(node: &Node, key: &str) -> Option<Node> {
    let mut alone = Node::at(node.origin, mecforge_document::Object::new());
    let keys: &[&str] = if key == "if" {
        &["if", "then", "else"]
    } else {
        &[key]
    };
    for key in keys {
        if let Some(value) = node.get(key) {
            alone.set(*key, value.clone());
        }
    }
    Some(alone)
}

/// A schema as a rule; `keyword` is the one that it is reported under.
pub(super) fn rule(keyword: &str, node: &Node) -> Option<Rule> {
    let predicate = predicate(node).filter(|predicate| *predicate != Predicate::True)?;
    let keyword = match keyword {
        "allOf" => keyword_of(node),
        _ => KEYWORDS
            .iter()
            .find(|known| **known == keyword)
            .copied()
            .unwrap_or("allOf"),
    };
    Some(Rule {
        words: words(&predicate),
        keyword,
        predicate,
    })
}

/// A value that must be one of these.
pub(super) fn values_rule(values: &[Node]) -> Rule {
    let predicate = Predicate::OneOfValues(values.iter().map(Node::to_json).collect());
    Rule {
        words: words(&predicate),
        keyword: "enum",
        predicate,
    }
}

/// Properties that must be there although no schema declares them.
pub(super) fn required_rule(names: Vec<String>) -> Rule {
    let predicate = Predicate::Required(names);
    Rule {
        words: words(&predicate),
        keyword: "required",
        predicate,
    }
}

const KEYWORDS: [&str; 9] = [
    "oneOf",
    "anyOf",
    "not",
    "if",
    "dependentRequired",
    "contains",
    "required",
    "const",
    "enum",
];

fn keyword_of(node: &Node) -> &'static str {
    KEYWORDS
        .into_iter()
        .find(|key| node.get(key).is_some())
        .unwrap_or("allOf")
}

/// The condition that a schema states; `None` where it is more than a condition: a reference, a type with rules.
pub(super) fn predicate(node: &Node) -> Option<Predicate> {
    let object = match &node.value {
        Value::Bool(true) => return Some(Predicate::True),
        Value::Bool(false) => return Some(Predicate::False),
        Value::Object(object) => object,
        _ => return None,
    };
    let mut all = Vec::new();
    for (key, value) in object.iter().filter(|(key, _)| !is_annotation(key)) {
        all.push(keyword(key, value, node)?);
    }
    all.retain(|predicate| *predicate != Predicate::True);
    Some(match all.len() {
        0 => Predicate::True,
        1 => all.remove(0),
        _ => Predicate::All(all),
    })
}

fn keyword(key: &str, value: &Node, node: &Node) -> Option<Predicate> {
    Some(match key {
        "required" => Predicate::Required(texts(value)?),
        "properties" => all(value
            .as_object()?
            .iter()
            .map(|(name, schema)| Some(Predicate::Property(name.clone(), Box::new(predicate(schema)?)))))?,
        "const" => Predicate::Constant(literal(value)?),
        "enum" => Predicate::OneOfValues(
            value
                .as_array()?
                .iter()
                .map(literal)
                .collect::<Option<Vec<_>>>()?,
        ),
        "type" => Predicate::Type(value.as_str()?.to_owned()),
        "items" => Predicate::Items(Box::new(predicate(value)?)),
        "contains" => Predicate::Contains(Box::new(predicate(value)?)),
        "minItems" => Predicate::MinItems(value.as_u64()?),
        "maxItems" => Predicate::MaxItems(value.as_u64()?),
        "allOf" => Predicate::All(predicates(value)?),
        "anyOf" => Predicate::Any(predicates(value)?),
        "oneOf" => Predicate::One(predicates(value)?),
        "not" => Predicate::Not(Box::new(predicate(value)?)),
        "if" => {
            let branch = |key| node.get(key).map_or(Some(Predicate::True), predicate);
            Predicate::If(
                Box::new(predicate(value)?),
                Box::new(branch("then")?),
                Box::new(branch("else")?),
            )
        }
        // Without `if` these two say nothing; with it they are part of it.
        "then" | "else" => Predicate::True,
        "dependentRequired" => all(value.as_object()?.iter().map(|(name, needed)| {
            let condition = Predicate::Required(vec![name.clone()]);
            let then = Predicate::Required(texts(needed)?);
            Some(Predicate::If(
                Box::new(condition),
                Box::new(then),
                Box::new(Predicate::True),
            ))
        }))?,
        _ => return None,
    })
}

/// Whether a value is an object or a list with one in it, for which the runtime's rules have no literal.
pub(super) fn holds_object(value: &Node) -> bool {
    literal(value).is_none()
}

/// A value to compare with; objects have no literal in the runtime's rules.
fn literal(value: &Node) -> Option<serde_json::Value> {
    let is_plain = match &value.value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| literal(item).is_some()),
        _ => true,
    };
    is_plain.then(|| value.to_json())
}

fn all(predicates: impl Iterator<Item = Option<Predicate>>) -> Option<Predicate> {
    let mut predicates = predicates.collect::<Option<Vec<_>>>()?;
    Some(if predicates.len() == 1 {
        predicates.remove(0)
    } else {
        Predicate::All(predicates)
    })
}

fn predicates(node: &Node) -> Option<Vec<Predicate>> {
    node.as_array()?.iter().map(predicate).collect()
}

fn texts(node: &Node) -> Option<Vec<String>> {
    node.as_array()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// The rule in words, completing "the value must …".
fn words(predicate: &Predicate) -> String {
    match predicate {
        Predicate::One(members) => match single_names(members) {
            Some(names) => format!("have exactly one of {}", names.join(", ")),
            None => join(members, "either ", " or ", " (only one of these)"),
        },
        Predicate::Any(members) => match single_names(members) {
            Some(names) => format!("have at least one of {}", names.join(", ")),
            None => join(members, "", " or ", ""),
        },
        Predicate::Not(inner) => negated(inner),
        Predicate::Required(names) => format!("have {}", names.join(" and ")),
        Predicate::Property(name, inner) => format!("have {name} that must {}", words(inner)),
        Predicate::All(members) => join(members, "", " and ", ""),
        Predicate::If(condition, then, otherwise) => match (&**then, &**otherwise) {
            (Predicate::True, otherwise) => format!("{} unless {}", words(otherwise), state(condition)),
            (then, Predicate::True) => format!("{} when {}", words(then), state(condition)),
            (then, otherwise) => {
                format!(
                    "{} when {}, else {}",
                    words(then),
                    state(condition),
                    words(otherwise)
                )
            }
        },
        Predicate::Constant(value) => format!("be {value}"),
        Predicate::OneOfValues(values) => {
            let values = values
                .iter()
                .map(serde_json::Value::to_string)
                .collect::<Vec<_>>();
            format!("be one of {}", values.join(", "))
        }
        Predicate::Type(name) => format!("be of type {name}"),
        Predicate::Items(inner) => format!("have only elements that {}", words(inner)),
        Predicate::Contains(inner) => format!("have an element that must {}", words(inner)),
        Predicate::MinItems(least) => format!("have {least} or more elements"),
        Predicate::MaxItems(most) => format!("have {most} or fewer elements"),
        Predicate::True => "be anything".to_owned(),
        Predicate::False => "be absent".to_owned(),
    }
}

fn join(members: &[Predicate], before: &str, between: &str, after: &str) -> String {
    let said = members.iter().map(words).collect::<Vec<_>>();
    format!("{before}{}{after}", said.join(between))
}

fn negated(inner: &Predicate) -> String {
    let pairs = match inner {
        Predicate::Any(members) => members.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut names: Vec<&str> = Vec::new();
    for member in pairs {
        let Predicate::Required(group) = member else {
            return format!("not {}", words(inner));
        };
        names.extend(group.iter().map(String::as_str));
    }
    names.sort_unstable();
    names.dedup();
    match (pairs, names.as_slice()) {
        ([_], [only]) => format!("not have {only}"),
        ([_], names) => format!("not have all of {}", names.join(", ")),
        (pairs, names) if is_every_pair(pairs, names.len()) => {
            format!("have at most one of {}", names.join(", "))
        }
        (groups, _) => {
            let said = groups.iter().map(|group| match group {
                Predicate::Required(names) => names.join(" with "),
                other => words(other),
            });
            format!("not have {}", said.collect::<Vec<_>>().join(", nor "))
        }
    }
}

/// Whether the groups are all the pairs of so many names, so that no two of them may be there together.
fn is_every_pair(groups: &[Predicate], names: usize) -> bool {
    let is_pair = |group: &Predicate| matches!(group, Predicate::Required(names) if names.len() == 2);
    groups.len() == names * (names - 1) / 2 && groups.iter().all(is_pair)
}

/// The names of members that each require one property.
fn single_names(members: &[Predicate]) -> Option<Vec<&str>> {
    members
        .iter()
        .map(|member| match member {
            Predicate::Required(names) if names.len() == 1 => Some(names[0].as_str()),
            _ => None,
        })
        .collect()
}

/// A condition as a statement: "isInsByMec is false".
fn state(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Property(name, inner) => match &**inner {
            Predicate::Constant(value) => format!("{name} is {value}"),
            Predicate::OneOfValues(values) => {
                let values = values
                    .iter()
                    .map(serde_json::Value::to_string)
                    .collect::<Vec<_>>();
                format!("{name} is one of {}", values.join(", "))
            }
            inner => format!("{name} would {}", words(inner)),
        },
        Predicate::All(members) => {
            // "x is there and x is 5" is "x is 5".
            let tested = members.iter().filter_map(|member| match member {
                Predicate::Property(name, _) => Some(name.as_str()),
                _ => None,
            });
            let tested = tested.collect::<Vec<_>>();
            let says_more = |member: &&Predicate| match member {
                Predicate::Required(names) => !names.iter().all(|name| tested.contains(&name.as_str())),
                _ => true,
            };
            members
                .iter()
                .filter(says_more)
                .map(state)
                .collect::<Vec<_>>()
                .join(" and ")
        }
        Predicate::Any(members) => members.iter().map(state).collect::<Vec<_>>().join(" or "),
        Predicate::Required(names) => match names.as_slice() {
            [name] => format!("{name} is present"),
            names => format!("{} are present", names.join(" and ")),
        },
        Predicate::Not(inner) => match &**inner {
            Predicate::Required(names) => format!("{} is absent", names.join(" or ")),
            inner => format!("it is not so that {}", state(inner)),
        },
        other => format!("it would {}", words(other)),
    }
}
