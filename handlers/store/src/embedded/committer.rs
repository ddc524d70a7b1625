//! The one thread that writes: it gathers what is waiting, judges it, makes it durable with one sync, and only then
//! shows it and answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use super::shared::Shared;
use crate::error::CommitError;
use crate::journal::frame::Encoder;
use crate::journal::segment::{Segment, WriteError};
use crate::journal::snapshot;
use crate::state::{Judge, State, Write};
use crate::store::Revision;
use crate::transaction::Transaction;

/// The most transactions that share a sync.
const LARGEST_BATCH: usize = 1024;
/// A batch is closed when its frame has this many bytes.
const FULL_FRAME: usize = 4 * 1024 * 1024;

type Answer = Result<Revision, CommitError>;

/// A transaction and who waits for it.
pub(crate) struct Request {
    pub(crate) transaction: Transaction,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The committer thread's possessions.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) directory: PathBuf,
    pub(crate) segment: Segment,
    pub(crate) encoder: Encoder,
    /// Bytes of journal in segments before the current one.
    pub(crate) older_bytes: u64,
    /// A snapshot is due when the journal has grown by this many bytes (and to twice the live data).
    pub(crate) snapshot_after: u64,
    /// Bytes of journal that the last snapshot, if it failed, left behind.
    pub(crate) not_folded: u64,
    pub(crate) snapshot: Option<JoinHandle<bool>>,
}

/// A batch that was judged.
#[derive(Default)]
struct Batch {
    /// Transactions that change something.
    writes: Vec<(Revision, Vec<Write>)>,
    /// Every request's answer, true once the writes are durable.
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
}

impl Committer {
    /// Commits until every sender of requests is gone.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            self.commit(first, requests);
            self.snapshot_if_due();
        }
        self.finish_snapshot();
    }

    fn commit(&mut self, first: Request, requests: &Receiver<Request>) {
        if let Some(reason) = self.shared.failure() {
            let error = CommitError::Failed(reason.to_owned());
            std::iter::once(first)
                .chain(requests.try_iter())
                .for_each(|request| answer(request.answer, Err(error.clone())));
            return;
        }
        let batch = self.judge(first, requests);
        match self.make_durable(&batch) {
            Ok(()) => {
                self.count(&batch);
                self.shared.apply(batch.writes);
                batch
                    .answers
                    .into_iter()
                    .for_each(|(sender, result)| answer(sender, result));
            }
            // Refusals may have been judged against writes of the same batch, so they are taken back as well.
            Err(error) => batch
                .answers
                .into_iter()
                .for_each(|(sender, _)| answer(sender, Err(error.clone()))),
        }
    }

    /// Judges requests as long as there are any and puts those that pass into one frame.
    fn judge(&mut self, first: Request, requests: &Receiver<Request>) -> Batch {
        let shared = self.shared.clone();
        let state = shared.state();
        let mut judge = Judge::new(&state);
        let mut batch = Batch::default();
        self.encoder.start_batch(state.revision.next());
        let mut next = Some(first);
        while let Some(Request { transaction, answer }) = next {
            let result = judge.judge(transaction).map(|writes| {
                if !writes.is_empty() {
                    self.encoder.transaction(&writes);
                    batch.writes.push((judge.revision(), writes));
                }
                judge.revision()
            });
            batch.answers.push((answer, result));
            let full = batch.answers.len() >= LARGEST_BATCH || self.encoder.len() >= FULL_FRAME;
            next = if full { None } else { requests.try_recv().ok() };
        }
        batch
    }

    fn make_durable(&mut self, batch: &Batch) -> Result<(), CommitError> {
        if batch.writes.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let written = self.segment.append(self.encoder.finish_batch());
        let nanoseconds = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.shared
            .counters
            .sync_nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
        if self.encoder.len() > FULL_FRAME {
            self.encoder = Encoder::default();
        }
        match written {
            Ok(()) => Ok(()),
            Err(WriteError::NoRoom(error)) => {
                tracing::error!(%error, "no room for the journal");
                Err(CommitError::NoRoom(error.to_string()))
            }
            Err(WriteError::Unknown(error)) => {
                let reason = format!("the journal could not be made durable: {error}");
                self.shared.fail(reason.clone());
                Err(CommitError::Failed(reason))
            }
        }
    }

    fn count(&self, batch: &Batch) {
        let counters = &self.shared.counters;
        let add = |counter: &AtomicU64, count: usize| counter.fetch_add(count as u64, Ordering::Relaxed);
        let conflicts = batch
            .answers
            .iter()
            .filter(|(_, result)| matches!(result, Err(CommitError::Conflict { .. })))
            .count();
        add(&counters.conflicts, conflicts);
        add(&counters.commits, batch.writes.len());
        add(&counters.syncs, usize::from(!batch.writes.is_empty()));
        counters
            .journal_bytes
            .store(self.older_bytes + self.segment.len(), Ordering::Relaxed);
    }

    /// Starts a snapshot in the background when the journal has grown much larger than what it describes.
    fn snapshot_if_due(&mut self) {
        if self.snapshot.as_ref().is_some_and(JoinHandle::is_finished) {
            self.finish_snapshot();
        }
        let journal = self.older_bytes + self.segment.len();
        if self.snapshot.is_some()
            || journal - self.not_folded < self.snapshot_after
            || self.shared.failure().is_some()
        {
            return;
        }
        let state = self.shared.state();
        if journal < 2 * state.bytes {
            return;
        }
        // Shallow: keys and values are shared. Writers wait for this copy, not for the disk.
        let state = State::clone(&state);
        let kept = state.revision.next();
        match Segment::create(&self.directory, kept) {
            Ok(segment) => {
                self.older_bytes += self.segment.len();
                self.segment = segment;
                self.snapshot = Some(self.start_snapshot(state, kept));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot start a new journal segment, going on with the old one")
            }
        }
    }

    fn start_snapshot(&self, state: State, kept: Revision) -> JoinHandle<bool> {
        let directory = self.directory.clone();
        std::thread::spawn(move || {
            let written = snapshot::write(&directory, &state)
                .and_then(|()| snapshot::remove_superseded(&directory, state.revision, kept));
            if let Err(error) = &written {
                tracing::warn!(%error, "cannot write a snapshot, the journal stays as it is");
            }
            written.is_ok()
        })
    }

    fn finish_snapshot(&mut self) {
        let Some(handle) = self.snapshot.take() else {
            return;
        };
        if handle.join().unwrap_or(false) {
            self.older_bytes = 0;
            self.not_folded = 0;
            self.shared.counters.snapshots.fetch_add(1, Ordering::Relaxed);
        } else {
            self.not_folded = self.older_bytes + self.segment.len();
        }
    }
}

/// Who asked may have stopped waiting; that changes nothing.
fn answer(sender: oneshot::Sender<Answer>, result: Answer) {
    let _ = sender.send(result);
}
