//! The OpenAPI document of our own API: from the code, with ETSI's types as the generated document has them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::{BASE_PATH, applications, configurations, others};
use crate::events::PlatformEvent;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mecforge Mm5",
        version = "1.0.0",
        description = "A platform manager configures application instances, follows tasks, and is told of platform events",
    ),
    paths(
        applications::list_applications,
        applications::get_application,
        applications::terminate_application,
        configurations::get_configuration,
        configurations::create_configuration,
        configurations::replace_configuration,
        configurations::patch_configuration,
        configurations::delete_configuration,
        others::list_tasks,
        others::get_task,
        others::list_capabilities,
        others::get_capability,
        others::list_subscriptions,
        others::create_subscription,
        others::get_subscription,
        others::delete_subscription,
    ),
    components(schemas(PlatformEvent)),
    tags(
        (name = "applications", description = "Application instances"),
        (name = "configurations", description = "What a manager says about application instances"),
        (name = "tasks", description = "Changes on their way"),
        (name = "capabilities", description = "What the platform offers"),
        (name = "subscriptions", description = "Platform events for managers"),
    )
)]
struct Document;

/// ETSI's types that our bodies have.
const OF_ETSI: [&str; 4] = ["DnsRule", "TrafficRule", "ServiceDependency", "CategoryRef"];

/// The document, as JSON.
#[must_use]
pub fn document() -> String {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["servers"] = json!([{ "url": BASE_PATH }]);
    if let Value::Object(info) = &mut document["info"] {
        // The package's words for its authors and licence say nothing about the API.
        info.retain(|name, _| matches!(name.as_str(), "title" | "description" | "version"));
    }
    refuse_null(&mut document);
    add_etsi(&mut document);
    add_problems(&mut document);
    add_callback(&mut document);
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// What is optional may be absent; it is never `null`.
fn refuse_null(value: &mut Value) {
    let is_null = |schema: &Value| *schema == json!({"type": "null"});
    match value {
        Value::Object(members) => {
            if let Some(types) = members.get_mut("type") {
                let left = types.as_array().into_iter().flatten();
                let mut left = left.filter(|name| *name != "null").cloned();
                if let (Some(only), None) = (left.next(), left.next()) {
                    *types = only;
                }
            }
            let schemas = members
                .get("oneOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let mut left = schemas.filter(|schema| !is_null(schema)).cloned();
            if let (Some(Value::Object(only)), None) = (left.next(), left.next()) {
                members.remove("oneOf");
                members.extend(only);
            }
            members.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        _ => {}
    }
}

/// Adds ETSI's types and all that they refer to.
fn add_etsi(document: &mut Value) {
    let etsi: Value = serde_json::from_str(mec011_app_support::DOCUMENT).unwrap_or_default();
    let mut wanted: Vec<String> = OF_ETSI.map(str::to_owned).into();
    let mut added = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        let schema = etsi["components"]["schemas"][&name].clone();
        if schema.is_null() || !added.insert(name.clone()) {
            continue;
        }
        references(&schema, &mut wanted);
        document["components"]["schemas"][name] = schema;
    }
    // What a manager gives a rule must be able to stand in the path of Mp1, which ETSI's schema does not say.
    for (name, id) in [("DnsRule", "dnsRuleId"), ("TrafficRule", "trafficRuleId")] {
        document["components"]["schemas"][name]["properties"][id]["minLength"] = json!(1);
        document["components"]["schemas"][name]["properties"][id]["maxLength"] = json!(256);
        document["components"]["schemas"][name]["properties"][id]["pattern"] =
            json!("^[^\\u0000-\\u001f\\u007f-\\u009f]+$");
    }
}

/// The names of the schemas that a schema refers to.
fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        found.extend(reference.rsplit('/').next().map(str::to_owned));
                    }
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Every operation may be refused, with a problem.
fn add_problems(document: &mut Value) {
    document["components"]["schemas"]["ProblemDetails"] = json!({
        "type": "object",
        "description": "Why a request is refused, or a task has failed (RFC 9457)",
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer", "minimum": 100, "maximum": 599 },
            "detail": { "type": "string" },
            "instance": { "type": "string", "format": "uri-reference" },
            "pointer": { "type": "string", "description": "The place in the body that is at fault (RFC 6901)" },
            "parameter": { "type": "string", "description": "The parameter that is at fault" },
            "rule": { "type": "string", "description": "The rule that is broken, such as maxLength" },
            "taskId": { "type": "string", "description": "The task that is in the way" },
        },
    });
    let problem = json!({
        "description": "A refusal",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemDetails" } } },
    });
    each_operation(document, |operation| {
        operation["responses"]["default"] = problem.clone();
    });
}

/// What is sent to a subscriber.
fn add_callback(document: &mut Value) {
    document["paths"]["/subscriptions"]["post"]["callbacks"] = json!({
        "event": { "{$request.body#/callbackUri}": { "post": {
            "description": "Sent for every event; X-Notification-Id tells repeated attempts apart from new events",
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/PlatformEvent" } } },
            },
            "responses": { "204": { "description": "Acknowledged" } },
        } } },
    });
}

fn each_operation(document: &mut Value, mut change: impl FnMut(&mut Value)) {
    let mut none = Map::new();
    let paths = document["paths"].as_object_mut().unwrap_or(&mut none);
    for operations in paths.values_mut().filter_map(Value::as_object_mut) {
        operations.values_mut().for_each(&mut change);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

    use std::collections::BTreeMap;

    use mecforge_runtime::operation::{Place, RequestBody};

    use super::super::operations::ALL;
    use super::*;

    /// Parameters and bodies by method and path.
    type Operations = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

    fn documented() -> Operations {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut operations = Operations::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                let parameters = parameters
                    .iter()
                    .map(|parameter| format!("{}:{}", parameter["in"].as_str().unwrap(), parameter["name"]));
                let bodies = operation["requestBody"]["content"]
                    .as_object()
                    .cloned()
                    .unwrap_or_default();
                operations.insert(
                    format!("{} {path}", method.to_uppercase()),
                    (parameters.collect(), bodies.keys().cloned().collect()),
                );
            }
        }
        operations
    }

    fn served() -> Operations {
        let one = |operation: &&mecforge_runtime::operation::Operation| {
            let parameters = operation.parameters.iter().map(|parameter| {
                let place = match parameter.place {
                    Place::Path => "path",
                    Place::Query => "query",
                    Place::Header => "header",
                    Place::Cookie => "cookie",
                };
                format!("{place}:{:?}", parameter.name)
            });
            let bodies = match operation.body {
                RequestBody::None => &[],
                RequestBody::Optional(bodies) | RequestBody::Required(bodies) => bodies,
            };
            let bodies = bodies.iter().map(|body| (*body).to_owned()).collect();
            (
                format!("{} {}", operation.method, operation.path),
                (parameters.collect(), bodies),
            )
        };
        ALL.iter().map(one).collect()
    }

    #[test]
    fn the_document_describes_what_is_served() {
        assert_eq!(documented(), served());
    }

    #[test]
    fn no_reference_of_the_document_dangles() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut names = Vec::new();
        references(&document, &mut names);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let dangling: BTreeSet<_> = names.iter().filter(|name| !schemas.contains_key(*name)).collect();
        assert_eq!(dangling, BTreeSet::new());
    }
}
