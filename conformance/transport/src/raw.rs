//! Bytes as they are: for requests that no client would send, and answers that need to be seen whole.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::connect::{Connector, Stream};
use crate::fault::Fault;

/// How long nothing more must come after a complete answer for the exchange to be over.
const SILENCE: Duration = Duration::from_millis(250);

/// The most header lines that are understood in an answer.
const MOST_HEADERS: usize = 256;

/// How a raw exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawEnd {
    /// The server closed the connection.
    Closed,
    /// The server reset the connection.
    Reset,
    /// At least one complete answer came, and nothing more for a quarter of a second.
    Silent,
    /// As many bytes came as were allowed.
    Limit,
    /// The time ran out.
    Timeout,
}

/// What came back for raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// All bytes, as they came.
    pub bytes: Vec<u8>,
    /// How it ended.
    pub end: RawEnd,
    /// The time from the first byte sent to the end.
    pub elapsed: Duration,
}

/// One answer among raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, out of its chunks, compressed as it came.
    pub body: Vec<u8>,
}

/// The answers among raw bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawResponses {
    /// The complete ones in order, interim (1xx) ones included.
    pub responses: Vec<RawResponse>,
    /// The bytes after the last complete one: a part of another, or what does not belong there (a body after 204).
    pub rest: Vec<u8>,
}

impl RawAnswer {
    /// Takes the bytes apart into answers to requests other than HEAD. A body without a length ends with the connection.
    pub fn responses(&self) -> RawResponses {
        let closed = self.end == RawEnd::Closed;
        let mut found = RawResponses::default();
        let mut rest: &[u8] = &self.bytes;
        while let Some((response, length)) = first_response(rest, closed) {
            found.responses.push(response);
            rest = rest.get(length..).unwrap_or_default();
        }
        found.rest = rest.to_vec();
        found
    }

    /// The final (not 1xx) statuses in order.
    pub fn statuses(&self) -> Vec<u16> {
        let all = self.responses().responses;
        all.iter()
            .map(|response| response.status)
            .filter(|status| *status >= 200)
            .collect()
    }
}

/// Sends the bytes and reads what comes at the same time, so that an early answer is not lost.
pub(crate) async fn exchange(
    connector: &Connector,
    bytes: &[u8],
    limit: usize,
    timeout: Duration,
) -> Result<RawAnswer, Fault> {
    let stream = connector.connect_http1().await?;
    let begun = Instant::now();
    let mut received = Vec::new();
    let reading = converse(stream, bytes, limit, &mut received);
    let end = tokio::time::timeout_at(begun + timeout, reading)
        .await
        .unwrap_or(RawEnd::Timeout);
    Ok(RawAnswer {
        bytes: received,
        end,
        elapsed: begun.elapsed(),
    })
}

async fn converse(stream: Stream, bytes: &[u8], limit: usize, received: &mut Vec<u8>) -> RawEnd {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let writing = async {
        // A server that does not want the rest closes its side; what it says is what counts.
        let _ = writer.write_all(bytes).await;
        let _ = writer.flush().await;
        std::future::pending::<RawEnd>().await
    };
    let reading = async {
        let mut chunk = [0_u8; 8 << 10];
        let mut complete = false;
        loop {
            let room = limit.saturating_sub(received.len()).min(chunk.len());
            if room == 0 {
                return RawEnd::Limit;
            }
            let more = reader.read(&mut chunk[..room]);
            let read = if complete {
                match tokio::time::timeout(SILENCE, more).await {
                    Ok(read) => read,
                    Err(_) => return RawEnd::Silent,
                }
            } else {
                more.await
            };
            match read {
                Ok(0) => return RawEnd::Closed,
                Ok(read) => received.extend(chunk.iter().take(read)),
                // A TLS stream that ends without its closing alert is closed all the same.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return RawEnd::Closed,
                Err(_) => return RawEnd::Reset,
            }
            complete = has_final(received);
        }
    };
    tokio::select! {
        end = reading => end,
        end = writing => end,
    }
}

fn has_final(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((response, length)) = first_response(rest, false) {
        if response.status >= 200 {
            return true;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

/// The first complete answer and its length in bytes.
fn first_response(bytes: &[u8], closed: bool) -> Option<(RawResponse, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut lines);
    let Ok(httparse::Status::Complete(head)) = parsed.parse(bytes) else {
        return None;
    };
    let status = parsed.code?;
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|line| {
            (
                line.name.to_ascii_lowercase(),
                String::from_utf8_lossy(line.value).into_owned(),
            )
        })
        .collect();
    let value = |name: &str| {
        headers
            .iter()
            .rev()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let rest = bytes.get(head..)?;
    let (body, length) = if status < 200 || matches!(status, 204 | 304) {
        (Vec::new(), 0)
    } else if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        dechunk(rest)?
    } else if let Some(length) = value("content-length") {
        let length: usize = length.parse().ok()?;
        (rest.get(..length)?.to_vec(), length)
    } else if closed {
        (rest.to_vec(), rest.len())
    } else {
        return None;
    };
    Some((
        RawResponse {
            status,
            headers,
            body,
        },
        head + length,
    ))
}

/// A complete chunked body and its length on the wire, trailers included.
fn dechunk(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(bytes.get(at..)?)
        else {
            return None;
        };
        at += line;
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        let end = at.checked_add(size)?;
        body.extend_from_slice(bytes.get(at..end)?);
        at = end;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
    // Trailer lines, up to an empty one.
    loop {
        let rest = bytes.get(at..)?;
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some((body, at));
        }
    }
}
