//! Collections: their members in the form that the document gives the list, and the filters of a query.

use mecforge_api::names_subscription_type;
use serde_json::{Map, Value, json};

use crate::attributes::Expression;
use crate::parameters::Query;
use crate::plan::{Family, Plan};
use crate::represent::inner;
use crate::shape;
use crate::store::Object;

/// Where a type has its list: names of the members that lead to it, and the schema of an element.
struct Place {
    path: Vec<String>,
    items: String,
}

/// The first list that is not deeper than three members, near ones first.
fn place(document: &Value, schema: &str) -> Option<Place> {
    let mut open = vec![(Vec::new(), schema.to_owned())];
    for _ in 0..4 {
        let mut next = Vec::new();
        for (path, schema) in open {
            if let Some(items) = shape::items(document, std::slice::from_ref(&schema))
                .into_iter()
                .next()
            {
                return Some(Place { path, items });
            }
            for name in shape::property_names(document, &schema) {
                for schema in shape::property(document, std::slice::from_ref(&schema), &name) {
                    next.push(([path.clone(), vec![name.clone()]].concat(), schema));
                }
            }
        }
        open = next;
    }
    None
}

/// One member of a list: all of it, what its wrapper wraps, or a link to it.
fn element(plan: &Plan, family: &Family, items: &str, origin: &str, object: &Object) -> Option<Value> {
    let document = &plan.api.document;
    let resolved = shape::target(document, items);
    if resolved == family.schema {
        return Some(object.value.clone());
    }
    let members = inner(family, &object.value);
    let wrapped = shape::property_names(document, &family.schema);
    let of = |name: &String| shape::property(document, std::slice::from_ref(&family.schema), name);
    let same = |schema: &String| shape::target(document, schema) == resolved;
    if family.wrapped && wrapped.iter().flat_map(of).any(|schema| same(&schema)) {
        return Some(Value::Object(members));
    }
    let names = shape::property_names(document, &resolved);
    if !names.iter().any(|name| name == "href") {
        return None;
    }
    let mut link = Map::new();
    link.insert("href".to_owned(), format!("{origin}{}", object.path).into());
    for name in names.iter().filter(|name| *name != "href") {
        // V2.1.1 of MEC 011 calls the type of a subscription `rel`.
        let source = if name == "rel" { "subscriptionType" } else { name };
        let schemas = shape::property(document, std::slice::from_ref(&resolved), name);
        if let (Some(value), Some(schema)) = (members.get(source), schemas.first())
            && plan.schemas.is_valid(schema, value)
        {
            link.insert(name.clone(), value.clone());
        }
    }
    plan.schemas
        .fit(&resolved, &Value::Object(link), &|name, schema| {
            (name == "rel").then(|| plan.schemas.example(schema)).flatten()
        })
}

/// The answer that lists members; none if the document's type has no place for them. `href` is the list's own address.
pub(crate) fn render(
    plan: &Plan,
    family: &Family,
    schema: &str,
    (origin, href): (&str, &str),
    objects: &[&Object],
) -> Option<Value> {
    let document = &plan.api.document;
    let place = place(document, schema)?;
    let mut elements = Vec::new();
    for object in objects {
        elements.push(element(plan, family, &place.items, origin, object)?);
    }
    let mut value = Value::Array(elements);
    for name in place.path.iter().rev() {
        value = json!({ name: value });
    }
    let assign = |_: &str, schema: &str| {
        let declares = !shape::property(document, &[schema.to_owned()], "href").is_empty();
        declares.then(|| json!({"href": href}))
    };
    let mut whole = value;
    plan.schemas.complete(schema, &mut whole, &assign);
    plan.schemas.is_valid(schema, &whole).then_some(whole)
}

/// ETSI's names of query parameters that are not those of the property that they mean, with the value that a thing
/// has that doesn't say (MEC 011, 8.1.2.2).
const NAMES: [(&str, &str, &str, Option<&str>); 6] = [
    ("serName", "ser_category_id", "/serCategory/id", None),
    (
        "serName",
        "scope_of_locality",
        "/scopeOfLocality",
        Some("MEC_HOST"),
    ),
    (
        "serName",
        "consumed_local_only",
        "/consumedLocalOnly",
        Some("true"),
    ),
    ("serName", "is_local", "/isLocal", Some("true")),
    ("appInsId", "app_instance_id", "/appInsId", None),
    ("allocationId", "session_id", "/allocationId", None),
];

/// A scalar as text, so that `1` in an address is `1` in a body.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a property's value is the one that a parameter asks for; types of subscriptions have short names there.
fn same(name: &str, has: &str, wanted: &str) -> bool {
    has == wanted || (shape::plain(name) == "subscriptiontype" && names_subscription_type(wanted, has))
}

/// Whether a thing passes one parameter; true if the parameter names no property of its type.
fn passes(
    plan: &Plan,
    family_schema: &str,
    members: &Map<String, Value>,
    name: &str,
    wanted: &Value,
) -> bool {
    let wanted: Vec<String> = match wanted {
        Value::Array(values) => values.iter().map(text).collect(),
        single => vec![text(single)],
    };
    if name == "filter" && !members.contains_key(name) {
        let expression = wanted.first().and_then(|text| Expression::parse(text));
        return expression.is_none_or(|expression| expression.passes(members));
    }
    // "false" asks for local and remote ones (MEC 011, 8.2.3.3.1).
    if name == "is_local" && members.contains_key("serName") && wanted == ["false"] {
        return true;
    }
    let known = NAMES
        .iter()
        .find(|(has, parameter, _, _)| *parameter == name && members.contains_key(*has));
    if let Some((_, _, pointer, absent)) = known {
        let whole = Value::Object(members.clone());
        let found = whole.pointer(pointer).map(text).or(absent.map(str::to_owned));
        return found.is_some_and(|found| wanted.contains(&found));
    }
    let property = members.keys().find(|key| shape::plain(key) == shape::plain(name));
    match property.and_then(|property| members.get(property)) {
        Some(Value::Array(values)) => {
            let scalars = values
                .iter()
                .filter(|value| !value.is_object() && !value.is_array());
            let mut scalars = scalars.peekable();
            let compares = values.is_empty() || scalars.peek().is_some();
            !compares || scalars.any(|value| wanted.iter().any(|other| same(name, &text(value), other)))
        }
        Some(Value::Object(_)) => true,
        Some(value) => wanted.iter().any(|other| same(name, &text(value), other)),
        // A property that the type has and the thing hasn't equals nothing.
        None => !shape::property_names(&plan.api.document, family_schema)
            .iter()
            .any(|declared| shape::plain(declared) == shape::plain(name)),
    }
}

/// Whether a thing passes all parameters of a query.
pub(crate) fn selects(plan: &Plan, schema: &str, members: &Map<String, Value>, query: &Query) -> bool {
    query
        .iter()
        .all(|(name, wanted)| passes(plan, schema, members, name, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscription_types_have_several_spellings() {
        assert!(same("subscription_type", "CellChangeSubscription", "cell_change"));
        assert!(!same("subscription_type", "CellChangeSubscription", "rab_est"));
        assert!(!same("name", "CellChangeSubscription", "cell_change"));
    }
}
