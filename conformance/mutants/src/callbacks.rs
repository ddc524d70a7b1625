//! Standing between the platform and its subscribers' receivers.
//!
//! Where a fault is about notifications, the callback addresses in subscriptions are replaced by addresses of the proxy
//! and put back in answers, and what arrives there goes on to the real receiver, as the fault wants it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{StatusCode, Uri};

use crate::context::Shared;
use crate::message::{Answer, Request};
use crate::place::scopes;
use crate::upstream::Upstream;

/// A notification on its way.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// What the platform sent.
    pub(crate) request: Request,
    /// The number of the callback address.
    pub(crate) number: usize,
    /// The address that the subscriber named.
    pub(crate) callback: String,
}

/// What the platform is told of a delivery.
pub(crate) type Outcome = Pin<Box<dyn Future<Output = StatusCode> + Send>>;

/// What becomes of notifications.
pub(crate) type Courier = Box<dyn Fn(Delivery, Arc<Shared>) -> Outcome + Send + Sync>;

/// A courier of an asynchronous closure.
pub(crate) fn courier<F, R>(deliver: F) -> Courier
where
    F: Fn(Delivery, Arc<Shared>) -> R + Send + Sync + 'static,
    R: Future<Output = StatusCode> + Send + 'static,
{
    Box::new(move |delivery, shared| Box::pin(deliver(delivery, shared)))
}

/// A courier that changes the body on the way.
pub(crate) fn changing(change: impl Fn(&mut serde_json::Value) + Send + Sync + Clone + 'static) -> Courier {
    courier(move |mut delivery, _| {
        let change = change.clone();
        async move {
            if let Some(mut body) = delivery.request.json() {
                change(&mut body);
                delivery.request.set_json(&body);
            }
            delivery.forward().await
        }
    })
}

impl Delivery {
    /// Hands it to the subscriber; 503 where the subscriber cannot be reached.
    pub(crate) async fn forward(&self) -> StatusCode {
        self.forward_to(&self.callback).await
    }

    /// Hands it to another address.
    pub(crate) async fn forward_to(&self, callback: &str) -> StatusCode {
        match post(callback, &self.request).await {
            Some(answer) => answer.parts.status,
            None => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Sends a notification to an `http` address.
async fn post(callback: &str, notification: &Request) -> Option<Answer> {
    let uri: Uri = callback.parse().ok()?;
    let authority = uri.authority()?.clone();
    let address = receiver(&uri)?;
    let mut request = notification.clone();
    request.set_path(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str));
    let host = http::HeaderValue::from_str(authority.as_str()).ok()?;
    request.parts.headers.insert(http::header::HOST, host);
    Upstream { address }.call(request).await.ok()
}

/// Where an `http` address of this machine leads; none for any other address, which is then left as it is.
fn receiver(uri: &Uri) -> Option<SocketAddr> {
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let port = uri.port_u16().unwrap_or(80);
    let host = uri.host()?.trim_matches(['[', ']']);
    let address: std::net::IpAddr = match host {
        "localhost" => std::net::Ipv4Addr::LOCALHOST.into(),
        other => other.parse().ok()?,
    };
    address.is_loopback().then_some(SocketAddr::new(address, port))
}

/// The callback addresses that subscriptions have named.
#[derive(Debug)]
pub(crate) struct Callbacks {
    base: Option<String>,
    known: Mutex<Vec<String>>,
}

impl Callbacks {
    /// Replaces callback addresses by ones below this address, or leaves them alone.
    pub(crate) fn new(base: Option<String>) -> Self {
        Self {
            base,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All addresses, in the order in which they were named.
    pub(crate) fn all(&self) -> Vec<String> {
        self.known().clone()
    }

    /// The path of a callback is its number.
    pub(crate) fn delivery(&self, request: Request) -> Option<Delivery> {
        let number: usize = request.path().trim_start_matches('/').parse().ok()?;
        let callback = self.known().get(number)?.clone();
        Some(Delivery {
            request,
            number,
            callback,
        })
    }

    /// Puts the proxy's address into a subscription.
    pub(crate) fn replace(&self, request: &mut Request) {
        let Some(base) = &self.base else { return };
        if !request.is_in(scopes::SUBSCRIBE) {
            return;
        }
        let Some(mut body) = request.json() else { return };
        let Some(member) = body.get_mut("callbackReference") else {
            return;
        };
        let Some(callback) = member.as_str().map(str::to_owned) else {
            return;
        };
        if !callback.parse().is_ok_and(|uri| receiver(&uri).is_some()) {
            return;
        }
        let mut known = self.known();
        let number = known.len();
        known.push(callback);
        *member = format!("{base}/{number}").into();
        drop(known);
        request.set_json(&body);
    }

    /// Puts the subscriber's addresses back into an answer.
    pub(crate) fn restore(&self, answer: &mut Answer) {
        let Some(base) = &self.base else { return };
        let Ok(text) = std::str::from_utf8(&answer.body) else {
            return;
        };
        if !text.contains(base.as_str()) {
            return;
        }
        let known = self.known();
        let mut text = text.to_owned();
        for (number, callback) in known.iter().enumerate() {
            text = text.replace(
                &format!("\"{base}/{number}\""),
                &serde_json::Value::from(callback.as_str()).to_string(),
            );
        }
        drop(known);
        answer.set_body(Bytes::from(text));
    }
}
