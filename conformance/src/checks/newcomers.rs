//! Applications that have just registered (MEC 011): their lists are there, and empty.

use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;

use crate::suite::{Check, Context, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite, Values};

const MEC011: &str = "ETSI GS MEC 011";

static LISTS: Check = Check {
    id: "lists-of-newcomers",
    group: Group::State,
    title: "the lists of an application that has nothing yet can be read",
    severity: Severity::Error,
    explanation: "An application registers, and its lists (services, subscriptions, rules) are asked for, of which those of the main application instance can be read. A list has 0 to N entries, so one without any is answered with a success; 404 for a second long is a breach.",
    sources: &[
        Source::Etsi(MEC011, "8.2.6.3.1"),
        Source::Etsi(MEC011, "8.2.8.3.1"),
        Source::Etsi(MEC011, "7.2.13.3.4"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&LISTS];

/// An operation: its API and its number.
type Place = (usize, usize);

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    let registration = suite.apis.iter().enumerate().find_map(|(api, state)| {
        let operation = state.api.operation("POST", "/registrations")?;
        state
            .api
            .id
            .starts_with("mec011")
            .then_some((api, operation.index))
    });
    let Some(registration) = registration else {
        return;
    };
    for (api, state) in suite.apis.iter().enumerate() {
        for operation in &state.api.operations {
            let path = operation.path.text();
            let list = path.starts_with("/applications/{appInstanceId}/") && path.matches('{').count() == 1;
            if list && operation.method == "GET" && state.api.id.starts_with("mec011") {
                let place = (api, operation.index);
                plan.add(suite, &LISTS, api, Some(operation.index), "new", move |context| {
                    Box::pin(empty(context, registration, place))
                });
            }
        }
    }
}

async fn empty(context: &mut Context, registration: Place, (api, list): Place) -> Outcome {
    let own = context.values(api, list).await?;
    let control = context.call(api, list, &own).role(Role::Control);
    let control = context.send(control).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the list of the main application instance was answered {}",
            control.summary()
        )));
    }
    let (registered, registration) = registration;
    let values = context
        .make(registered, registration, &Values::new(), None)
        .await?
        .values;
    let call = context.call(api, list, &values);
    let before = context.trace.len();
    for wait in [0, 200, 300, 500] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        context.trace.truncate(before);
        if context.send(call.clone()).await?.status() != 404 {
            return Ok(());
        }
    }
    Err(Failure::new(
        "the list of an application that has nothing yet is not found",
        "200 with an empty list",
        "404 for a second",
    )
    .stop())
}
