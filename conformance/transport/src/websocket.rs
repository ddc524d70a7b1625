//! WebSockets (RFC 6455) at addresses that a server has named: opened and read within bounds of time, size and number.
//!
//! The handshake is read here, as a library that refuses `Connection: keep-alive, Upgrade` would blame servers that are
//! right; frames are tungstenite's.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::connect::{Connector, Stream};
use crate::exchange::Request;
use crate::fault::Fault;
use crate::perform::Composed;
use crate::target::TargetUrl;

/// The most bytes of the answer's header.
const HEAD: usize = 64 << 10;
/// The most lines of it.
const LINES: usize = 128;
/// The most bytes of one message.
const MESSAGE: usize = 256 << 10;
/// The most frames in a row that are no message.
const CHATTER: usize = 1_000;
/// How long the closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);

/// What came over a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketMessage {
    /// Text, which is UTF-8 (RFC 6455 clause 5.6).
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// Why a WebSocket can't be opened, or brings nothing. `Display` is one sentence without a final full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketFault {
    /// It is no address of a WebSocket.
    #[error("it is no address of a WebSocket: {0}")]
    Address(String),
    /// There is no connection, or it broke.
    #[error(transparent)]
    Connection(#[from] Fault),
    /// The answer is not 101.
    #[error("the handshake was answered {0}, not 101")]
    Refused(u16),
    /// The answer is not one that opens a WebSocket.
    #[error("the handshake is wrong: {0}")]
    Handshake(String),
    /// The time ran out.
    #[error("nothing came in time")]
    Timeout,
    /// A frame or message is longer than allowed.
    #[error("a message is longer than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// So many frames came without a message that nobody waits on.
    #[error("{0} frames came in a row and none of them was a message")]
    Chatter(usize),
    /// What came are no frames.
    #[error("what comes breaks the protocol: {0}")]
    Protocol(String),
    /// The server closed it.
    #[error("the server closed it")]
    Closed,
}

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<Stream>,
    /// The header fields of the answer that opened it.
    pub headers: Vec<(String, String)>,
}

/// The place that an address names, as one of HTTP, and the path with its query.
pub(crate) fn split(address: &str) -> Result<(TargetUrl, String), SocketFault> {
    let wrong = |reason: &str| SocketFault::Address(reason.to_owned());
    let (scheme, rest) = address
        .split_once("://")
        .ok_or_else(|| wrong("it is not absolute"))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" => "http",
        "wss" => "https",
        _ => return Err(wrong("its scheme is neither ws nor wss")),
    };
    if rest.contains('#') {
        return Err(wrong("it has a fragment (RFC 6455, 3)"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let target = TargetUrl::parse(&format!("{scheme}://{authority}"))
        .map_err(|error| SocketFault::Address(error.to_string()))?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((target, format!("{slash}{path}")))
}

/// Adds the fields of a handshake; the key that the answer has to show.
pub(crate) fn prepare(request: &mut Request) -> String {
    let key = generate_key();
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", &key),
    ] {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    derive_accept_key(key.as_bytes())
}

/// Connects and shakes hands.
pub(crate) async fn open(
    connector: &Connector,
    request: &Composed,
    key: &str,
    time: Duration,
) -> Result<WebSocket, SocketFault> {
    let opening = async {
        let mut stream = connector.connect_http1().await?;
        let mut bytes = format!("GET {} HTTP/1.1\r\n", request.uri).into_bytes();
        for (name, value) in &request.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        stream.write_all(&bytes).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        let (headers, rest) = answer(&mut stream, key).await?;
        let config = WebSocketConfig::default()
            .read_buffer_size(16 << 10)
            .max_message_size(Some(MESSAGE))
            .max_frame_size(Some(MESSAGE));
        let stream = WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await;
        Ok(WebSocket { stream, headers })
    };
    timeout(time, opening).await.unwrap_or(Err(SocketFault::Timeout))
}

fn broken(error: std::io::Error) -> SocketFault {
    SocketFault::Protocol(error.to_string())
}

/// Reads the answer of the handshake; its fields, and what came after them.
async fn answer(stream: &mut Stream, key: &str) -> Result<(Vec<(String, String)>, Vec<u8>), SocketFault> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4 << 10];
    loop {
        let read = stream.read(&mut chunk).await.map_err(broken)?;
        if read == 0 {
            return Err(SocketFault::Closed);
        }
        bytes.extend(chunk.iter().take(read));
        if let Some((headers, length)) = judged(&bytes, key)? {
            return Ok((headers, bytes.split_off(length)));
        }
        if bytes.len() > HEAD {
            return Err(SocketFault::Handshake(format!(
                "its header is longer than {HEAD} bytes"
            )));
        }
    }
}

/// Header fields and the length of a head.
type Head = (Vec<(String, String)>, usize);

/// Judges the answer by RFC 6455 clause 4.1; none as long as it is not complete.
fn judged(bytes: &[u8], key: &str) -> Result<Option<Head>, SocketFault> {
    let wrong = |reason: String| SocketFault::Handshake(reason);
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut parsed = httparse::Response::new(&mut lines);
    let status = parsed
        .parse(bytes)
        .map_err(|error| wrong(format!("the answer is no HTTP ({error})")))?;
    let httparse::Status::Complete(length) = status else {
        return Ok(None);
    };
    let code = parsed.code.unwrap_or_default();
    if code != 101 {
        return Err(SocketFault::Refused(code));
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<_> = parsed
        .headers
        .iter()
        .map(|line| (line.name.to_ascii_lowercase(), text(line.value)))
        .collect();
    let has = |name: &str, wanted: &str| {
        let mut of_name = headers.iter().filter(|(other, _)| other == name);
        of_name.any(|(_, value)| {
            value
                .split(',')
                .any(|token| token.trim().eq_ignore_ascii_case(wanted))
        })
    };
    let accepted = headers
        .iter()
        .any(|(name, value)| name == "sec-websocket-accept" && value.trim() == key);
    let asked_for_nothing = ["sec-websocket-protocol", "sec-websocket-extensions"];
    let unasked = headers
        .iter()
        .find(|(name, value)| asked_for_nothing.contains(&name.as_str()) && !value.trim().is_empty());
    if !has("upgrade", "websocket") {
        return Err(wrong("101 without Upgrade: websocket".to_owned()));
    }
    if !has("connection", "upgrade") {
        return Err(wrong("101 without Connection: Upgrade".to_owned()));
    }
    if !accepted {
        return Err(wrong("Sec-WebSocket-Accept does not answer the key".to_owned()));
    }
    if let Some((name, _)) = unasked {
        return Err(wrong(format!("{name} answers what was not asked for")));
    }
    Ok(Some((headers, length)))
}

impl WebSocket {
    /// The next message that comes until a moment.
    ///
    /// # Errors
    /// [`SocketFault::Timeout`] where none came; why none will come any more.
    pub async fn next(&mut self, until: std::time::Instant) -> Result<SocketMessage, SocketFault> {
        let until = Instant::from_std(until);
        for _ in 0..CHATTER {
            // What is there at once is given out without a look at the clock.
            if Instant::now() >= until {
                return Err(SocketFault::Timeout);
            }
            let Ok(next) = timeout_at(until, self.stream.next()).await else {
                return Err(SocketFault::Timeout);
            };
            match next {
                Some(Ok(Message::Text(text))) => return Ok(SocketMessage::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => return Ok(SocketMessage::Binary(bytes.to_vec())),
                None | Some(Ok(Message::Close(_))) => return Err(SocketFault::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(fault(error)),
            }
        }
        Err(SocketFault::Chatter(CHATTER))
    }

    /// Says that nothing more is wanted.
    pub async fn close(mut self) {
        // Whether the server answers is its own affair.
        let _ = timeout(CLOSING, self.stream.close(None)).await;
    }
}

fn fault(error: Error) -> SocketFault {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => SocketFault::Closed,
        Error::Capacity(_) => SocketFault::TooLarge { limit: MESSAGE },
        Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset => SocketFault::Closed,
        error => SocketFault::Protocol(error.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let (target, path) = split("ws://mep.example:81/a/b?c=d").unwrap();
        assert_eq!(
            (target.to_string().as_str(), path.as_str()),
            ("http://mep.example:81", "/a/b?c=d")
        );
        let (target, path) = split("WSS://[::1]").unwrap();
        assert_eq!(
            (target.to_string().as_str(), path.as_str()),
            ("https://[::1]", "/")
        );
        for wrong in ["/ws/1", "http://mep.example/ws", "ws://", "ws://mep.example/a#b"] {
            assert!(matches!(split(wrong), Err(SocketFault::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn a_handshake_is_judged_as_the_rfc_says() {
        let right = "HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: key\r\n\r\n";
        assert_eq!(judged(right.as_bytes(), "key").unwrap().unwrap().1, right.len());
        assert_eq!(judged(&right.as_bytes()[..60], "key").unwrap(), None);
        let refused = judged(b"HTTP/1.1 404 Not Found\r\n\r\n", "key");
        assert_eq!(refused.unwrap_err(), SocketFault::Refused(404));
        let faults = [
            ("Upgrade: WebSocket\r\n", ""),
            ("keep-alive, Upgrade", "keep-alive"),
            ("Accept: key", "Accept: other"),
            ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n"),
            ("HTTP/1.1", "SSH-2.0"),
        ];
        for (part, instead) in faults {
            let wrong = right.replace(part, instead);
            let judged = judged(wrong.as_bytes(), "key");
            assert!(matches!(judged, Err(SocketFault::Handshake(_))), "{instead}");
        }
    }
}
