//! A receiver of notifications that writes down what comes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What came: path, and everything in one line.
type Log = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver on a free port; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    log: Log,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// Starts it. Below `/fails` every first attempt is answered with 503, below `/hangs` none within three seconds.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let log = Log::default();
        let kept = log.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                let service = service_fn(move |request| take(request, kept.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self {
            address,
            log,
            serving,
        })
    }

    /// What came below a path, once there is so much of it or the time in milliseconds is over.
    pub(super) async fn received(&self, path: &str, count: usize, patience: u64) -> Vec<String> {
        let mut found = Vec::new();
        for _ in 0..=patience / 20 {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner).clone();
            found = log
                .into_iter()
                .filter(|(at, _)| at.starts_with(path))
                .map(|(_, line)| line)
                .collect();
            if found.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        found
    }
}

async fn take(request: http::Request<Incoming>, log: Log) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let kind = parts
        .headers
        .get("content-type")
        .map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
    let line = format!(
        "{} {} {kind:?} {}",
        parts.method,
        parts.uri,
        String::from_utf8_lossy(&body)
    );
    let path = parts.uri.path().to_owned();
    let attempts = {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push((path.clone(), line));
        log.iter().filter(|(at, _)| *at == path).count()
    };
    if path.starts_with("/hangs") {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    let status = if path.starts_with("/fails") && attempts == 1 {
        503
    } else {
        204
    };
    let mut response = http::Response::new(Full::new(Bytes::new()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
