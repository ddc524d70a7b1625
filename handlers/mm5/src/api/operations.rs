//! The operations of our own API: what the router matches. A test holds them against the document.

use mecforge_runtime::operation::{Kind, Operation, Parameter, Place, RequestBody, Style};

const JSON: &[&str] = &["application/json"];

/// One text in the path.
const fn path(name: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Path,
        kind: Kind::Text,
        style: Style::Comma,
    }
}

/// One value in the query.
const fn query(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        place: Place::Query,
        kind,
        style: Style::Exploded,
    }
}

const APPLICATION: Parameter = path("appInstanceId");
const LIMIT: Parameter = query("limit", Kind::Integer);
const AFTER: Parameter = query("after", Kind::Text);

macro_rules! operation {
    ($name:ident, $method:literal, $path:literal, $parameters:expr, $body:expr, $produces:expr) => {
        pub(crate) static $name: Operation = Operation {
            name: stringify!($name),
            method: $method,
            path: $path,
            parameters: $parameters,
            body: $body,
            produces: $produces,
        };
    };
}

operation!(
    LIST_APPLICATIONS,
    "GET",
    "/applications",
    &[
        query("appName", Kind::Text),
        query("configured", Kind::Boolean),
        query("registered", Kind::Boolean),
        query("state", Kind::Text),
        LIMIT,
        AFTER,
    ],
    RequestBody::None,
    JSON
);
operation!(
    GET_APPLICATION,
    "GET",
    "/applications/{appInstanceId}",
    &[APPLICATION],
    RequestBody::None,
    JSON
);
operation!(
    GET_CONFIGURATION,
    "GET",
    "/applications/{appInstanceId}/configuration",
    &[APPLICATION],
    RequestBody::None,
    JSON
);
operation!(
    CREATE_CONFIGURATION,
    "POST",
    "/applications/{appInstanceId}/configuration",
    &[
        APPLICATION,
        Parameter {
            name: "Idempotency-Key",
            place: Place::Header,
            kind: Kind::Text,
            style: Style::Comma,
        }
    ],
    RequestBody::Required(JSON),
    JSON
);
operation!(
    REPLACE_CONFIGURATION,
    "PUT",
    "/applications/{appInstanceId}/configuration",
    &[APPLICATION],
    RequestBody::Required(JSON),
    JSON
);
operation!(
    PATCH_CONFIGURATION,
    "PATCH",
    "/applications/{appInstanceId}/configuration",
    &[APPLICATION],
    RequestBody::Required(&["application/merge-patch+json"]),
    JSON
);
operation!(
    DELETE_CONFIGURATION,
    "DELETE",
    "/applications/{appInstanceId}/configuration",
    &[APPLICATION, query("gracePeriod", Kind::Integer)],
    RequestBody::None,
    JSON
);
operation!(
    TERMINATE_APPLICATION,
    "POST",
    "/applications/{appInstanceId}/terminate",
    &[APPLICATION],
    RequestBody::Required(JSON),
    JSON
);
operation!(
    LIST_TASKS,
    "GET",
    "/tasks",
    &[
        query("appInstanceId", Kind::Text),
        query("state", Kind::Text),
        LIMIT,
        AFTER
    ],
    RequestBody::None,
    JSON
);
operation!(
    GET_TASK,
    "GET",
    "/tasks/{taskId}",
    &[path("taskId")],
    RequestBody::None,
    JSON
);
operation!(
    LIST_CAPABILITIES,
    "GET",
    "/capabilities",
    &[
        query("kind", Kind::Text),
        query("name", Kind::Text),
        query("category", Kind::Text),
        LIMIT,
        AFTER,
    ],
    RequestBody::None,
    JSON
);
operation!(
    GET_CAPABILITY,
    "GET",
    "/capabilities/{capabilityId}",
    &[path("capabilityId")],
    RequestBody::None,
    JSON
);
operation!(
    LIST_SUBSCRIPTIONS,
    "GET",
    "/subscriptions",
    &[],
    RequestBody::None,
    JSON
);
operation!(
    CREATE_SUBSCRIPTION,
    "POST",
    "/subscriptions",
    &[],
    RequestBody::Required(JSON),
    JSON
);
operation!(
    GET_SUBSCRIPTION,
    "GET",
    "/subscriptions/{subscriptionId}",
    &[path("subscriptionId")],
    RequestBody::None,
    JSON
);
operation!(
    DELETE_SUBSCRIPTION,
    "DELETE",
    "/subscriptions/{subscriptionId}",
    &[path("subscriptionId")],
    RequestBody::None,
    &[]
);

/// All of them, for the test that compares them with the document.
#[cfg(test)]
pub(super) static ALL: [&Operation; 16] = [
    &LIST_APPLICATIONS,
    &GET_APPLICATION,
    &GET_CONFIGURATION,
    &CREATE_CONFIGURATION,
    &REPLACE_CONFIGURATION,
    &PATCH_CONFIGURATION,
    &DELETE_CONFIGURATION,
    &TERMINATE_APPLICATION,
    &LIST_TASKS,
    &GET_TASK,
    &LIST_CAPABILITIES,
    &GET_CAPABILITY,
    &LIST_SUBSCRIPTIONS,
    &CREATE_SUBSCRIPTION,
    &GET_SUBSCRIPTION,
    &DELETE_SUBSCRIPTION,
];
