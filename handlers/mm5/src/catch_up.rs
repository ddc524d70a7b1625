//! Catching up with the store after a restart, or when the feed has fallen behind: see [`crate::feed`].

use std::collections::BTreeMap;

use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::Life;
use mecforge_runtime::server::Problem;
use mecforge_store::{Change, CommitError, Entry, Revision, Transaction};

use crate::events::EventType;
use crate::feed::{Cursor, WATCHED, settled};
use crate::happened::{Happened, event_of};
use crate::manager::Mm5;

/// What there is, as seen from a revision that events were told up to.
#[derive(Debug, Default)]
struct Survey {
    /// What was created or changed since, by the revision that did it last.
    changed: Vec<(Revision, Change)>,
    /// When everything that there is was created, by the places that are watched.
    created: BTreeMap<&'static str, Vec<Revision>>,
}

impl Survey {
    fn counts_at(&self, at: Revision) -> BTreeMap<String, usize> {
        let count = |created: &[Revision]| created.iter().filter(|created| **created <= at).count();
        self.created
            .iter()
            .map(|(place, created)| ((*place).to_owned(), count(created)))
            .collect()
    }

    fn cursor_at(&self, at: Revision) -> Cursor {
        Cursor {
            revision: at.0,
            counts: self.counts_at(at),
        }
    }

    /// What has gone since a cursor was written: fewer old things than there were then.
    fn missing(&self, cursor: &Cursor) -> Vec<(EventType, usize)> {
        let old = self.counts_at(Revision(cursor.revision));
        let of = |counts: &BTreeMap<String, usize>, place| counts.get(place).copied().unwrap_or_default();
        let missing =
            WATCHED.map(|(place, gone)| (gone, of(&cursor.counts, place).saturating_sub(of(&old, place))));
        missing.into_iter().filter(|(_, missing)| *missing > 0).collect()
    }
}

impl Mm5 {
    /// Compares what there is with the cursor, tells what has changed since, and moves the cursor to now.
    pub(crate) async fn catch_up(
        &self,
        cursor: Cursor,
        lives: &mut BTreeMap<String, Life>,
    ) -> Result<(), CommitError> {
        let since = Revision(cursor.revision);
        let now = self.store.revision();
        let survey = self.survey(since, now);
        let lost = self
            .tell_of_loss(&survey.missing(&cursor), now)
            .map_err(|problem| CommitError::Failed(problem.to_string()))?;
        let mut commits = Vec::new();
        commits.extend(self.write_down(&[], &survey.cursor_at(since), lost)?);
        for changed in survey.changed.chunk_by(|(left, _), (right, _)| left == right) {
            let happened: Vec<Happened> = changed
                .iter()
                .filter_map(|(modified, change)| event_of(change, *modified, lives))
                .collect();
            if let Some((modified, _)) = changed.first().filter(|_| !happened.is_empty()) {
                let cursor = survey.cursor_at(*modified);
                commits.extend(self.write_down(&happened, &cursor, Transaction::new())?);
            }
        }
        commits.extend(self.write_down(&[], &survey.cursor_at(now), Transaction::new())?);
        for commit in commits {
            settled(commit.await)?;
        }
        Ok(())
    }

    /// What there is. What changes after `now` is told by the feed that follows.
    fn survey(&self, since: Revision, now: Revision) -> Survey {
        let mut survey = Survey::default();
        let watched = WATCHED.map(|(place, _)| place);
        for place in watched.into_iter().chain([keys::LIVES, keys::TASKS]) {
            for (key, entry) in self.store.range(place, None, usize::MAX).entries {
                if watched.contains(&place) {
                    survey.created.entry(place).or_default().push(entry.created);
                }
                if entry.modified > since && entry.modified <= now {
                    let modified = entry.modified;
                    let entry = Some(as_since(entry, since));
                    survey.changed.push((modified, Change { key, entry }));
                }
            }
        }
        survey.changed.sort_by_key(|(modified, _)| *modified);
        survey
    }

    /// Tells those who want to know of a kind of removal that some were missed.
    fn tell_of_loss(&self, missing: &[(EventType, usize)], now: Revision) -> Result<Transaction, Problem> {
        let mut transaction = Transaction::new();
        for (gone, missing) in missing {
            let name = serde_json::to_value(gone).unwrap_or_default();
            let name = name.as_str().unwrap_or_default();
            let detail = format!("{missing} × {name} could not be told in time; read the list again");
            let event = Happened::new(EventType::EventsLost, now.next()).detail(Some(&detail));
            for (subscription, _) in self.event_subscriptions() {
                if subscription.wants(*gone, None) || subscription.wants(EventType::EventsLost, None) {
                    transaction = event.post_to(&subscription, transaction)?;
                }
            }
        }
        Ok(transaction)
    }
}

/// An entry as it looks from a revision: what was created after it is new, whatever has happened to it since.
fn as_since(mut entry: Entry, since: Revision) -> Entry {
    if entry.created > since {
        entry.modified = entry.created;
    }
    entry
}
