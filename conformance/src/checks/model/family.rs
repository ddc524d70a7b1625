//! What a sequence works on: the operation that makes objects, and all that reads, changes and removes them.

use mecforge_api::{Api, Kind};

use crate::suite::Suite;

/// A list that has the objects of a family.
pub(super) struct List {
    /// The operation.
    pub(super) operation: usize,
    /// Whether it shows objects of all applications (as `GET /services` does).
    pub(super) shared: bool,
}

/// Objects of one kind, with the operations on them.
pub(super) struct Family {
    /// Index of the API.
    pub(super) api: usize,
    /// The operation that makes one.
    pub(super) maker: usize,
    /// Readings of one object: the first is its own, others are views.
    pub(super) gets: Vec<usize>,
    /// The operation that replaces one.
    pub(super) put: Option<usize>,
    /// The operation that changes a part of one.
    pub(super) patch: Option<usize>,
    /// The operation that removes one.
    pub(super) delete: Option<usize>,
    /// Where they are listed.
    pub(super) lists: Vec<List>,
    /// The parameter of the path that names one.
    pub(super) parameter: String,
    /// Whether they belong to application instances, so that two can have some each.
    pub(super) by_application: bool,
    /// Whether every application may read them.
    pub(super) public: bool,
    /// Whether nothing but requests changes them: then two readings are compared whole.
    pub(super) stays: bool,
    /// Its name among the models: API and path of an item.
    pub(super) name: String,
}

/// The families of an API: every kind of object that can be made and read.
pub(super) fn families(suite: &Suite, api: usize) -> Vec<Family> {
    let state = &suite.apis[api];
    let document: &Api = &state.api;
    let mut families = Vec::new();
    for resource in document.resources.iter().filter(|one| one.kind == Kind::Item) {
        let (Some(maker), Some(get)) = (resource.maker, resource.operation("GET")) else {
            continue;
        };
        let Some(parameter) = resource.path.last_parameter() else {
            continue;
        };
        let key = &document.operations[maker].key;
        let list_at = |path: &str, shared: bool| {
            document.operation("GET", path).map(|operation| List {
                operation: operation.index,
                shared,
            })
        };
        let mut gets = vec![get];
        let mut lists = Vec::new();
        lists.extend(
            resource
                .collection
                .as_deref()
                .and_then(|path| list_at(path, false)),
        );
        if let Some((list, item)) = state.knowledge.view(key) {
            lists.extend(list_at(list, true));
            gets.extend(document.operation("GET", item).map(|operation| operation.index));
        }
        let above: Vec<_> = document.operations[maker].path.parameters().collect();
        families.push(Family {
            api,
            maker,
            gets,
            put: resource.operation("PUT"),
            patch: resource
                .operation("PATCH")
                .filter(|patch| merges(suite, api, *patch)),
            delete: resource.operation("DELETE"),
            lists,
            parameter: parameter.to_owned(),
            by_application: above == ["appInstanceId"],
            public: state.knowledge.is_public(key),
            stays: state.knowledge.stays(key),
            name: format!("{} {}", document.id, resource.path.text()),
        });
    }
    families
}

/// Whether the body of a PATCH is merged into the object (RFC 7396): its media type says so, or it is JSON of one of
/// ETSI's APIs, whose documents have the changed properties there.
fn merges(suite: &Suite, api: usize, patch: usize) -> bool {
    let state = &suite.apis[api];
    let media_type = state.api.operations[patch]
        .json_body()
        .map(|content| content.media_type.as_str());
    match media_type {
        Some("application/merge-patch+json") => true,
        Some("application/json") => state.knowledge.is_of_etsi(),
        _ => false,
    }
}
