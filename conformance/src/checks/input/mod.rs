//! Valid requests are accepted, invalid ones refused: every rule of the document at its limits and broken alone.

pub(super) mod bodies;
mod notation;
pub(in crate::checks) mod own_limits;
mod parameters;
mod transports;

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{Check, Group, Plan, Source, Suite};

pub(super) static ACCEPTS: Check = Check {
    id: "accepts-valid",
    group: Group::Input,
    title: "a request that obeys every rule is accepted",
    severity: Severity::Error,
    explanation: "Bodies at every limit of their schemas, with all optional properties and pairs of them, in all scripts, with properties that no schema names, and large. What only exceeds limits that the platform has of its own is told by no-limits-of-its-own. Not held against a platform: 409, 413 for large bodies, 429, and refusals that the standard permits beyond the document.",
    sources: &[
        Source::Document,
        Source::Etsi("ETSI GS MEC 009", "5 and 6 (open content)"),
    ],
};

pub(super) static REFUSES: Check = Check {
    id: "refuses-invalid",
    group: Group::Input,
    title: "a request that breaks one rule is refused",
    severity: Severity::Error,
    explanation: "Exactly one rule of the schema is broken at a time, everything else obeys; any 4xx is right.",
    sources: &[
        Source::Document,
        Source::Etsi("ETSI GS MEC 009", "400 Bad Request"),
    ],
};

pub(super) static UNCHANGED: Check = Check {
    id: "refusal-changes-nothing",
    group: Group::Input,
    title: "a refused change leaves the object as it was",
    severity: Severity::Error,
    explanation: "The object is read before and after a series of refused requests; both answers must be equal.",
    sources: &[Source::Rfc(9110, "15.5")],
};

pub(super) static UNKNOWN_PARAMETER: Check = Check {
    id: "refuses-unknown-parameter",
    group: Group::Input,
    title: "a query parameter that the document does not declare is refused",
    severity: Severity::Warning,
    explanation: "ETSI's test purposes for MEC 011 want 400 for a query with a parameter that is not declared, or is declared in another case; no document says so, and HTTP leaves it to the server what a query means. So this is a warning, the purposes accept both (--tp), and the report names the contradiction and what the platform does. Asked where the operation declares parameters; values that break a rule of the document are another check's.",
    sources: &[
        Source::Etsi("ETSI GS MEC-DEC 032-2", "TP_MEC_MEC011_SRV_SAQ_001_BR"),
        Source::Etsi("ETSI GS MEC 009", "400 Bad Request"),
    ],
};

pub(super) static NOTATION: Check = Check {
    id: "json-notation",
    group: Group::Input,
    title: "JSON is understood however it is written",
    severity: Severity::Error,
    explanation: "A body that is accepted is sent again (a new one of its kind) with blanks and line breaks, and with its names and texts in escapes and its members in reverse. Judged are 400, 415 and 422.",
    sources: &[
        Source::Rfc(8259, "2"),
        Source::Rfc(8259, "4"),
        Source::Rfc(8259, "8.3"),
    ],
};

pub(super) static ODD: Check = Check {
    id: "withstands-odd-json",
    group: Group::Input,
    title: "odd JSON leads to an answer, and to no server error",
    severity: Severity::Error,
    explanation: "A byte order mark, UTF-16, a member twice, numbers beyond every range, half of a pair of surrogates, U+0000. Success and any 4xx are right; what comes is judged by the checks of all answers.",
    sources: &[Source::Rfc(8259, "9"), Source::Rfc(9110, "15.6")],
};

pub(super) static OWN: Check = Check {
    id: "takes-back-what-it-gives",
    group: Group::Input,
    title: "what GET gives can be put back unchanged",
    severity: Severity::Error,
    explanation: "Objects that were made, and everything that the operator has configured, are read and put back as they are, where the body obeys the schema of the request. Judged are 400 and 422; that the platform does not permit the change, or can't bring it about, is its own matter.",
    sources: &[Source::Document, Source::Rfc(9110, "9.3.4")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[
    &ACCEPTS,
    &own_limits::OWN_LIMITS,
    &REFUSES,
    &UNCHANGED,
    &UNKNOWN_PARAMETER,
    &NOTATION,
    &ODD,
    &OWN,
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for operation in &state.api.operations {
            if operation.json_body().is_some() {
                bodies::plan(suite, plan, api, operation.index);
            } else if let Some(reason) = state.foreign_body(operation.index) {
                for check in [&ACCEPTS, &REFUSES] {
                    plan.inconclusive(check, api, Some(operation.index), &reason);
                }
            }
            parameters::plan(suite, plan, api, operation.index);
        }
        notation::plan(suite, plan, api);
        transports::plan(suite, plan, api);
    }
}
