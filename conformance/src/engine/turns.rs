//! Who runs beside whom.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, OwnedMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::suite::{Beside, Case, Mode, Suite};

/// Lets cases run side by side, or alone.
#[derive(Default)]
pub(super) struct Turns {
    /// Held for writing by cases that must be alone among those that work.
    work: RwLock<()>,
    /// Held for reading by cases that wait for time, beside which even those that must be alone run.
    waiting: RwLock<()>,
    /// By API and path: held by the one that changes what no case has made.
    existing: std::sync::Mutex<Locks>,
}

type Locks = BTreeMap<(usize, String), Arc<Mutex<()>>>;

/// The turn of one case; its end lets others begin.
pub(super) enum Turn<'turns> {
    Beside {
        _guard: RwLockReadGuard<'turns, ()>,
        _existing: Option<OwnedMutexGuard<()>>,
    },
    Alone {
        _guard: RwLockWriteGuard<'turns, ()>,
    },
    Only {
        _guards: [RwLockWriteGuard<'turns, ()>; 2],
    },
}

impl Turns {
    /// Waits for the turn of a case, at its first try or again. Where the platform gives identifiers again, nothing at all
    /// runs meanwhile.
    pub(super) async fn take(&self, suite: &Suite, case: &Case, mode: Mode) -> Turn<'_> {
        let only = suite.places.come_again();
        let alone = match case.beside {
            Beside::All => false,
            Beside::Makers => mode == Mode::Again,
            Beside::Nobody => true,
        };
        if only {
            let work = self.work.write().await;
            let _guards = [work, self.waiting.write().await];
            Turn::Only { _guards }
        } else if case.stage == 3 {
            Turn::Beside {
                _guard: self.waiting.read().await,
                _existing: None,
            }
        } else if alone {
            let _guard = self.work.write().await;
            Turn::Alone { _guard }
        } else {
            // Waited for first: whoever waits in line must not keep out those that want to be alone.
            let _existing = match case.beside {
                Beside::All => None,
                _ => Some(self.existing(suite, case).lock_owned().await),
            };
            let _guard = self.work.read().await;
            Turn::Beside { _guard, _existing }
        }
    }

    /// The lock of what a case changes that no case has made.
    fn existing(&self, suite: &Suite, case: &Case) -> Arc<Mutex<()>> {
        let operation = case
            .operation
            .map(|index| &suite.apis[case.api].api.operations[index]);
        let path = operation.map(|operation| operation.path.text().to_owned());
        let mut all = self.existing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((case.api, path.unwrap_or_default())).or_default())
    }
}
