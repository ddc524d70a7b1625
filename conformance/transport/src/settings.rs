//! What a client is made of: address, limits, TLS and credentials.

use std::time::Duration;

use crate::secret::Secret;
use crate::target::TargetUrl;

/// The settings of a [`crate::Client`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under test.
    pub target: TargetUrl,
    /// The longest time for a whole exchange, connecting included; 10 s.
    pub timeout: Duration,
    /// The longest time for name resolution, TCP and TLS; 3 s.
    pub connect_timeout: Duration,
    /// The longest body in bytes, both as it comes and after decompression; 4 MiB.
    pub body_limit: usize,
    /// The longest header in bytes, at least 8 KiB; 64 KiB.
    pub header_limit: usize,
    /// How TLS is spoken; without effect for `http://`.
    pub tls: TlsSettings,
    /// Which version of HTTP is spoken; HTTP/1.1.
    pub http_version: HttpVersion,
    /// Headers of every request to the target. Their values are masked wherever they would be shown.
    pub headers: Vec<(String, Secret<String>)>,
    /// Requests per second of this client and all its clones together; unlimited.
    pub rate: Option<f64>,
    /// Who asks.
    pub credentials: Credentials,
}

impl Settings {
    /// The settings with their defaults.
    pub fn new(target: TargetUrl) -> Self {
        Self {
            target,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            body_limit: 4 << 20,
            header_limit: 64 << 10,
            tls: TlsSettings::default(),
            http_version: HttpVersion::default(),
            headers: Vec::new(),
            rate: None,
            credentials: Credentials::default(),
        }
    }
}

/// Which certificates are trusted and shown.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// PEM of the certificates to trust, instead of the system's.
    pub roots: Option<Vec<u8>>,
    /// PEM of our certificate (and its chain) and PEM of its private key, for mutual TLS.
    pub client_certificate: Option<(Vec<u8>, Secret<Vec<u8>>)>,
    /// Whether any certificate of the server is accepted.
    pub insecure: bool,
}

/// The version of HTTP to speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1 only.
    #[default]
    Http1,
    /// HTTP/2 only: with prior knowledge on `http://`, by ALPN on `https://`.
    Http2Prior,
    /// What ALPN gives on `https://`; HTTP/1.1 on `http://`.
    Negotiate,
}

/// Who asks, and how that is proved.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nobody: requests carry no credentials.
    #[default]
    None,
    /// A token that we have: `Authorization: Bearer …` (RFC 6750 clause 2.1).
    Bearer(Secret<String>),
    /// OAuth 2.0 client credentials (RFC 6749 clause 4.4).
    ClientCredentials {
        /// The absolute address of the token endpoint.
        token_url: String,
        /// The client's identifier.
        client_id: String,
        /// The client's secret.
        client_secret: Secret<String>,
        /// The scope to ask for.
        scope: Option<String>,
        /// The audience to ask for (not part of RFC 6749, common all the same).
        audience: Option<String>,
    },
    /// EdgeGallery's access key and secret key (`SDK-HMAC-SHA256`).
    AccessKey {
        /// The access key.
        access_key: String,
        /// The secret key.
        secret_key: Secret<String>,
        /// Where a signed request gets a bearer token; without it every request is signed.
        token_url: Option<String>,
    },
}

/// Why no client can be made of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The address is wrong.
    #[error("{text:?} is no base address: {reason}")]
    Target {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token address is wrong.
    #[error("the token endpoint is wrong: {0}")]
    TokenUrl(String),
    /// A certificate or key can't be read or does not fit.
    #[error("{what} can't be used: {reason}")]
    Certificate {
        /// Which of them.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A header can't be sent.
    #[error("the header {0:?} can't be sent: its name or value has characters that HTTP forbids")]
    Header(String),
    /// A limit makes no sense.
    #[error("{0}")]
    Limit(&'static str),
}
