//! What a server speaks: whether it is there, its ALPN, and which versions of TLS it accepts.

use std::sync::Arc;
use std::time::Duration;

use rustls::SupportedProtocolVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connect::Connector;
use crate::fault::Fault;
use crate::tls;

/// How long a server may think about an outdated ClientHello.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a connection without a request shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Host and port.
    pub address: String,
    /// The version of TLS that was agreed on, such as `TLSv1.3`; none on `http://`.
    pub tls: Option<String>,
    /// What ALPN chose, such as `h2`.
    pub alpn: Option<String>,
}

/// Which versions of TLS a server accepts a handshake of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsVersions {
    /// TLS 1.0, which RFC 8996 forbids.
    pub tls10: bool,
    /// TLS 1.1, which RFC 8996 forbids.
    pub tls11: bool,
    /// TLS 1.2.
    pub tls12: bool,
    /// TLS 1.3.
    pub tls13: bool,
}

pub(crate) async fn probe(connector: &Connector) -> Result<Probe, Fault> {
    let stream = connector.connect().await?;
    Ok(Probe {
        address: connector.address().to_owned(),
        tls: stream.tls_version().map(|version| {
            version
                .as_str()
                .map_or_else(|| format!("{version:?}"), |name| name.replace('_', "."))
        }),
        alpn: stream
            .alpn()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
    })
}

pub(crate) async fn accepted(connector: &Connector) -> Result<TlsVersions, Fault> {
    if !connector.target().is_secure() {
        return Err(Fault::Tls {
            address: connector.address().to_owned(),
            reason: "the target is http://".to_owned(),
            advice: "versions of TLS can only be looked at on https://",
        });
    }
    Ok(TlsVersions {
        tls10: takes_outdated(connector, 1).await?,
        tls11: takes_outdated(connector, 2).await?,
        tls12: takes(connector, &rustls::version::TLS12).await?,
        tls13: takes(connector, &rustls::version::TLS13).await?,
    })
}

async fn takes(connector: &Connector, version: &'static SupportedProtocolVersion) -> Result<bool, Fault> {
    let mut settings = connector.tls_settings().clone();
    // The subject is the version, not the certificate.
    settings.insecure = true;
    let config = tls::config(&settings, &[version])
        .map_err(|error| Fault::InvalidRequest(format!("TLS can't be configured: {error}")))?;
    match connector.connect_with(Some(Arc::new(config))).await {
        Ok(_) => Ok(true),
        Err(Fault::Tls { .. } | Fault::Reset { .. } | Fault::Closed | Fault::Truncated) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Sends the ClientHello of an outdated version, which rustls can't, and looks for a ServerHello of that version.
async fn takes_outdated(connector: &Connector, minor: u8) -> Result<bool, Fault> {
    let mut stream = connector.open().await?;
    let hello = client_hello(connector.target().host(), minor);
    let conversation = async {
        stream.write_all(&hello).await.ok()?;
        // A record's header, the handshake's header, and the version that the server chose.
        let mut answer = [0_u8; 11];
        stream.read_exact(&mut answer).await.ok()?;
        let [kind, _, _, _, _, message, _, _, _, major, chosen] = answer;
        Some(kind == 22 && message == 2 && major == 3 && chosen == minor)
    };
    Ok(tokio::time::timeout(PATIENCE, conversation)
        .await
        .ok()
        .flatten()
        .unwrap_or(false))
}

/// A ClientHello of TLS 1.`minor - 1` (RFC 2246, RFC 4346) with the cipher suites that servers of its time had.
fn client_hello(host: &str, minor: u8) -> Vec<u8> {
    let mut extensions = Vec::new();
    if host.parse::<std::net::IpAddr>().is_err() {
        let mut name = vec![0];
        push_block(&mut name, host.as_bytes());
        let mut list = Vec::new();
        push_block(&mut list, &name);
        push_extension(&mut extensions, 0, &list);
    }
    // Groups secp256r1, secp384r1, secp521r1; uncompressed points; an empty renegotiation_info.
    push_extension(&mut extensions, 10, &[0, 6, 0, 23, 0, 24, 0, 25]);
    push_extension(&mut extensions, 11, &[1, 0]);
    push_extension(&mut extensions, 0xff01, &[0]);

    let mut body = vec![3, minor];
    // The random number proves nothing here, so that it may be a constant.
    body.extend([0x5a; 32]);
    body.push(0);
    // ECDHE with ECDSA and RSA, DHE, and plain RSA, each with AES-CBC; RSA with 3DES.
    let suites: [u8; 18] = [
        0xc0, 0x09, 0xc0, 0x0a, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x33, 0x00, 0x39, 0x00, 0x2f, 0x00, 0x35, 0x00,
        0x0a,
    ];
    push_block(&mut body, &suites);
    body.extend([1, 0]);
    push_block(&mut body, &extensions);

    let mut message = vec![1, 0];
    push_block(&mut message, &body);
    let mut record = vec![22, 3, 1];
    push_block(&mut record, &message);
    record
}

/// A block after its length in two bytes; what is built here is far shorter than 65,536 bytes.
fn push_block(into: &mut Vec<u8>, block: &[u8]) {
    into.extend(u16::try_from(block.len()).unwrap_or(u16::MAX).to_be_bytes());
    into.extend_from_slice(block);
}

fn push_extension(into: &mut Vec<u8>, kind: u16, data: &[u8]) {
    into.extend(kind.to_be_bytes());
    push_block(into, data);
}
