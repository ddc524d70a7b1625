//! Writing a journal segment: frames into room that is already allocated, one sync per frame.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{JOURNAL, file_name, sync_directory};
use crate::store::Revision;

/// Zeros are written ahead in pieces of this size, so that a commit's sync need not also write the file's new size.
const ROOM: u64 = 2 * 1024 * 1024;

/// A file that a segment is written to; a trait so that tests can let a disk fail.
pub(crate) trait Medium: Send {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Why a frame was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// No room: nothing of the frame is on disk, so a later one may be tried.
    NoRoom(io::Error),
    /// What is on disk is unknown: nothing may be written after it.
    Unknown(io::Error),
}

/// The segment that commits go to.
pub(crate) struct Segment {
    medium: Box<dyn Medium>,
    /// Where the next frame goes.
    end: u64,
    /// The file's length: everything from `end` to here is zero.
    allocated: u64,
}

impl Segment {
    /// A new, empty segment for the revisions from `first` on.
    pub(crate) fn create(directory: &Path, first: Revision) -> io::Result<Self> {
        let path = directory.join(file_name(JOURNAL, first));
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        sync_directory(directory)?;
        Ok(Self::new(Box::new(file), 0, 0))
    }

    /// A segment that has `end` bytes of frames, then zeros up to `allocated`.
    pub(crate) fn new(medium: Box<dyn Medium>, end: u64, allocated: u64) -> Self {
        Self {
            medium,
            end,
            allocated,
        }
    }

    /// Bytes of frames.
    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Writes a frame and waits until it is durable.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<(), WriteError> {
        let end = self.end + frame.len() as u64;
        if end > self.allocated {
            self.allocate(end + ROOM).map_err(WriteError::NoRoom)?;
        }
        self.medium.write(frame, self.end).map_err(WriteError::Unknown)?;
        self.medium.sync().map_err(WriteError::Unknown)?;
        self.end = end;
        Ok(())
    }

    fn allocate(&mut self, to: u64) -> io::Result<()> {
        let zeros = vec![0; 256 * 1024];
        while self.allocated < to {
            let piece =
                usize::try_from(to - self.allocated).map_or(zeros.len(), |missing| missing.min(zeros.len()));
            self.medium.write(&zeros[..piece], self.allocated)?;
            self.allocated += piece as u64;
        }
        Ok(())
    }
}
