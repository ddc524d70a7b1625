//! The platform's side: delivers one notification to one address, once.
//!
//! When to try again, and in which order, is the business of whoever keeps the notifications.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::Url;

use super::Notification;
use crate::client::{Answer, BuildError, Failure, new_http_client, receive, retry_after};
use crate::{Invalid, check};

/// How much of a subscriber's answer is read, in bytes: it should be empty.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Decides whether an address may be called; the error says why it may not.
type AddressPolicy = dyn Fn(&Url) -> Result<(), String> + Send + Sync;

/// Sets up the HTTP client further.
type Configure = dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync;

/// Delivers notifications; cheap to clone.
#[derive(Clone)]
pub struct NotificationSender {
    http: reqwest::Client,
    timeout: Duration,
    headers: HeaderMap,
    policy: Option<Arc<AddressPolicy>>,
}

/// Sets up a [`NotificationSender`].
#[derive(Default)]
pub struct SenderBuilder {
    http: Option<reqwest::Client>,
    timeout: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    policy: Option<Arc<AddressPolicy>>,
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Option<Duration>,
    configure: Option<Box<Configure>>,
}

/// A notification that the subscriber has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The status of the acknowledgement: 204, as the standards have it, or another success.
    pub status: StatusCode,
}

/// Why a notification is not delivered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The address is no absolute `http` or `https` URL.
    #[error("{0:?} is not an absolute http or https URL")]
    Address(String),
    /// The address must not be called.
    #[error("{url} must not be called: {reason}")]
    Forbidden {
        /// The address.
        url: String,
        /// Why the policy refuses it.
        reason: String,
    },
    /// The notification breaks a rule of its schema and was not sent.
    #[error("the notification was not sent, because {0}")]
    Invalid(Invalid),
    /// The subscriber did not acknowledge the notification.
    #[error("the subscriber answered {}", .0.status())]
    Refused(Box<Answer>),
    /// The notification could not be sent, or the answer not be received.
    #[error("no answer could be had from the subscriber")]
    Transport(#[source] reqwest::Error),
    /// There was no answer in time.
    #[error("the subscriber gave no answer in time")]
    Timeout(#[source] reqwest::Error),
}

impl DeliveryError {
    /// Whether the same delivery may succeed later: transport errors, time-outs, 408, 425, 429 and 5xx.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Timeout(_) => true,
            Self::Refused(answer) => {
                answer.status().is_server_error() || matches!(answer.status().as_u16(), 408 | 425 | 429)
            }
            _ => false,
        }
    }

    /// How long the subscriber asks to be left alone (`Retry-After`), where it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(answer) => retry_after(answer.headers()),
            _ => None,
        }
    }
}

impl SenderBuilder {
    /// Uses this HTTP client; what else is set up about connections then has no effect. It should follow no redirects: they could lead into the platform's own network.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// How long a delivery may take; 10 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends a header with every notification.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Decides which addresses may be called; without it, all may.
    #[must_use]
    pub fn policy(mut self, policy: impl Fn(&Url) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Trusts a certificate authority besides the system's; `pem` holds one or more certificates.
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// How long a connection may take to be made; 5 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets up the sender's own HTTP client further, for example with another resolver of names.
    #[must_use]
    pub fn configure(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// The sender. It uses no proxy that the environment names: the address that was judged is the one that is called.
    ///
    /// # Errors
    /// [`BuildError`] where the HTTP client can't be set up.
    pub fn build(self) -> Result<NotificationSender, BuildError> {
        let http = match self.http {
            Some(client) => client,
            None => {
                let connect_timeout = self.connect_timeout.unwrap_or(Duration::from_secs(5));
                new_http_client(connect_timeout, &self.root_certificates, &|builder| {
                    let builder = builder.no_proxy();
                    match &self.configure {
                        Some(configure) => configure(builder),
                        None => builder,
                    }
                })?
            }
        };
        let timeout = self.timeout.unwrap_or(Duration::from_secs(10));
        Ok(NotificationSender {
            http,
            timeout,
            headers: self.headers.into_iter().collect(),
            policy: self.policy,
        })
    }
}

impl NotificationSender {
    /// A sender with an HTTP client and time-outs of its own.
    ///
    /// # Errors
    /// [`BuildError`] where the HTTP client can't be set up.
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// A sender to be set up.
    pub fn builder() -> SenderBuilder {
        SenderBuilder::default()
    }

    /// Delivers a notification to an address, once. Redirects are not followed.
    ///
    /// # Errors
    /// [`DeliveryError`] where the subscriber has not acknowledged it with a 2xx.
    pub async fn send<N: Notification>(
        &self,
        url: &str,
        notification: &N,
    ) -> Result<Delivered, DeliveryError> {
        check(notification).map_err(DeliveryError::Invalid)?;
        // `check` has just written the same value.
        let body = serde_json::to_vec(notification)
            .map_err(|error| DeliveryError::Invalid(Invalid::new("json", error.to_string())))?;
        self.send_json(url, body).await
    }

    /// Delivers a JSON text, for example one that was kept from an earlier [`send`](Self::send), to an address, once.
    ///
    /// # Errors
    /// [`DeliveryError`] where the subscriber has not acknowledged it with a 2xx.
    pub async fn send_json(&self, url: &str, body: impl Into<Bytes>) -> Result<Delivered, DeliveryError> {
        self.send_json_with(url, body, HeaderMap::new()).await
    }

    /// [`send_json`](Self::send_json) with headers of this delivery's own, which replace the sender's of the same name.
    ///
    /// # Errors
    /// [`DeliveryError`] where the subscriber has not acknowledged it with a 2xx.
    pub async fn send_json_with(
        &self,
        url: &str,
        body: impl Into<Bytes>,
        headers: HeaderMap,
    ) -> Result<Delivered, DeliveryError> {
        let url = self.address(url)?;
        let request = self
            .http
            .post(url)
            .headers(self.headers.clone())
            .headers(headers)
            .timeout(self.timeout);
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into());
        let response = request.send().await.map_err(transport)?;
        let answer = match receive(response, ANSWER_LIMIT).await {
            Ok(answer) => answer,
            Err(Failure::TooLong(answer, _)) => *answer,
            Err(Failure::Transport(error)) => return Err(transport(error)),
            Err(Failure::InvalidRequest { invalid, .. }) => return Err(DeliveryError::Invalid(invalid)),
            Err(Failure::Token(_)) => {
                Answer::new(StatusCode::UNAUTHORIZED, HeaderMap::new(), Default::default())
            }
        };
        match answer.status().is_success() {
            true => Ok(Delivered {
                status: answer.status(),
            }),
            false => Err(DeliveryError::Refused(Box::new(answer))),
        }
    }

    fn address(&self, text: &str) -> Result<Url, DeliveryError> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| DeliveryError::Address(text.to_owned()))?;
        match self.policy.as_ref().map_or(Ok(()), |policy| policy(&url)) {
            Ok(()) => Ok(url),
            Err(reason) => Err(DeliveryError::Forbidden {
                url: text.to_owned(),
                reason,
            }),
        }
    }
}

fn transport(error: reqwest::Error) -> DeliveryError {
    if error.is_timeout() {
        DeliveryError::Timeout(error)
    } else {
        DeliveryError::Transport(error)
    }
}

impl fmt::Debug for NotificationSender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NotificationSender")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
