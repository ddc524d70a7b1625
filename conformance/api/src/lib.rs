//! What a conformance test needs to know of an OpenAPI document: its operations, where their schemas are, and which
//! paths are resources that others contain.
//!
//! [`Api::read`] takes a document of any dialect that `mecforge-document` knows; [`Api::from_settled`] takes the
//! repaired documents of `generated/` as they are. Nothing here sends a request or judges an instance.

mod encode;
mod error;
mod operation;
mod pointer;
mod read;
mod resource;
mod subscription;
mod template;

use std::sync::Arc;

use serde_json::Value;

pub use encode::{EncodeError, query_pairs, segment};
pub use error::ReadError;
pub use mecforge_document::Diagnostic;
pub use operation::{
    Body, Callback, Content, Header, Location, Operation, Parameter, Response, Status, Style,
};
pub use pointer::{at, child, referred, resolve, unescape};
pub use resource::{Kind, Resource};
pub use subscription::names_subscription_type;
pub use template::{Part, Template};

/// One API: a document, read for testing.
#[derive(Clone, Debug)]
pub struct Api {
    /// The document's id, for example `mec011-service-management`, or the file's name.
    pub id: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// Path of the first server, without scheme and host and without a final `/`; may be empty.
    pub base_path: String,
    /// The document: OpenAPI 3.1, one dialect of JSON Schema.
    pub document: Arc<Value>,
    /// The operations in the order of paths, then of methods. [`Operation::index`] is the place in this list.
    pub operations: Vec<Operation>,
    /// The paths as resources, in the order of paths.
    pub resources: Vec<Resource>,
}

impl Api {
    /// The operation that is declared for a method (upper case) and a path template as the document writes it.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| operation.method == method && operation.path.text() == path)
    }

    /// The operation by its key, `METHOD /path`.
    pub fn operation_by_key(&self, key: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.key == key)
    }

    /// The resource whose template matches a path below the base path (without query); literal segments win over
    /// parameters.
    pub fn resource_at(&self, path: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .filter(|resource| resource.path.matches(path).is_some())
            .max_by_key(|resource| resource.path.literals())
    }

    /// The resource of a path template.
    pub fn resource(&self, template: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|resource| resource.path.text() == template)
    }

    /// The node at a JSON pointer of the document, references followed.
    pub fn node(&self, pointer: &str) -> Option<&Value> {
        at(&self.document, pointer)
    }
}
