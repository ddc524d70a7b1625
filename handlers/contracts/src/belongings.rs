//! What belongs to an application instance and goes away with it.

use mecforge_store::Transaction;

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
}
