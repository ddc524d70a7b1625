//! The name servers that are asked about other names, and which of them is asked when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{DnsRequest, Message, ResponseCode};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::options::Options;

/// How long one upstream is waited for before the next one is asked as well.
const PATIENCE: Duration = Duration::from_millis(300);

/// One upstream: a pool of its own, which repeats what is lost, turns to TCP where an answer is cut, and asks once
/// what is asked several times at once.
type Upstream = NameServerPool<TokioRuntimeProvider>;

/// What an upstream has said.
#[derive(Debug)]
pub(crate) enum Said {
    Records(Message),
    /// There is no such name, or nothing of that type.
    Nothing(NoRecords),
}

/// All upstreams. `hickory`'s pool of several gives up at the first broken or refusing answer, so each has its own.
pub(crate) struct Upstreams {
    upstreams: Vec<Upstream>,
    /// The one that has answered last is asked first.
    preferred: AtomicUsize,
    timeout: Duration,
}

impl Upstreams {
    pub(crate) fn new(options: &Options) -> Result<Self, NetError> {
        let mut resolver = ResolverOpts::default();
        resolver.timeout = options.upstream_timeout;
        resolver.edns_payload_len = options.largest_datagram;
        resolver.max_active_requests = options.concurrent_forwards.max(1);
        let upstream = |address: &SocketAddr| -> Result<Upstream, NetError> {
            let context = Arc::new(PoolContext::new(resolver.clone(), TlsConfig::new()?));
            let provider = TokioRuntimeProvider::default();
            Ok(NameServerPool::from_config([server(*address)], context, provider))
        };
        Ok(Self {
            upstreams: options.upstreams.iter().map(upstream).collect::<Result<_, _>>()?,
            preferred: AtomicUsize::new(0),
            timeout: options.upstream_timeout,
        })
    }

    /// Asks one upstream after the other, each as soon as one before it has failed or keeps us waiting. The first
    /// usable answer counts.
    ///
    /// `Err`: why there is none.
    pub(crate) async fn ask(&self, request: &DnsRequest) -> Result<Said, String> {
        timeout(self.timeout, self.ask_in_turn(request))
            .await
            .unwrap_or_else(|_| Err("none has answered in time".to_owned()))
    }

    async fn ask_in_turn(&self, request: &DnsRequest) -> Result<Said, String> {
        let count = self.upstreams.len();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut waiting = (0..count).map(|place| (first + place) % count);
        let mut asked = JoinSet::new();
        let mut failure = "there is none".to_owned();
        loop {
            if let Some(place) = waiting.next()
                && let Some(upstream) = self.upstreams.get(place)
            {
                let (upstream, request) = (upstream.clone(), request.clone());
                asked.spawn(async move { (place, ask_one(&upstream, request).await) });
            }
            tokio::select! {
                said = asked.join_next() => match said {
                    None => return Err(failure),
                    Some(Ok((place, Ok(said)))) => {
                        self.preferred.store(place, Ordering::Relaxed);
                        return Ok(said);
                    }
                    Some(Ok((_, Err(reason)))) => failure = reason,
                    Some(Err(error)) => failure = error.to_string(),
                },
                () = sleep(PATIENCE) => {}
            }
        }
    }
}

async fn ask_one(upstream: &Upstream, request: DnsRequest) -> Result<Said, String> {
    match upstream.send(request).first_answer().await {
        Ok(response) => Ok(Said::Records(response.into_message())),
        Err(NetError::Dns(DnsError::NoRecordsFound(none)))
            if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
        {
            Ok(Said::Nothing(none))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn server(upstream: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = upstream.port();
        connection
    });
    NameServerConfig::new(upstream.ip(), true, connections.into())
}
