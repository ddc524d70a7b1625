//! Parallel requests: one order that explains all answers, one winner among writers, identifiers that are all different.

mod clients;
mod creations;
mod history;
mod marker;
mod order;
mod writers;

use std::sync::Arc;

use mecforge_api::Kind;
use mecforge_report::Severity;

use crate::suite::{Check, Group, Plan, Source, Suite};

static ORDER: Check = Check {
    id: "parallel-requests-have-an-order",
    group: Group::Concurrency,
    title: "the answers to parallel requests could have come one after the other",
    severity: Severity::Error,
    explanation: "Several clients read, replace and remove one object at the same time, each with values of its own. There must be an order of the requests, true to who had his answer before whom, in which every answer is right (linearizability): a change that was answered is seen by every later reading, is never undone, and an object that was removed does not come back. Requests that were refused (409, 412, 429, 503) count as not made, those without answer as either. The finding lists every request with its time.",
    sources: &[
        Source::Rfc(9110, "9.3.4"),
        Source::Rfc(9110, "9.3.5"),
        Source::Practice("linearizability of each resource"),
    ],
};

static WRITERS: Check = Check {
    id: "one-writer-wins",
    group: Group::Concurrency,
    title: "of several writers with the same If-Match exactly one wins",
    severity: Severity::Error,
    explanation: "Several clients replace one object at the same time with the entity tag that they have all read. The first changes the tag, so that all others must be answered 412; the object is what the winner wrote. Judged where the platform answers with strong entity tags and honours If-Match of one client alone.",
    sources: &[Source::Rfc(9110, "13.1.1"), Source::Rfc(9110, "13.2.1")],
};

static CREATIONS: Check = Check {
    id: "parallel-creations",
    group: Group::Concurrency,
    title: "objects that are made at the same time are different objects",
    severity: Severity::Error,
    explanation: "Several clients make objects with different contents at the same time; every success has a Location of its own, is read there as it was sent, and is in the list. Refusals (403, 409, 429, 503 with Retry-After) are not held against the platform.",
    sources: &[Source::Rfc(9110, "9.3.3"), Source::Document],
};

static REMOVAL: Check = Check {
    id: "parallel-removal",
    group: Group::Concurrency,
    title: "of several removals of one object at the same time one is answered with success",
    severity: Severity::Warning,
    explanation: "Where a second DELETE is answered 404, the answer says whether there was something to remove; several successes for one object contradict that. DELETE is idempotent, so that HTTP does not forbid it.",
    sources: &[Source::Rfc(9110, "9.2.2"), Source::Rfc(9110, "9.3.5")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&ORDER, &WRITERS, &CREATIONS, &REMOVAL];

/// How often a race is run again before its breach is called flaky: races do not always show.
const REPEATS: u8 = 8;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for resource in state.api.resources.iter().filter(|one| one.kind == Kind::Item) {
            let (put, delete) = (resource.operation("PUT"), resource.operation("DELETE"));
            if let (Some(maker), Some(get)) = (resource.maker, resource.operation("GET")) {
                let object = order::Subject {
                    api,
                    maker,
                    get,
                    put,
                    delete,
                };
                plan_made(suite, plan, object, resource.collection.as_deref());
            } else if let (Some(get), Some(put)) = (resource.operation("GET"), put)
                && state.knowledge.toggles(&state.api.operations[put].key).is_some()
            {
                let case = plan.add(suite, &WRITERS, api, Some(put), "existing", move |context| {
                    Box::pin(async move { writers::existing(context, api, get, put).await })
                });
                // It changes what all see, and changes it back.
                case.repeats = REPEATS;
                case.alone();
            }
        }
    }
}

fn plan_made(suite: &Arc<Suite>, plan: &mut Plan, object: order::Subject, collection: Option<&str>) {
    let document = &suite.apis[object.api].api;
    let list = collection
        .and_then(|path| document.operation("GET", path))
        .map(|operation| operation.index);
    let (api, maker) = (object.api, object.maker);
    plan.add(suite, &CREATIONS, api, Some(maker), "creations", move |context| {
        Box::pin(async move { creations::creations(context, object, list).await })
    })
    .repeats = REPEATS;
    if let Some(delete) = object.delete {
        plan.add(suite, &REMOVAL, api, Some(delete), "removal", move |context| {
            Box::pin(async move { creations::removal(context, object, delete).await })
        })
        .repeats = REPEATS;
    }
    let Some(put) = object.put else { return };
    plan.add(suite, &WRITERS, api, Some(put), "writers", move |context| {
        Box::pin(async move { writers::made(context, object, put).await })
    })
    .repeats = REPEATS;
    plan.add(suite, &ORDER, api, Some(put), "writers", move |context| {
        Box::pin(async move { order::writers(context, object, put).await })
    })
    .repeats = REPEATS;
    if let Some(delete) = object.delete {
        plan.add(suite, &ORDER, api, Some(delete), "removal", move |context| {
            Box::pin(async move { order::removal(context, object, put, delete).await })
        })
        .repeats = REPEATS;
    }
    let shared = Arc::clone(suite);
    plan.random.push(Arc::new(move |number| {
        let mut case = crate::suite::case(
            &shared,
            &ORDER,
            api,
            Some(put),
            &format!("writers-{number}"),
            move |context| Box::pin(async move { order::writers(context, object, put).await }),
        );
        case.repeats = REPEATS;
        case
    }));
}
