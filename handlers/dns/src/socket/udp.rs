//! Datagrams.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::Service;
use crate::server::Disposition;
use crate::wire::reply::Transport;

/// The longest packet that is read; questions are much shorter.
const LONGEST_PACKET: usize = 4096;
/// How many packets are answered before other tasks get their turn.
const BURST: usize = 64;
/// How long a socket is left alone that reports an error, so that errors without end do not keep a core busy.
const PAUSE: Duration = Duration::from_millis(10);

/// Answers the packets of one socket until the task is aborted.
pub(super) async fn serve(service: Service, socket: Arc<UdpSocket>) {
    let mut worker = Worker {
        service,
        socket,
        out: Vec::with_capacity(LONGEST_PACKET),
        turn: 0,
        forwards: JoinSet::new(),
    };
    let mut packet = vec![0; LONGEST_PACKET];
    loop {
        if worker.socket.readable().await.is_err() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        for _ in 0..BURST {
            match worker.socket.try_recv_from(&mut packet) {
                Ok((length, client)) => {
                    let packet = packet.get(..length).unwrap_or_default();
                    worker.answer(packet, client).await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Linux reports here that an earlier answer could not be delivered.
                Err(error) => {
                    tracing::trace!(%error, "a datagram could not be received");
                    break;
                }
            }
        }
        while worker.forwards.try_join_next().is_some() {}
        tokio::task::yield_now().await;
    }
}

struct Worker {
    service: Service,
    socket: Arc<UdpSocket>,
    out: Vec<u8>,
    turn: usize,
    /// Questions that upstreams have been asked.
    forwards: JoinSet<()>,
}

impl Worker {
    async fn answer(&mut self, packet: &[u8], client: SocketAddr) {
        let server = &self.service.server;
        let forwarder = self.service.forwarder.as_ref();
        self.turn = self.turn.wrapping_add(1);
        let disposition = server.handle(
            forwarder.map(Arc::as_ref),
            packet,
            client.ip(),
            Transport::Udp,
            self.turn,
            &mut self.out,
        );
        match (disposition, forwarder) {
            (Disposition::Reply, _) => send(&self.socket, &self.out, client).await,
            (Disposition::Forward(slot), Some(forwarder)) => {
                let (server, forwarder) = (server.clone(), forwarder.clone());
                let (socket, packet) = (self.socket.clone(), packet.to_vec());
                self.forwards.spawn(async move {
                    let out = server.forward(&forwarder, &packet, Transport::Udp, slot).await;
                    send(&socket, &out, client).await;
                });
            }
            (Disposition::Silence | Disposition::Forward(_), _) => {}
        }
    }
}

/// Sends an answer. One that cannot be sent is lost, as datagrams may be.
async fn send(socket: &UdpSocket, out: &[u8], client: SocketAddr) {
    let sent = match socket.try_send_to(out, client) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.send_to(out, client).await,
        sent => sent,
    };
    if let Err(error) = sent {
        tracing::trace!(%error, %client, "an answer could not be sent");
    }
}
