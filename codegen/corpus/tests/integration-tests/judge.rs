//! The independent judge: the `jsonschema` crate on the repaired document, with formats asserted.

use serde_json::{Value, json};

/// Judges instances of one schema.
pub(crate) struct Judge(jsonschema::Validator);

impl Judge {
    /// The judge for a schema of a document.
    pub(crate) fn new(document: &Value, pointer: &str) -> Self {
        let schema = json!({ "$ref": format!("#{pointer}"), "components": document["components"] });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema);
        Self(validator.unwrap_or_else(|error| panic!("{pointer} is no schema: {error}")))
    }

    /// The places and sentences of all faults; empty for a valid instance.
    pub(crate) fn faults(&self, instance: &Value) -> Vec<(String, String)> {
        self.0
            .iter_errors(instance)
            .map(|error| (error.instance_path().to_string(), error.to_string()))
            .collect()
    }

    /// Whether an instance is valid.
    pub(crate) fn accepts(&self, instance: &Value) -> bool {
        self.0.is_valid(instance)
    }
}
