//! How a client is set up.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

use super::http_client::{HttpClient, Settings};
use super::{BoxError, RetryPolicy, TokenProvider};

/// A client of one API: what generated code tells the [`ClientBuilder`].
pub trait ApiClient: Sized {
    /// The path below which the API's operations lie, for example `/mec_service_mgmt/v1`.
    const BASE_PATH: &'static str;

    /// The client on top of the HTTP client.
    fn from_http_client(http: HttpClient) -> Self;
}

/// Sets up a client.
pub struct ClientBuilder<C> {
    base_url: String,
    base_path: String,
    token_provider: Option<Arc<dyn TokenProvider>>,
    headers: Vec<(String, String)>,
    connect_timeout: Duration,
    timeout: Duration,
    retry: RetryPolicy,
    response_limit: usize,
    http_client: Option<reqwest::Client>,
    root_certificates: Vec<Vec<u8>>,
    client: PhantomData<fn() -> C>,
}

/// Why a client could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not an absolute HTTP or HTTPS URL without query and fragment.
    #[error("{url:?} is not an absolute http or https URL")]
    BaseUrl {
        /// The URL.
        url: String,
    },
    /// A header's name or value is none.
    #[error("{name:?} can't be sent as a header with this value")]
    Header {
        /// The header's name.
        name: String,
    },
    /// A root certificate is not in PEM.
    #[error("a root certificate can't be read")]
    Certificate(#[source] BoxError),
    /// The HTTP client could not be made.
    #[error("the HTTP client can't be set up")]
    HttpClient(#[source] reqwest::Error),
}

impl<C: ApiClient> ClientBuilder<C> {
    /// A client for the platform at `base_url`, for example `http://127.0.0.1:8080`.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            base_path: C::BASE_PATH.to_owned(),
            token_provider: None,
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            response_limit: 16 * 1024 * 1024,
            http_client: None,
            root_certificates: Vec::new(),
            client: PhantomData,
        }
    }

    /// Replaces the path between the base URL and the operations' paths; empty where the base URL has it already.
    #[must_use]
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = path.into();
        self
    }

    /// Sends an access token with every request; a fixed token may be given as text.
    #[must_use]
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.token_provider = Some(Arc::new(provider));
        self
    }

    /// Sends a header with every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How long a connection may take to be made; 5 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, from the connection to the last byte of the response; 30 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When calls are tried again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The longest body of a response that is read, in bytes; 16 MiB unless set.
    #[must_use]
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Trusts a certificate authority besides the system's; `pem` holds one or more certificates.
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Uses this HTTP client, for example to share its connections or for a client certificate.
    ///
    /// [`connect_timeout`](Self::connect_timeout) and [`root_certificate`](Self::root_certificate) then have no effect.
    /// The client should not follow redirects, because it would also follow them to other hosts.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`BuildError`] for a base URL, header or certificate that is none.
    pub fn build(self) -> Result<C, BuildError> {
        let root = self.root_url()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let invalid = || BuildError::Header { name: name.clone() };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
            headers.append(key, HeaderValue::from_str(value).map_err(|_| invalid())?);
        }
        let http = match &self.http_client {
            Some(client) => client.clone(),
            None => new_http_client(self.connect_timeout, &self.root_certificates, &|builder| builder)?,
        };
        Ok(C::from_http_client(HttpClient::new(Settings {
            root,
            http,
            headers,
            token_provider: self.token_provider,
            timeout: self.timeout,
            retry: self.retry,
            response_limit: self.response_limit,
        })))
    }

    /// Base URL and base path, without a final `/`.
    fn root_url(&self) -> Result<String, BuildError> {
        let invalid = || BuildError::BaseUrl {
            url: self.base_url.clone(),
        };
        let url = Url::parse(&self.base_url).map_err(|_| invalid())?;
        let supported = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !supported || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid());
        }
        Ok(format!(
            "{}{}",
            url.as_str().trim_end_matches('/'),
            self.base_path.trim_end_matches('/')
        ))
    }
}

/// A reqwest client that follows no redirects by itself; `configure` has the last word on all but certificates.
pub(crate) fn new_http_client(
    connect_timeout: Duration,
    root_certificates: &[Vec<u8>],
    configure: &dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, BuildError> {
    let mut certificates = Vec::new();
    for pem in root_certificates {
        let bundle = reqwest::Certificate::from_pem_bundle(pem);
        let bundle = bundle.map_err(|error| BuildError::Certificate(Box::new(error)))?;
        if bundle.is_empty() {
            return Err(BuildError::Certificate("there is no certificate in it".into()));
        }
        certificates.extend(bundle);
    }
    let builder = || {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect_timeout)
            .user_agent(concat!("mecforge/", env!("CARGO_PKG_VERSION")));
        configure(builder)
    };
    let with_system_roots = builder().tls_certs_merge(certificates.clone()).build();
    // A system without any certificate authorities, such as a small container, still may speak plain HTTP.
    with_system_roots
        .or_else(|_| builder().tls_certs_only(certificates).build())
        .map_err(BuildError::HttpClient)
}
