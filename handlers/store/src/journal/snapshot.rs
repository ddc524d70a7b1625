//! Snapshots: the whole state in one file, so that older journal segments can go.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bytes::Bytes;

use super::frame::{self, Encoder, Found, Frame};
use super::{JOURNAL, SNAPSHOT, UNFINISHED, failed, file_name, revision_of, sync_directory};
use crate::error::OpenError;
use crate::state::State;
use crate::store::Revision;

/// Entries are written in frames of about this size.
const PIECE: usize = 256 * 1024;

/// Writes a snapshot; it counts only once it is whole and durable under its final name.
pub(crate) fn write(directory: &Path, state: &State) -> io::Result<()> {
    let path = directory.join(file_name(SNAPSHOT, state.revision));
    let unfinished = directory.join(file_name(SNAPSHOT, state.revision) + UNFINISHED);
    let mut file = BufWriter::new(File::create(&unfinished)?);
    let mut encoder = Encoder::default();
    encoder.start_entries();
    for (key, entry) in &state.entries {
        encoder.entry(key, entry);
        if encoder.len() >= PIECE {
            file.write_all(encoder.finish_entries())?;
            encoder.start_entries();
        }
    }
    if !encoder.is_empty() {
        file.write_all(encoder.finish_entries())?;
    }
    file.write_all(encoder.end(state.revision, state.entries.len() as u64))?;
    file.into_inner()?.sync_all()?;
    fs::rename(&unfinished, &path)?;
    sync_directory(directory)
}

/// Reads a snapshot, which must be whole.
pub(crate) fn read(path: &Path) -> Result<State, OpenError> {
    let mut bytes = Bytes::from(fs::read(path).map_err(failed("read", path))?);
    let size = bytes.len();
    let mut state = State::default();
    loop {
        let offset = (size - bytes.len()) as u64;
        let damaged = |reason: &str| OpenError::Damaged {
            path: path.to_owned(),
            offset,
            reason: reason.to_owned(),
        };
        match frame::read(&bytes) {
            Found::Frame(Frame::Entries(entries), length) => {
                for (key, entry) in entries {
                    state.restore(key, entry);
                }
                bytes = bytes.slice(length..);
            }
            Found::Frame(Frame::End { revision, entries }, _) if entries == state.entries.len() as u64 => {
                state.revision = revision;
                return Ok(state);
            }
            Found::Frame(..) => return Err(damaged("the snapshot's records do not belong together")),
            Found::Nothing => return Err(damaged("the snapshot ends too early")),
            Found::Broken(reason) => return Err(damaged(reason)),
        }
    }
}

/// Removes what the snapshot at `revision` makes superfluous: older snapshots, and segments that end before the one
/// that starts at `kept`.
pub(crate) fn remove_superseded(directory: &Path, revision: Revision, kept: Revision) -> io::Result<()> {
    for file in fs::read_dir(directory)? {
        let file = file?;
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        let snapshot = revision_of(SNAPSHOT, name).is_some_and(|found| found < revision);
        let journal = revision_of(JOURNAL, name).is_some_and(|found| found < kept);
        if snapshot || journal {
            fs::remove_file(file.path())?;
        }
    }
    sync_directory(directory)
}
