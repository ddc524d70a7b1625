//! Class `untyped-schema`: schemas that have a description and nothing else.
//!
//! Reported only: some are text, some are objects, some are meant to be open; overlays judge. An empty schema (`{}`)
//! says by itself that it is open and is not reported.

use crate::Document;
use crate::report::Report;

use super::each_schema_mut;

const REMARKS: [&str; 8] = [
    "description",
    "title",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let Some(members) = schema.as_object().filter(|members| !members.is_empty()) else {
            return;
        };
        if members
            .keys()
            .all(|key| REMARKS.contains(&key.as_str()) || key.starts_with("x-"))
        {
            let defect = "a description without a type";
            report.add_widened(
                schema.origin,
                pointer,
                "untyped-schema",
                defect,
                "any value is accepted",
            );
        }
    });
}
