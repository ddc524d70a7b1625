//! WebSockets that a platform offers instead of a callback: opened by the suite, what comes over them kept as letters.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use mecforge_report::{Answer, Exchange, Message};
use mecforge_transport::{SocketFault, SocketMessage, WebSocket};

use super::Letter;
use super::context::GLANCE;
use crate::suite::{Context, Stop};

/// An open WebSocket of a subscription.
pub struct Socket {
    inner: WebSocket,
    address: String,
}

impl Context {
    /// Opens a WebSocket within the patience for notifications; the handshake becomes evidence.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub async fn open_socket(&mut self, address: &str) -> Result<Socket, SocketFault> {
        let (started, clock) = (SystemTime::now(), Instant::now());
        let opened = self.suite.clients.main.websocket(address, self.patience()).await;
        let response = opened.as_ref().ok().map(|socket| Answer {
            status: 101,
            version: "HTTP/1.1".to_owned(),
            headers: socket.headers.clone(),
            body: String::new(),
            body_length: 0,
        });
        self.trace.push(Exchange {
            role: "notification".to_owned(),
            started_at: crate::suite::time::rfc3339(started),
            elapsed_ms: clock.elapsed().as_secs_f64() * 1000.0,
            request: Message {
                method: "GET".to_owned(),
                url: address.to_owned(),
                version: "HTTP/1.1".to_owned(),
                headers: vec![("Upgrade".to_owned(), "websocket".to_owned())],
                body_length: 0,
                body: None,
            },
            response,
            fault: opened.as_ref().err().map(SocketFault::to_string),
        });
        opened.map(|inner| Socket {
            inner,
            address: address.to_owned(),
        })
    }

    /// The next message that comes over a WebSocket until a moment, or why none comes.
    ///
    /// # Errors
    /// [`Stop::Over`] if the run is over before.
    pub async fn hear(&self, socket: &mut Socket, end: Instant) -> Result<Result<Letter, SocketFault>, Stop> {
        loop {
            let until = end.min(Instant::now() + GLANCE);
            match socket.inner.next(until).await {
                Err(SocketFault::Timeout) if Instant::now() < end => {}
                Err(fault) => return Ok(Err(fault)),
                Ok(message) => return Ok(Ok(socket.letter(message))),
            }
            if self.is_over() {
                return Err(Stop::Over);
            }
        }
    }
}

impl Socket {
    /// Says that nothing more is wanted.
    pub async fn close(self) {
        self.inner.close().await;
    }

    fn letter(&self, message: SocketMessage) -> Letter {
        let (method, body) = match message {
            SocketMessage::Text(text) => ("TEXT", Bytes::from(text)),
            SocketMessage::Binary(bytes) => ("BINARY", Bytes::from(bytes)),
        };
        Letter {
            arrived: Instant::now(),
            time: SystemTime::now(),
            method: method.to_owned(),
            url: self.address.clone(),
            target: String::new(),
            headers: Vec::new(),
            body,
            answered: 0,
            by_socket: true,
        }
    }
}
