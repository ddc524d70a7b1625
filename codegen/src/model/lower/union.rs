//! Unions: `oneOf` and `anyOf` of schemas, and what tells their members apart.

use mecforge_document::{Node, Pointer};

use super::Lowering;
use super::schema::{is_annotation, types_of};
use crate::model::names;
use crate::model::shape::Shape;
use crate::model::types::{Alias, Member, Selector, TypeKind, Union};

impl Lowering<'_> {
    /// The union that a schema describes; `None` where `oneOf` and `anyOf` are absent or are mere rules.
    pub(super) fn union(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Option<TypeKind> {
        if let Some((types, _)) = types_of(node).filter(|(types, _)| types.len() > 1) {
            return Some(self.union_of_types(node, pointer, hint, &types));
        }
        let key = ["oneOf", "anyOf"]
            .into_iter()
            .find(|key| self.is_choice(node, key))?;
        let members = node.get(key).and_then(Node::as_array).unwrap_or_default();
        let place = pointer.child(key);
        let base = self.base_of(node, key);
        let mut scope = names::Scope::default();
        let (mut lowered, mut nodes, mut nullable) = (Vec::new(), Vec::new(), false);
        for (index, member) in members.iter().enumerate() {
            if member.str_at("type") == Some("null") {
                nullable = true;
                continue;
            }
            let member = match &base {
                Some(base) => all_of(base, member),
                None => member.clone(),
            };
            let name = scope.take(member_name(&member, index));
            let shape = self.shape(&member, &place.index(index), &format!("{hint} {name}"));
            lowered.push(self.member(name, shape, &member));
            nodes.push(member);
        }
        let exclusive = key == "oneOf";
        let union = match <[Member; 1]>::try_from(lowered) {
            Ok([only]) => TypeKind::Alias(Alias {
                shape: only.shape,
                rules: Vec::new(),
            }),
            Err(members) => {
                let property = node
                    .get("discriminator")
                    .and_then(|discriminator| discriminator.str_at("propertyName"));
                let selector = self.selector(&members, &nodes, property);
                TypeKind::Union(Union {
                    members,
                    exclusive,
                    selector,
                })
            }
        };
        Some(if nullable {
            self.or_null(union, node, pointer, hint)
        } else {
            union
        })
    }

    fn or_null(&mut self, kind: TypeKind, node: &Node, pointer: &Pointer, hint: &str) -> TypeKind {
        let shape = match kind {
            TypeKind::Alias(alias) if alias.rules.is_empty() => alias.shape,
            kind => {
                let name = self.scope.take(names::type_name(&format!("{hint} Value")));
                Shape::Named(self.push(name, None, node, pointer, kind))
            }
        };
        TypeKind::Alias(Alias {
            shape: Shape::Nullable(Box::new(shape)),
            rules: Vec::new(),
        })
    }

    /// What stands beside the union and holds for each member: an object's properties, say.
    fn base_of(&self, node: &Node, key: &str) -> Option<Node> {
        let mut base = node.clone();
        base.remove(key);
        base.remove("discriminator");
        let keys = base
            .as_object()
            .map(|object| object.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default();
        for key in keys.iter().filter(|key| is_annotation(key)) {
            base.remove(key);
        }
        // `type: object` alone adds nothing to members that are objects.
        let says_nothing = base
            .as_object()
            .is_none_or(|object| object.keys().all(|key| key == "type"));
        (!says_nothing).then_some(base)
    }

    /// A list of types: a union of one member a type, told apart by the kind of the value.
    fn union_of_types(&mut self, node: &Node, pointer: &Pointer, hint: &str, types: &[String]) -> TypeKind {
        let mut members = Vec::new();
        for name in types {
            let mut member = node.clone();
            member.set("type", Node::new(name.as_str()));
            let variant = names::type_name(name);
            let shape = self.shape(&member, pointer, &format!("{hint} {variant}"));
            members.push(self.member(variant, shape, &member));
        }
        // A value that is an integer is a number too: at least one must match, not exactly one.
        TypeKind::Union(Union {
            members,
            exclusive: false,
            selector: Selector::Trial,
        })
    }

    fn member(&self, name: String, shape: Shape, node: &Node) -> Member {
        let (mut required, mut declared) = (Vec::new(), Vec::new());
        self.collect_properties(node, &mut required, &mut declared, 0);
        Member {
            name,
            shape,
            required,
            declared,
            boxed: false,
        }
    }

    fn collect_properties(
        &self,
        node: &Node,
        required: &mut Vec<String>,
        declared: &mut Vec<String>,
        depth: usize,
    ) {
        let Some(node) = self.document.resolve(node).filter(|_| depth < 16) else {
            return;
        };
        let names = node.get("required").and_then(Node::as_array).unwrap_or_default();
        required.extend(names.iter().filter_map(Node::as_str).map(str::to_owned));
        let properties = node.get("properties").and_then(Node::as_object);
        declared.extend(properties.into_iter().flat_map(|object| object.keys().cloned()));
        for member in node.get("allOf").and_then(Node::as_array).unwrap_or_default() {
            self.collect_properties(member, required, declared, depth + 1);
        }
    }

    /// What tells the members apart: a property that each requires and of which each fixes other texts. The
    /// discriminator's is preferred; a discriminator whose members don't fix it tells nothing (JSON Schema
    /// does not look at it).
    fn selector(&self, members: &[Member], nodes: &[Node], discriminator: Option<&str>) -> Selector {
        let Some(first) = members.first() else {
            return Selector::Trial;
        };
        let preferred = discriminator.into_iter().map(str::to_owned);
        for property in preferred.chain(first.required.iter().cloned()) {
            if let Some(cases) = self.cases(members, nodes, &property) {
                return Selector::Property {
                    name: property,
                    cases,
                };
            }
        }
        Selector::Trial
    }

    fn cases(&self, members: &[Member], nodes: &[Node], property: &str) -> Option<Vec<(String, usize)>> {
        let mut cases: Vec<(String, usize)> = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if !member.required.iter().any(|name| name == property) {
                return None;
            }
            for text in self.texts_in(&nodes[index], property, 0)? {
                if cases.iter().any(|(known, _)| *known == text) {
                    return None;
                }
                cases.push((text, index));
            }
        }
        Some(cases)
    }

    /// The texts that a property may hold, where a closed enumeration or a constant fixes them.
    fn texts_in(&self, node: &Node, property: &str, depth: usize) -> Option<Vec<String>> {
        let node = self.document.resolve(node).filter(|_| depth < 16)?;
        let declared = node
            .get("properties")
            .and_then(|properties| properties.get(property));
        if let Some(schema) = declared.and_then(|schema| self.document.resolve(schema)) {
            if let Some(text) = schema.str_at("const") {
                return Some(vec![text.to_owned()]);
            }
            if let Some(values) = schema.get("enum").and_then(Node::as_array) {
                return values
                    .iter()
                    .map(|value| value.as_str().map(str::to_owned))
                    .collect();
            }
        }
        let members = node.get("allOf").and_then(Node::as_array).unwrap_or_default();
        members
            .iter()
            .find_map(|member| self.texts_in(member, property, depth + 1))
    }
}

fn all_of(base: &Node, member: &Node) -> Node {
    let mut all = Node::at(member.origin, mecforge_document::Object::new());
    all.set("allOf", Node::new(vec![base.clone(), member.clone()]));
    all
}

/// The variant's name: the schema's that it refers to, its title, its kind, or its number.
fn member_name(node: &Node, index: usize) -> String {
    let parts = node.get("allOf").and_then(Node::as_array).unwrap_or_default();
    let target = node
        .ref_target()
        .or_else(|| parts.iter().find_map(Node::ref_target));
    if let Some(name) = target.and_then(|target| target.rsplit('/').next()) {
        return names::type_name(name);
    }
    match (node.str_at("title"), types_of(node)) {
        (Some(title), _) => names::type_name(title),
        (None, Some((types, _))) if types.len() == 1 && types[0] != "object" => names::type_name(&types[0]),
        _ => format!("Option{}", index + 1),
    }
}
