//! The stream of events to one client.

use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use mecforge_store::{Changes, Revision, Store, Watch, WatchError};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::administration::{Figures, Inner};
use crate::events::batch::Batch;
use crate::events::{EventData, Position};
use crate::kind::Kind;

/// How much is sent at once, in bytes, before it is looked whether the client takes it.
const LARGEST_BATCH: usize = 64 * 1024;
/// After how many milliseconds a client comes back when the connection is lost.
const RETRY: u64 = 2000;

/// How a stream begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    /// With what happens from now on.
    Now(Revision),
    /// With what the client has missed.
    Resumed,
    /// With what happens from now on, and the client has missed something.
    Reset(Revision),
}

/// One client's events.
pub(crate) struct Events {
    /// Not the store itself: a client must not keep it open.
    store: Weak<dyn Store>,
    watch: Watch,
    kinds: Vec<Kind>,
    batch: Batch,
    closing: watch::Receiver<bool>,
    interval: Duration,
    keep_alive: Duration,
    /// When something was last sent.
    sent: Instant,
    figures: Figures,
    _client: Client,
}

/// A client's place among those that may follow events, and its part of the gauge.
struct Client {
    clients: Gauge,
    _place: OwnedSemaphorePermit,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.dec();
    }
}

/// What a stream waits for.
enum Happened {
    Changes(Changes),
    Lost(WatchError),
    Nothing,
    Closing,
}

impl Events {
    pub(crate) fn new(
        inner: &Inner,
        watch: Watch,
        begin: Begin,
        kinds: Vec<Kind>,
        closing: watch::Receiver<bool>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let figures = inner.event_figures.clone();
        figures.clients.inc();
        let now = Instant::now();
        let mut events = Self {
            store: Arc::downgrade(&inner.platform.store),
            kinds,
            batch: Batch::default(),
            closing,
            interval: inner.options.event_interval,
            keep_alive: inner.options.event_keep_alive,
            sent: now.checked_sub(inner.options.event_interval).unwrap_or(now),
            _client: Client {
                clients: figures.clients.clone(),
                _place: place,
            },
            figures,
            watch,
        };
        events.batch.retry(RETRY);
        let revision = events.watch.position().0;
        let position = EventData::Position(Position { revision });
        match begin {
            Begin::Now(now) => events.batch.push("ready", Some(now), &position),
            Begin::Resumed => events.batch.push("ready", None, &position),
            Begin::Reset(now) => events.batch.push("reset", Some(now), &position),
        }
        events
    }

    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, async |mut events| {
            let text = events.next().await?;
            Some((Ok(Bytes::from(text)), events))
        })
    }

    /// The next text to send; `None` at the end. Asked for when the client has taken the last.
    async fn next(&mut self) -> Option<String> {
        while self.batch.is_empty() {
            match self.happened().await {
                Happened::Changes(changes) => self.batch.add(&changes, &self.kinds),
                Happened::Lost(error) => self.start_again(error)?,
                Happened::Nothing => self.batch.comment("still here"),
                Happened::Closing => return None,
            }
        }
        // What comes quickly one after the other goes together.
        tokio::time::sleep_until(self.sent + self.interval).await;
        self.gather()?;
        self.sent = Instant::now();
        Some(self.batch.take())
    }

    async fn happened(&mut self) -> Happened {
        tokio::select! {
            biased;
            _ = self.closing.wait_for(|closing| *closing) => Happened::Closing,
            next = self.watch.next() => match next {
                Ok(changes) => Happened::Changes(changes),
                Err(error) => Happened::Lost(error),
            },
            () = tokio::time::sleep_until(self.sent + self.keep_alive) => Happened::Nothing,
        }
    }

    /// Adds what has happened meanwhile, as far as there is room. `None` if the store is gone.
    fn gather(&mut self) -> Option<()> {
        use futures_util::FutureExt as _;
        while self.batch.len() < LARGEST_BATCH {
            match self.watch.next().now_or_never() {
                None => break,
                Some(Ok(changes)) => self.batch.add(&changes, &self.kinds),
                Some(Err(error)) => self.start_again(error)?,
            }
        }
        Some(())
    }

    /// Goes on from now, and tells the client that it has missed something. `None` if the store is gone.
    fn start_again(&mut self, error: WatchError) -> Option<()> {
        let WatchError::Compacted { .. } = error else {
            return None;
        };
        let store = self.store.upgrade()?;
        let now = store.revision();
        self.watch = store.watch("", now).ok()?;
        self.figures.resets.inc();
        self.batch.push(
            "reset",
            Some(now),
            &EventData::Position(Position { revision: now.0 }),
        );
        Some(())
    }
}
