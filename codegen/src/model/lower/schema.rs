//! Schemas become shapes; what needs a name becomes a type.

use mecforge_document::{Node, Pointer, Value};

use super::Lowering;
use crate::model::names;
use crate::model::shape::{ArrayRules, Format, IntegerRules, MapRules, NumberRules, Shape, StringRules};
use crate::model::types::{Alias, Enumeration, IntegerEnumeration, TypeId, TypeKind, Variant};

/// Keywords that say nothing about which values are valid.
const ANNOTATIONS: [&str; 12] = [
    "description",
    "title",
    "example",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "xml",
    "$comment",
    "contentMediaType",
];

/// Keywords that the generated code can't check.
const UNSUPPORTED: [&str; 11] = [
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "additionalItems",
    "minContains",
    "maxContains",
    "$dynamicRef",
    "$anchor",
];

/// Whether a keyword says nothing about which values are valid.
pub(super) fn is_annotation(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || key.starts_with("x-")
}

impl Lowering<'_> {
    /// The kind of a member of `components/schemas`.
    pub(super) fn kind_of_component(&mut self, node: &Node, pointer: &Pointer, id: TypeId) -> TypeKind {
        let hint = self.types[id.0].name.clone();
        self.kind(node, pointer, &hint)
    }

    /// The kind of type that a schema describes; `hint` names the inline types within.
    fn kind(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> TypeKind {
        let alias = |shape| {
            TypeKind::Alias(Alias {
                shape,
                rules: Vec::new(),
            })
        };
        self.check_keywords(node, pointer);
        if let Some(object) = node.as_object() {
            for key in object.keys().filter(|key| UNSUPPORTED.contains(&key.as_str())) {
                let message = format!("the keyword {key} has no Rust form yet");
                self.refuse(node, &pointer.child(key), message);
            }
        } else if node.as_bool() != Some(true) {
            self.refuse(node, pointer, "a schema must be an object or true");
            return alias(Shape::Any);
        }
        if let Some((types, true)) = types_of(node) {
            let shape = self.nullable(node, pointer, hint, &types);
            return alias(shape);
        }
        if node.get("$ref").is_some() {
            return self.reference(node, pointer, hint);
        }
        if let Some(values) = node
            .get("enum")
            .or_else(|| node.get("x-extensible-enum"))
            .and_then(Node::as_array)
        {
            return self.enumeration(node, pointer, values);
        }
        if let Some(value) = node.get("const") {
            return self.enumeration(node, pointer, std::slice::from_ref(value));
        }
        if let Some(kind) = self.union(node, pointer, hint) {
            return kind;
        }
        if self.is_object(node) {
            return self.object(node, pointer, hint);
        }
        let shape = self.plain(node, pointer, hint);
        let rules = self.rules(node, pointer);
        TypeKind::Alias(Alias { shape, rules })
    }

    /// The shape of a schema at a place; what needs a name gets an inline type called `hint`.
    pub(super) fn shape(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        if let Some((types, true)) = types_of(node) {
            return self.nullable(node, pointer, hint, &types);
        }
        // Types inside this one are called after it, and so need its final name before it is known whether it
        // needs one at all.
        let name = self.scope.take(names::type_name(hint));
        match self.kind(node, pointer, &name) {
            TypeKind::Alias(Alias { shape, rules }) if rules.is_empty() => {
                self.scope.release(&name);
                shape
            }
            kind => Shape::Named(self.push(name, None, node, pointer, kind)),
        }
    }

    fn nullable(&mut self, node: &Node, pointer: &Pointer, hint: &str, types: &[String]) -> Shape {
        let mut without = node.clone();
        match types {
            [] => without.remove("type").map(drop).unwrap_or_default(),
            [one] => without.set("type", Node::new(one.as_str())),
            _ => without.set(
                "type",
                Node::new(
                    types
                        .iter()
                        .map(|name| Node::new(name.as_str()))
                        .collect::<Vec<_>>(),
                ),
            ),
        }
        if let Some(values) = without.get_mut("enum").and_then(Node::as_array_mut) {
            values.retain(|value| !matches!(value.value, Value::Null));
        }
        Shape::Nullable(Box::new(self.shape(&without, pointer, hint)))
    }

    /// A `$ref`, alone or (as 3.1 allows) with other keywords, which then hold as well.
    fn reference(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> TypeKind {
        let siblings = node.as_object().into_iter().flatten();
        if siblings
            .clone()
            .all(|(key, _)| key == "$ref" || is_annotation(key))
        {
            let shape = self.follow(node, pointer, hint);
            return TypeKind::Alias(Alias {
                shape,
                rules: Vec::new(),
            });
        }
        let mut rest = node.clone();
        rest.remove("$ref");
        let target = Node::at(
            node.origin,
            Node::reference(node.ref_target().unwrap_or_default()).value,
        );
        let mut both = Node::at(node.origin, mecforge_document::Object::new());
        both.set("allOf", Node::new(vec![target, rest]));
        self.kind(&both, pointer, hint)
    }

    /// The shape that a `$ref` leads to.
    fn follow(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        let target = node.ref_target().unwrap_or_default().to_owned();
        let Some(place) = target.strip_prefix('#').and_then(Pointer::parse) else {
            self.refuse(
                node,
                pointer,
                format!("the reference {target} does not lead into this document"),
            );
            return Shape::Any;
        };
        let tokens = place.tokens().collect::<Vec<_>>();
        if let [components, schemas, name] = tokens.as_slice()
            && components == "components"
            && schemas == "schemas"
            && let Some(id) = self.named.get(name)
        {
            return Shape::Named(*id);
        }
        if let Some(shape) = self.shared.get(&place) {
            return shape.clone();
        }
        let Some(found) = self.document.root.pointer(&place) else {
            self.refuse(node, pointer, format!("the reference {target} leads nowhere"));
            return Shape::Any;
        };
        // A schema outside components that refers to itself would recurse for ever; a marker stops it.
        self.shared.insert(place.clone(), Shape::Any);
        let shape = self.shape(found, &place, hint);
        self.shared.insert(place, shape.clone());
        shape
    }

    fn enumeration(&mut self, node: &Node, pointer: &Pointer, values: &[Node]) -> TypeKind {
        let open = node.get("enum").is_none() && node.get("const").is_none();
        let given = node
            .get("x-enum-varnames")
            .and_then(Node::as_array)
            .unwrap_or_default();
        if values.is_empty() {
            self.refuse(node, pointer, "an enumeration without values accepts nothing");
        }
        if let Some(texts) = values.iter().map(Node::as_str).collect::<Option<Vec<_>>>() {
            let mut scope = names::Scope::default();
            if open {
                scope.take("Other".to_owned());
            }
            let mut seen = std::collections::HashSet::new();
            let texts = texts
                .into_iter()
                .enumerate()
                .filter(|(_, text)| seen.insert(*text));
            let variants = texts.map(|(index, text)| Variant {
                name: scope.take(names::variant_name(
                    given.get(index).and_then(Node::as_str).unwrap_or(text),
                )),
                api_name: text.to_owned(),
            });
            let variants = variants.collect();
            let rules = self.string_rules(node, pointer);
            return TypeKind::Enumeration(Enumeration {
                variants,
                open,
                rules,
            });
        }
        let integers = values
            .iter()
            .map(|value| value.as_number().and_then(serde_json::Number::as_i64));
        if let Some(integers) = integers.collect::<Option<Vec<_>>>() {
            let mut scope = names::Scope::default();
            if open {
                scope.take("Other".to_owned());
            }
            let named = integers.iter().enumerate().map(|(index, value)| {
                let name = match given.get(index).and_then(Node::as_str) {
                    Some(name) => names::variant_name(name),
                    None if *value < 0 => format!("Minus{}", value.unsigned_abs()),
                    None => format!("Value{value}"),
                };
                (scope.take(name), *value)
            });
            let rules = integer_rules(node);
            return TypeKind::IntegerEnumeration(IntegerEnumeration {
                variants: named.collect(),
                open,
                rules,
            });
        }
        if values.iter().any(super::predicate::holds_object) {
            self.refuse(node, pointer, "an object as a constant has no Rust form yet");
        }
        // Other values (booleans, mixtures) have no enumeration in Rust: the value is kept and checked.
        let rule = super::predicate::values_rule(values);
        let shape = match values.iter().all(|value| value.as_bool().is_some()) {
            true => Shape::Boolean,
            false => Shape::Any,
        };
        TypeKind::Alias(Alias {
            shape,
            rules: vec![rule],
        })
    }

    /// A schema without a name of its own: a scalar, a list, a map, or anything.
    fn plain(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        let Some((types, _)) = types_of(node) else {
            return Shape::Any;
        };
        match types.first().map(String::as_str) {
            Some("string") => Shape::String(self.string_rules(node, pointer)),
            Some("integer") => Shape::Integer(integer_rules(node)),
            Some("number") => Shape::Number(number_rules(node)),
            Some("boolean") => Shape::Boolean,
            Some("array") => self.array(node, pointer, hint),
            Some("object") => self.map(node, pointer, hint),
            Some(other) => {
                let message = format!("{other:?} is no type of JSON Schema");
                self.refuse(node, &pointer.child("type"), message);
                Shape::Any
            }
            None => Shape::Any,
        }
    }

    fn array(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        let items = match node.get("items") {
            Some(items) => self.shape(items, &pointer.child("items"), &names::singular(hint)),
            None => Shape::Any,
        };
        let rules = ArrayRules {
            min_items: node
                .get("minItems")
                .and_then(Node::as_u64)
                .filter(|least| *least > 0),
            max_items: node.get("maxItems").and_then(Node::as_u64),
            unique: node
                .get("uniqueItems")
                .and_then(Node::as_bool)
                .unwrap_or_default(),
        };
        Shape::Array {
            items: Box::new(items),
            rules,
        }
    }

    fn map(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        let values = match node.get("additionalProperties") {
            Some(schema) if schema.as_bool().is_none() => {
                let place = pointer.child("additionalProperties");
                self.shape(schema, &place, &format!("{hint} Value"))
            }
            _ => Shape::Any,
        };
        Shape::Map {
            values: Box::new(values),
            rules: map_rules(node),
        }
    }

    fn string_rules(&mut self, node: &Node, pointer: &Pointer) -> StringRules {
        let pattern = node.str_at("pattern").map(str::to_owned);
        if let Some(Err(error)) = pattern
            .as_deref()
            .map(|pattern| regress::Regex::with_flags(pattern, "u"))
        {
            let message = format!("the pattern is no regular expression of ECMA 262: {error}");
            self.refuse(node, &pointer.child("pattern"), message);
        }
        StringRules {
            min_length: node
                .get("minLength")
                .and_then(Node::as_u64)
                .filter(|least| *least > 0),
            max_length: node.get("maxLength").and_then(Node::as_u64),
            pattern,
            format: node.str_at("format").and_then(format),
        }
    }
}

/// The schema's types without `null`, and whether `null` was among them; `None` where no type is given.
pub(super) fn types_of(node: &Node) -> Option<(Vec<String>, bool)> {
    let types = match &node.get("type")?.value {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        _ => return None,
    };
    let nullable = types.iter().any(|name| name == "null");
    Some((
        types.into_iter().filter(|name| name != "null").collect(),
        nullable,
    ))
}

/// How many members an object may have.
pub(super) fn map_rules(node: &Node) -> MapRules {
    MapRules {
        min_properties: node
            .get("minProperties")
            .and_then(Node::as_u64)
            .filter(|least| *least > 0),
        max_properties: node.get("maxProperties").and_then(Node::as_u64),
    }
}

fn float(node: &Node, key: &str) -> Option<f64> {
    node.get(key)
        .and_then(Node::as_number)
        .and_then(serde_json::Number::as_f64)
}

fn integer_rules(node: &Node) -> IntegerRules {
    // Bounds may be written as floats, or be beyond 64 bits (`uint128`).
    let bound = |key: &str| {
        let number = node.get(key).and_then(Node::as_number)?;
        let exact = number
            .as_i64()
            .map(i128::from)
            .or(number.as_u64().map(i128::from));
        exact.or_else(|| number.as_f64().map(|value| value as i128))
    };
    IntegerRules {
        minimum: bound("exclusiveMinimum")
            .map(|bound| bound + 1)
            .max(bound("minimum")),
        maximum: match (bound("exclusiveMaximum").map(|bound| bound - 1), bound("maximum")) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        },
        multiple_of: float(node, "multipleOf")
            .filter(|step| *step >= 1.0)
            .map(|step| step as u64),
    }
}

fn number_rules(node: &Node) -> NumberRules {
    NumberRules {
        minimum: float(node, "minimum"),
        maximum: float(node, "maximum"),
        exclusive_minimum: float(node, "exclusiveMinimum"),
        exclusive_maximum: float(node, "exclusiveMaximum"),
        multiple_of: float(node, "multipleOf"),
    }
}

/// The formats that are checked; all others of JSON Schema's and OpenAPI's registries are annotations.
fn format(name: &str) -> Option<Format> {
    Some(match name {
        "date-time" => Format::DateTime,
        "date" => Format::Date,
        "time" => Format::Time,
        "duration" => Format::Duration,
        "uri" => Format::Uri,
        "uri-reference" => Format::UriReference,
        "uuid" => Format::Uuid,
        "ipv4" => Format::Ipv4,
        "ipv6" => Format::Ipv6,
        "hostname" => Format::Hostname,
        "email" => Format::Email,
        "json-pointer" => Format::JsonPointer,
        "regex" => Format::Regex,
        _ => return None,
    })
}
