//! Connections: messages behind their length (RFC 1035 clause 4.2.2), several at a time (RFC 7766 clause 6.2.1.1).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Service;
use crate::server::Disposition;
use crate::wire::reply::Transport;

/// How many questions of one connection may wait for upstreams at a time.
const FORWARDS: usize = 32;
/// How long is waited after a connection could not be accepted, for example because there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until the task is aborted, and them with it.
pub(super) async fn serve(service: Service, listener: TcpListener) {
    let options = service.server.options();
    let (idle, free) = (
        options.tcp_idle,
        Arc::new(Semaphore::new(options.tcp_connections.max(1))),
    );
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = free.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, client)) => {
                let service = service.clone();
                connections.spawn(async move {
                    if let Err(error) = converse(&service, stream, client, idle).await {
                        tracing::trace!(%error, %client, "a DNS connection has failed");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a DNS connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the questions of one connection, until it ends, is idle for too long, or does not take its answers.
async fn converse(
    service: &Service,
    stream: TcpStream,
    client: SocketAddr,
    idle: Duration,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(Mutex::new(writer));
    let waiting = Arc::new(Semaphore::new(FORWARDS));
    let mut forwards = JoinSet::new();
    let (mut packet, mut out) = (Vec::new(), Vec::new());
    for turn in 0_usize.. {
        let length = match timeout(idle, reader.read_u16()).await {
            Ok(Ok(length)) => length,
            // The client has closed, or is idle: what is on its way is still answered.
            Ok(Err(_)) | Err(_) => break,
        };
        packet.resize(usize::from(length), 0);
        timeout(idle, reader.read_exact(&mut packet)).await??;
        match answer(service, &packet, client.ip(), turn, &mut out) {
            (Disposition::Reply, _) => write(&writer, &out, idle).await?,
            (Disposition::Silence, _) | (Disposition::Forward(_), None) => return Ok(()),
            (Disposition::Forward(slot), Some(forwarder)) => {
                let Ok(permit) = waiting.clone().acquire_owned().await else {
                    break;
                };
                let (server, writer, packet) = (service.server.clone(), writer.clone(), packet.clone());
                let forwarder = forwarder.clone();
                forwards.spawn(async move {
                    let out = server.forward(&forwarder, &packet, Transport::Tcp, slot).await;
                    drop(permit);
                    write(&writer, &out, idle).await
                });
            }
        }
        while forwards.try_join_next().is_some() {}
    }
    while forwards.join_next().await.is_some() {}
    Ok(())
}

fn answer<'a>(
    service: &'a Service,
    packet: &[u8],
    client: IpAddr,
    turn: usize,
    out: &mut Vec<u8>,
) -> (Disposition, Option<&'a Arc<crate::forward::Forwarder>>) {
    let forwarder = service.forwarder.as_ref();
    let disposition = service.server.handle(
        forwarder.map(Arc::as_ref),
        packet,
        client,
        Transport::Tcp,
        turn,
        out,
    );
    (disposition, forwarder)
}

/// Writes one message, whole and apart from others.
async fn write(writer: &Mutex<OwnedWriteHalf>, out: &[u8], idle: Duration) -> io::Result<()> {
    let length = u16::try_from(out.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut framed = Vec::with_capacity(out.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(out);
    let mut writer = writer.lock().await;
    timeout(idle, writer.write_all(&framed)).await??;
    Ok(())
}
