//! One attempt: reads a notification from the store, sends it, and says how that went.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use mecforge_contracts::keys;
use mecforge_contracts::outbox::Target;
use mecforge_runtime::callbacks::{DeliveryError, NotificationSender};
use mecforge_runtime::client::BuildError;
use mecforge_store::Store;
use reqwest::Url;
use tokio::time::Duration;

use crate::letter::Letter;
use crate::options::Options;
use crate::queues::Verdict;
use crate::resolver::{Calling, CheckedResolver, Lookup, Ports};
use crate::websocket::{NotWritten, WebSockets};

/// The header by which a subscriber recognises a notification that it has had already.
pub static NOTIFICATION_ID: HeaderName = HeaderName::from_static("x-notification-id");

/// The longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 500;

pub(crate) struct Courier {
    store: Arc<dyn Store>,
    sender: NotificationSender,
    tester: NotificationSender,
    pub(crate) websockets: Arc<WebSockets>,
    ports: Arc<Ports>,
}

impl Courier {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        options: &Options,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let ports = Arc::new(Ports::default());
        let sender = |timeout| sender(options, timeout, &lookup, &ports);
        Ok(Self {
            store,
            sender: sender(options.timeout)?,
            tester: sender(options.test_timeout)?,
            websockets: Arc::new(WebSockets::new(options.websocket_ping, options.timeout)),
            ports,
        })
    }

    /// Tries to deliver the notification at a key of the outbox.
    pub(crate) async fn attempt(&self, subscription: &str, key: &str) -> Verdict {
        let Some(entry) = self.store.get(key) else {
            return Verdict::Void;
        };
        if self.store.get(subscription).is_none() {
            return Verdict::Void;
        }
        let letter = match Letter::parse(&entry.value) {
            Ok(letter) => letter,
            Err(error) => return Verdict::Unreadable(error.to_string()),
        };
        let id = keys::outgoing_at(key).map(|(_, id)| id).unwrap_or_default();
        let body = letter.body_in(&entry.value);
        match self.deliver(&letter.target, body, Some(&id)).await {
            Verdict::Delivered { .. } => Verdict::Delivered {
                happened: letter.happened,
            },
            other => other,
        }
    }

    async fn deliver(&self, target: &Target, body: Bytes, id: Option<&str>) -> Verdict {
        let delivered = Verdict::Delivered { happened: 0 };
        match target {
            Target::WebSocket(subscription) => match self.websockets.send(subscription, body).await {
                Ok(()) => delivered,
                Err(NotWritten::NotConnected) => Verdict::Parked,
                Err(NotWritten::NotText) => Verdict::Never {
                    reason: "the body is not UTF-8".to_owned(),
                    answered: false,
                },
            },
            Target::Callback(url) => {
                let mut headers = HeaderMap::new();
                if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
                    headers.insert(NOTIFICATION_ID.clone(), value);
                }
                let _calling = self.calling(url);
                match self.sender.send_json_with(url, body, headers).await {
                    Ok(_) => delivered,
                    Err(error) => verdict(&error),
                }
            }
        }
    }

    /// Sends a body at once, without any queue.
    pub(crate) async fn test(&self, target: &Target, body: Bytes) -> Result<(), String> {
        match target {
            Target::WebSocket(subscription) => {
                let sent = self.websockets.send(subscription, body).await;
                sent.map_err(|_| "no client is connected".to_owned())
            }
            Target::Callback(url) => {
                let _calling = self.calling(url);
                let sent = self.tester.send_json(url, body).await;
                // What lies below, such as a refused connection, would tell about the platform's network.
                sent.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    fn calling(&self, url: &str) -> Option<Calling> {
        let url = Url::parse(url).ok()?;
        Some(self.ports.calling(url.host_str()?, url.port_or_known_default()?))
    }
}

fn sender(
    options: &Options,
    timeout: Duration,
    lookup: &Arc<dyn Lookup>,
    ports: &Arc<Ports>,
) -> Result<NotificationSender, BuildError> {
    let policy = Arc::new(options.policy.clone());
    let resolver = Arc::new(CheckedResolver {
        lookup: lookup.clone(),
        policy: policy.clone(),
        ports: ports.clone(),
    });
    let idle = options.in_flight_per_receiver.max(1);
    let mut builder = NotificationSender::builder()
        .timeout(timeout)
        .connect_timeout(options.connect_timeout)
        .policy(move |url| policy.check_url(url))
        .configure(move |client| {
            client
                .dns_resolver(resolver.clone())
                .pool_max_idle_per_host(idle)
                .pool_idle_timeout(Duration::from_secs(30))
        });
    for pem in &options.root_certificates {
        builder = builder.root_certificate(pem.clone());
    }
    builder.build()
}

fn verdict(error: &DeliveryError) -> Verdict {
    let reason = reason(error);
    if error.is_temporary() {
        Verdict::Later {
            reason,
            retry_after: error.retry_after(),
        }
    } else {
        Verdict::Never {
            reason,
            answered: matches!(error, DeliveryError::Refused(_)),
        }
    }
}

/// An error and its last cause, which says most: those between name layers of the HTTP client.
fn reason(error: &DeliveryError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause.and_then(Error::source) {
        cause = Some(below);
    }
    if let Some(cause) = cause {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    if text.len() > LONGEST_REASON {
        text.truncate(text.floor_char_boundary(LONGEST_REASON));
        text.push('…');
    }
    text
}
