//! Connections to one address: kept, lent and given back.
//!
//! hyper-util has a pool, but it hides what a test suite must know: whether a connection was reused, whether a byte of
//! the answer came, and where the time went. So the connections of hyper are pooled here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::connect::Connector;
use crate::fault::{self, Circumstances, Fault, Phase};
use crate::meter::{Meter, Metered};

/// How long an idle connection is used again. Common servers close idle ones after 2 s (gunicorn) or 5 s (Node,
/// uvicorn, Apache); using one at that very moment would look like a fault of the server.
const IDLE: Duration = Duration::from_millis(1500);

/// How many idle connections are kept.
const MOST_IDLE: usize = 256;

/// How long a connection that came back may take to be ready for the next request.
const SETTLE: Duration = Duration::from_millis(100);

/// The most header lines of an answer.
const MOST_HEADERS: usize = 512;

/// The smallest buffer that hyper allows.
const LEAST_BUFFER: usize = 8 << 10;

pub(crate) type Body = Full<Bytes>;

/// Who sends on a connection.
pub(crate) enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// A connection lent for one exchange. Dropped without [`Pool::give_back`], an HTTP/1 connection is closed.
pub(crate) struct Lease {
    pub(crate) sender: Sender,
    pub(crate) meter: Arc<Meter>,
    pub(crate) reused: bool,
    /// What drives an HTTP/1 connection of its own.
    driver: Option<Driver>,
}

/// The task that drives a connection; it ends with this, so that a hostile server can't keep it alive.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Idle {
    sender: http1::SendRequest<Body>,
    meter: Arc<Meter>,
    driver: Driver,
    since: Instant,
}

/// The connections to one address.
pub(crate) struct Pool {
    connector: Connector,
    header_limit: usize,
    idle: Mutex<Vec<Idle>>,
    shared: Mutex<Option<(http2::SendRequest<Body>, Arc<Meter>)>>,
    /// Held while an HTTP/2 connection may be opened, so that many tasks open one.
    opening: tokio::sync::Mutex<()>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, header_limit: usize) -> Self {
        Self {
            connector,
            header_limit,
            idle: Mutex::new(Vec::new()),
            shared: Mutex::new(None),
            opening: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(crate) fn header_limit(&self) -> usize {
        self.header_limit
    }

    /// A connection that is ready; a new one where `fresh` says so.
    pub(crate) async fn lend(&self, fresh: bool) -> Result<Lease, Fault> {
        if !fresh {
            if let Some(lease) = self.shared_http2() {
                return Ok(lease);
            }
            while let Some(idle) = self.take_idle() {
                let mut lease = Lease {
                    sender: Sender::Http1(idle.sender),
                    meter: idle.meter,
                    reused: true,
                    driver: Some(idle.driver),
                };
                if is_settled(&mut lease).await {
                    return Ok(lease);
                }
            }
        }
        if !self.connector.may_speak_http2() {
            return self.open().await;
        }
        let _guard = self.opening.lock().await;
        if !fresh && let Some(lease) = self.shared_http2() {
            return Ok(lease);
        }
        self.open().await
    }

    /// Takes a connection back after a complete exchange.
    pub(crate) fn give_back(&self, lease: Lease) {
        let Lease {
            sender: Sender::Http1(sender),
            meter,
            driver: Some(driver),
            ..
        } = lease
        else {
            return;
        };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && !sender.is_closed() {
            idle.push(Idle {
                sender,
                meter,
                driver,
                since: Instant::now(),
            });
        }
    }

    /// Forgets an HTTP/2 connection that failed.
    pub(crate) fn forget_shared(&self) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The connection that was used last, and drops those that were idle for too long.
    fn take_idle(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = idle.pop()?;
        if newest.since.elapsed() > IDLE || newest.sender.is_closed() {
            // The others are older still, or as likely closed.
            idle.retain(|idle| idle.since.elapsed() <= IDLE && !idle.sender.is_closed());
            return idle.pop();
        }
        Some(newest)
    }

    fn shared_http2(&self) -> Option<Lease> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, meter) = shared.as_ref()?;
        if sender.is_closed() {
            *shared = None;
            return None;
        }
        let sender = Sender::Http2(sender.clone());
        Some(Lease {
            sender,
            meter: meter.clone(),
            reused: true,
            driver: None,
        })
    }

    async fn open(&self) -> Result<Lease, Fault> {
        let stream = self.connector.connect().await?;
        let http2 = self.connector.speaks_http2(&stream);
        let meter = Arc::new(Meter::default());
        let io = TokioIo::new(Metered::new(stream, meter.clone()));
        if http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_header_list_size(u32::try_from(self.header_limit).unwrap_or(u32::MAX))
                .handshake(io)
                .await
                .map_err(|error| self.handshake_fault(&error, &meter))?;
            tokio::spawn(connection);
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            *shared = Some((sender.clone(), meter.clone()));
            return Ok(Lease {
                sender: Sender::Http2(sender),
                meter,
                reused: false,
                driver: None,
            });
        }
        let (sender, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .max_header_size(self.header_limit)
            .max_buf_size(self.header_limit.max(LEAST_BUFFER))
            .handshake(io)
            .await
            .map_err(|error| self.handshake_fault(&error, &meter))?;
        let driver = Driver(tokio::spawn(connection).abort_handle());
        Ok(Lease {
            sender: Sender::Http1(sender),
            meter,
            reused: false,
            driver: Some(driver),
        })
    }

    fn handshake_fault(&self, error: &hyper::Error, meter: &Meter) -> Fault {
        let circumstances = Circumstances {
            address: self.connector.address(),
            phase: Phase::Connect,
            header_limit: self.header_limit,
            answered: false,
            beginning: &meter.beginning(),
        };
        fault::classify(error, &circumstances)
    }
}

async fn is_settled(lease: &mut Lease) -> bool {
    match &mut lease.sender {
        Sender::Http1(sender) if sender.is_ready() => true,
        Sender::Http1(sender) => matches!(tokio::time::timeout(SETTLE, sender.ready()).await, Ok(Ok(()))),
        Sender::Http2(sender) => sender.ready().await.is_ok(),
    }
}
