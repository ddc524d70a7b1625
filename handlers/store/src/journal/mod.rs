//! What is on disk: journal segments (what was committed since) and snapshots (everything at one revision).
//!
//! ```text
//! <data directory>/
//!   LOCK                               held while the store is open
//!   journal-<first revision>.log       frames of committed batches, then zeros (room that is already allocated)
//!   snapshot-<revision>.snap           frames of entries, closed by a frame that counts them
//! ```
//! One batch of transactions is one frame, and the next frame is written only after the last one is durable: a
//! crash can therefore spoil only the last frame of the last segment, and only one that was not acknowledged.
//! Anything else that is unreadable is damage, which is reported and never skipped.

pub(crate) mod frame;
pub(crate) mod recovery;
pub(crate) mod segment;
pub(crate) mod snapshot;

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::OpenError;
use crate::store::Revision;

pub(crate) const JOURNAL: (&str, &str) = ("journal-", ".log");
pub(crate) const SNAPSHOT: (&str, &str) = ("snapshot-", ".snap");
/// A file that is being written and does not count yet.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// The name of a file of one kind that starts at a revision; names sort like revisions.
pub(crate) fn file_name((prefix, suffix): (&str, &str), revision: Revision) -> String {
    format!("{prefix}{:016x}{suffix}", revision.0)
}

/// The revision in a file's name, if it is of this kind.
pub(crate) fn revision_of((prefix, suffix): (&str, &str), name: &str) -> Option<Revision> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
    (digits.len() == 16)
        .then(|| u64::from_str_radix(digits, 16).ok().map(Revision))
        .flatten()
}

/// Makes the creation, renaming and removal of files in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Puts action and path beside an error of the operating system.
pub(crate) fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> OpenError + 'a {
    move |source| OpenError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
