//! Notifications that were given up: an index over them, current with each commit, and their bounds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mecforge_contracts::keys;
use mecforge_store::{Change, Changes, Revision, View};
use prometheus_client::metrics::gauge::Gauge;

use crate::options::Options;
use crate::queue::Place;

/// Where dead letters are, fed by the store.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    index: Mutex<Index>,
    per_subscription: usize,
    count: usize,
    bytes: usize,
    pub(crate) gauge: Gauge,
}

#[derive(Debug, Default)]
struct Index {
    /// Subscription and size of each, oldest first.
    all: BTreeMap<Place, (Arc<str>, usize)>,
    created: HashMap<Arc<str>, Revision>,
    of: HashMap<Arc<str>, BTreeSet<Place>>,
    bytes: usize,
    /// Subscriptions that may have too many.
    over: HashSet<Arc<str>>,
}

impl DeadLetters {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            index: Mutex::default(),
            per_subscription: options.dead_letters_per_subscription,
            count: options.dead_letters,
            bytes: options.dead_letter_bytes,
            gauge: Gauge::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many a subscription has.
    pub(crate) fn count(&self, subscription: &str) -> u64 {
        self.lock()
            .of
            .get(subscription)
            .map_or(0, |places| places.len() as u64)
    }

    /// The subscriptions that have some and whose key starts with a prefix.
    pub(crate) fn subscriptions(&self, prefix: &str) -> Vec<Arc<str>> {
        let index = self.lock();
        let matching = index
            .of
            .keys()
            .filter(|subscription| subscription.starts_with(prefix));
        matching.cloned().collect()
    }

    /// The keys of dead letters of subscriptions whose key starts with a prefix, oldest first.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<Arc<str>> {
        let index = self.lock();
        let matching = index
            .all
            .iter()
            .filter(|(_, (subscription, _))| subscription.starts_with(prefix));
        matching.map(|((_, key), _)| key.clone()).collect()
    }

    /// The keys of dead letters of one subscription, oldest first.
    pub(crate) fn keys_of(&self, subscription: &str) -> Vec<Arc<str>> {
        let index = self.lock();
        let places = index.of.get(subscription);
        places.into_iter().flatten().map(|(_, key)| key.clone()).collect()
    }

    /// The keys of those beyond the bounds: the oldest of a subscription that has too many, and of all.
    pub(crate) fn beyond_bounds(&self) -> Vec<Arc<str>> {
        let mut index = self.lock();
        let mut beyond = BTreeSet::new();
        let over: Vec<_> = index.over.drain().collect();
        for subscription in over {
            let places = index.of.get(&subscription);
            let excess = places.map_or(0, |places| places.len().saturating_sub(self.per_subscription));
            beyond.extend(places.into_iter().flatten().take(excess).cloned());
        }
        let size = |place: &Place| index.all.get(place).map_or(0, |(_, size)| *size);
        let mut count = index.all.len() - beyond.len();
        let mut bytes = index.bytes - beyond.iter().map(size).sum::<usize>();
        for (place, (_, size)) in &index.all {
            if count <= self.count && bytes <= self.bytes {
                break;
            }
            if beyond.insert(place.clone()) {
                count -= 1;
                bytes -= size;
            }
        }
        beyond.into_iter().map(|(_, key)| key).collect()
    }
}

impl View for DeadLetters {
    fn apply(&self, changes: &Changes) {
        let mut index = self.lock();
        for change in &changes.changes {
            index.apply(change, self.per_subscription);
        }
        self.gauge.set(i64::try_from(index.all.len()).unwrap_or(i64::MAX));
    }
}

impl Index {
    fn apply(&mut self, change: &Change, per_subscription: usize) {
        self.remove(&change.key);
        let Some(entry) = &change.entry else {
            return;
        };
        let Some((subscription, _)) = keys::dead_letter_at(&change.key) else {
            return;
        };
        let subscription: Arc<str> = subscription.into();
        let place = (entry.created, change.key.clone());
        let size = change.key.len() + entry.value.len();
        self.bytes += size;
        self.created.insert(change.key.clone(), entry.created);
        self.all.insert(place.clone(), (subscription.clone(), size));
        let places = self.of.entry(subscription.clone()).or_default();
        places.insert(place);
        if places.len() > per_subscription {
            self.over.insert(subscription);
        }
    }

    fn remove(&mut self, key: &Arc<str>) {
        let Some(created) = self.created.remove(key) else {
            return;
        };
        let place = (created, key.clone());
        let Some((subscription, size)) = self.all.remove(&place) else {
            return;
        };
        self.bytes -= size;
        if let Some(places) = self.of.get_mut(&subscription) {
            places.remove(&place);
            if places.is_empty() {
                self.of.remove(&subscription);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mecforge_store::Entry;

    use super::*;

    fn dead(count: usize, bytes: usize) -> DeadLetters {
        DeadLetters::new(&Options {
            dead_letters_per_subscription: 2,
            dead_letters: count,
            dead_letter_bytes: bytes,
            ..Options::default()
        })
    }

    fn change(dead: &DeadLetters, revision: u64, subscription: &str, id: &str, size: Option<usize>) {
        let revision = Revision(revision);
        let entry = size.map(|size| Entry {
            value: vec![b'x'; size].into(),
            created: revision,
            modified: revision,
        });
        let key = keys::dead_letter(subscription, id).into();
        dead.apply(&Changes {
            revision,
            changes: vec![Change { key, entry }],
        });
    }

    #[track_caller]
    fn beyond(dead: &DeadLetters, expected: &[&str]) {
        let ids: Vec<_> = dead
            .beyond_bounds()
            .iter()
            .filter_map(|key| keys::dead_letter_at(key))
            .map(|(_, id)| id)
            .collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn the_oldest_of_a_subscription_with_too_many_go() {
        let dead = dead(100, 100_000);
        // Identifiers are not in the order of time.
        for (revision, id) in [(1, "z"), (2, "a"), (3, "m"), (4, "b")] {
            change(&dead, revision, "s", id, Some(10));
        }
        change(&dead, 5, "t", "1", Some(10));
        assert_eq!((dead.count("s"), dead.count("t"), dead.gauge.get()), (4, 1, 5));
        beyond(&dead, &["z", "a"]);
        change(&dead, 6, "s", "z", None);
        change(&dead, 7, "s", "a", None);
        assert_eq!(dead.count("s"), 2);
        beyond(&dead, &[]);
        assert_eq!(dead.keys("").len(), 3);
        assert_eq!(dead.keys_of("t").len(), 1);
        assert_eq!(dead.subscriptions("s"), vec!["s".into()]);
    }

    #[test]
    fn the_oldest_of_all_go_beyond_the_bounds_of_all() {
        let by_count = dead(2, 100_000);
        for revision in 1..=4 {
            change(
                &by_count,
                revision,
                &format!("s{revision}"),
                &revision.to_string(),
                Some(10),
            );
        }
        beyond(&by_count, &["1", "2"]);
        let by_bytes = dead(100, 250);
        for revision in 1..=4 {
            change(
                &by_bytes,
                revision,
                &format!("s{revision}"),
                &revision.to_string(),
                Some(80),
            );
        }
        beyond(&by_bytes, &["1", "2"]);
    }
}
