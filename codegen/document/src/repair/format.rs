//! Classes `placeholder-format` and `misspelt-format`: formats that name nothing, or a known format in other words.
//!
//! Certain, because a placeholder judges nothing, and because the spellings below have one meaning each.

use crate::report::Report;
use crate::{Document, Value};

use super::{each_schema_mut, has_type};

/// What stands where a format was not known; compared by letters without case.
const PLACEHOLDERS: [&str; 7] = [
    "enum",
    "notspecified",
    "unspecified",
    "none",
    "unknown",
    "seedescription",
    "tbd",
];

/// Other spellings of formats; compared without case.
const ALIASES: [(&str, &str); 13] = [
    ("url", "uri"),
    ("anyuri", "uri"),
    ("uri", "uri"),
    ("datetime", "date-time"),
    ("date-time", "date-time"),
    ("date_time", "date-time"),
    ("timestamp", "date-time"),
    ("uuid", "uuid"),
    ("guid", "uuid"),
    ("ip-v4", "ipv4"),
    ("ipv4", "ipv4"),
    ("ip-v6", "ipv6"),
    ("ipv6", "ipv6"),
];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let text = has_type(schema, "string");
        let listed = schema.get("enum").is_some();
        let Some(format) = schema.get_mut("format") else {
            return;
        };
        let Some(written) = format.as_str().map(str::to_owned) else {
            return;
        };
        let place = pointer.child("format");
        let letters: String = written.chars().filter(char::is_ascii_alphabetic).collect();
        if PLACEHOLDERS.contains(&letters.to_ascii_lowercase().as_str()) {
            let defect = format!("the format \"{written}\" is a placeholder");
            if listed {
                report.add(
                    format.origin,
                    &place,
                    "placeholder-format",
                    defect,
                    "removed, the values are listed",
                );
            } else {
                report.add_widened(format.origin, &place, "placeholder-format", defect, "removed");
            }
            schema.remove("format");
            return;
        }
        let known = ALIASES
            .iter()
            .find(|(alias, _)| text && alias.eq_ignore_ascii_case(&written));
        if let Some((_, known)) = known.filter(|(_, known)| *known != written) {
            let defect = format!("there is no format \"{written}\"");
            report.add(
                format.origin,
                &place,
                "misspelt-format",
                defect,
                format!("read as \"{known}\""),
            );
            format.value = Value::String((*known).to_owned());
        }
    });
}
