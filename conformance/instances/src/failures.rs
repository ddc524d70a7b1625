//! Which keywords a broken instance breaks, judged beside the valid instance that it was made from:
//! an alternative that no longer matches is a consequence of what broke inside it, not a fault of its own.

use serde_json::Value;

use crate::evaluate::broken_scalars;
use crate::model::{Model, Node, NodeId, ROOT, Types};
use crate::numbers;
use crate::pointer;

/// One broken keyword.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// Instance pointer of the value that breaks it.
    pub(crate) place: String,
    /// Pointer of the keyword in the document (`required` and `dependentRequired`: of the name in the list).
    pub(crate) rule: String,
    /// The keyword.
    pub(crate) keyword: &'static str,
}

impl Model {
    /// What `value` breaks, given that `base` is valid; the rule `whole` is not looked into for what broke inside it.
    pub(crate) fn failures(&self, base: &Value, value: &Value, whole: &str) -> Vec<Failure> {
        let mut out = Vec::new();
        let finder = Finder { model: self, whole };
        finder.visit(ROOT, value, Some(base), "", &mut out, 0);
        without_consequences(out, whole)
    }
}

/// A wrong type breaks `enum`, `const`, `not` and the alternatives of the same value too: these are not counted.
/// Where several schemas demand the type that is wrong, only the one that is asked for counts.
fn without_consequences(mut failures: Vec<Failure>, whole: &str) -> Vec<Failure> {
    failures.sort();
    failures.dedup();
    let mistyped: Vec<String> = failures
        .iter()
        .filter(|failure| failure.keyword == "type")
        .map(|failure| failure.place.clone())
        .collect();
    let asked: Vec<String> = failures
        .iter()
        .filter(|failure| failure.rule == whole)
        .map(|failure| failure.place.clone())
        .collect();
    failures.retain(|failure| {
        let again = failure.keyword == "type" && failure.rule != whole && asked.contains(&failure.place);
        let follows = matches!(failure.keyword, "enum" | "const" | "anyOf" | "oneOf" | "not");
        !(again || follows && mistyped.contains(&failure.place))
    });
    failures
}

struct Finder<'a> {
    model: &'a Model,
    whole: &'a str,
}

impl Finder<'_> {
    fn visit(
        &self,
        id: NodeId,
        value: &Value,
        base: Option<&Value>,
        place: &str,
        out: &mut Vec<Failure>,
        depth: usize,
    ) {
        let model = self.model;
        if depth > 200 || model.accepts(id, value) {
            return;
        }
        let node = &model[id];
        if node.boolean == Some(false) {
            out.push(Failure {
                place: place.to_owned(),
                rule: node.pointer.clone(),
                keyword: "false",
            });
            return;
        }
        self.scalars(node, value, place, out);
        for inner in node.reference.iter().chain(&node.all_of) {
            self.visit(*inner, value, base, place, out, depth + 1);
        }
        self.alternatives(node, value, base, place, out, depth);
        if node.not.is_some_and(|not| model.accepts(not, value)) {
            out.push(failure(node, "not", place));
        }
        if let Some(condition) = node.condition {
            let branch = if model.accepts(condition, value) {
                node.then
            } else {
                node.otherwise
            };
            if let Some(branch) = branch {
                self.visit(branch, value, base, place, out, depth + 1);
            }
        }
        match value {
            Value::Array(items) => self.items(id, items, value, base, place, out, depth),
            Value::Object(_) => self.object(id, value, base, place, out, depth),
            _ => {}
        }
    }

    fn scalars(&self, node: &Node, value: &Value, place: &str, out: &mut Vec<Failure>) {
        if node
            .types
            .is_some_and(|types| !types.intersects(Types::of(value)))
        {
            out.push(failure(node, "type", place));
        }
        if node
            .constant
            .as_ref()
            .is_some_and(|constant| !numbers::equal(constant, value))
        {
            out.push(failure(node, "const", place));
        }
        let outside = |values: &Vec<Value>| !values.iter().any(|other| numbers::equal(other, value));
        if node.enumeration.as_ref().is_some_and(outside) {
            out.push(failure(node, "enum", place));
        }
        out.extend(
            broken_scalars(node, value)
                .into_iter()
                .map(|keyword| failure(node, keyword, place)),
        );
    }

    /// Fails at the keyword itself, or in the alternative that the base took if something breaks inside it.
    fn alternatives(
        &self,
        node: &Node,
        value: &Value,
        base: Option<&Value>,
        place: &str,
        out: &mut Vec<Failure>,
        depth: usize,
    ) {
        for (keyword, branches) in [("anyOf", &node.any_of), ("oneOf", &node.one_of)] {
            let matching = branches
                .iter()
                .filter(|branch| self.model.accepts(**branch, value))
                .count();
            if branches.is_empty() || matching == 1 || (keyword == "anyOf" && matching > 0) {
                continue;
            }
            let taken: Vec<NodeId> = base
                .map(|base| {
                    branches
                        .iter()
                        .copied()
                        .filter(|branch| self.model.accepts(*branch, base))
                        .collect()
                })
                .unwrap_or_default();
            let whole = self
                .whole
                .strip_prefix(node.pointer.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
                == Some(keyword);
            if whole || matching > 1 || taken.len() != 1 || self.model.is_selector(taken[0], 0) {
                out.push(failure(node, keyword, place));
            } else {
                self.visit(taken[0], value, base, place, out, depth + 1);
            }
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the state of one walk, and a struct for it would hold borrowed halves"
    )]
    fn items(
        &self,
        id: NodeId,
        items: &[Value],
        value: &Value,
        base: Option<&Value>,
        place: &str,
        out: &mut Vec<Failure>,
        depth: usize,
    ) {
        let node = &self.model[id];
        let count = items.len() as u64;
        let mut demand = |holds: bool, keyword: &'static str| {
            if !holds {
                out.push(failure(node, keyword, place));
            }
        };
        demand(node.min_items.is_none_or(|min| count >= min), "minItems");
        demand(node.max_items.is_none_or(|max| count <= max), "maxItems");
        demand(!node.unique || numbers::all_differ(items), "uniqueItems");
        demand(self.model.contains_enough(node, items, 0), "contains");
        let known = node
            .unevaluated_items
            .map(|schema| (schema, self.model.evaluated_items(id, value, 0, true)));
        for (index, item) in items.iter().enumerate() {
            let inner = pointer::item(place, index);
            let before = base.and_then(|base| base.get(index).or_else(|| base.get(0)));
            if let Some(schema) = node.prefix.get(index).copied().or(node.items) {
                self.visit(schema, item, before, &inner, out, depth + 1);
            }
            if let Some((schema, known)) = &known
                && !known.contains(&index)
                && !self.model.accepts(*schema, item)
            {
                out.push(failure(node, "unevaluatedItems", place));
            }
        }
    }

    fn object(
        &self,
        id: NodeId,
        value: &Value,
        base: Option<&Value>,
        place: &str,
        out: &mut Vec<Failure>,
        depth: usize,
    ) {
        let node = &self.model[id];
        let Value::Object(object) = value else { return };
        missing(node, object, place, out);
        if node.min_properties.is_some_and(|min| (object.len() as u64) < min) {
            out.push(failure(node, "minProperties", place));
        }
        if node.max_properties.is_some_and(|max| object.len() as u64 > max) {
            out.push(failure(node, "maxProperties", place));
        }
        for (name, schema) in &node.dependent_schemas {
            if object.contains_key(name) {
                self.visit(*schema, value, base, place, out, depth + 1);
            }
        }
        let known = node
            .unevaluated
            .map(|schema| (schema, self.model.evaluated(id, value, 0, true)));
        for (name, property) in object {
            let inner = pointer::child(place, name);
            let before = base.and_then(|base| base.get(name));
            for schema in node.children(name) {
                let unknown =
                    !node.properties.contains_key(name) && self.model[schema].boolean == Some(false);
                if unknown && Some(schema) == node.additional {
                    out.push(failure(node, "additionalProperties", place));
                } else {
                    self.visit(schema, property, before, &inner, out, depth + 1);
                }
            }
            if node
                .names
                .is_some_and(|schema| !self.model.accepts(schema, &Value::String(name.clone())))
            {
                out.push(failure(node, "propertyNames", place));
            }
            if let Some((schema, known)) = &known
                && !known.contains(name)
                && !self.model.accepts(*schema, property)
            {
                out.push(failure(node, "unevaluatedProperties", place));
            }
        }
    }
}

fn missing(node: &Node, object: &serde_json::Map<String, Value>, place: &str, out: &mut Vec<Failure>) {
    for (index, name) in node.required.iter().enumerate() {
        if !object.contains_key(name) {
            let rule = pointer::item(&format!("{}/required", node.pointer), index);
            out.push(Failure {
                place: place.to_owned(),
                rule,
                keyword: "required",
            });
        }
    }
    for (trigger, wanted) in node
        .dependent_required
        .iter()
        .filter(|(name, _)| object.contains_key(*name))
    {
        for (index, _) in wanted
            .iter()
            .enumerate()
            .filter(|(_, name)| !object.contains_key(*name))
        {
            let list = pointer::child(&format!("{}/dependentRequired", node.pointer), trigger);
            let rule = pointer::item(&list, index);
            out.push(Failure {
                place: place.to_owned(),
                rule,
                keyword: "dependentRequired",
            });
        }
    }
}

fn failure(node: &Node, keyword: &'static str, place: &str) -> Failure {
    Failure {
        place: place.to_owned(),
        rule: format!("{}/{keyword}", node.pointer),
        keyword,
    }
}

impl Model {
    /// Whether a schema only says which properties are there, as the alternatives of "exactly one of" do.
    pub(crate) fn is_selector(&self, id: NodeId, depth: usize) -> bool {
        let node = &self[id];
        let inner = node
            .all_of
            .iter()
            .chain(&node.any_of)
            .chain(&node.one_of)
            .chain(&node.not);
        depth < 8
            && node.boolean.is_none()
            && node.reference.is_none()
            && node.types.is_none()
            && node.constant.is_none()
            && node.enumeration.is_none()
            && node
                .properties
                .values()
                .all(|property| self[*property].boolean.is_some())
            && node.hinted().without(Types::OBJECT) == Types(0)
            && node.condition.is_none()
            && inner.copied().all(|inner| self.is_selector(inner, depth + 1))
    }
}
