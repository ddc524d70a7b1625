//! A small HTTP client for the platform's set-up and for demonstrations.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use serde_json::Value;

use crate::message::{Answer, Request};
use crate::upstream::Upstream;

/// Where requests go and how long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) patience: Duration,
}

/// A request of the client: the method, path and query, header fields and the body.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: Bytes,
}

impl Client {
    /// One exchange on a connection of its own; none where there is no answer in time, or the call is no HTTP.
    pub(crate) async fn send(self, call: Call<'_>) -> Option<Answer> {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = call.method.parse().ok()?;
        parts.uri = call.path.parse().ok()?;
        let headers = &mut parts.headers;
        headers.insert(HOST, HeaderValue::from_str(&self.address.to_string()).ok()?);
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(call.body.len()));
        }
        for (name, value) in call.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
        }
        let upstream = Upstream {
            address: self.address,
        };
        let exchange = upstream.call(Request::new(parts, call.body));
        tokio::time::timeout(self.patience, exchange).await.ok()?.ok()
    }

    /// One exchange with a JSON body, or with none.
    pub(crate) async fn json(self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let call = Call {
            method,
            path,
            headers: &[],
            body,
        };
        self.send(call).await
    }
}
