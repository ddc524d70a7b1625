//! Answers that no HTTP library writes: a connection whose next bytes can be replaced by others.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// As an extension of an answer: the bytes to send in its place. The connection is closed after them.
#[derive(Clone, Debug)]
pub(crate) struct Raw(pub(crate) Bytes);

/// What is to be written in place of what the library writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replacement(Arc<Mutex<Option<Bytes>>>);

impl Replacement {
    /// From now on the connection carries these bytes and then nothing.
    pub(crate) fn replace_with(&self, bytes: Bytes) {
        *self.slot() = Some(bytes);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection whose output can be replaced.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    replacement: Replacement,
}

impl Wire {
    /// Wraps a connection; the second half replaces its output.
    pub(crate) fn new(stream: TcpStream) -> (Self, Replacement) {
        let replacement = Replacement::default();
        let wire = Self {
            stream,
            replacement: replacement.clone(),
        };
        (wire, replacement)
    }

    /// Writes what is left of a replacement; true if there is or was one.
    fn write_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut slot = self.replacement.slot();
        let Some(bytes) = slot.as_mut() else {
            return Poll::Ready(Ok(false));
        };
        while bytes.has_remaining() {
            match Pin::new(&mut self.stream).poll_write(context, bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => bytes.advance(count),
                Poll::Ready(Err(cause)) => return Poll::Ready(Err(cause)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.write_replacement(context) {
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(bytes.len())),
            Poll::Ready(Ok(false)) => Pin::new(&mut self.stream).poll_write(context, bytes),
            Poll::Ready(Err(cause)) => Poll::Ready(Err(cause)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
