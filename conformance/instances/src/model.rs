//! The schemas that are reachable from one place of a document, read once into typed nodes that refer to each other by number.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

/// A node's number in its [`Model`].
pub(crate) type NodeId = usize;

/// A set of JSON types; integers and other numbers are apart, for `integer` is part of `number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Types(pub(crate) u8);

impl Types {
    pub(crate) const NULL: Types = Types(1);
    pub(crate) const BOOLEAN: Types = Types(2);
    pub(crate) const INTEGER: Types = Types(4);
    pub(crate) const FRACTION: Types = Types(8);
    pub(crate) const NUMBER: Types = Types(12);
    pub(crate) const STRING: Types = Types(16);
    pub(crate) const ARRAY: Types = Types(32);
    pub(crate) const OBJECT: Types = Types(64);
    pub(crate) const ALL: Types = Types(127);

    /// The type that a schema calls by this name.
    pub(crate) fn named(name: &str) -> Option<Types> {
        Some(match name {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "integer" => Types::INTEGER,
            "number" => Types::NUMBER,
            "string" => Types::STRING,
            "array" => Types::ARRAY,
            "object" => Types::OBJECT,
            _ => return None,
        })
    }

    /// The type of a value; 1.0 is an integer.
    pub(crate) fn of(value: &Value) -> Types {
        match value {
            Value::Null => Types::NULL,
            Value::Bool(_) => Types::BOOLEAN,
            Value::Number(number) if is_integer(number) => Types::INTEGER,
            Value::Number(_) => Types::FRACTION,
            Value::String(_) => Types::STRING,
            Value::Array(_) => Types::ARRAY,
            Value::Object(_) => Types::OBJECT,
        }
    }

    pub(crate) fn intersects(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Types) -> Types {
        Types(self.0 & !other.0)
    }
}

/// Whether a number has no fraction.
pub(crate) fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

/// A regular expression of the document with the judge's matcher for it.
#[derive(Debug)]
pub(crate) struct Matcher {
    pub(crate) source: String,
    pub(crate) validator: jsonschema::Validator,
}

impl Matcher {
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.validator.is_valid(&Value::String(text.to_owned()))
    }
}

/// `contains` with its two limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contains {
    pub(crate) node: NodeId,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

/// One schema object (or boolean) of the document.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// JSON pointer of the schema in the document.
    pub(crate) pointer: String,
    /// The verdict of a boolean schema.
    pub(crate) boolean: Option<bool>,
    pub(crate) reference: Option<NodeId>,
    pub(crate) types: Option<Types>,
    pub(crate) constant: Option<Value>,
    pub(crate) enumeration: Option<Vec<Value>>,
    /// `x-extensible-enum`: the known values of an open enumeration.
    pub(crate) extensible: Option<Vec<Value>>,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    pub(crate) exclusive_minimum: Option<Number>,
    pub(crate) exclusive_maximum: Option<Number>,
    pub(crate) multiple_of: Option<Number>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) pattern: Option<Matcher>,
    pub(crate) format: Option<Matcher>,
    /// The name of the format, asserted or not.
    pub(crate) format_name: Option<String>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) unique: bool,
    pub(crate) prefix: Vec<NodeId>,
    pub(crate) items: Option<NodeId>,
    pub(crate) contains: Option<Contains>,
    pub(crate) unevaluated_items: Option<NodeId>,
    pub(crate) properties: BTreeMap<String, NodeId>,
    pub(crate) patterns: Vec<(Matcher, NodeId)>,
    pub(crate) additional: Option<NodeId>,
    pub(crate) unevaluated: Option<NodeId>,
    pub(crate) names: Option<NodeId>,
    pub(crate) required: Vec<String>,
    pub(crate) dependent_required: BTreeMap<String, Vec<String>>,
    pub(crate) dependent_schemas: BTreeMap<String, NodeId>,
    pub(crate) min_properties: Option<u64>,
    pub(crate) max_properties: Option<u64>,
    pub(crate) all_of: Vec<NodeId>,
    pub(crate) any_of: Vec<NodeId>,
    pub(crate) one_of: Vec<NodeId>,
    pub(crate) not: Option<NodeId>,
    pub(crate) condition: Option<NodeId>,
    pub(crate) then: Option<NodeId>,
    pub(crate) otherwise: Option<NodeId>,
    pub(crate) read_only: bool,
    /// `default`, `example` and `examples`, as hints.
    pub(crate) examples: Vec<Value>,
}

impl Node {
    /// The types that the keywords beside `type` speak of; empty when there are none.
    pub(crate) fn hinted(&self) -> Types {
        let mut types = Types(0);
        let object = !self.properties.is_empty()
            || !self.required.is_empty()
            || self.additional.is_some()
            || !self.patterns.is_empty()
            || self.min_properties.is_some()
            || self.max_properties.is_some();
        if object {
            types = types.or(Types::OBJECT);
        }
        let array = self.items.is_some() || !self.prefix.is_empty() || self.min_items.is_some();
        if array || self.max_items.is_some() || self.contains.is_some() {
            types = types.or(Types::ARRAY);
        }
        let bounds = [
            &self.minimum,
            &self.maximum,
            &self.exclusive_minimum,
            &self.exclusive_maximum,
        ];
        if bounds.iter().any(|bound| bound.is_some()) || self.multiple_of.is_some() {
            types = types.or(Types::NUMBER);
        }
        let text = self.min_length.is_some() || self.max_length.is_some() || self.pattern.is_some();
        if text || self.format.is_some() {
            types = types.or(Types::STRING);
        }
        types
    }
}

/// All nodes that are reachable from the root, which is number 0.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) nodes: Vec<Node>,
}

/// The number of the model's root.
pub(crate) const ROOT: NodeId = 0;

impl std::ops::Index<NodeId> for Model {
    type Output = Node;

    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }
}
