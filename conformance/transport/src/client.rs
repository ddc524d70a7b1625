//! The client: one address, one identity, exchanges within bounds.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::compose::{compose, header, record, record_unsent};
use crate::connect::Connector;
use crate::exchange::{Exchange, Request, SentRequest};
use crate::fault::Fault;
use crate::perform::{Limits, Performed, perform};
use crate::pool::Pool;
use crate::rate::RateLimit;
use crate::secret::{Masker, Secret};
use crate::settings::{ConfigError, Credentials, Settings};
use crate::target::TargetUrl;
use crate::tls_versions::{self, Probe, TlsVersions};
use crate::token::Authorizer;
use crate::websocket::{self, SocketFault, WebSocket};
use crate::{raw, raw::RawAnswer};

/// Sends requests to one platform. Clones share connections, rate limit and tokens.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    authorizer: Arc<Authorizer>,
}

struct Shared {
    settings: Settings,
    pool: Pool,
    rate: Option<RateLimit>,
    masker: Arc<Masker>,
    limits: Limits,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Client of {}", self.shared.settings.target)
    }
}

impl Client {
    /// A client with these settings; nothing is sent yet. Has to be used within a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// A certificate, key, header, rate or token address that can't be used.
    pub fn new(settings: Settings) -> Result<Self, ConfigError> {
        let masker = Arc::new(Masker::default());
        for (name, value) in &settings.headers {
            if header(name, value.expose()).is_none() {
                return Err(ConfigError::Header(name.clone()));
            }
            masker.add_header(name);
            masker.add_secret(value.expose());
        }
        if settings
            .rate
            .is_some_and(|rate| !rate.is_finite() || rate < 0.001)
        {
            return Err(ConfigError::Limit(
                "the rate must be at least 0.001 requests per second",
            ));
        }
        if settings.header_limit < 8 << 10 {
            return Err(ConfigError::Limit(
                "the limit of headers must be at least 8192 bytes",
            ));
        }
        let connector = Connector::new(settings.target.clone(), &settings)?;
        let authorizer = Authorizer::new(settings.credentials.clone(), &settings, masker.clone())?;
        let shared = Shared {
            pool: Pool::new(connector, settings.header_limit),
            rate: settings.rate.map(RateLimit::new),
            limits: Limits {
                timeout: settings.timeout,
                body: settings.body_limit,
            },
            masker,
            settings,
        };
        Ok(Self {
            shared: Arc::new(shared),
            authorizer: Arc::new(authorizer),
        })
    }

    /// The same client with other credentials; connections, rate limit and mask are shared.
    ///
    /// # Errors
    /// A token or token address that can't be used.
    pub fn with_credentials(&self, credentials: Credentials) -> Result<Self, ConfigError> {
        let masker = self.shared.masker.clone();
        let authorizer = Authorizer::new(credentials, &self.shared.settings, masker)?;
        Ok(Self {
            shared: self.shared.clone(),
            authorizer: Arc::new(authorizer),
        })
    }

    /// The address under test.
    pub fn target(&self) -> &TargetUrl {
        &self.shared.settings.target
    }

    /// What takes secrets out of text; it learns of tokens as they are issued.
    pub fn masker(&self) -> &Masker {
        &self.shared.masker
    }

    /// Sends a request and reads the answer, within all limits. Redirects are not followed.
    ///
    /// A 401 to a token that has expired leads to one renewal and one repetition; the exchange is then the second one.
    pub async fn send(&self, request: &Request) -> Exchange {
        self.send_on(request, false).await
    }

    /// [`Client::send`] on a connection that nothing was sent on before: for whoever repeats an exchange that
    /// [`Exchange::may_be_stale`].
    pub async fn send_fresh(&self, request: &Request) -> Exchange {
        self.send_on(request, true).await
    }

    async fn send_on(&self, request: &Request, fresh: bool) -> Exchange {
        if let Some(rate) = &self.shared.rate {
            rate.wait().await;
        }
        if !request.authenticate || has_authorization(request) {
            return self.exchange(request, &[], fresh).await;
        }
        let headers = match self.authorizer.headers(self.target(), request).await {
            Ok(headers) => headers,
            Err(reason) => return self.unsent(request, Fault::Credentials(reason)),
        };
        let exchange = self.exchange(request, &headers, fresh).await;
        match &exchange.outcome {
            Ok(refusal) if refusal.status == 401 => {
                match self.authorizer.after_refusal(&headers, refusal).await {
                    Some(headers) => self.exchange(request, &headers, fresh).await,
                    None => exchange,
                }
            }
            _ => exchange,
        }
    }

    /// The value of the `Authorization` field that a request of this client carries, if it carries one and that can be
    /// had.
    pub async fn authorization(&self, request: &Request) -> Option<Secret<String>> {
        let own = self.authorizer.headers(self.target(), request).await.ok()?;
        let own = own.into_iter().map(|(name, value)| (name, Secret::new(value)));
        let configured = self.shared.settings.headers.iter().cloned();
        own.chain(configured)
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value)
    }

    /// Sends bytes as they are on a connection of their own and returns what comes, up to `limit` bytes, until the
    /// server closes, a complete answer is followed by silence, or `timeout` has passed.
    ///
    /// # Errors
    /// No connection. What happens later is the answer's [`crate::RawEnd`].
    pub async fn raw(
        &self,
        bytes: &[u8],
        limit: usize,
        timeout: std::time::Duration,
    ) -> Result<RawAnswer, Fault> {
        if let Some(rate) = &self.shared.rate {
            rate.wait().await;
        }
        raw::exchange(self.shared.pool.connector(), bytes, limit, timeout).await
    }

    /// The header fields that [`Client::send`] would add to a request: configured ones and credentials. For
    /// [`Client::raw`]; they are secrets.
    ///
    /// # Errors
    /// [`Fault::Credentials`] if no token can be had.
    pub async fn own_headers(&self, request: &Request) -> Result<Vec<(String, String)>, Fault> {
        let configured = &self.shared.settings.headers;
        let mut headers: Vec<_> = configured
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().clone()))
            .collect();
        if request.authenticate {
            let credentials = self.authorizer.headers(self.target(), request).await;
            headers.extend(credentials.map_err(Fault::Credentials)?);
        }
        Ok(headers)
    }

    /// Opens a WebSocket at an absolute address (`ws:` or `wss:`) within `timeout`, by the TLS settings of this client.
    /// Its credentials are shown only where the address is on the target's own host and port.
    ///
    /// # Errors
    /// An address that is none, no connection, or an answer that opens no WebSocket.
    pub async fn websocket(
        &self,
        address: &str,
        timeout: std::time::Duration,
    ) -> Result<WebSocket, SocketFault> {
        let (target, path) = websocket::split(address)?;
        let mut request = Request::new("GET", path);
        let (mut configured, mut credentials) = (&[][..], Vec::new());
        let own = self.target();
        if (target.is_secure(), target.host(), target.port()) == (own.is_secure(), own.host(), own.port()) {
            configured = &self.shared.settings.headers;
            let headers = self.authorizer.headers(own, &request).await;
            credentials = headers.map_err(Fault::Credentials)?;
        }
        let key = websocket::prepare(&mut request);
        let composed = compose(&target, configured, &request, &credentials)?;
        let connector = Connector::new(target, &self.shared.settings)
            .map_err(|error| SocketFault::Address(error.to_string()))?;
        websocket::open(&connector, &composed, &key, timeout).await
    }

    /// Whether there is somebody to talk to, and which TLS and ALPN they speak. No request is sent.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn probe(&self) -> Result<Probe, Fault> {
        tls_versions::probe(self.shared.pool.connector()).await
    }

    /// Which versions of TLS the server accepts, the outdated ones included.
    ///
    /// # Errors
    /// The target is not `https://`, or can't be connected to.
    pub async fn tls_versions(&self) -> Result<TlsVersions, Fault> {
        tls_versions::accepted(self.shared.pool.connector()).await
    }

    async fn exchange(&self, request: &Request, authorization: &[(String, String)], fresh: bool) -> Exchange {
        let target = self.target();
        let composed = match compose(target, &self.shared.settings.headers, request, authorization) {
            Ok(composed) => composed,
            Err(fault) => return self.unsent(request, fault),
        };
        let sent = record(target, request, &composed);
        let (started, clock) = (SystemTime::now(), Instant::now());
        let performed = perform(&self.shared.pool, &composed, self.shared.limits, fresh).await;
        self.finish(sent, performed, started, clock)
    }

    fn finish(
        &self,
        request: SentRequest,
        performed: Performed,
        started: SystemTime,
        clock: Instant,
    ) -> Exchange {
        Exchange {
            request,
            outcome: performed.outcome,
            partial: performed.partial,
            started,
            elapsed: clock.elapsed(),
            attempts: performed.attempts,
            reused_connection: performed.reused,
            masker: self.shared.masker.clone(),
        }
    }

    fn unsent(&self, request: &Request, fault: Fault) -> Exchange {
        let performed = Performed {
            outcome: Err(fault),
            partial: None,
            attempts: 0,
            reused: false,
        };
        let sent = record_unsent(self.target(), request);
        self.finish(sent, performed, SystemTime::now(), Instant::now())
    }
}

fn has_authorization(request: &Request) -> bool {
    request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
}
