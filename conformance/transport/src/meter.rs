//! A stream that counts what passes, keeps the first bytes of each answer and stops a header that does not end.
//!
//! hyper bounds one header, but not the number of interim (1xx) answers before the final one: the allowance does.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::fault::AllowanceExceeded;

/// How many of an answer's first bytes are kept for messages.
const SAMPLE: usize = 48;

/// The counters of one connection, shared by the stream and whoever uses it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    read: AtomicU64,
    /// The total of bytes read at which the stream fails; 0 is no limit.
    allowance: AtomicU64,
    sampling: AtomicBool,
    sample: Mutex<Vec<u8>>,
}

impl Meter {
    /// Starts an exchange: the answer's header may take `allowance` bytes from here; any number where that is none, as
    /// on a connection that several exchanges share. Returns the mark for `answered`.
    pub(crate) fn begin(&self, allowance: Option<u64>) -> u64 {
        let read = self.read.load(Ordering::Relaxed);
        let limit = allowance.map_or(0, |allowance| read.saturating_add(allowance));
        self.allowance.store(limit, Ordering::Relaxed);
        self.sample.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.sampling.store(true, Ordering::Release);
        read
    }

    /// Lifts the limit: the header has come, and the body has a bound of its own.
    pub(crate) fn lift(&self) {
        self.allowance.store(0, Ordering::Relaxed);
        self.sampling.store(false, Ordering::Relaxed);
    }

    /// Whether a byte came since `mark`.
    pub(crate) fn answered(&self, mark: u64) -> bool {
        self.read.load(Ordering::Relaxed) > mark
    }

    /// The first bytes of the current answer.
    pub(crate) fn beginning(&self) -> Vec<u8> {
        self.sample.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn passed(&self, bytes: &[u8]) -> io::Result<()> {
        let total = self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed) + bytes.len() as u64;
        if self.sampling.load(Ordering::Acquire) {
            let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
            let room = SAMPLE.saturating_sub(sample.len());
            sample.extend(bytes.iter().take(room));
            if sample.len() >= SAMPLE {
                self.sampling.store(false, Ordering::Relaxed);
            }
        }
        let allowance = self.allowance.load(Ordering::Relaxed);
        if allowance != 0 && total > allowance {
            Err(io::Error::other(AllowanceExceeded))
        } else {
            Ok(())
        }
    }
}

/// A stream with a meter.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    /// Puts the meter on the stream.
    pub(crate) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let new = buffer.filled().get(before..).unwrap_or_default();
                Poll::Ready(if new.is_empty() {
                    Ok(())
                } else {
                    self.meter.passed(new)
                })
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
