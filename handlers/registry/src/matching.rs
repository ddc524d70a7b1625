//! Which subscriptions match a service: found by what they ask for, at a cost that grows with what matches.
//!
//! A subscription is entered under every combination of what it names (services, names or categories), states and
//! locality. A service is looked up under the few combinations that it can be asked for by; what is found there
//! matches, without a further look.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use mec011_service_management::{
    FilteringCriteria, SerAvailabilityNotificationSubscriptionRequest, ServiceState,
};
use mecforge_subscriptions::{Index, Subscription};

use crate::event::Event;
use crate::service::Content;

/// What of a service is named (MEC 011 clause 8.1.3.2): at most one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Named {
    Anything,
    Identifier(Box<str>),
    Name(Box<str>),
    /// By its identifier, as in queries.
    Category(Box<str>),
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    named: Named,
    state: Option<ServiceState>,
    local_only: bool,
}

type Subscribers = HashMap<Arc<str>, Arc<Subscription>>;

/// Subscriptions by what they ask for.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    subscribers: RwLock<HashMap<Asked, Subscribers>>,
}

/// Subscriptions by their keys, each with the events that it is told of.
pub(crate) type Told<'e, 'a> = HashMap<Arc<str>, (Arc<Subscription>, Vec<&'e Event<'a>>)>;

impl Matching {
    /// The subscriptions that are to be told of events, each with its events in their order.
    pub(crate) fn find<'e, 'a>(&self, events: &'e [Event<'a>]) -> Told<'e, 'a> {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        let mut told = Told::new();
        if subscribers.is_empty() {
            return told;
        }
        for event in events.iter().filter(|event| event.change().is_some()) {
            for asked in event_asked(event) {
                for (key, subscription) in subscribers.get(&asked).into_iter().flatten() {
                    let (_, events) = told
                        .entry(key.clone())
                        .or_insert_with(|| (subscription.clone(), Vec::new()));
                    // Found under two combinations, or for what the service was and is: told once.
                    if !events.last().is_some_and(|last| std::ptr::eq(*last, event)) {
                        events.push(event);
                    }
                }
            }
        }
        told
    }
}

/// The combinations under which an event can be asked for.
fn event_asked(event: &Event<'_>) -> Vec<Asked> {
    let state = event.state();
    let mut all = Vec::with_capacity(16);
    for content in event.faces() {
        for named in names(event.id, content) {
            for state in [None, state] {
                for local_only in [false, true] {
                    let asked = Asked {
                        named: named.clone(),
                        state,
                        local_only,
                    };
                    if (!local_only || content.is_local()) && !all.contains(&asked) {
                        all.push(asked);
                    }
                }
            }
        }
    }
    all
}

/// What of a service can be named.
fn names(id: &str, content: &Content) -> impl Iterator<Item = Named> {
    let category = content.category().map(|id| Named::Category(id.into()));
    let named = [
        Named::Anything,
        Named::Identifier(id.into()),
        Named::Name(content.info.ser_name.as_str().into()),
    ];
    named.into_iter().chain(category)
}

/// The combinations that a subscription asks for. A list that is empty restricts nothing, as one that is absent.
fn subscription_asked(criteria: FilteringCriteria) -> Vec<Asked> {
    let FilteringCriteria {
        ser_instance_ids,
        ser_names,
        ser_categories,
        states,
        is_local,
    } = criteria;
    let identifiers = ser_instance_ids.unwrap_or_default().into_iter();
    let names = ser_names.unwrap_or_default().into_iter();
    let categories = ser_categories.unwrap_or_default().into_iter();
    let mut named: Vec<Named> = identifiers
        .map(|id| Named::Identifier(id.into()))
        .chain(names.map(|name| Named::Name(name.into())))
        .chain(categories.map(|category| Named::Category(category.id.into())))
        .collect();
    if named.is_empty() {
        named.push(Named::Anything);
    }
    let mut states: Vec<Option<ServiceState>> = states.unwrap_or_default().into_iter().map(Some).collect();
    if states.is_empty() {
        states.push(None);
    }
    // `false` asks for local and remote services, as in queries.
    let local_only = is_local.unwrap_or(false);
    let with_states = |named: Named| {
        states.clone().into_iter().map(move |state| Asked {
            named: named.clone(),
            state,
            local_only,
        })
    };
    named.into_iter().flat_map(with_states).collect()
}

fn asked(subscription: &Subscription) -> Vec<Asked> {
    match subscription.request_as::<SerAvailabilityNotificationSubscriptionRequest>() {
        Some(request) => subscription_asked(request.filtering_criteria.unwrap_or_default()),
        None => {
            tracing::error!(
                key = &*subscription.key,
                "a subscription's request cannot be read; it matches nothing"
            );
            Vec::new()
        }
    }
}

impl Index for Matching {
    fn insert(&self, subscription: &Arc<Subscription>) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        for asked in asked(subscription) {
            let under = subscribers.entry(asked).or_default();
            under.insert(subscription.key.clone(), subscription.clone());
        }
    }

    fn remove(&self, subscription: &Arc<Subscription>) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        for asked in asked(subscription) {
            if let Some(under) = subscribers.get_mut(&asked) {
                under.remove(&subscription.key);
                if under.is_empty() {
                    subscribers.remove(&asked);
                }
            }
        }
    }
}
