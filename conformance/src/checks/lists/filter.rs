//! One filter: a query parameter with values, and what it looks at.

use std::sync::Arc;

use mecforge_api::{Api, query_pairs};
use serde_json::{Value, json};

use crate::checks::state::comparison::same;

/// What the query parameters of lists of services look at, and the value of an absent property (8.1.2.2).
const PARAMETERS: [(&str, &str, Option<&str>); 6] = [
    ("ser_instance_id", "/serInstanceId", None),
    ("ser_name", "/serName", None),
    ("ser_category_id", "/serCategory/id", None),
    ("scope_of_locality", "/scopeOfLocality", Some("\"MEC_HOST\"")),
    ("consumed_local_only", "/consumedLocalOnly", Some("true")),
    ("is_local", "/isLocal", Some("true")),
];

/// A query parameter with its values.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) parameter: &'static str,
    pub(super) values: Vec<Value>,
}

impl Filter {
    pub(super) fn new(parameter: &'static str, values: impl IntoIterator<Item = Value>) -> Self {
        Filter {
            parameter,
            values: values.into_iter().collect(),
        }
    }

    /// By the values that some services have; none where one has no such property.
    pub(super) fn of(parameter: &'static str, services: &[&Value]) -> Option<Self> {
        let values: Option<Vec<_>> = services
            .iter()
            .map(|service| looked_at(parameter, service))
            .collect();
        Some(Filter::new(parameter, values?))
    }

    /// Whether a service passes; none where the standard allows both.
    pub(super) fn passes(&self, service: &Value) -> Option<bool> {
        let Some(value) = looked_at(self.parameter, service) else {
            // Without a category it is of none.
            return Some(false);
        };
        let fits = self.values.iter().any(|wanted| same(wanted, &value));
        // Two readings: remote services, or local and remote ones.
        let two = self.parameter == "is_local" && self.values == [json!(false)] && !fits;
        (!two).then_some(fits)
    }

    /// The pairs of the query in the style that the document says.
    pub(super) fn pairs(&self, api: &Arc<Api>, list: usize) -> Option<Vec<(String, String)>> {
        let parameter = api.operations[list]
            .parameters
            .iter()
            .find(|parameter| parameter.name == self.parameter)?;
        let schema = api.node(&parameter.schema);
        let listed = schema.is_some_and(|schema| schema.get("type") == Some(&json!("array")));
        let value = match (listed, self.values.as_slice()) {
            (true, values) => json!(values),
            (false, [value]) => value.clone(),
            (false, _) => return None,
        };
        query_pairs(parameter, &value).ok()
    }

    pub(super) fn text(&self) -> String {
        let values: Vec<_> = self.values.iter().map(Value::to_string).collect();
        format!("{}={}", self.parameter, values.join(" or "))
    }
}

/// What a parameter looks at in a service, with the value that absence means.
fn looked_at(parameter: &str, service: &Value) -> Option<Value> {
    let (_, pointer, default) = PARAMETERS.iter().find(|(name, ..)| *name == parameter)?;
    let default = || default.and_then(|text| serde_json::from_str(text).ok());
    service.pointer(pointer).cloned().or_else(default)
}
