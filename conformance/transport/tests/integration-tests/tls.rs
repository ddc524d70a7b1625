//! TLS: who is trusted, who is not, and what the sentence says.

use std::sync::Arc;

use futures_util::SinkExt;
use mecforge_transport::{
    Client, Exchange, Fault, Phase, Request, Settings, SocketFault, SocketMessage, TlsVersions,
};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::{hasty, ok, scripted, settings};

/// An authority, and a certificate of `name` that it has issued.
struct Identity {
    authority: String,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

fn identity(name: &str, expired: bool) -> Identity {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Identity {
        authority: authority_certificate.pem(),
        certificate: certificate.der().clone(),
        key,
    }
}

/// A server of TLS 1.2 and 1.3 that answers every request with 200; its address. With an authority of clients, it
/// wants their certificates.
async fn serve(identity: &Identity, clients: Option<&str>) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            use rustls_pki_types::pem::PemObject;
            let mut roots = rustls::RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
                .unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = builder
        .with_single_cert(vec![identity.certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut chunk = [0; 4096];
                while matches!(stream.read(&mut chunk).await, Ok(1..)) {
                    let _ = stream.write_all(ok("{}").as_bytes()).await;
                }
            });
        }
    });
    format!("https://localhost:{port}")
}

async fn get(settings: Settings) -> Exchange {
    Client::new(settings)
        .unwrap()
        .send(&Request::new("GET", "/"))
        .await
}

fn trusting(address: &str, identity: &Identity) -> Settings {
    let mut settings = settings(address);
    settings.tls.roots = Some(identity.authority.clone().into_bytes());
    settings
}

#[tokio::test]
async fn trusts_whom_it_is_told_to() {
    let good = identity("localhost", false);
    let address = serve(&good, None).await;
    assert_eq!(get(trusting(&address, &good)).await.status(), Some(200));
    let client = Client::new(trusting(&address, &good)).unwrap();
    assert_eq!(client.probe().await.unwrap().tls.as_deref(), Some("TLSv1.3"));
    let versions = client.tls_versions().await.unwrap();
    assert_eq!(
        versions,
        TlsVersions {
            tls10: false,
            tls11: false,
            tls12: true,
            tls13: true
        }
    );

    let stranger = get(settings(&address)).await.outcome.unwrap_err();
    assert!(
        matches!(&stranger, Fault::Tls { reason, .. } if reason.contains("UnknownIssuer")),
        "{stranger}"
    );
    let mut careless = settings(&address);
    careless.tls.insecure = true;
    assert_eq!(get(careless).await.status(), Some(200));
}

#[tokio::test]
async fn expired_and_foreign_certificates_are_named() {
    let old = identity("localhost", true);
    let fault = get(trusting(&serve(&old, None).await, &old))
        .await
        .outcome
        .unwrap_err();
    assert!(
        fault.to_string().contains("renew the server's certificate"),
        "{fault}"
    );
    let other = identity("other.example", false);
    let fault = get(trusting(&serve(&other, None).await, &other))
        .await
        .outcome
        .unwrap_err();
    assert!(
        fault.to_string().contains("use a name that the certificate has"),
        "{fault}"
    );
}

#[tokio::test]
async fn mutual_tls() {
    let (server, us) = (identity("localhost", false), identity("us", false));
    let address = serve(&server, Some(&us.authority)).await;
    let fault = get(trusting(&address, &server)).await.outcome.unwrap_err();
    assert!(
        matches!(fault, Fault::Tls { .. }) && fault.to_string().contains("client certificate"),
        "{fault}"
    );
    let mut settings = trusting(&address, &server);
    let pem = rcgen_pem(&us.certificate);
    settings.tls.client_certificate = Some((pem.into_bytes(), us.key.serialize_pem().into_bytes().into()));
    assert_eq!(get(settings).await.status(), Some(200));
}

fn rcgen_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[tokio::test]
async fn the_wrong_scheme_is_named() {
    // What common servers of HTTP say to a ClientHello.
    let plain = scripted(|mut stream, _| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let fault = get(hasty(&plain.replace("http://", "https://")))
        .await
        .outcome
        .unwrap_err();
    assert!(fault.to_string().contains("try http://"), "{fault}");
    let silent =
        scripted(
            |mut stream, _| async move { while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {} },
        )
        .await;
    let fault = get(hasty(&silent.replace("http://", "https://")))
        .await
        .outcome
        .unwrap_err();
    assert!(
        matches!(
            fault,
            Fault::Timeout {
                phase: Phase::Connect,
                ..
            }
        ),
        "{fault}"
    );

    let good = identity("localhost", false);
    let address = serve(&good, None).await.replace("https://", "http://");
    let fault = get(settings(&address)).await.outcome.unwrap_err();
    assert!(fault.to_string().contains("use https://"), "{fault}");
}

/// A server that opens WebSockets over TLS and says one thing on each; its address.
async fn socket_server(identity: &Identity) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            socket.send("hello".into()).await.unwrap();
        }
    });
    format!("localhost:{}", address.port())
}

#[tokio::test]
async fn websockets_are_opened_by_the_same_settings() {
    let identity = identity("localhost", false);
    let address = socket_server(&identity).await;
    let socket = format!("wss://{address}/notifications");
    let time = std::time::Duration::from_secs(5);
    let mut trusting = hasty(&format!("https://{address}"));
    trusting.tls.roots = Some(identity.authority.into_bytes());
    let mut careless = hasty(&format!("https://{address}"));
    careless.tls.insecure = true;
    for settings in [trusting, careless] {
        let client = Client::new(settings).unwrap();
        let mut opened = client.websocket(&socket, time).await.unwrap();
        let message = opened.next(std::time::Instant::now() + time).await;
        assert_eq!(message, Ok(SocketMessage::Text("hello".to_owned())));
        opened.close().await;
    }
    let stranger = Client::new(hasty(&format!("https://{address}"))).unwrap();
    let refused = stranger.websocket(&socket, time).await;
    assert!(
        matches!(refused, Err(SocketFault::Connection(Fault::Tls { .. }))),
        "{refused:?}"
    );
}
