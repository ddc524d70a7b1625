//! The proxy: takes connections, lets the fault answer, and hands notifications on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use crate::callbacks::{Callbacks, Courier, Delivery};
use crate::context::{Context, Shared};
use crate::fault::Fault;
use crate::message::{Answer, Request};
use crate::upstream::{LONGEST_BODY, Lane, NoAnswer, Upstream};
use crate::wire::Wire;

/// A proxy that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
}

/// A proxy with one fault, or with none.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    callback_listener: Option<TcpListener>,
    fault: Arc<Fault>,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on an address (port 0 takes a free one) in front of a platform. The seed decides for faults that happen
    /// sometimes when they do.
    ///
    /// # Errors
    /// [`StartError`] if the address, or another port of it for callbacks, cannot be listened on.
    pub async fn bind(
        listen: SocketAddr,
        upstream: SocketAddr,
        fault: Fault,
        seed: u64,
    ) -> Result<Self, StartError> {
        let listener = listen_on(listen).await?;
        let callback_listener = match &fault.courier {
            Some(_) => Some(listen_on(SocketAddr::new(listen.ip(), 0)).await?),
            None => None,
        };
        let base = callback_listener.as_ref().and_then(|each| each.local_addr().ok());
        let callbacks = Callbacks::new(base.map(|address| format!("http://{address}")));
        let upstream = Upstream { address: upstream };
        Ok(Self {
            listener,
            callback_listener,
            fault: Arc::new(fault),
            shared: Arc::new(Shared::new(upstream, callbacks, seed)),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the future is dropped.
    pub async fn serve(self) {
        let Self {
            listener,
            callback_listener,
            fault,
            shared,
        } = self;
        let requests = take(listener, {
            let (fault, shared) = (fault.clone(), shared.clone());
            move |stream| serve_client(stream, fault.clone(), shared.clone())
        });
        match callback_listener {
            None => requests.await,
            Some(callbacks) => {
                let deliveries = take(callbacks, move |stream| {
                    serve_platform(stream, fault.clone(), shared.clone())
                });
                tokio::join!(requests, deliveries);
            }
        }
    }
}

async fn listen_on(address: SocketAddr) -> Result<TcpListener, StartError> {
    let cause = |cause| StartError::Listen { address, cause };
    TcpListener::bind(address).await.map_err(cause)
}

/// Takes connections for ever. They end with the task that takes them.
async fn take<F, R>(listener: TcpListener, serve: F)
where
    F: Fn(TcpStream) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                // Such as too many open files: others may be closed meanwhile.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection of a client.
async fn serve_client(stream: TcpStream, fault: Arc<Fault>, shared: Arc<Shared>) {
    // Without it, small answers wait; a connection that cannot be told so works all the same.
    let _ = stream.set_nodelay(true);
    let (wire, raw) = Wire::new(stream);
    let lane = Arc::new(Lane::new(shared.upstream));
    let last = Arc::new(tokio::sync::Notify::new());
    let ending = last.clone();
    let service = service_fn(move |incoming: http::Request<Incoming>| {
        let (fault, raw, ending) = (fault.clone(), raw.clone(), ending.clone());
        let context = Context {
            shared: shared.clone(),
            lane: lane.clone(),
        };
        async move {
            let answer = answer(incoming, &fault, context).await?;
            if answer
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"))
            {
                ending.notify_one();
            }
            if let Some(crate::wire::Raw(bytes)) = answer.parts.extensions.get() {
                raw.replace_with(bytes.clone());
            }
            Ok::<_, NoAnswer>(http::Response::from_parts(answer.parts, Full::new(answer.body)))
        }
    });
    let connection = server().serve_connection(TokioIo::new(wire), service);
    tokio::pin!(connection);
    // What a client does wrong on its connection concerns that connection only.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = last.notified() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// As permissive as HTTP/1.1 allows, so that the platform judges.
fn server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .preserve_header_case(true)
        .auto_date_header(false)
        .max_headers(2000)
        .max_buf_size(4 << 20)
        .timer(TokioTimer::new())
        .header_read_timeout(std::time::Duration::from_secs(120));
    server
}

async fn answer(
    incoming: http::Request<Incoming>,
    fault: &Fault,
    context: Context,
) -> Result<Answer, NoAnswer> {
    let (parts, body) = incoming.into_parts();
    let body = Limited::new(body, LONGEST_BODY)
        .collect()
        .await
        .map_err(|_| NoAnswer::Body)?;
    let mut request = Request::new(parts, body.to_bytes());
    context.callbacks.replace(&mut request);
    // A platform with the fault makes HEAD of its GET: the length of a body that the fault changes, for example.
    let head = request.method() == "HEAD" && fault.id != "none" && !fault.id.starts_with("http/head");
    if head {
        request.parts.method = http::Method::GET;
    }
    let shared = context.shared.clone();
    let mut answer = (fault.handler)(request, context).await?;
    shared.callbacks.restore(&mut answer);
    if head {
        answer.parts.extensions.remove::<crate::wire::Raw>();
    }
    Ok(answer)
}

/// Serves one connection of the platform, which brings notifications.
async fn serve_platform(stream: TcpStream, fault: Arc<Fault>, shared: Arc<Shared>) {
    let service = service_fn(move |incoming: http::Request<Incoming>| {
        let (fault, shared) = (fault.clone(), shared.clone());
        async move {
            let status = match (delivery(incoming, &shared).await, &fault.courier) {
                (Some(delivery), Some(courier)) => deliver(delivery, courier, shared).await,
                _ => StatusCode::NOT_FOUND,
            };
            let mut response = http::Response::new(Full::new(Bytes::new()));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    let _ = server().serve_connection(TokioIo::new(stream), service).await;
}

async fn delivery(incoming: http::Request<Incoming>, shared: &Shared) -> Option<Delivery> {
    let (parts, body) = incoming.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await.ok()?;
    shared.callbacks.delivery(Request::new(parts, body.to_bytes()))
}

async fn deliver(delivery: Delivery, courier: &Courier, shared: Arc<Shared>) -> StatusCode {
    courier(delivery, shared).await
}
