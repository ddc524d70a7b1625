//! Kinds of things that are kept in the store, as operators speak of them.

use mecforge_contracts::keys;
use serde::Serialize;
use utoipa::ToSchema;

/// What changes: one kind for each place in the store that operators care about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// The registration of an application instance.
    Application,
    /// A manager's configuration of an application instance.
    Configuration,
    /// How far the life of an application instance is: ready, or about to end.
    Life,
    /// A service.
    Service,
    /// A subscription.
    Subscription,
    /// A DNS rule.
    DnsRule,
    /// A traffic rule.
    TrafficRule,
    /// The queue of notifications of one subscription.
    Delivery,
    /// A notification that was given up.
    DeadLetter,
    /// A manager's task.
    Task,
}

/// What a key names: its kind, the application instance that it belongs to, and what tells it from others of its
/// kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) app_instance_id: Option<String>,
    /// The identifier; for subscriptions, deliveries and dead letters with what it takes to find them.
    pub(crate) id: String,
    /// The key of the subscription, for what belongs to one.
    pub(crate) subscription: Option<String>,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Application,
        Self::Configuration,
        Self::Life,
        Self::Service,
        Self::Subscription,
        Self::DnsRule,
        Self::TrafficRule,
        Self::Delivery,
        Self::DeadLetter,
        Self::Task,
    ];

    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Configuration => "configuration",
            Self::Life => "life",
            Self::Service => "service",
            Self::Subscription => "subscription",
            Self::DnsRule => "dnsRule",
            Self::TrafficRule => "trafficRule",
            Self::Delivery => "delivery",
            Self::DeadLetter => "deadLetter",
            Self::Task => "task",
        }
    }

    /// Where in the store things of this kind are.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Application => keys::APPLICATIONS,
            Self::Configuration => keys::CONFIGURATIONS,
            Self::Life => keys::LIVES,
            Self::Service => keys::SERVICES,
            Self::Subscription => keys::SUBSCRIPTIONS,
            Self::DnsRule => keys::DNS_RULES,
            Self::TrafficRule => keys::TRAFFIC_RULES,
            Self::Delivery => keys::OUTBOX,
            Self::DeadLetter => keys::DEAD_LETTERS,
            Self::Task => keys::TASKS,
        }
    }

    /// The kind of what is at a key; `None` for what operators are not told of.
    pub(crate) fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| key.starts_with(kind.place()))
    }
}

impl Subject {
    /// What a key names; `None` for what operators are not told of.
    pub(crate) fn at(key: &str) -> Option<Self> {
        let kind = Kind::of(key)?;
        let owned = |application: String, id: String| Self {
            kind,
            app_instance_id: Some(application),
            id,
            subscription: None,
        };
        let itself = |application: String| owned(application.clone(), application);
        Some(match kind {
            Kind::Application => itself(keys::application_of(key)?),
            Kind::Configuration => itself(keys::configuration_of(key)?),
            Kind::Life => itself(keys::life_of(key)?),
            Kind::Service => pair(keys::service_at(key)?, owned),
            Kind::DnsRule => pair(keys::dns_rule_at(key)?, owned),
            Kind::TrafficRule => pair(keys::traffic_rule_at(key)?, owned),
            Kind::Subscription => {
                let (_, application, id) = keys::subscription_at(key)?;
                Self {
                    subscription: Some(key.to_owned()),
                    ..owned(application, id)
                }
            }
            Kind::Delivery => {
                let (subscription, _) = keys::outgoing_at(key)?;
                Self::of_subscription(kind, subscription.clone(), subscription)
            }
            Kind::DeadLetter => {
                let (subscription, id) = keys::dead_letter_at(key)?;
                Self::of_subscription(kind, id, subscription)
            }
            Kind::Task => Self {
                kind,
                app_instance_id: None,
                id: key.strip_prefix(keys::TASKS)?.to_owned(),
                subscription: None,
            },
        })
    }

    fn of_subscription(kind: Kind, id: String, subscription: String) -> Self {
        Self {
            kind,
            app_instance_id: keys::subscription_at(&subscription).map(|(_, application, _)| application),
            id,
            subscription: Some(subscription),
        }
    }
}

fn pair(parts: (String, String), subject: impl Fn(String, String) -> Subject) -> Subject {
    subject(parts.0, parts.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        let subscription = keys::subscription("service-availability", "a/b", "1");
        for (key, kind, application, id) in [
            (keys::application("a/b"), Kind::Application, Some("a/b"), "a/b"),
            (keys::configuration("a"), Kind::Configuration, Some("a"), "a"),
            (keys::life("a"), Kind::Life, Some("a"), "a"),
            (keys::service("a/b", "s"), Kind::Service, Some("a/b"), "s"),
            (keys::dns_rule("a", "d"), Kind::DnsRule, Some("a"), "d"),
            (keys::traffic_rule("a", "t"), Kind::TrafficRule, Some("a"), "t"),
            (subscription.clone(), Kind::Subscription, Some("a/b"), "1"),
            (
                keys::outgoing(&subscription, "n"),
                Kind::Delivery,
                Some("a/b"),
                &subscription,
            ),
            (
                keys::dead_letter(&subscription, "n"),
                Kind::DeadLetter,
                Some("a/b"),
                "n",
            ),
            (keys::task("t"), Kind::Task, None, "t"),
        ] {
            let subject = Subject::at(&key);
            let found = subject.as_ref().map(|subject| {
                (
                    subject.kind,
                    subject.app_instance_id.as_deref(),
                    subject.id.as_str(),
                )
            });
            assert_eq!(found, Some((kind, application, id)), "{key}");
        }
        assert_eq!(Subject::at("something/else"), None);
    }
}
