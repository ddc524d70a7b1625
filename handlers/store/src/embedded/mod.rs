//! The store for one machine: everything in memory, a journal on disk, one thread that commits.

mod committer;
mod lock;
mod shared;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::committer::{Committer, Request};
use self::lock::DirectoryLock;
use self::shared::Shared;
use crate::change::{View, Watch};
use crate::error::{CommitError, OpenError, WatchError};
use crate::journal::failed;
use crate::journal::frame::Encoder;
use crate::journal::recovery::{Recovered, recover};
use crate::journal::segment::Segment;
use crate::store::{Commit, Entry, Figures, KeyRange, Revision, Store};
use crate::transaction::Transaction;

/// How an embedded store behaves; the default suits a platform.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The journal is folded into a snapshot when it has grown to this many bytes and to twice the live data.
    pub snapshot_after: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshot_after: 32 * 1024 * 1024,
        }
    }
}

impl Options {
    /// Sets the size in bytes from which the journal is folded into a snapshot.
    #[must_use]
    pub fn snapshot_after(mut self, bytes: u64) -> Self {
        self.snapshot_after = bytes;
        self
    }
}

/// A [`Store`] in a directory of this machine. Dropping it waits for what was submitted and releases the directory.
pub struct Embedded {
    shared: Arc<Shared>,
    requests: Option<Sender<Request>>,
    committer: Option<JoinHandle<()>>,
    _lock: DirectoryLock,
}

impl Embedded {
    /// Opens the store in `directory`, which is created if need be, and reads everything into memory.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process has it open, [`OpenError::Damaged`] if a file holds what no crash
    /// can explain, [`OpenError::Io`] for everything the operating system refuses.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_with(directory, Options::default())
    }

    /// [`Embedded::open`] with options.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_with(directory: &Path, options: Options) -> Result<Self, OpenError> {
        fs::create_dir_all(directory).map_err(failed("create", directory))?;
        let lock = DirectoryLock::acquire(directory)?;
        let Recovered {
            state,
            segment,
            journal_bytes,
        } = recover(directory)?;
        let segment = match segment {
            Some(segment) => segment,
            None => {
                Segment::create(directory, state.revision.next()).map_err(failed("write in", directory))?
            }
        };
        let older_bytes = journal_bytes - segment.len();
        let shared = Arc::new(Shared::new(state, journal_bytes));
        let committer = Committer {
            shared: shared.clone(),
            directory: directory.to_owned(),
            segment,
            encoder: Encoder::default(),
            older_bytes,
            snapshot_after: options.snapshot_after,
            not_folded: 0,
            snapshot: None,
        };
        Self::start(shared, committer, lock).map_err(failed("start the committer of", directory))
    }

    fn start(shared: Arc<Shared>, committer: Committer, lock: DirectoryLock) -> std::io::Result<Self> {
        let (requests, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new().name("store-committer".to_owned());
        let handle = thread.spawn(move || committer.run(&receiver))?;
        Ok(Self {
            shared,
            requests: Some(requests),
            committer: Some(handle),
            _lock: lock,
        })
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Embedded")
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

impl Store for Embedded {
    fn get(&self, key: &str) -> Option<Entry> {
        self.shared.state().entries.get(key).cloned()
    }

    fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange {
        self.shared.state().range(prefix, after, limit)
    }

    fn commit(&self, transaction: Transaction) -> Commit {
        let (answer, answered) = oneshot::channel();
        if let Some(requests) = &self.requests {
            // If the committer is gone, the answer's sender is dropped, which is noticed below.
            let _ = requests.send(Request { transaction, answer });
        }
        Box::pin(async move {
            let gone = || CommitError::Failed("the committer has stopped".to_owned());
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, WatchError> {
        Watch::new(&self.shared.feed, prefix, after)
    }

    fn attach(&self, prefix: &str, view: Arc<dyn View>) {
        self.shared.attach(prefix, view);
    }

    fn revision(&self) -> Revision {
        self.shared.state().revision
    }

    fn health(&self) -> Result<(), String> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure.to_owned());
        }
        match &self.committer {
            Some(committer) if !committer.is_finished() => Ok(()),
            _ => Err("the committer has stopped".to_owned()),
        }
    }

    fn figures(&self) -> Figures {
        self.shared.figures()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(committer) = self.committer.take() {
            // A committer that panicked has said so on its own; there is nothing left to save here.
            let _ = committer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::journal::segment::Medium;

    /// A disk whose next write or sync can be made to fail.
    #[derive(Clone, Default)]
    struct Faulty {
        write: Arc<AtomicBool>,
        sync: Arc<AtomicBool>,
    }

    impl Medium for Faulty {
        fn write(&mut self, _: &[u8], _: u64) -> io::Result<()> {
            if self.write.swap(false, Ordering::Relaxed) {
                Err(io::Error::other("no space"))
            } else {
                Ok(())
            }
        }

        fn sync(&mut self) -> io::Result<()> {
            if self.sync.swap(false, Ordering::Relaxed) {
                Err(io::Error::other("broken disk"))
            } else {
                Ok(())
            }
        }
    }

    fn on(disk: &Faulty, directory: &Path) -> Embedded {
        let shared = Arc::new(Shared::new(crate::state::State::default(), 0));
        let committer = Committer {
            shared: shared.clone(),
            directory: directory.to_owned(),
            segment: Segment::new(Box::new(disk.clone()), 0, 0),
            encoder: Encoder::default(),
            older_bytes: 0,
            snapshot_after: u64::MAX,
            not_folded: 0,
            snapshot: None,
        };
        Embedded::start(shared, committer, DirectoryLock::acquire(directory).unwrap()).unwrap()
    }

    fn put(key: &str) -> Transaction {
        Transaction::new().put(key, "value")
    }

    #[tokio::test]
    async fn a_sync_that_fails_poisons_the_store() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Faulty::default();
        let store = on(&disk, directory.path());
        store.commit(put("before")).await.unwrap();
        disk.sync.store(true, Ordering::Relaxed);
        let failed = store.commit(put("lost")).await.unwrap_err();
        assert!(
            matches!(&failed, CommitError::Failed(reason) if reason.contains("broken disk")),
            "{failed}"
        );
        // The disk works again, but what it holds is unknown: nothing may be acknowledged.
        assert!(matches!(
            store.commit(put("after")).await,
            Err(CommitError::Failed(_))
        ));
        assert!(store.health().unwrap_err().contains("broken disk"));
        assert!(store.get("before").is_some());
        assert_eq!((store.get("lost"), store.get("after")), (None, None));
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_recovers() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Faulty::default();
        let store = on(&disk, directory.path());
        disk.write.store(true, Ordering::Relaxed);
        assert!(matches!(
            store.commit(put("refused")).await,
            Err(CommitError::NoRoom(_))
        ));
        assert_eq!(store.get("refused"), None);
        store.health().unwrap();
        assert_eq!(store.commit(put("taken")).await, Ok(Revision(1)));
    }
}
