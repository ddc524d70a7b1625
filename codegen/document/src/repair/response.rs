//! Classes `misspelt-status`, `missing-description`, `no-responses` and `no-success-response`.
//!
//! Certain are the first two: a status code has three characters, and a response needs a description for the document
//! to be valid. Which success an operation lacks is for overlays; what they leave open is for `settle`.

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Document, Node, Pointer};

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_mut(&mut document.root, &mut |kind, pointer, node| match kind {
        Kind::Operation => {
            statuses(pointer, node, report);
            successes(pointer, node, report);
        }
        Kind::Response => description(pointer, node, report),
        _ => {}
    });
}

fn statuses(pointer: &Pointer, operation: &mut Node, report: &mut Report) {
    let Some(responses) = operation.get_mut("responses").and_then(Node::as_object_mut) else {
        return;
    };
    let place = pointer.child("responses");
    let taken: Vec<String> = responses.keys().cloned().collect();
    *responses = std::mem::take(responses)
        .into_iter()
        .map(|(status, response)| {
            let mended = match status.trim() {
                code if code.eq_ignore_ascii_case("default") => "default".to_owned(),
                code => code.to_ascii_uppercase(),
            };
            if status.starts_with("x-") || mended == status || taken.contains(&mended) {
                return (status, response);
            }
            let defect = format!("there is no status \"{status}\"");
            report.add(
                response.origin,
                &place.child(&status),
                "misspelt-status",
                defect,
                format!("read as \"{mended}\""),
            );
            (mended, response)
        })
        .collect();
}

fn successes(pointer: &Pointer, operation: &Node, report: &mut Report) {
    let responses = operation.get("responses").and_then(Node::as_object);
    if responses.is_none_or(|responses| responses.is_empty()) {
        let defect = "an operation without responses";
        report.add(
            operation.origin,
            pointer,
            "no-responses",
            defect,
            "left to an overlay",
        );
    } else if !has_success(operation) {
        let defect = "an operation without a success response";
        report.add(
            operation.origin,
            pointer,
            "no-success-response",
            defect,
            "left to an overlay",
        );
    }
}

/// Whether an operation declares a response that can tell of success.
pub(crate) fn has_success(operation: &Node) -> bool {
    let responses = operation.get("responses").and_then(Node::as_object);
    responses.is_some_and(|responses| {
        responses
            .keys()
            .any(|status| status.starts_with('2') || status.starts_with('3') || status == "default")
    })
}

fn description(pointer: &Pointer, response: &mut Node, report: &mut Report) {
    if response.as_object().is_some()
        && response.ref_target().is_none()
        && response.str_at("description").is_none()
    {
        let defect = "a response without a description";
        report.add(
            response.origin,
            pointer,
            "missing-description",
            defect,
            "added, empty",
        );
        response.set("description", Node::new(""));
    }
}
