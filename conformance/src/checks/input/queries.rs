//! Query parameters: valid values are accepted, invalid ones and undeclared parameters refused.

use std::sync::Arc;

use mecforge_api::{Location, Parameter, Style, query_pairs};
use serde_json::json;

use super::{ACCEPTS, REFUSES, UNKNOWN_PARAMETER};
use crate::suite::{Context, Failure, Intent, Outcome, Plan, Role, Suite};

/// Adds the cases of an operation's query.
pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize, operation: usize) {
    let state = &suite.apis[api];
    let declared = &state.api.operations[operation];
    let parameters: Vec<_> = declared.parameters_in(Location::Query).cloned().collect();
    if parameters.is_empty() {
        return;
    }
    if state.api.id.starts_with("mec011") {
        plan.add(
            suite,
            &UNKNOWN_PARAMETER,
            api,
            Some(operation),
            "unknown",
            move |context| Box::pin(async move { unknown_parameter(context, api, operation).await }),
        );
    }
    for parameter in parameters {
        let name = parameter.name.clone();
        plan.add(
            suite,
            &REFUSES,
            api,
            Some(operation),
            &format!("query-{name}"),
            move |context| {
                let parameter = parameter.clone();
                Box::pin(async move {
                    invalid(context, (api, operation), &parameter).await?;
                    valid(context, (api, operation), &parameter).await
                })
            },
        );
    }
}

/// Texts that no reading of obeys the parameter's schema must be refused.
async fn invalid(context: &mut Context, (api, operation): (usize, usize), parameter: &Parameter) -> Outcome {
    let Some(schema) = context.suite.apis[api].schema(&parameter.schema) else {
        return Ok(());
    };
    // The members of an object are parameters of their own on the wire, so its name alone says nothing.
    if parameter.style != Style::Json && schema.minimal().is_some_and(|value| value.is_object()) {
        return Ok(());
    }
    let values = context.values(api, operation).await?;
    for text in ["no such value", "-", "TRUE-ish"] {
        let readings = [json!(text), json!([text])];
        if readings.iter().any(|reading| schema.is_valid(reading)) {
            continue;
        }
        let pairs = vec![(parameter.name.clone(), text.to_owned())];
        let call = context
            .call(api, operation, &values)
            .query_instead(&parameter.name, pairs)
            .intent(Intent::Breaks(parameter.schema.clone()));
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let failure = Failure::new(
                format!(
                    "an invalid value of the query parameter {} is accepted",
                    parameter.name
                ),
                "a 4xx, as the value does not obey the parameter's schema",
                exchange.summary(),
            );
            context.report(
                failure
                    .of(REFUSES.id)
                    .pointer(parameter.schema.clone())
                    .shown_by(&exchange.call),
            );
        }
    }
    Ok(())
}

/// Valid values must not be refused for their form.
async fn valid(context: &mut Context, (api, operation): (usize, usize), parameter: &Parameter) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let key = &state.api.operations[operation].key;
    let Some(schema) = state
        .schema(&parameter.schema)
        .filter(|_| state.knowledge.may_refuse(key).is_none())
    else {
        return Ok(());
    };
    let values = context.values(api, operation).await?;
    for valid in schema.valid_cases().into_iter().take(24) {
        if !state.knowledge.knows(&parameter.name, &valid.value) {
            continue;
        }
        let Ok(pairs) = query_pairs(parameter, &valid.value) else {
            continue;
        };
        let odd = |(_, value): &(String, String)| value.len() > 1000 || value.chars().any(char::is_control);
        // A list without elements has no text: what must be given is not given then.
        if pairs.iter().any(odd) || (parameter.required && pairs.is_empty()) {
            continue;
        }
        let call = context
            .call(api, operation, &values)
            .query_instead(&parameter.name, pairs);
        let exchange = context.send(call).await?;
        if matches!(exchange.status(), 400 | 422) {
            let failure = Failure::new(
                format!(
                    "a valid value of the query parameter {} is refused",
                    parameter.name
                ),
                format!("success; {}", valid.what),
                exchange.summary(),
            );
            context.report(
                failure
                    .of(ACCEPTS.id)
                    .signature(format!("{} {:?}", parameter.name, valid.kind))
                    .shown_by(&exchange.call),
            );
        }
    }
    Ok(())
}

async fn unknown_parameter(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let control = context.call(api, operation, &values).role(Role::Control);
    if !context.send(control).await?.is_success() {
        return Ok(());
    }
    let call = context
        .call(api, operation, &values)
        .query("mecConformanceUnknown", "1")
        .intent(Intent::Odd);
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        return Err(Failure::new(
            "an undeclared query parameter is accepted",
            "400",
            exchange.summary(),
        )
        .shown_by(&exchange.call)
        .stop());
    }
    Ok(())
}
