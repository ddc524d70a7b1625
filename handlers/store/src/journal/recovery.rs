//! Reading a data directory back: the newest snapshot, then every journal segment that follows it.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::frame::{self, Found, Frame};
use super::segment::Segment;
use super::{JOURNAL, SNAPSHOT, UNFINISHED, failed, revision_of, snapshot};
use crate::error::OpenError;
use crate::state::State;
use crate::store::Revision;

/// What a data directory holds.
pub(crate) struct Recovered {
    pub(crate) state: State,
    /// The segment to go on writing to; `None` if there is none yet.
    pub(crate) segment: Option<Segment>,
    /// Bytes of journal that had to be read.
    pub(crate) journal_bytes: u64,
}

/// Reads the directory and mends what a crash may have left: unfinished snapshots and a torn last frame.
pub(crate) fn recover(directory: &Path) -> Result<Recovered, OpenError> {
    let files = Files::list(directory)?;
    for path in &files.unfinished {
        fs::remove_file(path).map_err(failed("remove", path))?;
    }
    let mut state = match files.snapshots.last() {
        Some((_, path)) => snapshot::read(path)?,
        None => State::default(),
    };
    let mut recovered = None;
    let mut journal_bytes = 0;
    for (index, (_, path)) in files.journals.iter().enumerate() {
        let last = index + 1 == files.journals.len();
        let (end, length) = replay(path, &mut state, last)?;
        journal_bytes += end;
        if last {
            let file = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(failed("open", path))?;
            // A process that was killed may have written without syncing: what is shown from here on must be durable.
            file.sync_data().map_err(failed("sync", path))?;
            recovered = Some(Segment::new(Box::new(file), end, length));
        }
    }
    Ok(Recovered {
        state,
        segment: recovered,
        journal_bytes,
    })
}

/// The files of a data directory, each kind in the order of revisions.
#[derive(Default)]
struct Files {
    journals: Vec<(Revision, PathBuf)>,
    snapshots: Vec<(Revision, PathBuf)>,
    unfinished: Vec<PathBuf>,
}

impl Files {
    fn list(directory: &Path) -> Result<Self, OpenError> {
        let mut files = Self::default();
        for file in fs::read_dir(directory).map_err(failed("read", directory))? {
            let path = file.map_err(failed("read", directory))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if let Some(revision) = revision_of(JOURNAL, name) {
                files.journals.push((revision, path));
            } else if let Some(revision) = revision_of(SNAPSHOT, name) {
                files.snapshots.push((revision, path));
            } else if name.starts_with(SNAPSHOT.0) && name.ends_with(UNFINISHED) {
                files.unfinished.push(path);
            }
        }
        files.journals.sort();
        files.snapshots.sort();
        Ok(files)
    }
}

/// Applies a segment's transactions that are newer than the state; returns where its frames end, and its length.
fn replay(path: &Path, state: &mut State, last: bool) -> Result<(u64, u64), OpenError> {
    let whole = Bytes::from(fs::read(path).map_err(failed("read", path))?);
    let mut offset = 0;
    loop {
        let rest = whole.slice(offset..);
        let damaged = |reason: String| OpenError::Damaged {
            path: path.to_owned(),
            offset: offset as u64,
            reason,
        };
        match frame::read(&rest) {
            Found::Nothing => break,
            Found::Frame(Frame::Batch { first, transactions }, length) => {
                apply(state, first, transactions).map_err(damaged)?;
                offset += length;
            }
            Found::Frame(..) => return Err(damaged("a journal holds a record of a snapshot".to_owned())),
            Found::Broken(reason) if !last || frame::contains_frame(&rest.slice(1..)) => {
                return Err(damaged(reason.to_owned()));
            }
            Found::Broken(_) => {
                tracing::warn!(path = %path.display(), offset, "cut off a write that a crash interrupted");
                blank(path, offset as u64, whole.len() as u64)?;
                break;
            }
        }
    }
    Ok((offset as u64, whole.len() as u64))
}

fn apply(
    state: &mut State,
    first: Revision,
    transactions: Vec<Vec<crate::state::Write>>,
) -> Result<(), String> {
    if first > state.revision.next() {
        return Err(format!(
            "revision {} follows revision {}, what is between is missing",
            first, state.revision
        ));
    }
    let mut revision = first;
    for writes in transactions {
        if revision > state.revision {
            state.apply(revision, writes);
        }
        revision = revision.next();
    }
    Ok(())
}

/// Turns everything from `offset` on into zeros again, keeping the file's length.
fn blank(path: &Path, offset: u64, length: u64) -> Result<(), OpenError> {
    let file: File = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(failed("open", path))?;
    file.set_len(offset).map_err(failed("cut", path))?;
    file.set_len(length).map_err(failed("extend", path))?;
    file.sync_all().map_err(failed("sync", path))
}
