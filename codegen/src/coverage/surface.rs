//! What a generated crate has: the figures of its model.

use std::collections::BTreeMap;

use crate::model::Api;
use crate::model::api::{Location, Operation, Status};
use crate::model::types::TypeKind;

/// How many of each thing a crate has; server and client have the same operations with the same requests and responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// Methods of the server's trait and of the client.
    pub operations: usize,
    /// Parameters, over all operations.
    pub parameters: usize,
    /// Media types of request bodies, over all operations.
    pub request_bodies: usize,
    /// Variants of the response enumerations, by status.
    pub responses: BTreeMap<String, usize>,
    /// Media types of responses, over all operations.
    pub response_bodies: usize,
    /// Headers of responses, over all operations.
    pub response_headers: usize,
    /// Notifications with a typed sender and receiver, with whether a callback of the document declares them.
    pub notifications: Vec<(String, bool)>,
    /// Types of `components/schemas`.
    pub schemas: usize,
    /// Types that schemas within other schemas became.
    pub inline_types: usize,
    /// Fields of structs.
    pub fields: usize,
}

impl Surface {
    /// The figures of a model.
    pub(super) fn of(api: &Api) -> Self {
        let sum = |count: fn(&Operation) -> usize| api.operations.iter().map(count).sum();
        let mut responses = BTreeMap::new();
        for response in api.operations.iter().flat_map(|operation| &operation.responses) {
            *responses.entry(status_text(response.status)).or_default() += 1;
        }
        let fields = api.types.iter().map(|it| match &it.kind {
            TypeKind::Struct(object) => object.fields.len(),
            _ => 0,
        });
        Self {
            operations: api.operations.len(),
            parameters: sum(|operation| {
                operation
                    .parameters
                    .iter()
                    .filter(|parameter| parameter.location != Location::Cookie)
                    .count()
            }),
            request_bodies: sum(|operation| operation.body.iter().map(|body| body.content.len()).sum()),
            responses,
            response_bodies: sum(|operation| operation.responses.iter().map(|it| it.content.len()).sum()),
            response_headers: sum(|operation| operation.responses.iter().map(|it| it.headers.len()).sum()),
            notifications: api
                .notifications
                .iter()
                .map(|it| (api_name(api, &it.pointer.last().unwrap_or_default()), it.declared))
                .collect(),
            schemas: api.types.iter().filter(|it| it.api_name.is_some()).count(),
            inline_types: api.types.iter().filter(|it| it.api_name.is_none()).count(),
            fields: fields.sum(),
        }
    }
}

/// The Rust name of the type that a schema became.
fn api_name(api: &Api, schema: &str) -> String {
    let made = api.types.iter().find(|it| it.api_name.as_deref() == Some(schema));
    made.map_or_else(|| schema.to_owned(), |it| it.name.clone())
}

/// A status as the document writes it.
fn status_text(status: Status) -> String {
    match status {
        Status::Code(code) => code.to_string(),
        Status::Range(class) => format!("{class}XX"),
        Status::Default => "default".to_owned(),
    }
}
