//! Parameters: valid values of each are accepted, values that no reading makes valid are refused, required ones are
//! demanded, their order means nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_api::{Location, Parameter, Style, query_pairs};
use mecforge_instances::{Schema, ValidCase, ValidKind};
use serde_json::{Value, json};

use super::{ACCEPTS, REFUSES, UNKNOWN_PARAMETER};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Intent, Outcome, Plan, Role, Stop, Suite, Values,
};

/// The most values of one parameter that are tried, valid and invalid ones each.
const MOST: usize = 24;

/// Header fields that HTTP defines, and OpenAPI leaves to it.
const OF_HTTP: [&str; 7] = [
    "accept",
    "content-type",
    "authorization",
    "if-match",
    "if-none-match",
    "range",
    "cookie",
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize, operation: usize) {
    let state = &suite.apis[api];
    let declared = &state.api.operations[operation];
    for parameter in &declared.parameters {
        let name = parameter.name.clone();
        let reads = declared.method == "GET" && parameter.location == Location::Query;
        let of_http = OF_HTTP.contains(&name.to_ascii_lowercase().as_str());
        let header = parameter.location == Location::Header && !of_http;
        let path = parameter.location == Location::Path && is_constrained(&state.api, parameter);
        let judged = Parameter::clone(parameter);
        let id = format!("{}-{name}", parameter.location.as_str());
        if reads || header || path {
            plan.add(suite, &REFUSES, api, Some(operation), &id, move |context| {
                let parameter = judged.clone();
                Box::pin(async move { values(context, api, operation, &parameter).await })
            });
        }
        let judged = Parameter::clone(parameter);
        if parameter.required && (reads || header) {
            let id = format!("without-{id}");
            plan.add(suite, &REFUSES, api, Some(operation), &id, move |context| {
                let parameter = judged.clone();
                Box::pin(async move { without(context, api, operation, &parameter).await })
            });
        }
    }
    let queries = declared.parameters_in(Location::Query).count();
    if declared.method != "GET" || queries == 0 {
        return;
    }
    if state.api.id.starts_with("mec011") {
        plan.add(
            suite,
            &UNKNOWN_PARAMETER,
            api,
            Some(operation),
            "unknown",
            move |context| Box::pin(unknown(context, api, operation)),
        );
    }
    if queries > 1 {
        plan.add(suite, &ACCEPTS, api, Some(operation), "order", move |context| {
            Box::pin(order(context, api, operation))
        });
    }
}

/// Whether a parameter's schema refuses some texts.
fn is_constrained(api: &mecforge_api::Api, parameter: &Parameter) -> bool {
    let node = api.node(&parameter.schema).and_then(Value::as_object);
    node.is_some_and(|rules| {
        rules.get("type").is_some_and(|kind| kind != "string")
            || ["enum", "pattern", "maxLength"]
                .iter()
                .any(|rule| rules.contains_key(*rule))
    })
}

/// The texts by which a parameter is written; none where its style has no form for the value.
fn written(parameter: &Parameter, value: &Value) -> Option<Vec<(String, String)>> {
    match parameter.location {
        Location::Query => query_pairs(parameter, value).ok(),
        _ => {
            let text = parameter.simple(value).ok()?;
            Some(vec![(parameter.name.clone(), text)])
        }
    }
}

/// Whether some reading of the texts obeys the schema, so that nobody is to be blamed for accepting them.
fn may_be_valid(schema: &Schema, pairs: &[(String, String)]) -> bool {
    let scalar = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
    let texts: Vec<&str> = pairs.iter().map(|(_, text)| text.as_str()).collect();
    let mut parts: Vec<&str> = texts.iter().flat_map(|text| text.split(',')).collect();
    let mut readings = vec![json!(texts), json!(parts)];
    readings.push(texts.iter().map(|text| scalar(text)).collect());
    readings.push(parts.iter().map(|text| scalar(text)).collect());
    // An empty value may stand for no value at all.
    parts.retain(|part| !part.is_empty());
    readings.push(json!(parts));
    for text in &texts {
        readings.extend([json!(text), scalar(text), json!(text.trim()), scalar(text.trim())]);
        readings.push(scalar(&text.to_ascii_lowercase()));
    }
    texts.iter().all(|text| text.is_empty()) || readings.iter().any(|reading| schema.is_valid(reading))
}

/// Whether a value that obeys the schema comes back whole from the text that it is written as. An empty text may stand
/// for no value (`allowEmptyValue` is no by default), a delimiter in an element parts it, 1.0 is no integer to those who
/// read digits, blanks at the ends of a field of the header are none of its value.
fn is_clear(parameter: &Parameter, case: &ValidCase) -> bool {
    if parameter.style == Style::Json {
        return true;
    }
    let delimiter = match parameter.style {
        Style::SpaceDelimited => ' ',
        Style::PipeDelimited => '|',
        _ => ',',
    };
    let joined = !parameter.explode || parameter.location != Location::Query;
    let plain = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty() && text.trim() == text,
        _ => true,
    };
    let element = |value: &Value| {
        let parts = joined && value.as_str().is_some_and(|text| text.contains(delimiter));
        plain(value) && !parts
    };
    case.kind != ValidKind::Notation
        && match &case.value {
            Value::Array(items) => !items.is_empty() && items.iter().all(element),
            Value::Object(members) => !members.is_empty() && members.values().all(element),
            value => plain(value),
        }
}

fn place_of(parameter: &Parameter) -> (Location, &str) {
    (parameter.location, &parameter.name)
}

/// A request with a parameter written in one way.
fn with(
    context: &Context,
    api: usize,
    operation: usize,
    values: &Values,
    (location, name): (Location, &str),
    pairs: &[(String, String)],
) -> Option<Call> {
    let mut call = context.call(api, operation, values);
    match location {
        Location::Query => call = call.query_instead(name, pairs.to_vec()),
        Location::Header => {
            call.headers
                .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            call.headers.extend(pairs.iter().cloned());
        }
        Location::Path => {
            let mut values = values.clone();
            values.extend(pairs.iter().cloned());
            call = context.call(api, operation, &values);
        }
        Location::Cookie => return None,
    }
    let sendable = |text: &str| {
        text.len() <= 1000
            && !text.chars().any(char::is_control)
            && (location != Location::Header || text.is_ascii())
            && (location != Location::Path || !text.is_empty())
    };
    pairs.iter().all(|(_, text)| sendable(text)).then_some(call)
}

async fn values(context: &mut Context, api: usize, operation: usize, parameter: &Parameter) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let Some(schema) = state.schema(&parameter.schema) else {
        return Ok(());
    };
    let values = context.values(api, operation).await?;
    invalid(context, (api, operation), &values, parameter, &schema).await?;
    let key = &state.api.operations[operation].key;
    let readable = parameter.location != Location::Path && state.api.operations[operation].is_safe();
    if !readable || state.knowledge.may_refuse(key).is_some() {
        return Ok(());
    }
    valid(context, (api, operation), &values, parameter, &schema).await
}

/// Values that break a rule.
async fn invalid(
    context: &mut Context,
    (api, operation): (usize, usize),
    values: &Values,
    parameter: &Parameter,
    schema: &Schema,
) -> Outcome {
    // The members of an object are parameters of their own on the wire, so its name alone says nothing.
    if parameter.style != Style::Json && schema.minimal().is_some_and(|value| value.is_object()) {
        return Ok(());
    }
    let mut tried: BTreeSet<Vec<(String, String)>> = BTreeSet::new();
    let mut all: Vec<(Vec<(String, String)>, String)> = Vec::new();
    for text in ["no such value", "-", "TRUE-ish"] {
        let pairs = vec![(parameter.name.clone(), text.to_owned())];
        all.push((pairs, "the value does not obey the parameter's schema".to_owned()));
    }
    if let Some(base) = schema.full().or_else(|| schema.minimal()) {
        for case in schema.invalid_cases_within(&base, 4 * MOST).cases {
            all.extend(written(parameter, &case.value).map(|pairs| (pairs, case.what)));
        }
    }
    for (pairs, what) in all {
        let fresh = !pairs.is_empty() && !tried.contains(&pairs) && tried.len() < MOST;
        if !fresh || may_be_valid(schema, &pairs) {
            continue;
        }
        let Some(call) = with(context, api, operation, values, place_of(parameter), &pairs) else {
            continue;
        };
        tried.insert(pairs);
        let call = call.intent(Intent::Breaks(parameter.schema.clone()));
        let exchange = context.send(call).await?;
        let place = parameter.location.as_str();
        if exchange.is_success() {
            let title = format!(
                "an invalid value of the {place} parameter {} is accepted",
                parameter.name
            );
            let failure = Failure::new(title, format!("a 4xx; {what}"), exchange.summary());
            context.report(failure.pointer(parameter.schema.clone()).shown_by(&exchange.call));
        } else if parameter.location == Location::Query {
            wrong_refusal(context, &exchange);
        }
    }
    Ok(())
}

/// ETSI's APIs say of a wrong query that it is a bad request, not that the list does not exist.
fn wrong_refusal(context: &mut Context, exchange: &Exchange) {
    let etsi = context.suite.apis[exchange.call.api].knowledge.is_of_etsi();
    if etsi && matches!(exchange.status(), 404 | 405 | 410) {
        let title = format!("a wrong query is answered {}", exchange.status());
        context.report(Failure::new(title, "400", exchange.summary()).shown_by(&exchange.call));
    }
}

/// Valid cases, one of each kind before a second of any.
fn chosen(schema: &Schema) -> Vec<ValidCase> {
    let mut seen = BTreeSet::new();
    let (mut first, rest): (Vec<_>, Vec<_>) = schema
        .valid_cases()
        .into_iter()
        .partition(|case| seen.insert(case.kind));
    first.extend(rest);
    first.truncate(MOST);
    first
}

async fn valid(
    context: &mut Context,
    (api, operation): (usize, usize),
    values: &Values,
    parameter: &Parameter,
    schema: &Schema,
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    for case in chosen(schema) {
        if !suite.apis[api].knowledge.knows(&parameter.name, &case.value) || !is_clear(parameter, &case) {
            continue;
        }
        let Some(pairs) = written(parameter, &case.value) else {
            continue;
        };
        // A list without elements has no text: what must be given is not given then.
        if parameter.required && pairs.is_empty() {
            continue;
        }
        let Some(call) = with(context, api, operation, values, place_of(parameter), &pairs) else {
            continue;
        };
        let exchange = context.send(call).await?;
        if matches!(exchange.status(), 400 | 422) {
            let place = parameter.location.as_str();
            let title = format!(
                "a valid value of the {place} parameter {} is refused",
                parameter.name
            );
            let failure = Failure::new(title, format!("success; {}", case.what), exchange.summary());
            let signature = format!("{} {:?}", parameter.name, case.kind);
            context.report(
                failure
                    .of(ACCEPTS.id)
                    .signature(signature)
                    .shown_by(&exchange.call),
            );
        }
    }
    Ok(())
}

/// A request that is answered with a success, all required parameters included.
async fn working(context: &mut Context, api: usize, operation: usize, values: &Values) -> Result<Call, Stop> {
    let call = context.call(api, operation, values);
    let control = context.send(call.clone().role(Role::Control)).await?;
    match control.is_success() {
        true => Ok(call),
        false => Err(Stop::Inconclusive(format!(
            "with all that is required it is answered {}",
            control.summary()
        ))),
    }
}

async fn without(context: &mut Context, api: usize, operation: usize, parameter: &Parameter) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut call = working(context, api, operation, &values).await?;
    let other = |(name, _): &(String, String)| *name != parameter.name;
    call.query.retain(other);
    call.headers.retain(other);
    let call = call.intent(Intent::Breaks(format!("{}/required", parameter.pointer)));
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        let title = format!(
            "a request without the required parameter {} is accepted",
            parameter.name
        );
        let failure = Failure::new(title, "400", exchange.summary());
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}

async fn order(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let declared = &state.api.operations[operation];
    let exclusive = state.knowledge.exclusive(&declared.key);
    let values = context.values(api, operation).await?;
    let mut pairs = Vec::new();
    for parameter in declared.parameters_in(Location::Query) {
        if exclusive.contains(&parameter.name.as_str()) || pairs.len() == 2 {
            continue;
        }
        let schema = state.schema(&parameter.schema);
        let value = schema.and_then(|schema| {
            let mut cases = schema.valid_cases().into_iter().map(|case| case.value);
            cases.find(|value| state.knowledge.knows(&parameter.name, value))
        });
        let written = value.and_then(|value| written(parameter, &value));
        pairs.extend(written.and_then(|pairs| pairs.first().cloned()));
    }
    let mut call = context.call(api, operation, &values);
    for (name, text) in pairs {
        call = call.query_instead(&name.clone(), vec![(name, text)]);
    }
    let one = context.send(call.clone()).await?;
    call.query.reverse();
    let other = context.send(call).await?;
    if one.is_success() != other.is_success() && one.outcome.is_ok() && other.outcome.is_ok() {
        let title = "the order of query parameters matters";
        let failure = Failure::new(title, one.summary(), other.summary());
        return Err(failure.signature(title).stop());
    }
    Ok(())
}

async fn unknown(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let control = context.call(api, operation, &values).role(Role::Control);
    if !context.send(control).await?.is_success() {
        return Ok(());
    }
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    // Names of parameters are told apart by case (OpenAPI), so a declared one in capitals is as unknown as any.
    let shouted = declared
        .parameters_in(Location::Query)
        .map(|parameter| parameter.name.to_ascii_uppercase())
        .find(|name| {
            declared
                .parameters_in(Location::Query)
                .all(|other| other.name != *name)
        });
    let names = [
        (
            "an undeclared query parameter is accepted",
            Some("mecConformanceUnknown".to_owned()),
        ),
        (
            "a query parameter in another case than declared is accepted",
            shouted,
        ),
    ];
    let check: &Check = &UNKNOWN_PARAMETER;
    for (title, name) in names {
        let Some(name) = name else { continue };
        let call = context
            .call(api, operation, &values)
            .query(&name, "1")
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        let seen = match exchange.is_success() {
            true => format!("{title} ({})", exchange.status()),
            false => format!("it is answered {}", exchange.status()),
        };
        suite.contradicts(
            "undeclared-parameters",
            "ETSI's test purposes for MEC 011 want 400 for a query parameter that is not declared; no document says so, and HTTP lets a server ignore it.",
            Some(seen),
        );
        if exchange.is_success() {
            let failure = Failure::new(title, "400", exchange.summary());
            return Err(failure.of(check.id).shown_by(&exchange.call).stop());
        }
        wrong_refusal(context, &exchange);
    }
    Ok(())
}
