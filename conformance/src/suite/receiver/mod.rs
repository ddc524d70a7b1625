//! The receiver of notifications: an HTTP server in the suite's process to which platforms deliver.
//!
//! Each subscription gets a mailbox with a path of its own. What comes to a mailbox is kept as it came and answered as
//! the mailbox is told to. Mailboxes that misbehave listen on a port of their own, so that a platform which is careful
//! with a receiver that fails is not careful with the others. What comes over a WebSocket that a platform offers instead
//! becomes letters too.

mod context;
mod mailbox;
mod serve;
mod socket;
#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use mailbox::Post;
pub use mailbox::{Behaviour, Letter, Mailbox};
pub use socket::Socket;

/// The first segment of every path of the receiver.
const ROOT: &str = "mec-conformance";

/// The server.
pub struct Receiver {
    state: Arc<State>,
    /// Where the platform reaches it, without a final slash.
    base: String,
    /// Where it listens.
    address: SocketAddr,
    /// Whether ports of their own can be opened: nobody said that the platform sees another address.
    direct: bool,
    task: AbortHandle,
}

/// What the tasks of all connections share.
pub(super) struct State {
    mailboxes: Mutex<HashMap<String, Arc<Post>>>,
    /// Bytes of bodies that are kept.
    kept: AtomicUsize,
    heard: AtomicBool,
    /// Whose turn it is to read a large body.
    large: Arc<Semaphore>,
}

impl Default for State {
    fn default() -> Self {
        State {
            mailboxes: Mutex::default(),
            kept: AtomicUsize::default(),
            heard: AtomicBool::default(),
            large: Arc::new(Semaphore::new(serve::LARGE)),
        }
    }
}

impl State {
    /// Counts bytes that are to be kept, unless that makes them more than a limit.
    fn keeps(&self, bytes: usize, most: usize) -> bool {
        let add = |kept: usize| kept.checked_add(bytes).filter(|sum| *sum <= most);
        let added = self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.is_ok()
    }

    fn find(&self, path: &str) -> Option<Arc<Post>> {
        let mut segments = path.split('/').skip_while(|segment| *segment != ROOT).skip(1);
        let name = segments.next()?;
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

impl Receiver {
    /// Starts it: at `listen`, or at a free port of the address of this machine from which the target is reached. `url`
    /// is how the target sees it, where that differs.
    ///
    /// # Errors
    /// What stands in the way, and what to do.
    pub async fn start(target: &str, listen: Option<&str>, url: Option<&str>) -> Result<Self, String> {
        let listener = match listen {
            Some(address) => TcpListener::bind(address).await.map_err(|error| {
                format!(
                    "--callback-listen {address}: {error}; name a free address of this machine as host:port"
                )
            })?,
            None => {
                let own = own_address(target).await?;
                TcpListener::bind((own, 0)).await.map_err(|error| {
                    format!(
                        "no port of {own} can be opened for notifications: {error}; give --callback-listen"
                    )
                })?
            }
        };
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        if let Some(url) = url {
            let parsed: Result<Uri, _> = url.parse();
            let usable = parsed
                .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none());
            if !usable {
                return Err(format!(
                    "--callback-url {url:?} is no address without query; it has the form http://host:port"
                ));
            }
        }
        let seen = seen(address, target).await;
        let base = url.map_or_else(
            || format!("http://{seen}"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let state = Arc::new(State::default());
        let task = tokio::spawn(serve::accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Receiver {
            state,
            base,
            address: seen,
            direct: url.is_none(),
            task,
        })
    }

    /// An address at which everything is taken and nothing kept.
    pub fn swallowing(&self) -> String {
        format!("{}/{ROOT}/nobody", self.base)
    }

    /// Where the platform reaches it.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether anything has ever come.
    pub fn has_heard(&self) -> bool {
        self.state.heard.load(Ordering::Relaxed)
    }

    /// Opens a mailbox that takes what comes; `name` makes its path.
    pub fn open(&self, name: &str) -> Mailbox {
        let post = Arc::new(Post::new(Behaviour::Take));
        self.enter(name, &post);
        Mailbox::new(
            post,
            format!("{}/{ROOT}/{name}", self.base),
            name.to_owned(),
            Arc::clone(&self.state),
            None,
        )
    }

    /// Opens a mailbox that behaves badly, at a port of its own. None where the platform may not reach other ports.
    pub async fn open_apart(&self, name: &str, behaviour: Behaviour) -> Option<Mailbox> {
        if !self.direct {
            return None;
        }
        let listener = TcpListener::bind((self.address.ip(), 0)).await.ok()?;
        let address = listener.local_addr().ok()?;
        let post = Arc::new(Post::new(behaviour));
        self.enter(name, &post);
        let task = tokio::spawn(serve::accept(listener, Arc::clone(&self.state))).abort_handle();
        let url = format!("http://{address}/{ROOT}/{name}");
        Some(Mailbox::new(
            post,
            url,
            name.to_owned(),
            Arc::clone(&self.state),
            Some(task),
        ))
    }

    fn enter(&self, name: &str, post: &Arc<Post>) {
        self.state
            .mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), Arc::clone(post));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The address of this machine from which a target is reached.
async fn own_address(target: &str) -> Result<IpAddr, String> {
    let advice = "give --callback-listen and --callback-url";
    let uri: Uri = target
        .parse()
        .map_err(|_| format!("{target} is no address; {advice}"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(80);
    let unknown = |error: std::io::Error| {
        format!("the address of this machine from which {target} is reached is not known ({error}); {advice}")
    };
    let mut addresses = tokio::net::lookup_host((host, port)).await.map_err(unknown)?;
    let first = addresses
        .next()
        .ok_or_else(|| format!("{host} has no address; {advice}"))?;
    let any: SocketAddr = match first {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any).await.map_err(unknown)?;
    socket.connect(first).await.map_err(unknown)?;
    Ok(socket.local_addr().map_err(unknown)?.ip())
}

/// The address of a listener as a target sees it: one that listens everywhere is reached at the machine's address.
async fn seen(address: SocketAddr, target: &str) -> SocketAddr {
    match address.ip().is_unspecified() {
        true => own_address(target)
            .await
            .map_or(address, |own| SocketAddr::new(own, address.port())),
        false => address,
    }
}
