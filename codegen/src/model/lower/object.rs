//! Objects with declared properties: fields gathered from `properties` and every `allOf`.

use indexmap::IndexMap;
use mecforge_document::{Node, Object, Pointer};

use super::Lowering;
use super::schema::{is_annotation, map_rules, types_of};
use crate::model::names;
use crate::model::predicate::Rule;
use crate::model::shape::Shape;
use crate::model::types::{Additional, Alias, Field, Struct, TypeKind};

/// What the parts of an object add up to.
#[derive(Default)]
struct Parts {
    /// Declared properties with their places; a property that several parts declare has several schemas.
    properties: IndexMap<String, Vec<(Node, Pointer)>>,
    required: Vec<String>,
    rules: Vec<Rule>,
    /// Each `additionalProperties` with its place and the properties beside it, which are all that it excepts.
    additional: Vec<(Node, Pointer, Vec<String>)>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    depth: usize,
}

impl Lowering<'_> {
    /// Whether a schema describes an object with declared properties, or is put together by `allOf`.
    pub(super) fn is_object(&self, node: &Node) -> bool {
        let declares = node
            .get("properties")
            .and_then(Node::as_object)
            .is_some_and(|object| !object.is_empty());
        let requires = node
            .get("required")
            .and_then(Node::as_array)
            .is_some_and(|array| !array.is_empty());
        let is_typed = types_of(node).is_none_or(|(types, _)| types.iter().any(|name| name == "object"));
        let refuses = node.get("additionalProperties").and_then(Node::as_bool) == Some(false);
        node.get("allOf").is_some() || (is_typed && (declares || requires || refuses))
    }

    /// A struct; or, where an `allOf` joins a single schema with rules, that schema with the rules.
    pub(super) fn object(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> TypeKind {
        if let Some(kind) = self.single(node, pointer, hint) {
            return kind;
        }
        let mut parts = Parts::default();
        self.gather(node, pointer, &mut parts);
        let fields = self.fields(&parts, hint);
        let additional = self.additional(&parts, hint);
        let mut rules = parts.rules;
        let declared = |name: &&String| !parts.properties.contains_key(*name);
        let undeclared = parts
            .required
            .iter()
            .filter(declared)
            .cloned()
            .collect::<Vec<_>>();
        if !undeclared.is_empty() {
            rules.push(super::predicate::required_rule(undeclared));
        }
        TypeKind::Struct(Struct {
            fields,
            additional,
            rules,
            min_properties: parts.min_properties,
            max_properties: parts.max_properties,
        })
    }

    /// An `allOf` whose members but one are rules, around a schema that is no object.
    fn single(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Option<TypeKind> {
        let members = node.get("allOf").and_then(Node::as_array)?;
        let others = node
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key != "allOf" && !is_annotation(key));
        let has_others = others.count() > 0;
        let place = pointer.child("allOf");
        let is_rule = self.rule_members(node, members);
        let (rules, schemas): (Vec<_>, Vec<_>) =
            members.iter().enumerate().partition(|(index, _)| is_rule[*index]);
        let [(index, only)] = schemas.as_slice() else {
            return None;
        };
        if has_others {
            return None;
        }
        let is_plain_reference = rules.is_empty() && only.ref_target().is_some();
        let target = self.document.resolve(only)?;
        if self.is_object(target) && !is_plain_reference {
            return None;
        }
        let shape = self.shape(only, &place.index(*index), hint);
        let rules = rules
            .into_iter()
            .filter_map(|(_, rule)| super::predicate::rule("allOf", rule))
            .collect();
        Some(TypeKind::Alias(Alias { shape, rules }))
    }

    fn gather(&mut self, node: &Node, pointer: &Pointer, parts: &mut Parts) {
        parts.depth += 1;
        if parts.depth > 64 {
            self.refuse(node, pointer, "allOf leads back to itself");
            return;
        }
        if node.ref_target().is_some() {
            self.gather_reference(node, pointer, parts);
        }
        if types_of(node).is_some_and(|(types, _)| types.iter().all(|name| name != "object")) {
            self.refuse(node, pointer, "allOf joins an object with a schema that is none");
        }
        for (name, property) in node
            .get("properties")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            let place = pointer.child("properties").child(name);
            parts
                .properties
                .entry(name.clone())
                .or_default()
                .push((property.clone(), place));
        }
        let required = node.get("required").and_then(Node::as_array).unwrap_or_default();
        for name in required.iter().filter_map(Node::as_str) {
            if !parts.required.iter().any(|known| known == name) {
                parts.required.push(name.to_owned());
            }
        }
        if let Some(additional) = node.get("additionalProperties") {
            let own = node.get("properties").and_then(Node::as_object);
            let own = own.into_iter().flat_map(|own| own.keys().cloned()).collect();
            parts
                .additional
                .push((additional.clone(), pointer.child("additionalProperties"), own));
        }
        self.refuse_inner_union(node, pointer);
        let counts = map_rules(node);
        parts.min_properties = parts.min_properties.max(counts.min_properties);
        parts.max_properties = match (parts.max_properties, counts.max_properties) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        let rules = self.rules(node, pointer);
        parts.rules.extend(rules);
        self.gather_all(node, pointer, parts);
        parts.depth -= 1;
    }

    /// A union within an `allOf`, or beside another one, can't be a field; it must not be forgotten.
    fn refuse_inner_union(&mut self, node: &Node, pointer: &Pointer) {
        for key in ["oneOf", "anyOf"] {
            if self.is_choice(node, key) {
                let message =
                    format!("{key} of schemas within allOf, or beside another one, has no Rust form yet");
                self.refuse(node, &pointer.child(key), message);
            }
        }
    }

    fn gather_reference(&mut self, node: &Node, pointer: &Pointer, parts: &mut Parts) {
        let place = node.ref_target().and_then(Pointer::parse);
        let found = place.and_then(|place| Some((self.document.root.pointer(&place)?.clone(), place)));
        match found {
            Some((target, place)) => self.gather(&target, &place, parts),
            None => self.refuse(node, pointer, "the reference leads nowhere"),
        }
    }

    fn gather_all(&mut self, node: &Node, pointer: &Pointer, parts: &mut Parts) {
        let members = node.get("allOf").and_then(Node::as_array).unwrap_or_default();
        let is_rule = self.rule_members(node, members);
        for (index, member) in members.iter().enumerate() {
            match super::predicate::rule("allOf", member).filter(|_| is_rule[index]) {
                Some(rule) => parts.rules.push(rule),
                None if is_rule[index] => {}
                None => self.gather(member, &pointer.child("allOf").index(index), parts),
            }
        }
    }

    fn fields(&mut self, parts: &Parts, hint: &str) -> Vec<Field> {
        let mut scope = names::Scope::default();
        if parts
            .additional
            .iter()
            .any(|(node, ..)| node.as_bool() != Some(false))
        {
            scope.take("additional_properties".to_owned());
        }
        let mut fields = Vec::new();
        for (api_name, schemas) in &parts.properties {
            let (node, pointer) = joined(schemas);
            let shape = self.shape(&node, &pointer, &format!("{hint} {api_name}"));
            fields.push(Field {
                name: names::identifier(&scope.take(names::snake_name(api_name))),
                api_name: api_name.clone(),
                shape,
                required: parts.required.contains(api_name),
                boxed: false,
                description: self.prose(&node),
            });
        }
        fields
    }

    fn additional(&mut self, parts: &Parts, hint: &str) -> Additional {
        let mut additional = Additional::Ignored;
        for (node, pointer, own) in &parts.additional {
            // What one part of an allOf says of undeclared properties holds for what the other parts declare, too.
            let is_anything = node.as_bool() == Some(true) || *node == Node::object();
            let is_alone =
                parts.additional.len() == 1 && parts.properties.keys().all(|name| own.contains(name));
            if !is_anything && !is_alone {
                let message = "additionalProperties in a member of allOf whose siblings declare properties has no Rust form yet";
                self.refuse(node, pointer, message);
                return additional;
            }
            additional = match node.as_bool() {
                Some(false) => Additional::Refused,
                Some(true) => Additional::Kept(Box::new(Shape::Any)),
                None => Additional::Kept(Box::new(self.shape(node, pointer, &format!("{hint} Value")))),
            };
        }
        additional
    }
}

/// One schema for a property that several parts declare: all of them hold.
fn joined(schemas: &[(Node, Pointer)]) -> (Node, Pointer) {
    let mut different: Vec<&(Node, Pointer)> = Vec::new();
    for schema in schemas {
        // A part that declares the property without saying anything (to require it, say) adds nothing.
        let says_nothing = schema
            .0
            .as_object()
            .is_none_or(|object| object.keys().all(|key| is_annotation(key)));
        if !says_nothing && !different.iter().any(|(node, _)| *node == schema.0) {
            different.push(schema);
        }
    }
    match different.as_slice() {
        [] => schemas[0].clone(),
        [(node, pointer)] => (node.clone(), pointer.clone()),
        [(first, pointer), rest @ ..] => {
            // Two declarations of a scalar add up keyword by keyword: the later one is the narrower by custom.
            let is_scalar = |node: &Node| node.ref_target().is_none() && node.get("properties").is_none();
            if different.iter().all(|(node, _)| is_scalar(node)) {
                let mut merged = first.clone();
                for (key, value) in rest.iter().filter_map(|(node, _)| node.as_object()).flatten() {
                    merged.set(key.clone(), value.clone());
                }
                return (merged, pointer.clone());
            }
            let mut all = Object::new();
            all.insert(
                "allOf".to_owned(),
                Node::new(different.iter().map(|(node, _)| node.clone()).collect::<Vec<_>>()),
            );
            (Node::at(first.origin, all), pointer.clone())
        }
    }
}
