//! Class `placeholder-property`: members of `properties` that are no names but a remark, such as `(extensions)`.
//!
//! Certain, because a name in parentheses stands in the standard's tables for "further attributes": the content of
//! an object is open in JSON Schema anyway, so nothing is lost by leaving the remark out.

use crate::Document;
use crate::report::Report;

use super::each_schema_mut;

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let place = pointer.child("properties");
        let mut removed = Vec::new();
        if let Some(properties) = schema.get_mut("properties").and_then(crate::Node::as_object_mut) {
            properties.retain(|name, property| {
                let remark = name.starts_with('(') && name.ends_with(')');
                if remark {
                    let defect = format!("\"{name}\" is a remark and no property");
                    let repair = "removed, objects are open anyway";
                    report.add(
                        property.origin,
                        &place.child(name),
                        "placeholder-property",
                        defect,
                        repair,
                    );
                    removed.push(name.clone());
                }
                !remark
            });
        }
        if let Some(required) = schema.get_mut("required").and_then(crate::Node::as_array_mut) {
            required.retain(|name| !removed.iter().any(|removed| name.as_str() == Some(removed)));
        }
    });
}
