//! TLS: configurations of rustls out of our settings, and its errors as faults.
//!
//! The provider (aws-lc-rs) is given to each configuration; nothing is installed for the whole process.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::fault::Fault;
use crate::settings::{ConfigError, TlsSettings};

/// The configuration for some versions of TLS, without ALPN.
pub(crate) fn config(
    settings: &TlsSettings,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|error| wrong("the TLS configuration", &error))?;
    let builder = if settings.insecure {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny { provider }))
    } else {
        builder.with_root_certificates(roots(settings)?)
    };
    let Some((certificate, key)) = &settings.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate, "the client's certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key.expose())
        .map_err(|error| wrong("the client's private key", &error))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| wrong("the client's certificate with its private key", &error))
}

fn wrong(what: &'static str, reason: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Certificate {
        what,
        reason: reason.to_string(),
    }
}

fn roots(settings: &TlsSettings) -> Result<RootCertStore, ConfigError> {
    let mut store = RootCertStore::empty();
    match &settings.roots {
        Some(pem) => {
            for certificate in certificates(pem, "the trusted certificate")? {
                store
                    .add(certificate)
                    .map_err(|error| wrong("the trusted certificate", &error))?;
            }
        }
        // A system without certificates is no fault of the configuration; its handshakes will say "unknown issuer".
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(store)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| wrong(what, &error))?;
    if found.is_empty() {
        Err(wrong(what, &"there is no CERTIFICATE section in the PEM"))
    } else {
        Ok(found)
    }
}

/// Accepts every certificate: for targets whose certificates are not the subject.
#[derive(Debug)]
struct AcceptAny {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// An error of rustls as a fault with advice.
pub(crate) fn fault(error: &rustls::Error, address: &str) -> Fault {
    use rustls::Error;
    let advice = match error {
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "renew the server's certificate, or look at both clocks",
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "use a name that the certificate has, or have the name added to it",
        Error::InvalidCertificate(_) => {
            "trust the certificate's issuer explicitly, or accept any certificate if that is not the subject"
        }
        Error::InvalidMessage(_) => "the server may not speak TLS on this port; try http://",
        Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
            "the server wants a client certificate; give one with its key"
        }
        Error::AlertReceived(_) => {
            "the server refused; it may want a client certificate, another name or another version of TLS"
        }
        Error::PeerIncompatible(_) => "the server has no version, key exchange or cipher that is still safe",
        _ => "look at the server's TLS configuration",
    };
    let reason = match error {
        Error::InvalidMessage(_) => "what came is not TLS".to_owned(),
        other => other.to_string(),
    };
    Fault::Tls {
        address: address.to_owned(),
        reason,
        advice,
    }
}
