//! Where the name server answers: sockets, and the tasks that serve them.

mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use crate::forward::Forwarder;
use crate::options::leads_to_us;
use crate::server::NameServer;

/// How often another port is tried where any port will do.
const PORT_ATTEMPTS: usize = 16;
/// Connections that the kernel keeps while all are in use.
const BACKLOG: i32 = 128;
/// The least that the kernel is asked to hold of datagrams in each direction, in bytes.
const SOCKET_BUFFER: usize = 1024 * 1024;

/// Why the name server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else answers there.
    #[error(
        "another program uses {transport} port {port} of {ip}: stop it, or give the name server another address with \
         --dns-listen (off: none)",
        port = address.port(),
        ip = address.ip()
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// `UDP` or `TCP`.
        transport: &'static str,
    },
    /// The operating system refuses the address.
    #[error("cannot listen on {transport} {address}{}: give the name server another address with --dns-listen", hint(*address))]
    Socket {
        /// The address.
        address: SocketAddr,
        /// `UDP` or `TCP`.
        transport: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// An upstream would be asked about what it asks us.
    #[error("the upstream name server {0} is this name server itself (--dns-listen)")]
    Loop(SocketAddr),
    /// Upstreams cannot be asked.
    #[error("cannot ask upstream name servers: {0}")]
    Upstreams(String),
}

/// What ports below 1024 need.
fn hint(address: SocketAddr) -> &'static str {
    match address.port() {
        1..1024 => ", which as a port below 1024 needs the capability CAP_NET_BIND_SERVICE",
        _ => "",
    }
}

/// A name server that answers. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    server: Arc<NameServer>,
    addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where it answers; empty if it is off.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it, and returns when its ports are free.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.set_listening(Vec::new());
    }
}

/// What the tasks share.
#[derive(Clone)]
struct Service {
    server: Arc<NameServer>,
    forwarder: Option<Arc<Forwarder>>,
}

impl NameServer {
    /// Begins to answer, by UDP and TCP, at all addresses of [`Options::listen`](crate::Options::listen).
    ///
    /// # Errors
    /// For an address that cannot be had, and for an upstream that is one of them.
    pub async fn bind(self: &Arc<Self>) -> Result<Running, BindError> {
        let options = self.options();
        let mut bound = Vec::with_capacity(options.listen.len());
        for address in &options.listen {
            bound.push(both(*address, options.udp_sockets.max(1))?);
        }
        let addresses: Vec<SocketAddr> = bound.iter().map(|sockets| sockets.address).collect();
        if let Some(upstream) = options
            .upstreams
            .iter()
            .find(|upstream| leads_to_us(**upstream, &addresses))
        {
            return Err(BindError::Loop(*upstream));
        }
        let forwarder = match options.upstreams.is_empty() {
            true => None,
            false => {
                let forwarder =
                    Forwarder::new(options).map_err(|error| BindError::Upstreams(error.to_string()))?;
                Some(Arc::new(forwarder))
            }
        };
        let mut tasks = JoinSet::new();
        for sockets in bound {
            let service = Service {
                server: self.clone(),
                forwarder: forwarder.clone(),
            };
            for socket in sockets.udp {
                tasks.spawn(udp::serve(service.clone(), Arc::new(socket)));
            }
            tasks.spawn(tcp::serve(service, sockets.tcp));
        }
        self.set_listening(addresses.clone());
        Ok(Running {
            server: self.clone(),
            addresses,
            tasks,
        })
    }
}

struct Sockets {
    address: SocketAddr,
    udp: Vec<UdpSocket>,
    tcp: TcpListener,
}

/// Binds TCP and UDP to the same port.
fn both(address: SocketAddr, count: usize) -> Result<Sockets, BindError> {
    let mut attempts = if address.port() == 0 { PORT_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        match both_once(address, count) {
            Err(BindError::Taken { transport: "UDP", .. }) if attempts > 0 => {}
            result => return result,
        }
    }
}

fn both_once(address: SocketAddr, count: usize) -> Result<Sockets, BindError> {
    let failed = |transport| {
        move |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken { address, transport },
            _ => BindError::Socket {
                address,
                transport,
                source,
            },
        }
    };
    let tcp = listener(address).map_err(failed("TCP"))?;
    let actual = tcp.local_addr().map_err(failed("TCP"))?;
    // Without sharing the port first, so that nobody else has it: TCP alone does not tell.
    drop(datagrams(actual, false).map_err(failed("UDP"))?);
    let udp = (0..count)
        .map(|_| datagrams(actual, true).and_then(|socket| UdpSocket::from_std(socket.into())))
        .collect::<io::Result<_>>()
        .map_err(failed("UDP"))?;
    Ok(Sockets {
        address: actual,
        udp,
        tcp,
    })
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn datagrams(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    // The kernel gives as much as it may; less is no fault.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    Ok(socket)
}
