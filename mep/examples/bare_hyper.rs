//! The yardstick for `docs/benchmarks.md`: a hyper server that answers every request with the same bytes.
//!
//! `cargo run --release -p mep --example bare_hyper -- 127.0.0.1:8081 FILE`, where FILE holds the body to answer with,
//! for example what `curl http://127.0.0.1:8080/mec_service_mgmt/v1/services/ID` gave.

use std::convert::Infallible;
use std::error::Error;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("which address?")?;
    let body = Bytes::from(std::fs::read(arguments.next().ok_or("which file?")?)?);
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            let mut response = Response::new(Body::from(body.clone()));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
                .headers_mut()
                .insert(ETAG, HeaderValue::from_static("\"1\""));
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            // A client that hangs up is none of the yardstick's business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
