//! Opening connections: names, TCP and TLS, within the connect timeout.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fault::{self, Circumstances, Fault, Phase};
use crate::settings::{ConfigError, HttpVersion, Settings, TlsSettings};
use crate::target::TargetUrl;
use crate::tls;

/// A connection, with or without TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// What ALPN chose.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    /// The version of TLS.
    pub(crate) fn tls_version(&self) -> Option<rustls::ProtocolVersion> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.get_ref().1.protocol_version(),
        }
    }
}

/// Opens connections to one address.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    target: TargetUrl,
    address: String,
    connect_timeout: Duration,
    tls: TlsSettings,
    /// The configuration for requests, with the ALPN that the HTTP version asks for.
    config: Option<Arc<ClientConfig>>,
    http_version: HttpVersion,
}

impl Connector {
    /// A connector for `target`, with the other settings as they are.
    pub(crate) fn new(target: TargetUrl, settings: &Settings) -> Result<Self, ConfigError> {
        let config = if target.is_secure() {
            let mut config = tls::config(&settings.tls, rustls::ALL_VERSIONS)?;
            config.alpn_protocols = match settings.http_version {
                HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
                HttpVersion::Http2Prior => vec![b"h2".to_vec()],
                HttpVersion::Negotiate => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            };
            Some(Arc::new(config))
        } else {
            None
        };
        Ok(Self {
            address: target.address(),
            target,
            connect_timeout: settings.connect_timeout,
            tls: settings.tls.clone(),
            config,
            http_version: settings.http_version,
        })
    }

    pub(crate) fn target(&self) -> &TargetUrl {
        &self.target
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn tls_settings(&self) -> &TlsSettings {
        &self.tls
    }

    /// Whether connections may turn out to speak HTTP/2.
    pub(crate) fn may_speak_http2(&self) -> bool {
        match self.http_version {
            HttpVersion::Http1 => false,
            HttpVersion::Http2Prior => true,
            HttpVersion::Negotiate => self.target.is_secure(),
        }
    }

    /// Whether a connection that ALPN says nothing about speaks HTTP/2.
    pub(crate) fn speaks_http2(&self, stream: &Stream) -> bool {
        match stream.alpn() {
            Some(protocol) => protocol == b"h2",
            None => self.http_version == HttpVersion::Http2Prior,
        }
    }

    /// A connection as requests use it.
    pub(crate) async fn connect(&self) -> Result<Stream, Fault> {
        self.connect_with(self.config.clone()).await
    }

    /// A connection for bytes of HTTP/1.1, whatever version requests use.
    pub(crate) async fn connect_http1(&self) -> Result<Stream, Fault> {
        let config = self.config.as_ref().map(|config| {
            let mut config = ClientConfig::clone(config);
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        });
        self.connect_with(config).await
    }

    /// A connection by a configuration of the caller's; none for no TLS.
    pub(crate) async fn connect_with(&self, config: Option<Arc<ClientConfig>>) -> Result<Stream, Fault> {
        let opening = async {
            let stream = self.open().await?;
            match config {
                None => Ok(Stream::Plain(stream)),
                Some(config) => self.secure(stream, config).await,
            }
        };
        match tokio::time::timeout(self.connect_timeout, opening).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Timeout {
                phase: Phase::Connect,
                limit: self.connect_timeout,
            }),
        }
    }

    /// A TCP connection to the first of the name's addresses that takes one. Each gets an equal share of the time,
    /// so that one which swallows packets does not hide the others.
    pub(crate) async fn open(&self) -> Result<TcpStream, Fault> {
        let found = tokio::net::lookup_host((self.target.host(), self.target.port())).await;
        let addresses: Vec<_> = found.map_err(|error| self.unreachable(&error))?.collect();
        let share = self.connect_timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut last = None;
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Without it a small request waits for the acknowledgement of the one before.
                    stream
                        .set_nodelay(true)
                        .map_err(|error| self.unreachable(&error))?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = Some(fault::of_connecting(&error, &self.address)),
                Err(_) => {
                    last = Some(Fault::Timeout {
                        phase: Phase::Connect,
                        limit: self.connect_timeout,
                    });
                }
            }
        }
        Err(last.unwrap_or_else(|| Fault::Unreachable {
            address: self.address.clone(),
            reason: "the name has no address".to_owned(),
        }))
    }

    fn unreachable(&self, error: &io::Error) -> Fault {
        Fault::Unreachable {
            address: self.address.clone(),
            reason: error.to_string(),
        }
    }

    async fn secure(&self, stream: TcpStream, config: Arc<ClientConfig>) -> Result<Stream, Fault> {
        let name = ServerName::try_from(self.target.host().to_owned()).map_err(|_| Fault::Tls {
            address: self.address.clone(),
            reason: "the host is no name that a certificate could have".to_owned(),
            advice: "use a DNS name or an IP address",
        })?;
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::Tls {
                address: self.address.clone(),
                reason: "the server closed the connection in the handshake".to_owned(),
                advice: "the server may not speak TLS on this port, or want a client certificate",
            }),
            Err(error) => Err(fault::classify_io(
                &error,
                &Circumstances {
                    address: &self.address,
                    phase: Phase::Connect,
                    header_limit: 0,
                    answered: false,
                    beginning: &[],
                },
            )),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
