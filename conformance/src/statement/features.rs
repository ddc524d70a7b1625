//! The features that an API lets a platform offer or leave out.

use mecforge_api::Api;
use serde_json::Value;

/// Something that a platform may offer or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its id: that of the API, and the operation or the name of a behaviour.
    pub id: String,
    /// The API.
    pub api: String,
    /// What it is, for people.
    pub title: String,
    /// Of which kind.
    pub kind: Kind,
}

/// The kinds of features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An operation, by its key.
    Operation(String),
    /// Something that several operations do.
    Behaviour(Behaviour),
}

/// What several operations do, and a platform may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Entity tags, and conditional requests with them.
    EntityTags,
    /// HEAD beside GET.
    Head,
    /// HTTP/2.
    Http2,
    /// A notification that tests the callback address of a subscription.
    TestNotifications,
    /// Notifications over a websocket.
    Websockets,
    /// Subscriptions that end by themselves.
    Expiry,
}

impl Behaviour {
    const ALL: [Behaviour; 6] = [
        Behaviour::EntityTags,
        Behaviour::Head,
        Behaviour::Http2,
        Behaviour::TestNotifications,
        Behaviour::Websockets,
        Behaviour::Expiry,
    ];

    /// Its name in ids.
    pub fn name(self) -> &'static str {
        match self {
            Behaviour::EntityTags => "entity-tags",
            Behaviour::Head => "head",
            Behaviour::Http2 => "http2",
            Behaviour::TestNotifications => "test-notifications",
            Behaviour::Websockets => "websockets",
            Behaviour::Expiry => "expiry",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Behaviour::EntityTags => "ETag in answers, and conditional requests with it",
            Behaviour::Head => "HEAD wherever there is GET",
            Behaviour::Http2 => "HTTP/2",
            Behaviour::TestNotifications => {
                "a notification that tests a subscriber's address, when it asks for one"
            }
            Behaviour::Websockets => "notifications over a websocket",
            Behaviour::Expiry => "subscriptions that end at their expiryDeadline",
        }
    }

    /// Whether a check is about it, by its id.
    pub(super) fn is_about(self, check: &str) -> bool {
        let words: &[&str] = match self {
            Behaviour::EntityTags => &["precondition", "entity-tag", "conditional", "if-match"],
            Behaviour::Head => &["head-like-get"],
            Behaviour::Http2 => &["http2", "http-2"],
            Behaviour::TestNotifications => &["notification-test", "notification-follows-change"],
            Behaviour::Websockets => &["websocket", "subscription-one-way"],
            Behaviour::Expiry => &["expiry", "expires"],
        };
        words.iter().any(|word| check.contains(word))
    }

    /// Whether an API has a place for it.
    fn is_in(self, api: &Api) -> bool {
        match self {
            Behaviour::EntityTags => {
                let mut responses = api.operations.iter().flat_map(|operation| &operation.responses);
                responses.any(|response| response.header("etag").is_some())
            }
            Behaviour::Head => api.operations.iter().any(|operation| operation.method == "GET"),
            Behaviour::Http2 => true,
            Behaviour::TestNotifications => names(&api.document, "requestTestNotification"),
            Behaviour::Websockets => names(&api.document, "websockNotifConfig"),
            Behaviour::Expiry => names(&api.document, "expiryDeadline"),
        }
    }
}

/// Whether a document has a member of a name anywhere.
fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key(name) || members.values().any(|member| names(member, name))
        }
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        _ => false,
    }
}

/// The features of an API: its operations, and the behaviours that it has a place for.
pub fn features(api: &Api) -> Vec<Feature> {
    let operations = api.operations.iter().map(|operation| Feature {
        id: format!("{} {}", api.id, operation.key),
        api: api.id.clone(),
        title: format!("the operation {}", operation.key),
        kind: Kind::Operation(operation.key.clone()),
    });
    let behaviours = Behaviour::ALL
        .into_iter()
        .filter(|behaviour| behaviour.is_in(api));
    let behaviours = behaviours.map(|behaviour| Feature {
        id: format!("{} {}", api.id, behaviour.name()),
        api: api.id.clone(),
        title: behaviour.title().to_owned(),
        kind: Kind::Behaviour(behaviour),
    });
    operations.chain(behaviours).collect()
}
