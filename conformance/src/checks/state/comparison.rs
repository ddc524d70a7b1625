//! Whether two values are the same, what was lost between them, and objects in lists.

use mecforge_api::Location;
use serde_json::{Map, Value};

pub(in crate::checks) use crate::suite::is_at;
use crate::suite::{Exchange, Suite};

/// A difference between two values.
pub(in crate::checks) struct Difference {
    pub(in crate::checks) pointer: String,
    pub(in crate::checks) expected: String,
    pub(in crate::checks) actual: String,
}

impl Difference {
    /// The place for people.
    pub(in crate::checks) fn place(&self) -> &str {
        match self.pointer.as_str() {
            "" => "the root",
            pointer => pointer,
        }
    }
}

/// Whether two values are the same, 1 and 1.0 being one number.
pub(in crate::checks) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|found| same(value, found)))
        }
        _ => one == other,
    }
}

/// Whether two answers say the same, by their statuses and bodies.
pub(in crate::checks) fn equal(one: &Exchange, other: &Exchange) -> bool {
    let body = |exchange: &Exchange| exchange.json().unwrap_or_default();
    one.status() == other.status() && same(&body(one), &body(other))
}

/// The first thing that was sent and is not in the answer. `except` are top-level properties that the platform sets;
/// with `open`, properties that are missing are no difference, as no schema names them. Neither is what a subscription
/// only asks for: see [`is_negotiated`].
pub(in crate::checks) fn lost(
    sent: &Value,
    answered: &Value,
    except: &[&str],
    open: bool,
) -> Option<Difference> {
    compare(sent, answered, except, open, "")
}

fn compare(sent: &Value, answered: &Value, except: &[&str], open: bool, pointer: &str) -> Option<Difference> {
    let short = |value: &Value| value.to_string().chars().take(120).collect::<String>();
    match (sent, answered) {
        (Value::Object(sent), Value::Object(answered)) => sent
            .iter()
            .filter(|(name, _)| !except.contains(&name.as_str()))
            .filter(|(name, _)| !is_negotiated(sent, answered, name))
            .find_map(|(name, value)| {
                let place = format!("{pointer}/{name}");
                match answered.get(name) {
                    Some(found) => compare(value, found, &[], open, &place),
                    // An empty list and none say the same.
                    None if open || value.as_array().is_some_and(Vec::is_empty) => None,
                    None => Some(Difference {
                        pointer: place,
                        expected: short(value),
                        actual: "nothing".to_owned(),
                    }),
                }
            }),
        (Value::Array(sent), Value::Array(answered)) if sent.len() == answered.len() => sent
            .iter()
            .zip(answered)
            .find_map(|(one, other)| compare(one, other, &[], open, &format!("{pointer}/*"))),
        _ if same(sent, answered) => None,
        _ => Some(Difference {
            pointer: pointer.to_owned(),
            expected: short(sent),
            actual: short(answered),
        }),
    }
}

/// Whether a property of a subscription is one that the platform decides on: of a callback and a WebSocket it answers with
/// the one that it has chosen, and it may grant another deadline than the one that was asked for, or none (MEC 009, 6.12
/// and 6.12a). A test notification is a wish for one time and no property of what is kept.
fn is_negotiated(sent: &Map<String, Value>, answered: &Map<String, Value>, name: &str) -> bool {
    let (callback, socket) = ("callbackReference", "websockNotifConfig");
    let subscribes = sent.contains_key(callback) || sent.contains_key(socket);
    let either = sent.contains_key(callback) && sent.contains_key(socket);
    let other = if name == callback { socket } else { callback };
    match name {
        "callbackReference" | "websockNotifConfig" => {
            either && answered.contains_key(other) && !answered.contains_key(name)
        }
        "expiryDeadline" => subscribes,
        "requestTestNotification" => true,
        _ => false,
    }
}

/// The objects in a list: the list itself, or the first list in it.
pub(in crate::checks) fn items(list: &Value) -> Option<&Vec<Value>> {
    match list {
        Value::Array(items) => Some(items),
        Value::Object(members) => members.values().find_map(items),
        _ => None,
    }
}

/// Words in the names by which documents call how much of a list is asked for, and where it begins.
const PAGING: [&str; 6] = ["page", "limit", "offset", "cursor", "size", "marker"];

/// Such names that have no word of their own.
const PAGING_NAMES: [&str; 8] = [
    "count", "max", "top", "skip", "start", "after", "before", "continue",
];

/// Whether an answer may be one page of a list: it links to the next one, or the operation can be asked for a part.
pub(in crate::checks) fn is_part(suite: &Suite, exchange: &Exchange) -> bool {
    let linked = exchange.header("link").is_some_and(|link| link.contains("next"));
    let operations = &suite.apis[exchange.call.api].api.operations;
    let mut parameters = exchange
        .call
        .operation
        .into_iter()
        .flat_map(|index| operations[index].parameters_in(Location::Query));
    linked
        || parameters.any(|parameter| {
            let name = parameter.name.to_ascii_lowercase();
            PAGING_NAMES.contains(&name.as_str()) || PAGING.iter().any(|word| name.contains(word))
        })
}

/// Whether an object would be known in a list: its own reading has its identifier, or the list is one of links. A list
/// without anything lacks every object.
pub(in crate::checks) fn is_identified(shown: &Value, list: &Value, identifier: &str) -> bool {
    let link = |item: &Value| item.is_string() || item.get("href").is_some();
    let items = items(list);
    is_at(shown, identifier) || items.is_none_or(|items| items.is_empty() || items.iter().any(link))
}

/// The type that a link in a list says its subscription has, and the one that the subscription has, where these are two.
/// Some APIs have short names for types in their lists; only whole ones are compared.
pub(in crate::checks) fn other_type<'both>(
    item: &'both Value,
    shown: &'both Value,
) -> Option<[&'both str; 2]> {
    let only = shown.as_object().filter(|members| members.len() == 1);
    let inner = only.and_then(|members| members.values().next());
    let kind = |value: &'both Value| value.get("subscriptionType").and_then(Value::as_str);
    let whole = |kind: &&str| kind.to_ascii_lowercase().ends_with("subscription");
    let linked = kind(item).filter(whole)?;
    let own = kind(shown).or_else(|| kind(inner?)).filter(whole)?;
    (!own.eq_ignore_ascii_case(linked)).then_some([linked, own])
}

pub(in crate::checks) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_of_a_link_is_the_one_of_its_subscription() {
        let of = |linked: &str, own: &str| {
            let item = json!({"href": "/a/1", "subscriptionType": linked});
            let wrapped = json!({"subscription": {"subscriptionType": own}});
            let flat = json!({"subscriptionType": own});
            let found = other_type(&item, &wrapped).is_some();
            assert_eq!(found, other_type(&item, &flat).is_some());
            found
        };
        assert!(of("UserEventSubscription", "UserAreaSubscription"));
        assert!(!of("UserAreaSubscription", "UserAreaSubscription"));
        assert!(!of("userAreaSubscription", "UserAreaSubscription"));
        assert!(!of("adj_app_info", "AdjacentAppInfoSubscription"));
    }

    #[test]
    fn what_a_subscription_asks_for_is_negotiated() {
        let both = json!({"callbackReference": "http://a/", "websockNotifConfig": {"requestWebsocketUri": true},
            "expiryDeadline": {"seconds": 9}});
        let place = |sent: &Value, answered: Value| {
            let sent = json!({"subscription": sent});
            let answered = json!({"subscription": answered});
            lost(&sent, &answered, &[], false).map(|difference| difference.pointer)
        };
        let deadline = json!({"seconds": 5});
        let chosen = json!({"callbackReference": "http://a/", "expiryDeadline": deadline});
        assert_eq!(place(&both, chosen), None);
        let socket = json!({"requestWebsocketUri": true, "websocketUri": "ws://b/"});
        let chosen = json!({"websockNotifConfig": socket, "expiryDeadline": deadline});
        assert_eq!(place(&both, chosen), None);
        // What was chosen must be what was sent, and who asked for one way alone keeps it.
        let other = json!({"callbackReference": "http://b/", "expiryDeadline": deadline});
        assert_eq!(
            place(&both, other).as_deref(),
            Some("/subscription/callbackReference")
        );
        let one = json!({"callbackReference": "http://a/"});
        assert_eq!(
            place(&one, json!({})).as_deref(),
            Some("/subscription/callbackReference")
        );
        assert_eq!(place(&both, json!({"callbackReference": "http://a/"})), None);
        // Also where the WebSocket is declined in so many words; but one of the two ways is kept.
        let declined = json!({"callbackReference": "http://a/", "websockNotifConfig": {"requestWebsocketUri": false},
            "requestTestNotification": true});
        assert_eq!(place(&declined, json!({"callbackReference": "http://a/"})), None);
        assert!(place(&declined, json!({})).is_some());
        let no_subscription = json!({"expiryDeadline": deadline});
        assert_eq!(
            place(&no_subscription, json!({})).as_deref(),
            Some("/subscription/expiryDeadline")
        );
    }
}
