//! What can be tested: the profiles, the documents that they stand for, and what a standard says beyond its documents.

mod clauses;
mod errata;
mod knowledge;
mod table;

pub use clauses::clause;
pub use errata::errata;
pub use knowledge::{CALLBACK, Knowledge, bind, path_placeholder};
pub use table::{Profile, ProfileError, find, profiles};
