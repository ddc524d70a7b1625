//! State machines: random sequences of changes and readings, at the platform and at a model of it. After any sequence
//! every reading equals the model. A sequence that fails is made as short as possible before it is reported.

pub(super) mod content;
mod family;
mod foreign;
mod judge;
mod machine;
mod patch;
mod rules;
mod sequence;

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{Case, Check, Context, Group, Outcome, Plan, Source, Suite, case};
use family::Family;

static MODEL: Check = Check {
    id: "reads-equal-model",
    group: Group::State,
    title: "after any sequence of changes, everything that is read is what was written last",
    severity: Severity::Error,
    explanation: "Random sequences of up to 30 requests make, replace, change, delete and read objects of two application instances, one request at a time; where two applications have credentials of their own, each acts with its own, and tries them at what is the other's. A model keeps what every object must be: an object that is read is as it was written last; one that was deleted stays deleted, whatever is asked of it afterwards; a list has every object that exists once, as it is read alone, and none that was deleted or belongs to another application; the second view (GET /services) has the same. Of a PATCH (RFC 7396) the scalars are looked at that clients may change and that the platform keeps as they are sent: what it names is not as it was, what it does not name is. What else follows from it is the platform's. Objects of others in shared lists are not looked at. The finding has the shortest sequence that still shows the fault.",
    sources: &[
        Source::Rfc(9110, "9.3.4"),
        Source::Rfc(9110, "9.3.5"),
        Source::Rfc(7396, "2"),
        Source::Document,
    ],
};

static REUSED: Check = Check {
    id: "identifiers-are-not-reused",
    group: Group::State,
    title: "a new object does not get the identifier of one that was deleted",
    severity: Severity::Warning,
    explanation: "Whoever still holds the old identifier would reach the new object. No standard forbids it.",
    sources: &[Source::Practice("identifiers that are not used again")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&MODEL, &REUSED];

/// Planned sequences of each family; the random rounds make more.
const PLANNED: u64 = 3;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for api in 0..suite.apis.len() {
        rules::plan(suite, plan, api);
        for family in family::families(suite, api) {
            let family = Arc::new(family);
            for number in 0..PLANNED {
                plan.cases.push(sequence_case(suite, &family, number));
            }
            let shared = Arc::clone(suite);
            plan.random.push(Arc::new(move |number| {
                sequence_case(&shared, &family, PLANNED + number)
            }));
        }
    }
}

fn sequence_case(suite: &Arc<Suite>, family: &Arc<Family>, number: u64) -> Case {
    let shared = Arc::clone(family);
    let mut case = case(
        suite,
        &MODEL,
        family.api,
        Some(family.maker),
        &format!("sequence-{number}"),
        move |context| {
            let family = Arc::clone(&shared);
            Box::pin(async move { run(context, &family).await })
        },
    );
    case.read_only = false;
    case
}

async fn run(context: &mut Context, family: &Family) -> Outcome {
    sequence::run(context, family).await
}
