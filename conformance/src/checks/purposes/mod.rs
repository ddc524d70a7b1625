//! ETSI's test purposes, each run by a scenario that a server without understanding can't pass: what is read was made
//! first, what is unknown stands beside something that is known, what is refused beside something that is accepted.

mod announce;
mod reads;
mod refusals;
mod scene;
mod unknown;
mod writes;

use std::sync::Arc;

use mecforge_report::Severity;

use crate::purposes::{self, Kind, Purpose};
use crate::suite::{Check, Context, Group, Outcome, Plan, Source, Stop, Suite};
use scene::Scene;

/// The check.
pub(crate) static PURPOSE: Check = Check {
    id: "etsi-test-purpose",
    group: Group::TestPurposes,
    title: "the platform meets ETSI's test purpose",
    severity: Severity::Error,
    explanation: "One case for each of ETSI's test purposes for the APIs under test (run --tp), with requests mapped to the release under test. What ETSI's own case can't tell has a control here: an object is made before it is read, an unknown identifier stands beside a known one, a refused body beside an accepted one. Where the standard contradicts itself or its document, both readings are accepted and the verdict names them.",
    sources: &[
        Source::Etsi("ETSI GS MEC-DEC 032-2", "test purposes"),
        Source::Document,
    ],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&PURPOSE];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for purpose in purposes::all().iter().filter(|purpose| is_wanted(suite, purpose)) {
        let Some((api, Some(operation))) = place(suite, purpose) else {
            continue;
        };
        let case = plan.add(
            suite,
            &PURPOSE,
            api,
            Some(operation),
            &purpose.id,
            move |context| Box::pin(async move { run(context, purpose, api, operation).await }),
        );
        case.read_only = false;
        let rule = purpose.operation.starts_with("PUT ") && purpose.operation.contains("_rules/");
        if rule {
            // The rules are there for all cases.
            case.alone();
        }
        if announce::is_needed(purpose) {
            case.stage = 4;
            case.alone();
        }
    }
}

/// Whether the run was asked for a purpose.
fn is_wanted(suite: &Suite, purpose: &Purpose) -> bool {
    suite
        .options
        .test_purposes
        .as_ref()
        .is_some_and(|ids| ids.is_empty() || ids.contains(&purpose.id))
}

/// Where a purpose is run: its API and operation, none where the release has no such operation. None if the API is not
/// under test.
fn place(suite: &Suite, purpose: &Purpose) -> Option<(usize, Option<usize>)> {
    let (api, state) = suite
        .apis
        .iter()
        .enumerate()
        .find(|(_, state)| state.api.id == purpose.api)?;
    let operation = state.api.operation_by_key(&purpose.operation);
    Some((api, operation.map(|operation| operation.index)))
}

/// The purposes that a run was asked for and whose APIs are under test, each with the id of its case, or with the
/// reason why it does not apply.
pub(crate) fn asked(suite: &Suite) -> Vec<(&'static Purpose, Result<String, String>)> {
    let wanted = purposes::all().iter().filter(|purpose| is_wanted(suite, purpose));
    wanted
        .filter_map(|purpose| {
            let (api, operation) = place(suite, purpose)?;
            let api = &suite.apis[api].api;
            let how = match (operation, &purpose.absent) {
                (Some(_), _) => Ok(format!(
                    "{}|{}|{}|{}",
                    PURPOSE.id, api.id, purpose.operation, purpose.id
                )),
                (None, Some(reason)) => Err(format!("removed: {reason}")),
                (None, None) => Err(format!(
                    "{} is not in {} {}",
                    purpose.operation, api.title, api.version
                )),
            };
            Some((purpose, how))
        })
        .collect()
}

async fn run(context: &mut Context, purpose: &'static Purpose, api: usize, operation: usize) -> Outcome {
    let mut scene = Scene::new(context, purpose, api, operation);
    scene.is_there().await?;
    match purpose.kind {
        Kind::Reads => reads::reads(&mut scene).await,
        Kind::FindsNothing => reads::finds_nothing(&mut scene).await,
        Kind::Creates => writes::creates(&mut scene).await,
        Kind::Replaces => writes::replaces(&mut scene).await,
        Kind::Changes => writes::changes(&mut scene).await,
        Kind::Deletes => writes::deletes(&mut scene).await,
        Kind::Performs => writes::performs(&mut scene).await,
        Kind::RefusesBody => refusals::body(&mut scene).await,
        Kind::RefusesParameter => refusals::parameter(&mut scene).await,
        Kind::Stale => refusals::stale(&mut scene).await,
        Kind::Unknown => unknown::identifier(&mut scene).await,
        Kind::UnknownPath => unknown::path(&mut scene).await,
    }
    .map_err(|stop| match stop {
        // What went wrong in a step of the suite's own (making, finding) is filed under the purpose.
        Stop::Fail(failure) => scene.own(*failure).stop(),
        other => other,
    })
}
