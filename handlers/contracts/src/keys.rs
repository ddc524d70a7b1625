//! Keys in the store: `kind/owner/identifier`, each part percent-encoded so that none can pose as another.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What ends a part of a key, or marks an encoded character.
const RESERVED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// Where registrations of application instances are.
pub const APPLICATIONS: &str = "applications/";
/// Where services are.
pub const SERVICES: &str = "services/";

/// Where subscriptions are: `subscriptions/<kind>/<application instance>/<identifier>`.
pub const SUBSCRIPTIONS: &str = "subscriptions/";
/// Where notifications wait: `outbox/<subscription>/<identifier>`, the subscription being its key as one part.
pub const OUTBOX: &str = "outbox/";
/// Where notifications are that were given up, as in [`OUTBOX`].
pub const DEAD_LETTERS: &str = "dead-letters/";
/// Where DNS rules are: `dns-rules/<application instance>/<identifier>`.
pub const DNS_RULES: &str = "dns-rules/";
/// Where traffic rules are: `traffic-rules/<application instance>/<identifier>`.
pub const TRAFFIC_RULES: &str = "traffic-rules/";
/// Where it is kept how far the life of an application instance is: `lives/<application instance>`.
pub const LIVES: &str = "lives/";
/// Where a manager's configurations of application instances are: `configurations/<application instance>`.
pub const CONFIGURATIONS: &str = "configurations/";
/// Where a manager's tasks are: `tasks/<identifier>`.
pub const TASKS: &str = "tasks/";

/// One part of a key, in which no `/` is left.
#[must_use]
pub fn part(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

/// The registration of an application instance.
#[must_use]
pub fn application(app_instance_id: &str) -> String {
    format!("{APPLICATIONS}{}", part(app_instance_id))
}

/// Whose registration is at a key.
#[must_use]
pub fn application_of(key: &str) -> Option<String> {
    decode(key.strip_prefix(APPLICATIONS)?)
}

/// All services of an application instance; ends with `/`.
#[must_use]
pub fn services_of(app_instance_id: &str) -> String {
    format!("{SERVICES}{}/", part(app_instance_id))
}

/// One service of an application instance.
#[must_use]
pub fn service(app_instance_id: &str, service_id: &str) -> String {
    format!("{SERVICES}{}/{}", part(app_instance_id), part(service_id))
}

/// Application instance and identifier of the service at a key.
#[must_use]
pub fn service_at(key: &str) -> Option<(String, String)> {
    let (application, service) = key.strip_prefix(SERVICES)?.split_once('/')?;
    Some((decode(application)?, decode(service)?))
}

/// Two parts below a place that ends with `/`.
fn pair(place: &str, first: &str, second: &str) -> String {
    format!("{place}{}/{}", part(first), part(second))
}

/// The two parts of a key below a place.
fn pair_at(place: &str, key: &str) -> Option<(String, String)> {
    let (first, second) = key.strip_prefix(place)?.split_once('/')?;
    Some((decode(first)?, decode(second)?))
}

/// All subscriptions of a kind; ends with `/`. A kind is a word of ours, such as `service-availability`.
#[must_use]
pub fn subscriptions(kind: &str) -> String {
    format!("{SUBSCRIPTIONS}{}/", part(kind))
}

/// All subscriptions of a kind of an application instance; ends with `/`.
#[must_use]
pub fn subscriptions_of(kind: &str, app_instance_id: &str) -> String {
    format!("{SUBSCRIPTIONS}{}/{}/", part(kind), part(app_instance_id))
}

/// One subscription.
#[must_use]
pub fn subscription(kind: &str, app_instance_id: &str, subscription_id: &str) -> String {
    pair(&subscriptions(kind), app_instance_id, subscription_id)
}

/// Kind, application instance and identifier of the subscription at a key.
#[must_use]
pub fn subscription_at(key: &str) -> Option<(String, String, String)> {
    let (kind, rest) = key.strip_prefix(SUBSCRIPTIONS)?.split_once('/')?;
    let (application, id) = pair_at("", rest)?;
    Some((decode(kind)?, application, id))
}

/// All notifications of a subscription that wait; ends with `/`.
#[must_use]
pub fn outgoing_of(subscription: &str) -> String {
    format!("{OUTBOX}{}/", part(subscription))
}

/// One notification that waits.
#[must_use]
pub fn outgoing(subscription: &str, id: &str) -> String {
    pair(OUTBOX, subscription, id)
}

/// Subscription (its key) and identifier of the notification at a key of the outbox.
#[must_use]
pub fn outgoing_at(key: &str) -> Option<(String, String)> {
    pair_at(OUTBOX, key)
}

/// All notifications of a subscription that were given up; ends with `/`.
#[must_use]
pub fn dead_letters_of(subscription: &str) -> String {
    format!("{DEAD_LETTERS}{}/", part(subscription))
}

/// One notification that was given up.
#[must_use]
pub fn dead_letter(subscription: &str, id: &str) -> String {
    pair(DEAD_LETTERS, subscription, id)
}

/// Subscription (its key) and identifier of the notification at a key of the dead letters.
#[must_use]
pub fn dead_letter_at(key: &str) -> Option<(String, String)> {
    pair_at(DEAD_LETTERS, key)
}

/// All DNS rules of an application instance; ends with `/`.
#[must_use]
pub fn dns_rules_of(app_instance_id: &str) -> String {
    format!("{DNS_RULES}{}/", part(app_instance_id))
}

/// One DNS rule.
#[must_use]
pub fn dns_rule(app_instance_id: &str, dns_rule_id: &str) -> String {
    pair(DNS_RULES, app_instance_id, dns_rule_id)
}

/// Application instance and identifier of the DNS rule at a key.
#[must_use]
pub fn dns_rule_at(key: &str) -> Option<(String, String)> {
    pair_at(DNS_RULES, key)
}

/// All traffic rules of an application instance; ends with `/`.
#[must_use]
pub fn traffic_rules_of(app_instance_id: &str) -> String {
    format!("{TRAFFIC_RULES}{}/", part(app_instance_id))
}

/// One traffic rule.
#[must_use]
pub fn traffic_rule(app_instance_id: &str, traffic_rule_id: &str) -> String {
    pair(TRAFFIC_RULES, app_instance_id, traffic_rule_id)
}

/// Application instance and identifier of the traffic rule at a key.
#[must_use]
pub fn traffic_rule_at(key: &str) -> Option<(String, String)> {
    pair_at(TRAFFIC_RULES, key)
}

/// How far the life of an application instance is.
#[must_use]
pub fn life(app_instance_id: &str) -> String {
    format!("{LIVES}{}", part(app_instance_id))
}

/// Whose life is at a key.
#[must_use]
pub fn life_of(key: &str) -> Option<String> {
    decode(key.strip_prefix(LIVES)?)
}

/// A manager's configuration of an application instance.
#[must_use]
pub fn configuration(app_instance_id: &str) -> String {
    format!("{CONFIGURATIONS}{}", part(app_instance_id))
}

/// Whose configuration is at a key.
#[must_use]
pub fn configuration_of(key: &str) -> Option<String> {
    decode(key.strip_prefix(CONFIGURATIONS)?)
}

/// A manager's task.
#[must_use]
pub fn task(task_id: &str) -> String {
    format!("{TASKS}{}", part(task_id))
}

/// What one [`part`] of a key was made of; `None` if it is none.
#[must_use]
pub fn decode(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_can_pose_as_another() {
        for (application, service_id) in [
            ("a", "b"),
            ("a/b", "c"),
            ("a", "b/c"),
            ("a%2Fb", "c"),
            ("ä ö", "\n"),
            ("", ""),
        ] {
            let key = service(application, service_id);
            assert!(key.starts_with(&services_of(application)));
            assert_eq!(key.matches('/').count(), 2, "{key}");
            assert_eq!(
                service_at(&key),
                Some((application.to_owned(), service_id.to_owned()))
            );
        }
        assert_eq!(application_of(&application("a/b")), Some("a/b".to_owned()));
        let subscription = subscription("kind", "a/b", "c");
        assert_eq!(
            subscription_at(&subscription),
            Some(("kind".to_owned(), "a/b".to_owned(), "c".to_owned()))
        );
        let waiting = outgoing(&subscription, "d");
        assert!(waiting.starts_with(&outgoing_of(&subscription)));
        assert_eq!(outgoing_at(&waiting), Some((subscription, "d".to_owned())));
    }
}
