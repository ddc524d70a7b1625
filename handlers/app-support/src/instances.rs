//! Which application instances exist: those that registered, and those that the configuration declares.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use mecforge_contracts::{Applications, Presence, keys};
use mecforge_store::Store;

/// The application instances of a platform.
pub struct Instances {
    store: Arc<dyn Store>,
    declared: BTreeSet<String>,
}

impl Instances {
    /// The instances that registered in `store`, and those that exist anyway, by their identifiers.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, declared: BTreeSet<String>) -> Self {
        Self { store, declared }
    }

    /// How many application instances have registered. Counts them: for metrics, not for every request.
    #[must_use]
    pub fn registered(&self) -> usize {
        self.store
            .range(keys::APPLICATIONS, None, usize::MAX)
            .entries
            .len()
    }
}

impl fmt::Debug for Instances {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Instances")
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}

impl Applications for Instances {
    fn presence(&self, app_instance_id: &str) -> Presence {
        if self.declared.contains(app_instance_id) {
            Presence::Declared
        } else if self.store.get(&keys::application(app_instance_id)).is_some() {
            Presence::Registered
        } else {
            Presence::Absent
        }
    }
}
