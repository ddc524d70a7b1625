//! All services in memory, by what queries ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use mec011_service_management::ServiceState;
use mecforge_contracts::keys;
use mecforge_store::{Change, Changes, View};
use tokio::sync::mpsc::UnboundedSender;

use crate::filter::{Choice, Filter};
use crate::service::{Position, Service};

/// The index as a [`View`] of the store.
#[derive(Debug, Default)]
pub(crate) struct Index {
    services: RwLock<Services>,
    /// Who is told of services that are, or were, watched for heartbeats, by their identifiers.
    watcher: RwLock<Option<UnboundedSender<Arc<str>>>>,
}

/// Services by what they are looked up by. Sets are ordered by creation, so that lists have a stable order.
#[derive(Debug, Default)]
struct Services {
    by_position: BTreeMap<Position, Arc<Service>>,
    by_id: HashMap<Arc<str>, Position>,
    by_name: HashMap<String, BTreeSet<Position>>,
    by_category: HashMap<String, BTreeSet<Position>>,
    by_application: HashMap<Arc<str>, BTreeSet<Position>>,
}

impl Index {
    fn services(&self) -> RwLockReadGuard<'_, Services> {
        self.services.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service with an identifier.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Service>> {
        let services = self.services();
        services.by_position.get(services.by_id.get(id)?).cloned()
    }

    /// The services, of one application instance or of all, that a filter lets through, oldest first.
    pub(crate) fn find(&self, application: Option<&str>, filter: &Filter) -> Vec<Arc<Service>> {
        let services = self.services();
        let wanted = |service: &&Arc<Service>| {
            application.is_none_or(|application| *service.application == *application)
                && filter.matches(service)
        };
        match services.candidates(application, filter) {
            Some(positions) => positions
                .iter()
                .filter_map(|position| services.by_position.get(position))
                .filter(wanted)
                .cloned()
                .collect(),
            None => services.by_position.values().filter(wanted).cloned().collect(),
        }
    }

    /// The services of an application instance, oldest first.
    pub(crate) fn of(&self, application: &str) -> Vec<Arc<Service>> {
        let services = self.services();
        let positions = services.by_application.get(application);
        let of = positions.into_iter().flatten();
        of.filter_map(|position| services.by_position.get(position).cloned())
            .collect()
    }

    /// How many services an application instance offers.
    pub(crate) fn count_of(&self, application: &str) -> usize {
        self.services()
            .by_application
            .get(application)
            .map_or(0, BTreeSet::len)
    }

    /// How many services there are, and how many of them are in a state.
    pub(crate) fn count(&self, state: Option<ServiceState>) -> usize {
        let services = self.services();
        match state {
            None => services.by_position.len(),
            Some(state) => services
                .by_position
                .values()
                .filter(|service| service.content.info.state == state)
                .count(),
        }
    }

    /// The services that are watched for heartbeats.
    pub(crate) fn watched(&self) -> Vec<Arc<Service>> {
        let services = self.services();
        let all = services.by_position.values();
        all.filter(|service| service.content.is_watched())
            .cloned()
            .collect()
    }

    /// From now on tells of changes of services that are, or were, watched for heartbeats.
    pub(crate) fn watch(&self, watcher: UnboundedSender<Arc<str>>) {
        *self.watcher.write().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
    }

    /// All services, in the order of their creation.
    pub(crate) fn all(&self) -> Vec<Arc<Service>> {
        self.services().by_position.values().cloned().collect()
    }

    /// The application instances that offer services.
    pub(crate) fn applications(&self) -> Vec<Arc<str>> {
        self.services().by_application.keys().cloned().collect()
    }
}

impl Services {
    /// A set that holds all that a query can find; `None` if that is everything.
    fn candidates(&self, application: Option<&str>, filter: &Filter) -> Option<BTreeSet<Position>> {
        let of = |map: &HashMap<String, BTreeSet<Position>>, keys: &[String]| {
            keys.iter()
                .filter_map(|key| map.get(key))
                .flatten()
                .cloned()
                .collect()
        };
        match &filter.choice {
            Choice::Identifiers(ids) => Some(
                ids.iter()
                    .filter_map(|id| self.by_id.get(id.as_str()))
                    .cloned()
                    .collect(),
            ),
            Choice::Names(names) => Some(of(&self.by_name, names)),
            Choice::Category(category) => Some(of(&self.by_category, std::slice::from_ref(category))),
            Choice::All => application
                .map(|application| self.by_application.get(application).cloned().unwrap_or_default()),
        }
    }

    /// Takes in a change; returns the service's identifier if it is, or was, watched for heartbeats.
    fn change(&mut self, change: &Change) -> Option<Arc<str>> {
        let (_, id) = keys::service_at(&change.key)?;
        let position = self.by_id.get(id.as_str()).cloned();
        let old = position.and_then(|position| self.remove(&position));
        let mut watched = old
            .as_ref()
            .filter(|old| old.content.is_watched())
            .map(|old| old.id.clone());
        let Some(entry) = &change.entry else {
            return watched;
        };
        match Service::read(&change.key, entry) {
            Some(mut service) => {
                if let Some(old) = old {
                    service.pulse = old.pulse.clone();
                }
                if service.content.is_watched() {
                    watched = Some(service.id.clone());
                }
                self.insert(Arc::new(service));
            }
            None => tracing::error!(
                key = &*change.key,
                "the store holds a service that this version cannot read"
            ),
        }
        watched
    }

    fn insert(&mut self, service: Arc<Service>) {
        let position = service.position();
        self.by_id.insert(service.id.clone(), position.clone());
        self.by_name
            .entry(service.content.info.ser_name.clone())
            .or_default()
            .insert(position.clone());
        if let Some(category) = service.content.category() {
            self.by_category
                .entry(category.to_owned())
                .or_default()
                .insert(position.clone());
        }
        self.by_application
            .entry(service.application.clone())
            .or_default()
            .insert(position.clone());
        self.by_position.insert(position, service);
    }

    fn remove(&mut self, position: &Position) -> Option<Arc<Service>> {
        let service = self.by_position.remove(position)?;
        self.by_id.remove(&service.id);
        forget(&mut self.by_name, &service.content.info.ser_name, position);
        if let Some(category) = service.content.category() {
            forget(&mut self.by_category, category, position);
        }
        forget(&mut self.by_application, &service.application, position);
        Some(service)
    }
}

/// Takes a position out of a set, and the set out of its map if it was the last.
fn forget<K, Q>(map: &mut HashMap<K, BTreeSet<Position>>, key: &Q, position: &Position)
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(positions) = map.get_mut(key) {
        positions.remove(position);
        if positions.is_empty() {
            map.remove(key);
        }
    }
}

impl View for Index {
    fn apply(&self, changes: &Changes) {
        let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
        let watched: Vec<Arc<str>> = changes
            .changes
            .iter()
            .filter_map(|change| services.change(change))
            .collect();
        drop(services);
        if watched.is_empty() {
            return;
        }
        if let Some(watcher) = &*self.watcher.read().unwrap_or_else(PoisonError::into_inner) {
            for id in watched {
                // If nobody watches any more, nobody need be told.
                let _ = watcher.send(id);
            }
        }
    }
}
