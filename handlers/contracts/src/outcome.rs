//! Entries and refusals of the store in terms of HTTP.

use mecforge_runtime::EntityTag;
use mecforge_runtime::Preconditions;
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Expected, Revision};

/// The entity tag of a resource that was last changed by a revision.
#[must_use]
pub fn entity_tag(modified: Revision) -> EntityTag {
    EntityTag::strong(modified.to_string())
}

/// What a change expects of a resource that was found at a revision and passed the request's conditions: that it
/// still is what the conditions were judged on, or, if there are none, just that it still exists.
#[must_use]
pub fn expected(preconditions: &Preconditions, found: Revision) -> Expected {
    if preconditions.is_empty() {
        Expected::Present
    } else {
        Expected::Revision(found)
    }
}

/// A refusal that has nothing to do with the request's content.
#[must_use]
pub fn problem(error: CommitError) -> Problem {
    match error {
        CommitError::Conflict { .. } => {
            Problem::conflict("the resource was changed by another request at the same time; try again")
        }
        CommitError::TooLarge { .. } => Problem::bad_request(error.to_string()),
        CommitError::NoRoom(_) | CommitError::Failed(_) => {
            tracing::error!(%error, "a change was not stored");
            Problem::service_unavailable("the platform cannot store changes now").with_cause(error)
        }
    }
}
