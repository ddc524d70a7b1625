//! Which application instances exist.

use mecforge_store::{Expected, Transaction};

use crate::keys;

/// How an application instance comes to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does not.
    Absent,
    /// It has registered itself, and exists until it (or somebody for it) deregisters.
    Registered,
    /// A manager has configured it (Mm5), and it exists until the configuration is deleted. It may have registered
    /// as well.
    Configured,
    /// The configuration of the platform says so.
    Declared,
}

/// The application instances of a platform.
pub trait Applications: Send + Sync + 'static {
    /// How an application instance comes to exist, now.
    fn presence(&self, app_instance_id: &str) -> Presence;
}

impl Presence {
    /// Adds to a transaction that the application instance must not be deregistered meanwhile.
    #[must_use]
    pub fn guard(self, transaction: Transaction, app_instance_id: &str) -> Transaction {
        match self {
            Self::Registered => transaction.expect(keys::application(app_instance_id), Expected::Present),
            Self::Configured => transaction.expect(keys::configuration(app_instance_id), Expected::Present),
            Self::Absent | Self::Declared => transaction,
        }
    }
}
