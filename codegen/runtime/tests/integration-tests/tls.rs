//! The client over TLS: it trusts the certificate authorities that it is told to, and no others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mecforge_runtime::client::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

use crate::client::{Outcome, builder};
use crate::support::{GET, api};

/// Accepts TLS connections; what fails to shake hands is dropped.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Serves the API over TLS; gives the base URL and the certificate in PEM.
async fn serve() -> (String, String) {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let listener = TlsListener {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    };
    let router = axum::Router::new().nest("/base/v1", api());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, issued.cert.pem())
}

#[tokio::test]
async fn only_known_authorities_are_trusted() {
    let (url, certificate) = serve().await;
    let knowing = builder(&url).root_certificate(certificate).build().unwrap();
    let got = knowing.http.request::<Outcome>(&GET).path("thingId", "1").await;
    assert!(matches!(got, Ok(Outcome::Ok { .. })), "{got:?}");
    let ignorant = builder(&url).build().unwrap();
    let refused = ignorant
        .http
        .request::<Outcome>(&GET)
        .path("thingId", "1")
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Transport(_)), "{refused:?}");
}
