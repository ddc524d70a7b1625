//! What belongs to an application instance and goes away with it.

use mecforge_store::{CommitError, Transaction};

use crate::rules::Later;

/// A kind of resource that belongs to application instances.
///
/// Who ends an application instance asks every kind for its part of one transaction, so that the instance and all
/// that belongs to it go together or not at all.
pub trait Belongings: Send + Sync + 'static {
    /// Adds to a transaction the removal of everything of this kind that belongs to an application instance, and the
    /// notifications that the removal causes.
    ///
    /// The transaction is refused with a conflict if anything of this kind has changed when it is committed; the
    /// caller then starts again from an empty transaction.
    fn remove_all(&self, app_instance_id: &str, transaction: Transaction) -> Transaction;

    /// Removes as much as one transaction takes, with its notifications, if that takes less than everything: `None` if
    /// [`Belongings::remove_all`] is small enough. To be asked again after each part, before the rest goes.
    ///
    /// A part that meets a change of somebody else is left out without an error.
    ///
    /// # Errors
    /// What the store says.
    fn remove_part(&self, app_instance_id: &str) -> Option<Later<'_, Result<(), CommitError>>> {
        let _ = app_instance_id;
        None
    }
}
