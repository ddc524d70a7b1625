//! Which application instances exist: those that registered, that a manager configured, or that the platform's own
//! configuration declares.

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
    /// The instances that registered or were configured in `store`, and those that exist anyway, by their identifiers.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, declared: BTreeSet<String>) -> Self {
        Self { store, declared }
    }

    /// How many application instances have registered. Counts them: for metrics, not for every request.
    #[must_use]
    pub fn registered(&self) -> usize {
        self.count(keys::APPLICATIONS)
    }

    /// How many application instances a manager has configured. Counts them, as [`Instances::registered`] does.
    #[must_use]
    pub fn configured(&self) -> usize {
        self.count(keys::CONFIGURATIONS)
    }

    /// The instances that the platform's configuration declares.
    pub fn declared(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(String::as_str)
    }

    fn count(&self, prefix: &str) -> usize {
        self.store.range(prefix, None, usize::MAX).entries.len()
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
    /// What outlasts a deregistration comes first: an instance that is configured and has registered is configured.
    fn presence(&self, app_instance_id: &str) -> Presence {
        if self.declared.contains(app_instance_id) {
            Presence::Declared
        } else if self.store.get(&keys::configuration(app_instance_id)).is_some() {
            Presence::Configured
        } else if self.store.get(&keys::application(app_instance_id)).is_some() {
            Presence::Registered
        } else {
            Presence::Absent
        }
    }
}
