//! What the instances of documents reach: each rule's boundary from inside and from outside, each member of an
//! enumeration, each alternative, each property there and not there, each two optional properties together.
//!
//! The schemas are read here anew, apart from the code under test; only whether an alternative holds is asked of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use mecforge_instances::{InvalidCase, Schema};
use serde_json::{Map, Value};

/// A place in a document: the schema object's address, which stays while the document is there.
type Place = usize;

fn place(schema: &Value) -> Place {
    std::ptr::from_ref(schema) as usize
}

/// What was reached in one document.
pub(crate) struct Statistics {
    document: Arc<Value>,
    pointers: HashMap<Place, String>,
    alternatives: HashMap<Place, Option<Schema>>,
    /// Rules whose boundary a valid instance has, by schema and keyword.
    inside: HashSet<(Place, &'static str)>,
    /// Members of enumerations.
    members: HashSet<(Place, usize)>,
    /// Alternatives that a valid instance takes.
    taken: HashSet<Place>,
    /// Which properties were there together, a bit for each.
    presence: HashMap<Place, HashSet<u128>>,
    /// Rules that an invalid instance breaks, and whether one is just beyond the boundary.
    outside: BTreeMap<String, bool>,
    /// All rules that the generators know, with their keywords, and whether a schema has them of which no cases were cut
    /// off: valid ones, invalid ones.
    rules: BTreeMap<String, (String, [bool; 2])>,
    /// Schemas that a root leads to of whose valid cases none were cut off.
    whole: HashSet<Place>,
    /// Whether the valid cases of the present root are whole.
    is_whole: bool,
    depth: usize,
}

impl Statistics {
    pub(crate) fn of(document: &Arc<Value>) -> Statistics {
        let mut pointers = HashMap::new();
        index(document, String::new(), &mut pointers);
        Statistics {
            document: Arc::clone(document),
            pointers,
            alternatives: HashMap::new(),
            inside: HashSet::new(),
            members: HashSet::new(),
            taken: HashSet::new(),
            presence: HashMap::new(),
            outside: BTreeMap::new(),
            rules: BTreeMap::new(),
            whole: HashSet::new(),
            is_whole: false,
            depth: 0,
        }
    }

    /// Notes the rules of a schema, and how many of its valid and invalid cases were cut off.
    pub(crate) fn root(&mut self, schema: &Schema, truncated: [usize; 2]) {
        self.is_whole = truncated[0] == 0;
        for constraint in schema.constraints() {
            let entry = self.rules.entry(constraint.schema_pointer);
            let (_, whole) = entry.or_insert((constraint.keyword, [false; 2]));
            whole[0] |= truncated[0] == 0;
            whole[1] |= truncated[1] == 0;
        }
    }

    /// Notes what a valid instance reaches.
    pub(crate) fn valid(&mut self, pointer: &str, instance: &Value) {
        let document = Arc::clone(&self.document);
        if let Some(schema) = document.pointer(pointer) {
            self.walk(&document, schema, instance);
        }
    }

    /// Notes what an invalid instance breaks.
    pub(crate) fn invalid(&mut self, case: &InvalidCase) {
        let limit = self.document.pointer(&case.schema_pointer);
        let value = case.value.pointer(&case.instance_pointer);
        let exact = match (limit, value) {
            (Some(limit), Some(value)) => just_beyond(&case.keyword, limit, value),
            _ => true,
        };
        *self.outside.entry(case.schema_pointer.clone()).or_default() |= exact;
    }

    fn hit(&mut self, schema: &Value, keyword: &'static str) {
        self.inside.insert((place(schema), keyword));
    }

    fn holds(&mut self, schema: &Value, value: &Value) -> bool {
        let (document, pointer) = (&self.document, &self.pointers[&place(schema)]);
        let compiled = self
            .alternatives
            .entry(place(schema))
            .or_insert_with(|| Schema::new(document, pointer).ok());
        compiled.as_ref().is_some_and(|schema| schema.is_valid(value))
    }

    fn walk(&mut self, document: &Value, schema: &Value, value: &Value) {
        let Some(rules) = schema.as_object().filter(|_| self.depth < 60) else {
            return;
        };
        self.depth += 1;
        if self.is_whole {
            self.whole.insert(place(schema));
        }
        if let Some(target) = rules.get("$ref").and_then(Value::as_str) {
            let target = percent_decoded(&target[1..]);
            if let Some(target) = document.pointer(&target) {
                self.walk(document, target, value);
            }
        }
        self.own(schema, rules, value);
        match value {
            Value::Object(members) => self.object(document, schema, rules, members),
            Value::Array(items) => {
                let each = rules.get("items");
                for (item, schema) in items.iter().take(20).zip(std::iter::repeat(each)) {
                    if let Some(schema) = schema {
                        self.walk(document, schema, item);
                    }
                }
            }
            _ => {}
        }
        for part in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.walk(document, part, value);
        }
        for keyword in ["oneOf", "anyOf"] {
            for part in rules.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                if self.holds(part, value) {
                    self.taken.insert(place(part));
                    self.walk(document, part, value);
                }
            }
        }
        if let Some(condition) = rules.get("if") {
            let branch = if self.holds(condition, value) {
                "then"
            } else {
                "else"
            };
            if let Some(branch) = rules.get(branch) {
                self.taken.insert(place(branch));
                self.walk(document, branch, value);
            }
        }
        self.depth -= 1;
    }

    /// The rules of a schema about a value itself.
    fn own(&mut self, schema: &Value, rules: &Map<String, Value>, value: &Value) {
        for keyword in [
            "type", "pattern", "format", "not", "const", "oneOf", "anyOf", "if",
        ] {
            let text = matches!(keyword, "pattern" | "format");
            if rules.contains_key(keyword) && (!text || !value.is_object()) {
                self.hit(schema, keyword);
            }
        }
        let listed = rules.get("enum").and_then(Value::as_array);
        if let Some(at) = listed.and_then(|listed| listed.iter().position(|one| one == value)) {
            self.members.insert((place(schema), at));
            self.hit(schema, "enum");
        }
        for keyword in LIMITS {
            if rules
                .get(*keyword)
                .is_some_and(|limit| at_limit(keyword, limit, value))
            {
                self.hit(schema, keyword);
            }
        }
    }

    fn object(
        &mut self,
        document: &Value,
        schema: &Value,
        rules: &Map<String, Value>,
        members: &Map<String, Value>,
    ) {
        let none = Map::new();
        let properties = rules
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let mut mask = 0_u128;
        for (at, (name, property)) in properties.iter().enumerate() {
            if let Some(member) = members.get(name) {
                mask |= 1 << at.min(127);
                self.walk(document, property, member);
            }
        }
        if !properties.is_empty() {
            self.presence.entry(place(schema)).or_default().insert(mask);
        }
        if let Some(others) = rules.get("additionalProperties") {
            if others == &Value::Bool(false) {
                self.hit(schema, "additionalProperties");
            }
            for (_, member) in members
                .iter()
                .filter(|(name, _)| !properties.contains_key(*name))
                .take(5)
            {
                self.walk(document, others, member);
            }
        }
        if rules.contains_key("required") {
            self.hit(schema, "required");
        }
    }

    /// What is not reached though nothing was cut off: what, and the rule; and how many pairs of properties there are and
    /// are not shown in all four ways.
    pub(crate) fn lacking(&self) -> (BTreeSet<(&'static str, String)>, [usize; 2]) {
        let mut lacking = BTreeSet::new();
        let mut says = |what: &'static str, rule: String| {
            lacking.insert((what, rule));
        };
        for (rule, (keyword, [valid, invalid])) in &self.rules {
            let Some(schema) = self.owner(rule, keyword) else {
                continue;
            };
            // An enumeration beside a limit is narrower, and is broken with it.
            let listed = schema.get("enum").is_some() && LIMITS.contains(&keyword.as_str());
            match self.outside.get(rule).filter(|_| *invalid && !listed) {
                None if *invalid && !listed => says("is never broken", rule.clone()),
                Some(false) => says("is never broken by the least that is too much", rule.clone()),
                _ => {}
            }
            let known = LIMITS.iter().chain(OTHERS).find(|known| *known == keyword);
            if let Some(keyword) = known.filter(|_| *valid && !listed)
                && !self.inside.contains(&(place(schema), keyword))
            {
                says("is never kept at its boundary", rule.clone());
            }
            if *valid {
                self.members_of(schema, keyword, rule, &mut says);
            }
        }
        let mut pairs = [0, 0];
        for (place, masks) in self
            .presence
            .iter()
            .filter(|(place, _)| self.whole.contains(place))
        {
            let [all, lacking] = self.properties_of(*place, masks, &mut says);
            pairs = [pairs[0] + all, pairs[1] + lacking];
        }
        (lacking, pairs)
    }

    /// The schema that has a rule.
    fn owner(&self, rule: &str, keyword: &str) -> Option<&Value> {
        let (owner, _) = rule.rsplit_once('/')?;
        let owner = match keyword {
            "required" => owner.rsplit_once('/')?.0,
            _ => owner,
        };
        self.document.pointer(owner)
    }

    fn members_of(
        &self,
        schema: &Value,
        keyword: &str,
        rule: &str,
        says: &mut dyn FnMut(&'static str, String),
    ) {
        let list = |keyword: &str| {
            schema
                .get(keyword)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        match keyword {
            "enum" => {
                for (at, member) in list("enum").iter().enumerate() {
                    if !self.members.contains(&(place(schema), at)) {
                        says("has a member that is never there", format!("{rule} {member}"));
                    }
                }
            }
            "oneOf" | "anyOf" => {
                for (at, part) in list(keyword).iter().enumerate() {
                    if !self.taken.contains(&place(part)) {
                        says("has an alternative that is never taken", format!("{rule}/{at}"));
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether each property is there and not there, and each two optional ones in all four ways.
    fn properties_of(
        &self,
        place: Place,
        masks: &HashSet<u128>,
        says: &mut dyn FnMut(&'static str, String),
    ) -> [usize; 2] {
        let pointer = &self.pointers[&place];
        let rules = self.document.pointer(pointer).and_then(Value::as_object);
        let properties = rules.and_then(|rules| rules["properties"].as_object());
        let names: Vec<&String> = properties.into_iter().flat_map(Map::keys).take(128).collect();
        let required = rules.and_then(|rules| rules.get("required")?.as_array());
        let is_required = |name: &str| required.is_some_and(|list| list.iter().any(|one| one == name));
        let there = |at: usize| masks.iter().any(|mask| mask >> at & 1 == 1);
        let absent = |at: usize| masks.iter().any(|mask| mask >> at & 1 == 0);
        let mut optional = Vec::new();
        // What a condition demands it may demand elsewhere too: its branches are no objects of their own.
        let branch = ["/then", "/else"].iter().any(|branch| pointer.contains(branch));
        for (at, name) in names.iter().enumerate() {
            if !there(at) {
                says("has a property that is never there", format!("{pointer} {name}"));
            } else if !is_required(name) && !absent(at) && !branch {
                says(
                    "has an optional property that is always there",
                    format!("{pointer} {name}"),
                );
            } else if !is_required(name) {
                optional.push(at);
            }
        }
        let mut pairs = [0, 0];
        for (number, one) in optional.iter().enumerate() {
            for other in &optional[number + 1..] {
                let mut ways = [false; 4];
                for mask in masks {
                    ways[(mask >> one & 1) as usize * 2 + (mask >> other & 1) as usize] = true;
                }
                pairs[0] += 1;
                if ways.contains(&false) {
                    pairs[1] += 1;
                    if !rules.is_some_and(ties) {
                        let pair = format!("{pointer} {} {}", names[*one], names[*other]);
                        says(
                            "has two optional properties that are not there in all four ways",
                            pair,
                        );
                    }
                }
            }
        }
        pairs
    }
}

/// Whether rules tie the properties of an object together, so that some can't be there, or not be there, with others.
fn ties(rules: &Map<String, Value>) -> bool {
    let parts = rules.get("allOf").and_then(Value::as_array);
    let mut parts = parts.into_iter().flatten().filter_map(Value::as_object);
    TYING.iter().any(|keyword| rules.contains_key(*keyword)) || parts.any(ties)
}

/// Keywords that do so.
const TYING: [&str; 6] = [
    "oneOf",
    "anyOf",
    "if",
    "not",
    "dependentRequired",
    "maxProperties",
];

/// Keywords with a limit.
const LIMITS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// The other keywords of which it is known here when a valid instance reaches them.
const OTHERS: &[&str] = &[
    "type",
    "pattern",
    "format",
    "not",
    "const",
    "enum",
    "oneOf",
    "anyOf",
    "if",
    "required",
    "additionalProperties",
];

/// How much of a value its limits count.
fn measure(keyword: &str, value: &Value) -> Option<f64> {
    match (keyword, value) {
        ("minLength" | "maxLength", Value::String(text)) => Some(text.chars().count() as f64),
        ("minItems" | "maxItems" | "uniqueItems", Value::Array(items)) => Some(items.len() as f64),
        ("minProperties" | "maxProperties", Value::Object(members)) => Some(members.len() as f64),
        ("minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties", _) => None,
        (_, value) => value.as_f64(),
    }
}

/// Whether a valid value is at a limit.
fn at_limit(keyword: &str, limit: &Value, value: &Value) -> bool {
    let Some(size) = measure(keyword, value) else {
        return false;
    };
    match (keyword, limit.as_f64()) {
        ("uniqueItems", _) => limit == &Value::Bool(true) && size >= 2.0,
        ("multipleOf", _) => size != 0.0,
        ("exclusiveMinimum", Some(limit)) => size > limit && size <= limit + 1.0,
        ("exclusiveMaximum", Some(limit)) => size < limit && size >= limit - 1.0,
        (_, Some(limit)) => size == limit,
        _ => false,
    }
}

/// Whether an invalid value is the nearest to a limit that breaks it.
fn just_beyond(keyword: &str, limit: &Value, value: &Value) -> bool {
    let (Some(size), Some(limit)) = (measure(keyword, value), limit.as_f64()) else {
        return true;
    };
    match keyword {
        "minimum" | "minLength" | "minItems" | "minProperties" => size < limit && size >= limit - 1.0,
        "maximum" | "maxLength" | "maxItems" | "maxProperties" => {
            // Beyond the greatest whole number of JSON the next one is far away.
            size > limit && (size <= limit + 1.0 || limit.abs() > 9e15)
        }
        "exclusiveMinimum" | "exclusiveMaximum" => size == limit,
        _ => true,
    }
}

fn index(value: &Value, pointer: String, found: &mut HashMap<Place, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                index(member, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                index(item, format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
    found.insert(place(value), pointer);
}

fn percent_decoded(text: &str) -> String {
    text.replace("%7B", "{").replace("%7D", "}").replace("%20", " ")
}
