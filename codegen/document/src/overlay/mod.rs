//! Errata that need judgement, written as [OpenAPI Overlay 1.0] documents and applied with a record.
//!
//! Stricter than the specification where that keeps errata honest: an action that matches nothing or changes
//! nothing is a fault, because it says that ETSI has mended what the action was written for.
//!
//! [OpenAPI Overlay 1.0]: https://spec.openapis.org/overlay/v1.0.0.html

mod action;
mod jsonpath;
mod merge;
mod select;

use crate::{Diagnostic, Document, Finding, Node, Pointer};

use action::Action;

/// The keys that an overlay may have beside `x-` extensions.
const KEYS: [&str; 4] = ["overlay", "info", "extends", "actions"];

/// Applies the actions of `overlay` to `document` in their order; an `erratum` finding for each place that one
/// changed.
///
/// What an action adds keeps its place in the overlay: the overlay's files are appended to
/// [`Document::files`], so that later messages name the line of the erratum.
///
/// # Errors
/// Every fault of the overlay, each with its place there. If one is returned, `document` may have been changed
/// by the actions that are sound.
pub fn apply(document: &mut Document, overlay: &Document) -> Result<Vec<Finding>, Vec<Diagnostic>> {
    let mut diagnostics = check_head(overlay);
    let actions = read_actions(overlay, &mut diagnostics);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let first_file = document.files.len() as u32;
    document.files.extend(overlay.files.iter().cloned());
    let mut findings = Vec::with_capacity(actions.len());
    for action in &actions {
        match action.apply(document, overlay, first_file) {
            Ok(mut made) => findings.append(&mut made),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if diagnostics.is_empty() {
        Ok(findings)
    } else {
        Err(diagnostics)
    }
}

/// Checks what stands before the actions: the version, the title, and that there is nothing unknown.
fn check_head(overlay: &Document) -> Vec<Diagnostic> {
    let root = Pointer::root();
    let Some(members) = overlay.root.as_object() else {
        let message = format!("an overlay is an object, this is {}", overlay.root.kind());
        return vec![Diagnostic::at(overlay, &overlay.root, &root, message)];
    };
    let mut diagnostics = Vec::new();
    for (key, node) in members {
        if !KEYS.contains(&key.as_str()) && !key.starts_with("x-") {
            let message = format!("an overlay has no key \"{key}\"");
            let help = "the keys are overlay, info, extends and actions";
            diagnostics.push(Diagnostic::at(overlay, node, &root.child(key), message).help(help));
        }
    }
    if !overlay
        .root
        .str_at("overlay")
        .is_some_and(|version| version.starts_with("1.0."))
    {
        let node = overlay.root.get("overlay").unwrap_or(&overlay.root);
        let message = "an overlay names its version as \"overlay: 1.0.0\"";
        diagnostics.push(Diagnostic::at(overlay, node, &root.child("overlay"), message));
    }
    for key in ["title", "version"] {
        let info = overlay.root.get("info");
        if info.and_then(|info| info.get(key)).is_none() {
            let message = format!("an overlay's info needs \"{key}\"");
            let pointer = root.child("info").child(key);
            diagnostics.push(Diagnostic::at(
                overlay,
                info.unwrap_or(&overlay.root),
                &pointer,
                message,
            ));
        }
    }
    diagnostics
}

/// Reads all actions, so that the reader sees every fault of an overlay at once.
fn read_actions<'overlay>(
    overlay: &'overlay Document,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Action<'overlay>> {
    let pointer = Pointer::root().child("actions");
    let nodes = overlay
        .root
        .get("actions")
        .and_then(Node::as_array)
        .unwrap_or_default();
    if nodes.is_empty() {
        let node = overlay.root.get("actions").unwrap_or(&overlay.root);
        let message = "an overlay needs a list \"actions\" with at least one action";
        diagnostics.push(Diagnostic::at(overlay, node, &pointer, message));
    }
    let mut actions = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        match Action::read(overlay, node, pointer.index(index)) {
            Ok(action) => actions.push(action),
            Err(mut faults) => diagnostics.append(&mut faults),
        }
    }
    actions
}
