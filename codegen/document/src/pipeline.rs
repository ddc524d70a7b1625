//! The stages in their order, for callers that want the settled document of a loaded one.

use crate::{Diagnostic, Document, Finding, Node, overlay, repair, settle, upgrade};

/// Brings a loaded document to the form that models are made from: upgraded, repaired, with overlays, settled.
///
/// With `no_repair` the document is only upgraded, which shows what its authors wrote. The findings come in the order
/// of the stages; those of the repair are no longer marked as widened where an overlay has given what was missing.
///
/// # Errors
/// The faults of the first stage that has any.
pub fn prepare(
    mut document: Document,
    overlays: &[Document],
    no_repair: bool,
) -> Result<(Document, Vec<Finding>), Vec<Diagnostic>> {
    let mut findings = upgrade::upgrade(&mut document)?;
    if no_repair {
        return Ok((document, findings));
    }
    findings.append(&mut repair::repair(&mut document));
    let mut errata = Vec::new();
    let mut diagnostics = Vec::new();
    for overlay in overlays {
        match overlay::apply(&mut document, overlay) {
            Ok(mut findings) => errata.append(&mut findings),
            Err(mut faults) => diagnostics.append(&mut faults),
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    for finding in &mut findings {
        revisit(&document, finding);
    }
    findings.append(&mut errata);
    findings.append(&mut settle::settle(&mut document)?);
    Ok((document, findings))
}

/// Keys that say what a schema's values are.
const TYPING: [&str; 8] = [
    "type",
    "$ref",
    "enum",
    "const",
    "oneOf",
    "anyOf",
    "allOf",
    "properties",
];

/// Keys that list a schema's values.
const LISTING: [&str; 7] = [
    "enum",
    "const",
    "x-extensible-enum",
    "$ref",
    "oneOf",
    "anyOf",
    "pattern",
];

/// Corrects what a finding of the repair says, where an overlay has decided what the repair left open.
fn revisit(document: &Document, finding: &mut Finding) {
    let node = document.root.pointer(&finding.pointer);
    let has = |keys: &[&str]| node.is_none_or(|node| keys.iter().any(|key| node.get(key).is_some()));
    let filled = match finding.class.as_str() {
        // What lists the values may be the elements, where the overlay has restored a list.
        "placeholder-enum" | "empty-enum" => {
            has(&LISTING)
                || node
                    .and_then(|node| node.get("items"))
                    .is_some_and(|items| LISTING.iter().any(|key| items.get(key).is_some()))
        }
        "untyped-schema" => has(&TYPING),
        "missing-items" => node.is_none_or(|node| node.get("items") != Some(&Node::object())),
        "no-responses" | "no-success-response" => node.is_none_or(repair::response::has_success),
        "unreferenced-schema" => {
            node.is_none() || repair::unreferenced::is_referenced(document, &finding.pointer)
        }
        _ => false,
    };
    if filled {
        finding.widened = false;
        finding.repair = match node {
            Some(_) => "mended by an overlay".to_owned(),
            None => "replaced or removed by an overlay".to_owned(),
        };
    }
}
