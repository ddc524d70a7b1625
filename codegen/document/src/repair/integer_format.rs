//! Class `integer-format`: formats of integers (`uint32`), which no judge of JSON Schema knows, become bounds.
//!
//! Certain, because the formats name the ranges. The format stays as a remark. Bounds that are written already and
//! are tighter stay. 64 bits get no upper bound: every integer that we carry has at most 64. `uint128` cannot be
//! carried as a JSON number (RFC 8259, clause 6: interoperable up to 2^53; we carry 64 bits), so it is bounded to
//! what can be.

use serde_json::Number;

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

use super::{each_schema_mut, has_type};

const CLASS: &str = "integer-format";

pub(crate) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let Some(format) = schema.str_at("format").map(str::to_ascii_lowercase) else {
            return;
        };
        let open = schema.get("type").is_none() && schema.ref_target().is_none();
        if open && bounds(&format).is_some() {
            schema.set("type", Node::new("integer"));
        } else if !has_type(schema, "integer") {
            return;
        }
        if let Some((least, greatest)) = bounds(&format) {
            apply(pointer, schema, &format, least, greatest, report);
        }
    });
}

/// Least and greatest value of a format, where they say more than "64 bits".
fn bounds(format: &str) -> Option<(Option<i64>, Option<u64>)> {
    Some(match format {
        "uint8" | "byte" => (Some(0), Some(u8::MAX.into())),
        "uint16" => (Some(0), Some(u16::MAX.into())),
        "uint32" | "unit32" => (Some(0), Some(u32::MAX.into())),
        "uint64" => (Some(0), None),
        "uint128" => (Some(0), Some(u64::MAX)),
        "int8" => (Some(i8::MIN.into()), Some(i8::MAX as u64)),
        "int16" => (Some(i16::MIN.into()), Some(i16::MAX as u64)),
        "int32" => (Some(i32::MIN.into()), Some(i32::MAX as u64)),
        _ => return None,
    })
}

fn apply(
    pointer: &Pointer,
    schema: &mut Node,
    format: &str,
    least: Option<i64>,
    greatest: Option<u64>,
    report: &mut Report,
) {
    let origin = schema.get("format").map_or(schema.origin, |format| format.origin);
    let mut set = Vec::new();
    if let Some(least) = least.filter(|least| !bounded(schema, "inimum", |bound| bound >= *least as f64)) {
        schema.set("minimum", Node::at(origin, Value::Number(least.into())));
        set.push(format!("minimum {least}"));
    }
    if let Some(greatest) =
        greatest.filter(|greatest| !bounded(schema, "aximum", |bound| bound <= *greatest as f64))
    {
        schema.set("maximum", Node::at(origin, Value::Number(greatest.into())));
        set.push(format!("maximum {greatest}"));
    }
    if set.is_empty() {
        return;
    }
    let defect = format!("the format \"{format}\" is a range that JSON Schema does not judge");
    let mut repair = format!("sets {}", set.join(" and "));
    if format == "uint128" {
        repair.push_str(", since JSON numbers carry no more than 64 bits");
    }
    report.add(origin, &pointer.child("format"), CLASS, defect, repair);
}

/// Whether a bound that is at least as tight is written already.
fn bounded(schema: &Node, end: &str, tight: impl Fn(f64) -> bool) -> bool {
    let keys = [format!("m{end}"), format!("exclusiveM{end}")];
    keys.iter()
        .filter_map(|key| schema.get(key)?.as_number().and_then(Number::as_f64))
        .any(tight)
}
