//! The connection to the platform behind the proxy.
//!
//! Each connection of a client has one of its own, so that what a connection means (its order, its end) is not changed.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::message::{Answer, Request};

/// The longest body that is passed on, in bytes.
pub(crate) const LONGEST_BODY: usize = 64 << 20;

/// What a platform may refuse before it has read it, in bytes.
const LONG_BODY: usize = 64 << 10;

/// Why there is no answer from the platform; the client's connection is closed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The platform could not be connected to.
    #[error("the platform does not take connections")]
    Connect(#[source] std::io::Error),
    /// The exchange broke off.
    #[error("the exchange with the platform broke off")]
    Exchange(#[source] hyper::Error),
    /// The body broke off or is too long.
    #[error("the platform's body broke off or is longer than {LONGEST_BODY} bytes")]
    Body,
    /// The fault closes the connection on purpose.
    #[error("the fault closes the connection")]
    OnPurpose,
}

/// The address of the platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Upstream {
    /// Opens a connection.
    pub(crate) async fn connect(self) -> Result<http1::SendRequest<Full<Bytes>>, NoAnswer> {
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(NoAnswer::Connect)?;
        stream.set_nodelay(true).map_err(NoAnswer::Connect)?;
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .max_headers(2000)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(NoAnswer::Exchange)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// One exchange on a connection of its own.
    pub(crate) async fn call(self, request: Request) -> Result<Answer, NoAnswer> {
        Lane::new(self).send(request).await
    }
}

/// One connection to the platform, opened when it is needed.
#[derive(Debug)]
pub(crate) struct Lane {
    upstream: Upstream,
    sender: Mutex<Option<http1::SendRequest<Full<Bytes>>>>,
}

impl Lane {
    /// A connection that is not open yet.
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            sender: Mutex::new(None),
        }
    }

    /// One exchange. A connection that the platform has closed meanwhile is opened anew.
    ///
    /// A platform that refuses a long body before it has read it closes the connection, and the refusal may be lost on
    /// its way: a long body is then sent again.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, NoAnswer> {
        for _ in 0..if request.body.len() > LONG_BODY { 8 } else { 0 } {
            if let Ok(answer) = self.send_once(request.clone()).await {
                return Ok(answer);
            }
        }
        self.send_once(request).await
    }

    async fn send_once(&self, request: Request) -> Result<Answer, NoAnswer> {
        let mut slot = self.sender.lock().await;
        let mut open = slot.take();
        if let Some(sender) = &mut open
            && (sender.is_closed() || sender.ready().await.is_err())
        {
            open = None;
        }
        let mut sender = match open {
            Some(sender) => sender,
            None => self.upstream.connect().await?,
        };
        let mut outgoing = http::Request::from_parts(request.parts, Full::new(request.body));
        if outgoing.uri().path_and_query().is_none() {
            *outgoing.uri_mut() = Uri::from_static("/");
        }
        let (parts, body) = sender
            .send_request(outgoing)
            .await
            .map_err(NoAnswer::Exchange)?
            .into_parts();
        let body = Limited::new(body, LONGEST_BODY)
            .collect()
            .await
            .map_err(|_| NoAnswer::Body)?;
        *slot = Some(sender);
        Ok(Answer {
            parts,
            body: body.to_bytes(),
        })
    }
}
