//! The connections of the receiver: bounded, whatever comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::State;
use super::mailbox::{Behaviour, Letter};

/// Connections at a time.
const CONNECTIONS: usize = 512;
/// Bytes of one body. A platform may tell many changes in one notification.
const BODY: usize = 4 * 1024 * 1024;
/// Bytes of a body of which any number is read at a time.
const USUAL: usize = 256 * 1024;
/// How many larger ones are read at a time; others wait for their turn.
pub(super) const LARGE: usize = 4;
/// Bytes of all bodies that are kept.
const ALL: usize = 64 * 1024 * 1024;
/// How long the head or the body of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes connections until the task is aborted.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let state = Arc::clone(&state);
        state.heard.store(true, Ordering::Relaxed);
        tokio::spawn(async move {
            let mut builder = Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(60))
                .max_buf_size(64 * 1024);
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // What is wrong with a connection is the platform's to see; what it lacks shows as a missing letter.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

/// Reads a body; the second permits its size until it is kept.
async fn read(
    mut body: Incoming,
    large: Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), StatusCode> {
    let mut whole = BytesMut::new();
    let mut permit = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Some(data) = frame.data_ref() else { continue };
        let length = whole.len() + data.len();
        if length > BODY {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if length > USUAL && permit.is_none() {
            let turn = Arc::clone(&large).acquire_owned().await;
            permit = Some(turn.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?);
        }
        whole.extend_from_slice(data);
    }
    Ok((whole.freeze(), permit))
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Closed> {
    let (parts, body) = request.into_parts();
    let post = state.find(parts.uri.path());
    let reading = tokio::time::timeout(PATIENCE, read(body, Arc::clone(&state.large)));
    let whole = reading.await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT));
    let Some(post) = post else {
        let known = parts.uri.path().contains(super::ROOT);
        return Ok(status(if known {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::NOT_FOUND
        }));
    };
    let (body, permit) = match whole {
        Ok(read) if state.keeps(read.0.len(), ALL) => read,
        refused => {
            post.refuse();
            return Ok(status(refused.err().unwrap_or(StatusCode::SERVICE_UNAVAILABLE)));
        }
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = parts.headers.get(header::HOST).map(text);
    let host = host.or_else(|| parts.uri.authority().map(|authority| authority.to_string()));
    let letter = Letter {
        arrived: Instant::now(),
        time: SystemTime::now(),
        method: parts.method.to_string(),
        url: format!("http://{}{target}", host.unwrap_or_default()),
        target,
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
        answered: 0,
        by_socket: false,
    };
    let length = letter.body.len();
    let (before, kept, behaviour) = post.put(letter);
    drop(permit);
    if !kept {
        state.kept.fetch_sub(length, Ordering::Relaxed);
    }
    match behaviour {
        Behaviour::Fail { status: code, times } if before < times => Ok(status(
            StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        )),
        Behaviour::Close { times } if before < times => Err(Closed),
        Behaviour::Hang => {
            post.closed().await;
            Ok(status(StatusCode::NO_CONTENT))
        }
        Behaviour::Redirect(to) => {
            let mut response = status(StatusCode::TEMPORARY_REDIRECT);
            if let Ok(value) = header::HeaderValue::from_str(&to) {
                response.headers_mut().insert(header::LOCATION, value);
            }
            Ok(response)
        }
        _ => Ok(status(StatusCode::NO_CONTENT)),
    }
}

fn status(code: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = code;
    response
}
