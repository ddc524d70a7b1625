//! Class `open-enumeration`: `x-etsi-mec-extensible: true` beside `enum` means that other values are legal too.
//!
//! The known values move to `x-extensible-enum`, which generators know and judges ignore, so that a judge accepts what
//! the standard does. The names of values (`x-enum-varnames`) stay beside them, one for each, or they are a fault.

use crate::repair::each_schema_mut;
use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Diagnostic, Document, Node, Value};

const MARK: &str = "x-etsi-mec-extensible";
const NAMES: &str = "x-enum-varnames";

/// Opens enumerations; returns the lists of names that do not fit their values.
pub(super) fn run(document: &mut Document, report: &mut Report) -> Vec<Diagnostic> {
    open(document, report);
    let mut faults = Vec::new();
    each(&document.root, &mut |kind, pointer, schema| {
        let length = |key| schema.get(key).and_then(Node::as_array).map_or(0, <[Node]>::len);
        let values = length("enum") + length("x-extensible-enum");
        let names = schema
            .get(NAMES)
            .filter(|_| kind == Kind::Schema && length(NAMES) != values);
        if let Some(names) = names {
            let message = format!("{} names for {values} values", length(NAMES));
            let fault = Diagnostic::at(document, names, &pointer.child(NAMES), message);
            faults.push(fault.help("give each value of the enumeration one name"));
        }
    });
    faults
}

fn open(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let Some(mark) = schema.remove(MARK) else { return };
        let open = mark.as_bool() == Some(true)
            || mark
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let Some(values) = schema.get("enum").filter(|_| open).cloned() else {
            return;
        };
        if schema.get("type").is_none() {
            let name = match values
                .as_array()
                .and_then(|values| values.first())
                .map(|value| &value.value)
            {
                Some(Value::Number(_)) => "integer",
                _ => "string",
            };
            schema.set("type", Node::new(name));
        }
        schema.remove("enum");
        let defect = "an enumeration that may be extended";
        let repair = "values moved to \"x-extensible-enum\", others are accepted too";
        report.add(values.origin, pointer, "open-enumeration", defect, repair);
        schema.set("x-extensible-enum", values);
    });
}
