//! Stage `upgrade`: Swagger 2.0 and OpenAPI 3.0 become OpenAPI 3.1, the superset; one dialect from here on.
//!
//! What 3.1 can say is only rewritten; what it can't say, or what can be read in two ways, is a [`Finding`].
//! Traces of 3.0 in documents that call themselves 3.1 (`nullable`, `exclusiveMinimum: true`) are rewritten
//! too, with a finding, because 3.1 would ignore or refuse them.

mod discriminator;
mod hoist;
mod nullable;
mod operation;
mod parameter;
mod reference;
mod response;
mod schema;
mod sections;
mod swagger;

use crate::report::Report;
use crate::shape::{self, Kind};
use crate::{Diagnostic, Document, Finding, Node, Pointer, Value};

/// The version that every document has after this stage.
const VERSION: &str = "3.1.0";

/// The dialects that can be upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dialect {
    Swagger20,
    OpenApi30,
    OpenApi31,
}

/// Rewrites a loaded document as OpenAPI 3.1 with JSON Schema 2020-12.
///
/// # Errors
/// Where the document is of no version of OpenAPI that is known here, or has references that can't be kept.
pub fn upgrade(document: &mut Document) -> Result<Vec<Finding>, Vec<Diagnostic>> {
    let dialect = dialect(document).map_err(|fault| vec![*fault])?;
    let mut report = Report::new(document);
    hoist::hoist(&mut document.root, dialect);
    if dialect == Dialect::Swagger20 {
        swagger::convert(&mut document.root, &mut report);
    } else {
        sections::gather_misplaced(&mut document.root, &mut report);
    }
    discriminator::name_schemas(&mut document.root, &mut report);
    shape::each_mut(&mut document.root, &mut |kind, pointer, node| {
        reference::clear_siblings(kind, pointer, node, dialect, &mut report);
        if kind == Kind::Schema {
            schema::modernise(pointer, node, dialect, &mut report);
        }
    });
    let origin = document
        .root
        .get("openapi")
        .map(|node| node.origin)
        .unwrap_or_default();
    document.root.set("openapi", Node::at(origin, VERSION));
    Ok(report.findings)
}

/// Reads which dialect a document is written in.
fn dialect(document: &Document) -> Result<Dialect, Box<Diagnostic>> {
    let root = &document.root;
    let (key, node) = match (root.get("openapi"), root.get("swagger")) {
        (Some(node), _) => ("openapi", node),
        (None, Some(node)) => ("swagger", node),
        (None, None) => {
            let message = "the document has neither `openapi` nor `swagger` at its root";
            let fault = Diagnostic::at(document, root, &Pointer::root(), message);
            return Err(Box::new(fault.help("give the path of an OpenAPI document")));
        }
    };
    let version = match &node.value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let mut parts = version.split('.');
    match (key, parts.next(), parts.next()) {
        ("swagger", Some("2"), Some("0")) => Ok(Dialect::Swagger20),
        ("openapi", Some("3"), Some("0")) => Ok(Dialect::OpenApi30),
        ("openapi", Some("3"), Some("1")) => Ok(Dialect::OpenApi31),
        _ => {
            let message = format!("version {:?} of {key} is not known", version);
            let fault = Diagnostic::at(document, node, &Pointer::root().child(key), message);
            Err(Box::new(
                fault.help("known are Swagger 2.0, OpenAPI 3.0 and OpenAPI 3.1"),
            ))
        }
    }
}
