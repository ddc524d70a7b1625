//! Indices over the store: which tasks are finished, oldest first, and which names application instances have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use mecforge_contracts::keys;
use mecforge_store::{Changes, Revision, View};

use serde::Deserialize;

use crate::metrics::Metrics;
use crate::task::Record;

/// A view of [`keys::TASKS`].
#[derive(Debug, Default)]
pub(crate) struct TaskIndex {
    tasks: Mutex<Tasks>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Tasks {
    /// Keys of finished tasks, in the order in which they finished.
    finished: BTreeMap<(Revision, Arc<str>), ()>,
    /// Every task: `None` while it is unfinished, else the revision that finished it.
    all: BTreeMap<Arc<str>, Option<Revision>>,
}

impl TaskIndex {
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Keys of the oldest finished tasks, so many that at most `kept` remain.
    pub(crate) fn beyond(&self, kept: usize) -> Vec<Arc<str>> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let surplus = tasks.finished.len().saturating_sub(kept);
        tasks
            .finished
            .keys()
            .take(surplus)
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// How many tasks are unfinished.
    pub(crate) fn unfinished(&self) -> usize {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.all.len() - tasks.finished.len()
    }
}

impl View for TaskIndex {
    fn apply(&self, changes: &Changes) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &changes.changes {
            if !change.key.starts_with(keys::TASKS) {
                continue;
            }
            let before = tasks.all.remove(&change.key);
            if let Some(Some(finished)) = before {
                tasks.finished.remove(&(finished, change.key.clone()));
            }
            let Some(entry) = &change.entry else { continue };
            let record: Option<Record> = serde_json::from_slice(&entry.value).ok();
            // A record that cannot be read is of no use to anybody and goes with the oldest.
            let is_final = record.as_ref().is_none_or(|record| record.task.state.is_final());
            if let (true, Some(None), Some(record)) = (is_final, before, &record) {
                self.metrics.finished(&record.task);
            }
            let finished = is_final.then_some(entry.modified);
            if let Some(finished) = finished {
                tasks.finished.insert((finished, change.key.clone()), ());
            }
            tasks.all.insert(change.key.clone(), finished);
        }
        let unfinished = tasks.all.len() - tasks.finished.len();
        self.metrics
            .unfinished
            .set(i64::try_from(unfinished).unwrap_or(i64::MAX));
    }
}

/// A view of [`keys::CONFIGURATIONS`].
#[derive(Debug, Default)]
pub(crate) struct NameIndex(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    /// Application instances by name; more than one only where a store was written by something else.
    owners: BTreeMap<String, BTreeSet<String>>,
    /// Names by the key of the configuration.
    names: BTreeMap<Arc<str>, String>,
}

/// The part of a configuration that is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    app_name: String,
}

impl NameIndex {
    /// The application instance that has a name, other than the one that is asked for.
    pub(crate) fn owner(&self, name: &str, apart_from: &str) -> Option<String> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut owners = names.owners.get(name)?.iter();
        owners.find(|owner| *owner != apart_from).cloned()
    }
}

impl View for NameIndex {
    fn apply(&self, changes: &Changes) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &changes.changes {
            let Some(owner) = keys::configuration_of(&change.key) else {
                continue;
            };
            if let Some(name) = names.names.remove(&change.key)
                && let Some(owners) = names.owners.get_mut(&name)
            {
                owners.remove(&owner);
                if owners.is_empty() {
                    names.owners.remove(&name);
                }
            }
            let entry = change.entry.as_ref();
            let named = entry.and_then(|entry| serde_json::from_slice::<Named>(&entry.value).ok());
            if let Some(Named { app_name }) = named {
                names.owners.entry(app_name.clone()).or_default().insert(owner);
                names.names.insert(change.key.clone(), app_name);
            }
        }
    }
}
