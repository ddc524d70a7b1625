//! Mends what a program can mend with certainty; each pass is a module that names its defect class and says why
//! its repair is certain.
//!
//! A pass that cannot be certain reports only: an overlay, written by people, decides. After this stage the
//! document still has what needs such decisions (wrapped bodies, views, open enumerations); [`crate::settle`] turns
//! it into a document in which every constraint is JSON Schema.

mod array_keyword;
mod body;
mod discriminator;
mod enumeration;
mod format;
pub(crate) mod integer_format;
mod link;
pub(crate) mod location;
mod misspelt_key;
mod name;
mod operation_name;
pub(crate) mod parameter;
mod placeholder_property;
pub(crate) mod reference_sibling;
mod required;
pub(crate) mod response;
mod schema_type;
pub(crate) mod unreferenced;
mod untyped;
mod uri;

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Document, Finding, Node, Pointer, Value};

/// Mends an OpenAPI 3.1 document in place; the findings name each place that was touched or is for people to see.
///
/// The order of the passes matters: what nothing refers to is seen before a pass removes a reference, and names and
/// types come first, since later passes read them.
pub fn repair(document: &mut Document) -> Vec<Finding> {
    const PASSES: [fn(&mut Document, &mut Report); 20] = [
        unreferenced::run,
        misspelt_key::run,
        placeholder_property::run,
        name::run,
        schema_type::run,
        required::run,
        array_keyword::run,
        format::run,
        enumeration::run,
        integer_format::run,
        uri::run,
        reference_sibling::run,
        untyped::run,
        operation_name::run,
        parameter::run,
        body::run,
        location::run,
        response::run,
        discriminator::run,
        link::run,
    ];
    let mut report = Report::new(document);
    for pass in PASSES {
        pass(document, &mut report);
    }
    report.findings
}

/// Whether a schema's `type` names a type, alone or among others.
fn has_type(schema: &Node, name: &str) -> bool {
    match schema.get("type").map(|types| &types.value) {
        Some(Value::String(written)) => written == name,
        Some(Value::Array(types)) => types.iter().any(|written| written.as_str() == Some(name)),
        _ => false,
    }
}

/// Shows `visit` every schema of a document, outermost first, wherever it stands.
pub(crate) fn each_schema_mut(root: &mut Node, visit: &mut dyn FnMut(&Pointer, &mut Node)) {
    each_mut(root, &mut |kind, pointer, node| {
        if kind == Kind::Schema {
            visit(pointer, node);
        }
    });
}
