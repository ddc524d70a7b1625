//! What an attacker would try, and what must not come of it: each with a control that shows that the answer means
//! something.

mod assignment;
mod callbacks;
mod children;
mod configured;
mod creation;
mod credentials;
mod disclosure;
mod evasion;
mod identifiers;
mod own_address;
mod ownership;
mod paths;
pub(super) mod properties;
mod smuggling;
pub(super) mod steady;
mod strings;
mod tls;

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::state::comparison::items;
use crate::suite::{Check, Context, Exchange, Plan, Role, Stop, Suite, identifier, reading};

/// The checks of this module.
pub(super) static CHECKS: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
    let parts: [&[&'static Check]; 14] = [
        credentials::CHECKS,
        ownership::CHECKS,
        children::CHECKS,
        identifiers::CHECKS,
        creation::CHECKS,
        assignment::CHECKS,
        callbacks::CHECKS,
        own_address::CHECKS,
        strings::CHECKS,
        paths::CHECKS,
        evasion::CHECKS,
        disclosure::CHECKS,
        tls::CHECKS,
        smuggling::CHECKS,
    ];
    parts.concat()
});

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for api in 0..suite.apis.len() {
        credentials::plan(suite, plan, api);
        ownership::plan(suite, plan, api);
        children::plan(suite, plan, api);
        configured::plan(suite, plan, api);
        identifiers::plan(suite, plan, api);
        creation::plan(suite, plan, api);
        assignment::plan(suite, plan, api);
        callbacks::plan(suite, plan, api);
        own_address::plan(suite, plan, api);
        strings::plan(suite, plan, api);
        paths::plan(suite, plan, api);
        evasion::plan(suite, plan, api);
        disclosure::plan(suite, plan, api);
        tls::plan(suite, plan, api);
        smuggling::plan(suite, plan, api);
    }
}

/// Reads an object; none where the API has no GET for it.
pub(super) async fn read(
    context: &mut Context,
    api: usize,
    path: &str,
    role: Role,
) -> Result<Option<Exchange>, Stop> {
    let Some(call) = reading(&context.suite, api, path) else {
        return Ok(None);
    };
    context.send(call.role(role)).await.map(Some)
}

/// A body that asks for heartbeats too, where what is made then has a liveness to be asked for (MEC 011, 8.1.2.2).
pub(super) fn with_liveness(context: &Context, (api, maker): (usize, usize), mut body: Value) -> Value {
    let state = &context.suite.apis[api];
    let mut resources = state.api.resources.iter();
    let made = resources.find(|resource| resource.maker == Some(maker));
    let below = made.map(|made| format!("{}/liveness", made.path.text()));
    let below = below.filter(|below| state.api.resource(below).is_some());
    if let Some((name, value)) = below.and_then(|below| state.knowledge.presupposes(&below)) {
        let plain = body.clone();
        body[name] = value;
        if state
            .body_schema(maker)
            .is_none_or(|schema| !schema.is_valid(&body))
        {
            return plain;
        }
    }
    body
}

/// The operation that lists what another one makes.
fn lister(suite: &Suite, api: usize, maker: usize) -> Option<usize> {
    let document = &suite.apis[api].api;
    let path = document.operations[maker].path.text();
    document.operation("GET", path).map(|operation| operation.index)
}

/// The identifiers in the answer of a list.
fn identifiers_in(list: &Exchange, parameter: &str) -> Option<Vec<String>> {
    let body = list.json().filter(|_| list.is_success())?;
    let list = items(&body)?;
    Some(
        list.iter()
            .filter_map(|item| identifier(item, parameter))
            .collect(),
    )
}

/// A text for messages, of bounded length.
fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
