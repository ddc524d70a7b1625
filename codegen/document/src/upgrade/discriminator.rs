//! Discriminators: the bare text of Swagger 2.0 becomes an object, bare names of schemas become references.

use crate::report::Report;
use crate::shape::{self, Kind};
use crate::{Node, Object, Pointer, Value};

/// Rewrites each discriminator so that every value of its `mapping` is a reference.
pub(super) fn name_schemas(root: &mut Node, report: &mut Report) {
    let schemas = Pointer::from_tokens(["components", "schemas"]);
    let names: Vec<String> = root
        .pointer(&schemas)
        .and_then(Node::as_object)
        .into_iter()
        .flat_map(Object::keys)
        .cloned()
        .collect();
    shape::each_mut(root, &mut |kind, pointer, node| {
        if kind != Kind::Schema {
            return;
        }
        let Some(discriminator) = node.get_mut("discriminator") else {
            return;
        };
        if let Value::String(property) = &discriminator.value {
            let property = Node::at(discriminator.origin, property.as_str());
            discriminator.value = Value::Object(Object::from_iter([("propertyName".to_owned(), property)]));
        }
        let Some(mapping) = discriminator.get_mut("mapping").and_then(Node::as_object_mut) else {
            return;
        };
        let pointer = pointer.child("discriminator").child("mapping");
        mapping.retain(|key, target| {
            let Some(name) = target.as_str().filter(|text| !text.starts_with('#')) else {
                return true;
            };
            if names.iter().any(|known| known == name) {
                target.value = Value::String(format!("#{}", schemas.child(name)));
                return true;
            }
            let defect = format!("the discriminator names a schema {name:?}, which the document has not");
            report.add(
                target.origin,
                &pointer.child(key),
                "discriminator-mapping",
                defect,
                "removed",
            );
            false
        });
    });
}
