//! Who runs beside whom.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::suite::Case;

/// Lets cases run side by side, or alone.
#[derive(Default)]
pub(super) struct Turns {
    /// Held for writing by cases that must be alone among those that work.
    work: RwLock<()>,
    /// Held for reading by cases that wait for time, beside which even those that must be alone run.
    waiting: RwLock<()>,
}

/// The turn of one case; its end lets others begin.
pub(super) enum Turn<'turns> {
    Beside {
        _guard: RwLockReadGuard<'turns, ()>,
    },
    Alone {
        _guard: RwLockWriteGuard<'turns, ()>,
    },
    Only {
        _guards: [RwLockWriteGuard<'turns, ()>; 2],
    },
}

impl Turns {
    /// Waits for the turn of a case; `only` lets nothing at all run meanwhile.
    pub(super) async fn take(&self, case: &Case, only: bool) -> Turn<'_> {
        if only {
            let work = self.work.write().await;
            let _guards = [work, self.waiting.write().await];
            Turn::Only { _guards }
        } else if case.stage == 3 {
            let _guard = self.waiting.read().await;
            Turn::Beside { _guard }
        } else if case.alone {
            let _guard = self.work.write().await;
            Turn::Alone { _guard }
        } else {
            let _guard = self.work.read().await;
            Turn::Beside { _guard }
        }
    }
}
