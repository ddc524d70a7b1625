//! WebSockets that subscribers have opened for their subscriptions (ETSI GS MEC 009 clause 6.12.2).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// The open WebSockets of a platform, at most one for each subscription.
#[derive(Debug)]
pub struct WebSockets {
    connections: Mutex<HashMap<Arc<str>, Connection>>,
    /// Subscriptions that were connected since the dispatcher looked.
    connected: Mutex<Vec<Arc<str>>>,
    pub(crate) bell: Notify,
    number: AtomicU64,
    ping: Duration,
    write: Duration,
}

#[derive(Clone, Debug)]
struct Connection {
    number: u64,
    frames: mpsc::Sender<Frame>,
}

/// A text to be written; `written` is dropped if that fails.
#[derive(Debug)]
struct Frame {
    text: Utf8Bytes,
    written: oneshot::Sender<()>,
}

/// Why a text was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// No client is connected, or it has just gone.
    NotConnected,
    /// It is not UTF-8.
    NotText,
}

impl WebSockets {
    pub(crate) fn new(ping: Duration, write: Duration) -> Self {
        Self {
            connections: Mutex::default(),
            connected: Mutex::default(),
            bell: Notify::new(),
            number: AtomicU64::new(0),
            ping: ping.max(Duration::from_millis(1)),
            write,
        }
    }

    /// Serves a WebSocket on which the notifications of a subscription (its key in the store) are delivered, until
    /// it closes. A client that connects again takes the place of the earlier one, whose socket is closed.
    ///
    /// Each notification is one text frame with its JSON. It counts as delivered when it has been written and flushed
    /// without an error. What the client sends is ignored.
    pub async fn serve(&self, subscription: &str, mut socket: WebSocket) {
        let (sender, mut frames) = mpsc::channel(1);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let connection = Connection {
            number,
            frames: sender,
        };
        let subscription: Arc<str> = subscription.into();
        lock(&self.connections).insert(subscription.clone(), connection);
        let _registered = Registered {
            sockets: self,
            subscription: &subscription,
            number,
        };
        lock(&self.connected).push(subscription.clone());
        self.bell.notify_one();
        self.run(&mut socket, &mut frames).await;
    }

    async fn run(&self, socket: &mut WebSocket, frames: &mut mpsc::Receiver<Frame>) {
        let mut pings = interval_at(Instant::now() + self.ping, self.ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent = 0;
        loop {
            tokio::select! {
                frame = frames.recv() => {
                    let Some(frame) = frame else {
                        // Another client has taken the place, or the subscription is gone.
                        let _ = self.write(socket, Message::Close(None)).await;
                        return;
                    };
                    if !self.write(socket, Message::Text(frame.text)).await {
                        return;
                    }
                    // Whoever waited for it may have gone.
                    let _ = frame.written.send(());
                }
                received = socket.recv() => match received {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return,
                    Some(Ok(_)) => silent = 0,
                },
                _ = pings.tick() => {
                    silent += 1;
                    if silent > 2 || !self.write(socket, Message::Ping(Bytes::new())).await {
                        return;
                    }
                }
            }
        }
    }

    async fn write(&self, socket: &mut WebSocket, message: Message) -> bool {
        matches!(timeout(self.write, socket.send(message)).await, Ok(Ok(())))
    }

    /// Whether a client is connected for a subscription.
    #[must_use]
    pub fn is_connected(&self, subscription: &str) -> bool {
        lock(&self.connections).contains_key(subscription)
    }

    /// Writes a text to the client of a subscription.
    pub(crate) async fn send(&self, subscription: &str, body: Bytes) -> Result<(), NotWritten> {
        let text = Utf8Bytes::try_from(body).map_err(|_| NotWritten::NotText)?;
        let connection = lock(&self.connections).get(subscription).cloned();
        let connection = connection.ok_or(NotWritten::NotConnected)?;
        let (written, answer) = oneshot::channel();
        let frame = Frame { text, written };
        if connection.frames.send(frame).await.is_ok() && answer.await.is_ok() {
            return Ok(());
        }
        self.remove(subscription, connection.number);
        Err(NotWritten::NotConnected)
    }

    /// Closes the WebSocket of a subscription.
    pub(crate) fn disconnect(&self, subscription: &str) {
        lock(&self.connections).remove(subscription);
    }

    /// The subscriptions for which a client is connected.
    pub(crate) fn subscriptions(&self) -> Vec<Arc<str>> {
        lock(&self.connections).keys().cloned().collect()
    }

    /// The subscriptions that were connected since the last call.
    pub(crate) fn newly_connected(&self) -> Vec<Arc<str>> {
        std::mem::take(&mut *lock(&self.connected))
    }

    fn remove(&self, subscription: &str, number: u64) {
        let mut connections = lock(&self.connections);
        if connections
            .get(subscription)
            .is_some_and(|connection| connection.number == number)
        {
            connections.remove(subscription);
        }
    }
}

/// Takes a connection off the list when its task ends, however it does.
struct Registered<'a> {
    sockets: &'a WebSockets,
    subscription: &'a str,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.sockets.remove(self.subscription, self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
