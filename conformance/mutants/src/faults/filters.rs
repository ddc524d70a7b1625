//! Query parameters of the lists of services that are ignored or mean something else.

use serde_json::{Value, json};

use crate::behaviour::{Handler, before, bodies, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const ALL: Scope = &[("GET", Place::Services)];
const OWN: Scope = &[("GET", Place::OwnServices)];
const BOTH: Scope = scopes::SERVICE_LISTS;
/// The parameters that name services.
const NAMING: [&str; 3] = ["ser_instance_id", "ser_name", "ser_category_id"];

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = ignored();
    faults.extend(misunderstood());
    faults.extend(unchecked());
    faults
}

fn ignored() -> Vec<Fault> {
    let all = |id, what, name| {
        fault(
            Class::Filter,
            id,
            "8.2.3.3.1",
            "GET /services",
            what,
            without_parameter(ALL, name),
        )
    };
    let own = |id, what, name| {
        fault(
            Class::Filter,
            id,
            "8.2.6.3.1",
            "GET own services",
            what,
            without_parameter(OWN, name),
        )
    };
    vec![
        all(
            "filter/all-ser_instance_id-ignored",
            "ser_instance_id is ignored",
            "ser_instance_id",
        ),
        all("filter/all-ser_name-ignored", "ser_name is ignored", "ser_name"),
        all(
            "filter/all-ser_category_id-ignored",
            "ser_category_id is ignored",
            "ser_category_id",
        ),
        all(
            "filter/all-scope_of_locality-ignored",
            "scope_of_locality is ignored",
            "scope_of_locality",
        ),
        all(
            "filter/all-consumed_local_only-ignored",
            "consumed_local_only is ignored",
            "consumed_local_only",
        ),
        all("filter/all-is_local-ignored", "is_local is ignored", "is_local"),
        own(
            "filter/own-ser_instance_id-ignored",
            "ser_instance_id is ignored",
            "ser_instance_id",
        ),
        own("filter/own-ser_name-ignored", "ser_name is ignored", "ser_name"),
        own(
            "filter/own-ser_category_id-ignored",
            "ser_category_id is ignored",
            "ser_category_id",
        ),
        own(
            "filter/own-scope_of_locality-ignored",
            "scope_of_locality is ignored",
            "scope_of_locality",
        ),
        own(
            "filter/own-consumed_local_only-ignored",
            "consumed_local_only is ignored",
            "consumed_local_only",
        ),
        own("filter/own-is_local-ignored", "is_local is ignored", "is_local"),
    ]
}

/// Drops a parameter unless it is wrong in itself, so that only its effect is missing.
fn without_parameter(scope: Scope, name: &'static str) -> Handler {
    before(scope, move |request, _| {
        let mut query = request.query();
        let count = query.iter().filter(|(each, _)| each == name).count();
        let valid = query
            .iter()
            .all(|(each, value)| each != name || is_valid(each, value));
        let naming = query
            .iter()
            .filter(|(each, _)| NAMING.contains(&each.as_str()))
            .count();
        let list = matches!(name, "ser_instance_id" | "ser_name");
        if valid && (count == 1 || list) && naming <= 1.max(count) {
            query.retain(|(each, _)| each != name);
            request.set_query(&query);
        }
    })
}

fn is_valid(name: &str, value: &str) -> bool {
    match name {
        "is_local" | "consumed_local_only" => matches!(value, "true" | "false"),
        "scope_of_locality" => {
            let known = [
                "MEC_SYSTEM",
                "MEC_HOST",
                "NFVI_POP",
                "ZONE",
                "ZONE_GROUP",
                "NFVI_NODE",
            ];
            known.contains(&value)
        }
        _ => true,
    }
}

fn misunderstood() -> Vec<Fault> {
    let fault = |id, what, handler: Handler| {
        fault(
            Class::Filter,
            id,
            "8.2.3.3.1, 8.2.6.3.1",
            "GET lists of services",
            what,
            handler,
        )
    };
    vec![
        fault(
            "filter/or-for-and",
            "Several parameters widen in place of narrowing: OR where it should be AND",
            within(BOTH, any_parameter),
        ),
        fault(
            "filter/ser_name-negated",
            "ser_name finds the services with other names",
            selecting("ser_name", |service, value| service["serName"] != value),
        ),
        fault(
            "filter/ser_name-prefix",
            "ser_name finds names that begin with the value",
            selecting("ser_name", |service, value| name(service).starts_with(value)),
        ),
        fault(
            "filter/ser_name-substring",
            "ser_name finds names that contain the value",
            selecting("ser_name", |service, value| name(service).contains(value)),
        ),
        fault(
            "filter/ser_name-any-case",
            "ser_name does not distinguish upper from lower case",
            selecting("ser_name", |service, value| {
                name(service).to_lowercase() == value.to_lowercase()
            }),
        ),
        fault(
            "filter/ser_name-first-value-only",
            "Of several names only the first one counts",
            before(BOTH, |request, _| first_only(request, "ser_name")),
        ),
        fault(
            "filter/ser_instance_id-first-value-only",
            "Of several identifiers only the first one counts",
            before(BOTH, |request, _| first_only(request, "ser_instance_id")),
        ),
        fault(
            "filter/ser_instance_id-last-value-only",
            "Of a repeated ser_instance_id only the last one counts",
            before(BOTH, |request, _| last_only(request, "ser_instance_id")),
        ),
        fault(
            "filter/ser_category_id-matches-name",
            "ser_category_id is compared with the category's name",
            selecting("ser_category_id", |service, value| {
                service["serCategory"]["name"] == value
            }),
        ),
        fault(
            "filter/consumed_local_only-inverted",
            "consumed_local_only means the contrary",
            before(BOTH, |request, _| invert(request, "consumed_local_only")),
        ),
        fault(
            "filter/is_local-true-finds-remote-only",
            "is_local=true gives the remote services",
            selecting("is_local", |service, value| {
                value != "true" || service["isLocal"] == false
            }),
        ),
        fault(
            "filter/scope_of_locality-absent-matches-all",
            "A service without scopeOfLocality is found with every scope_of_locality",
            selecting("scope_of_locality", |service, value| {
                service["scopeOfLocality"].is_null() || service["scopeOfLocality"] == value
            }),
        ),
        fault(
            "filter/empty-result-is-404",
            "A list that nothing passes is 404",
            handler(|request, context| async move {
                let listing = request.is_in(BOTH);
                let answer = context.pass(request.clone()).await?;
                Ok(if listing && answer.json() == Some(json!([])) {
                    Answer::problem(404, &request, "no services found")
                } else {
                    answer
                })
            }),
        ),
        fault(
            "filter/empty-result-is-everything",
            "A list that nothing passes is the whole list",
            within(BOTH, everything_for_nothing),
        ),
        fault(
            "filter/no-result-is-null",
            "A list that nothing passes is null",
            bodies(BOTH, |body, _| {
                if body == &json!([]) {
                    *body = Value::Null;
                }
            }),
        ),
    ]
}

fn name(service: &Value) -> &str {
    service["serName"].as_str().unwrap_or_default()
}

/// Asks the platform without a parameter, and selects with another meaning of it.
fn selecting(parameter: &'static str, selects: fn(&Value, &str) -> bool) -> Handler {
    within(BOTH, move |mut request: Request, context: Context| async move {
        let mut query = request.query();
        let values: Vec<String> = query
            .iter()
            .filter(|(each, value)| each == parameter && is_valid(each, value))
            .flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let naming = query
            .iter()
            .filter(|(each, _)| NAMING.contains(&each.as_str()))
            .count();
        if values.is_empty() || (NAMING.contains(&parameter) && naming > 1) {
            return context.pass(request).await;
        }
        query.retain(|(each, _)| each != parameter);
        request.set_query(&query);
        let mut answer = context.pass(request).await?;
        if let Some(Value::Array(mut list)) = answer.json() {
            list.retain(|service| values.iter().any(|value| selects(service, value)));
            answer.set_json(&Value::Array(list));
        }
        Ok(answer)
    })
}

fn first_only(request: &mut Request, name: &str) {
    let mut seen = false;
    let mut query = request.query();
    query.retain_mut(|(each, value)| {
        if each != name {
            return true;
        }
        *value = value.split(',').next().unwrap_or_default().to_owned();
        !std::mem::replace(&mut seen, true)
    });
    if seen {
        request.set_query(&query);
    }
}

fn last_only(request: &mut Request, name: &str) {
    let mut query = request.query();
    query.reverse();
    let mut seen = false;
    query.retain(|(each, _)| each != name || !std::mem::replace(&mut seen, true));
    query.reverse();
    if seen {
        request.set_query(&query);
    }
}

fn invert(request: &mut Request, name: &str) {
    let mut query = request.query();
    for (_, value) in query.iter_mut().filter(|(each, _)| each == name) {
        *value = match value.as_str() {
            "true" => "false".to_owned(),
            "false" => "true".to_owned(),
            other => other.to_owned(),
        };
    }
    request.set_query(&query);
}

/// The union of what each parameter alone finds.
async fn any_parameter(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let mut answer = context.pass(request.clone()).await?;
    let query = request.query();
    let (true, Some(Value::Array(mut found))) = (query.len() > 1, answer.json()) else {
        return Ok(answer);
    };
    for parameter in query {
        let mut alone = request.clone();
        alone.set_query(&[parameter]);
        let path = alone.parts.uri.to_string();
        if let Some(Value::Array(list)) = context.read(&path, &request).await {
            found.extend(
                list.into_iter()
                    .filter(|each| !found.contains(each))
                    .collect::<Vec<_>>(),
            );
        }
    }
    answer.set_json(&Value::Array(found));
    Ok(answer)
}

async fn everything_for_nothing(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.json() == Some(json!([])) && !request.query().is_empty() {
        let mut unfiltered = request;
        unfiltered.set_query(&[]);
        return context.pass(unfiltered).await;
    }
    Ok(answer)
}

fn unchecked() -> Vec<Fault> {
    let fault = |id, clause, what, handler: Handler| {
        fault(Class::Filter, id, clause, "GET lists of services", what, handler)
    };
    let dropping = |drop: fn(&Request, &str, &str) -> bool| {
        before(BOTH, move |request, _| {
            let mut query = request.query();
            let before = query.len();
            let seen = request.clone();
            query.retain(|(name, value)| !drop(&seen, name, value));
            if query.len() != before {
                request.set_query(&query);
            }
        })
    };
    vec![
        fault(
            "filter/unknown-parameter-accepted",
            "8.2.3.3.1",
            "An unknown query parameter is ignored in place of refused",
            dropping(|_, name, _| {
                !NAMING.contains(&name)
                    && !["scope_of_locality", "consumed_local_only", "is_local"].contains(&name)
            }),
        ),
        fault(
            "filter/wrong-scope_of_locality-accepted",
            "8.1.6.5",
            "A scope_of_locality that the standard does not know is ignored",
            dropping(|_, name, value| name == "scope_of_locality" && !is_valid(name, value)),
        ),
        fault(
            "filter/wrong-is_local-accepted",
            "8.2.3.3.1",
            "An is_local that is no boolean is ignored",
            dropping(|_, name, value| name == "is_local" && !is_valid(name, value)),
        ),
        fault(
            "filter/wrong-consumed_local_only-accepted",
            "8.2.3.3.1",
            "A consumed_local_only that is no boolean is ignored",
            dropping(|_, name, value| name == "consumed_local_only" && !is_valid(name, value)),
        ),
        fault(
            "filter/exclusive-parameters-accepted",
            "8.2.3.3.1",
            "ser_instance_id, ser_name and ser_category_id are taken together",
            dropping(|request, name, _| {
                NAMING.contains(&name)
                    && NAMING
                        .iter()
                        .take_while(|each| **each != name)
                        .any(|each| request.has_parameter(each))
            }),
        ),
        fault(
            "filter/parameter-names-any-case",
            "8.2.3.3.1",
            "Parameter names in upper case count as those in lower case",
            before(BOTH, |request, _| {
                let query: Vec<_> = request
                    .query()
                    .into_iter()
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .collect();
                if query != request.query() {
                    request.set_query(&query);
                }
            }),
        ),
    ]
}
