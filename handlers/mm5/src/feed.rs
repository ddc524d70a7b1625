//! The feed of platform events: changes of the store become notifications in the outbox, each exactly once.
//!
//! How far the feed is (the cursor) is stored in the transaction that puts events into the outbox. The store keeps
//! recent changes only: after a restart, or when the feed has fallen far behind, it compares what there is with the
//! cursor. What was created or changed since is told then; what has gone since can only be counted, which is what
//! `EVENTS_LOST` is for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::Life;
use mecforge_runtime::server::Problem;
use mecforge_store::{Change, Commit, CommitError, Expected, Revision, Transaction, Watch, WatchError};
use serde::{Deserialize, Serialize};

use crate::events::EventType;
use crate::happened::{Happened, event_of};
use crate::keys as own_keys;
use crate::manager::Mm5;

/// The most transactions of the store whose events are written together.
const MOST_TOGETHER: usize = 64;
/// The most notifications of one revision, some tens of megabytes, which one transaction takes. Beyond that managers
/// are told only that they have missed something: otherwise the feed would never get past such a revision.
const MOST_AT_ONCE: usize = 50_000;
/// How long the feed waits when the store has refused its events.
const PAUSE: Duration = Duration::from_secs(1);

/// What the feed looks at, and what its going is called.
pub(crate) const WATCHED: [(&str, EventType); 5] = [
    (keys::APPLICATIONS, EventType::ApplicationDeregistered),
    (keys::CONFIGURATIONS, EventType::ConfigurationRemoved),
    (keys::SERVICES, EventType::ServiceRemoved),
    (keys::DNS_RULES, EventType::RuleRemoved),
    (keys::TRAFFIC_RULES, EventType::RuleRemoved),
];

/// How far events have been told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The last revision whose events are in the outbox.
    pub(crate) revision: u64,
    /// How many keys there were then, by the places that are watched.
    pub(crate) counts: BTreeMap<String, usize>,
}

impl Mm5 {
    /// Tells all managers who have asked for it that something else has changed rules in the kernel, and that the
    /// platform has put its own in force again.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tell_of_drift(&self, detail: &str) -> Result<(), Problem> {
        // After every revision that a subscription may have been made in.
        let drift = Happened::new(EventType::Drift, self.store.revision().next()).detail(Some(detail));
        let transaction = self.post(&[drift], Transaction::new())?;
        match transaction.operations().is_empty() {
            true => Ok(()),
            false => self.commit(transaction).await.map(drop),
        }
    }

    /// Adds the events to a transaction, for every subscription that wants them and was there before them.
    fn post(&self, happened: &[Happened], mut transaction: Transaction) -> Result<Transaction, Problem> {
        let subscriptions = self.event_subscriptions();
        for event in happened {
            for (subscription, entry) in &subscriptions {
                if entry.created >= event.revision
                    || !subscription.wants(event.event_type, event.app_instance_id.as_deref())
                {
                    continue;
                }
                transaction = event.post_to(subscription, transaction)?;
            }
        }
        Ok(transaction)
    }

    /// [`Mm5::post`], or, if that is too much for one transaction, that it is missed.
    fn post_or_miss(
        &self,
        happened: &[Happened],
        mut transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let subscriptions = self.event_subscriptions();
        let most = MOST_AT_ONCE / subscriptions.len().max(1);
        let Some(last) = happened.last().filter(|_| happened.len() > most) else {
            return self.post(happened, transaction);
        };
        let events = happened.len();
        tracing::warn!(
            events,
            "too much has happened at once; managers are told to read the lists again"
        );
        let detail = format!("{events} events of one moment could not be told; read the lists again");
        let missed = Happened::new(EventType::EventsLost, last.revision).detail(Some(&detail));
        for (subscription, entry) in &subscriptions {
            let wants =
                |event: &Happened| subscription.wants(event.event_type, event.app_instance_id.as_deref());
            if entry.created < last.revision && (wants(&missed) || happened.iter().any(wants)) {
                transaction = missed.post_to(subscription, transaction)?;
            }
        }
        Ok(transaction)
    }

    /// Follows the store for ever.
    pub(crate) async fn feed(self: Arc<Self>) {
        let mut lives = BTreeMap::new();
        loop {
            let cursor = self.cursor();
            let after = cursor
                .as_ref()
                .map_or(self.store.revision(), |cursor| Revision(cursor.revision));
            let outcome = match self.store.watch("", after) {
                Ok(watch) => self.follow(watch, cursor, &mut lives).await,
                Err(WatchError::Compacted { .. }) => {
                    self.catch_up(cursor.unwrap_or_default(), &mut lives).await
                }
                Err(WatchError::Closed) => return,
            };
            if let Err(error) = outcome {
                tracing::error!(%error, "platform events cannot be stored; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        let entry = self.store.get(own_keys::CURSOR)?;
        serde_json::from_slice(&entry.value).ok()
    }

    /// Turns changes into events as they come, until the feed breaks.
    async fn follow(
        &self,
        mut watch: Watch,
        cursor: Option<Cursor>,
        lives: &mut BTreeMap<String, Life>,
    ) -> Result<(), CommitError> {
        let mut counts = match cursor {
            Some(cursor) => cursor.counts,
            None => self.counts(watch.position()),
        };
        loop {
            let Ok(first) = watch.next().await else {
                return Ok(());
            };
            let mut batch = vec![first];
            while batch.len() < MOST_TOGETHER {
                // What has happened already comes at once.
                match tokio::time::timeout(Duration::ZERO, watch.next()).await {
                    Ok(Ok(next)) => batch.push(next),
                    _ => break,
                }
            }
            // One transaction for each, so that events are delivered in the order in which they happened; submitted
            // together, so that they share the wait for the disk.
            let mut commits = Vec::new();
            for changes in &batch {
                let mut happened = Vec::new();
                let mut relevant = false;
                for change in &changes.changes {
                    relevant |= count(&mut counts, change);
                    happened.extend(event_of(change, changes.revision, lives));
                }
                if relevant || !happened.is_empty() {
                    let (revision, counts) = (changes.revision.0, counts.clone());
                    commits.extend(self.write_down(
                        &happened,
                        &Cursor { revision, counts },
                        Transaction::new(),
                    )?);
                }
            }
            for commit in commits {
                settled(commit.await)?;
            }
        }
    }

    /// Puts events into the outbox and moves the cursor, together. Without subscriptions there is nothing to be
    /// remembered: who subscribes is told of what happens afterwards.
    pub(crate) fn write_down(
        &self,
        happened: &[Happened],
        cursor: &Cursor,
        transaction: Transaction,
    ) -> Result<Option<Commit>, CommitError> {
        let failed = |problem: Problem| CommitError::Failed(problem.to_string());
        let prefix = keys::subscriptions(own_keys::EVENTS);
        let range = self.store.range(&prefix, None, 1);
        if range.entries.is_empty() {
            // A cursor that nobody needs must not be caught up with later.
            return Ok(self.store.get(own_keys::CURSOR).map(|_| {
                let transaction = Transaction::new().expect_none_newer(&*prefix, range.revision);
                self.store.commit(transaction.delete(own_keys::CURSOR))
            }));
        }
        let value = serde_json::to_vec(cursor).map_err(|error| failed(Problem::internal(error)))?;
        let transaction = self.post_or_miss(happened, transaction).map_err(failed)?;
        Ok(Some(self.store.commit(transaction.put(own_keys::CURSOR, value))))
    }

    /// Adds to the transaction of a new subscription where the feed is, if nothing says so yet: what happens after
    /// the subscription is told even if the platform stops before the feed has seen it.
    pub(crate) fn begin_at(
        &self,
        revision: Revision,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        if self.store.get(own_keys::CURSOR).is_some() {
            return Ok(transaction);
        }
        let cursor = Cursor {
            revision: revision.0,
            counts: self.counts(revision),
        };
        let value = serde_json::to_vec(&cursor).map_err(Problem::internal)?;
        Ok(transaction
            .expect(own_keys::CURSOR, Expected::Absent)
            .put(own_keys::CURSOR, value))
    }

    /// How many keys there are at the places that are watched, that were there at a revision.
    fn counts(&self, revision: Revision) -> BTreeMap<String, usize> {
        let count = |place| {
            let entries = self.store.range(place, None, usize::MAX).entries;
            entries
                .iter()
                .filter(|(_, entry)| entry.created <= revision)
                .count()
        };
        WATCHED.map(|(place, _)| (place.to_owned(), count(place))).into()
    }
}

/// What the store says to events, apart from a subscription that came while the cursor was to go.
pub(crate) fn settled(result: Result<Revision, CommitError>) -> Result<(), CommitError> {
    match result {
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps count of the keys at the places that are watched. Whether the change is at one of them.
fn count(counts: &mut BTreeMap<String, usize>, change: &Change) -> bool {
    let Some((place, _)) = WATCHED.iter().find(|(place, _)| change.key.starts_with(place)) else {
        return false;
    };
    let count = counts.entry((*place).to_owned()).or_default();
    match &change.entry {
        None => *count = count.saturating_sub(1),
        Some(entry) if entry.created == entry.modified => *count += 1,
        Some(_) => {}
    }
    true
}
