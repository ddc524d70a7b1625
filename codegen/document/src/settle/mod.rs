//! Turns marks and overlay decisions into plain OpenAPI 3.1: bodies unwrapped, enumerations opened, views split.
//!
//! After it every constraint is JSON Schema that a judge can apply, every schema in `components` is one type, no
//! `readOnly` or `x-mecforge-` mark on schemas is left for later stages to interpret, and every `$ref` resolves.

mod discriminator;
mod open_enumeration;
mod references;
mod required;
mod rule_place;
mod success;
mod view;
mod wrapped_body;

use crate::repair::{integer_format, location, parameter, reference_sibling};
use crate::report::Report;
use crate::{Diagnostic, Document, Finding};

/// Settles a document that was repaired and to which all overlays were applied.
///
/// Some passes of the repair run again, for what the overlays added; they say nothing where they did their work before.
///
/// # Errors
/// Every place at which the document cannot be made sound: references that lead nowhere, marks with values that mean
/// nothing, reading operations without any response that tells of success.
pub fn settle(document: &mut Document) -> Result<Vec<Finding>, Vec<Diagnostic>> {
    let mut diagnostics = references::check(document);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let mut report = Report::new(document);
    parameter::run(document, &mut report);
    location::run(document, &mut report);
    integer_format::run(document, &mut report);
    reference_sibling::run(document, &mut report);
    diagnostics.append(&mut success::run(document, &mut report));
    diagnostics.append(&mut wrapped_body::run(document, &mut report));
    diagnostics.append(&mut open_enumeration::run(document, &mut report));
    discriminator::run(document, &mut report);
    required::run(document, &mut report);
    view::run(document, &mut report);
    // What a composed schema demanded of a part may be gone from the part's view; the split has told of that.
    required::run(document, &mut Report::new(document));
    let findings = report.findings;
    rule_place::run(document);
    if diagnostics.is_empty() {
        Ok(findings)
    } else {
        Err(diagnostics)
    }
}
