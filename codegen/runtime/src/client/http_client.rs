//! Sending a request until it has an answer: tokens, redirects, retries, limits.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Url;

use super::error::Failure;
use super::retry::retry_after;
use super::{Answer, Request, Responses, RetryPolicy, TokenProvider};
use crate::operation::Operation;

/// How many redirects are followed for one attempt.
const MOST_REDIRECTS: usize = 5;

/// What all operations of a client share; cheap to clone.
#[derive(Clone)]
pub struct HttpClient(Arc<Settings>);

/// The address alone: headers and tokens are secrets.
impl std::fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpClient")
            .field("root", &self.0.root)
            .finish_non_exhaustive()
    }
}

pub(crate) struct Settings {
    /// Base URL and base path, without a final `/`.
    pub(crate) root: String,
    pub(crate) http: reqwest::Client,
    pub(crate) headers: HeaderMap,
    pub(crate) token_provider: Option<Arc<dyn TokenProvider>>,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) response_limit: usize,
}

/// A request that is ready to be sent, more than once if need be.
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) timeout: Option<Duration>,
}

impl HttpClient {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    /// The URL that the operations' paths are appended to.
    pub fn root(&self) -> &str {
        &self.0.root
    }

    /// Starts a request of an operation.
    pub fn request<R: Responses>(&self, operation: &'static Operation) -> Request<'_, R> {
        Request::new(self, operation)
    }

    /// Sends a request until it has an answer that is worth having, or the policy says that it is enough.
    pub(crate) async fn send(&self, request: &Prepared) -> Result<Answer, Failure> {
        let mut attempt = 1;
        loop {
            let outcome = self.send_with_token(request).await;
            let wait = match &outcome {
                Err(Failure::Transport(error)) if error.is_connect() || request.is_idempotent() => Some(None),
                Ok(answer) if request.is_idempotent() && asks_to_retry(answer.status()) => {
                    Some(retry_after(answer.headers()))
                }
                _ => None,
            };
            match wait.and_then(|asked| self.0.retry.delay(attempt, asked)) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return outcome,
            }
            attempt += 1;
        }
    }

    /// Sends a request with a token, and once more with a fresh one where the server refuses it.
    async fn send_with_token(&self, request: &Prepared) -> Result<Answer, Failure> {
        let Some(provider) = &self.0.token_provider else {
            return self.send_once(request, None).await;
        };
        let token = provider.token(None).await.map_err(Failure::Token)?;
        let answer = self.send_once(request, Some(&token)).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let fresh = provider.token(Some(&token)).await.map_err(Failure::Token)?;
        if fresh == token {
            Ok(answer)
        } else {
            self.send_once(request, Some(&fresh)).await
        }
    }

    /// Sends a request and follows redirects on the same origin.
    async fn send_once(&self, request: &Prepared, token: Option<&str>) -> Result<Answer, Failure> {
        let mut url = request.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = self.exchange(request, url.clone(), token).await?;
            match redirect_target(request, &url, &answer) {
                Some(target) => url = target,
                None => return Ok(answer),
            }
        }
        self.exchange(request, url, token).await
    }

    async fn exchange(&self, request: &Prepared, url: Url, token: Option<&str>) -> Result<Answer, Failure> {
        let mut headers = self.0.headers.clone();
        if let Some(mut value) =
            token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok())
        {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        let timeout = request.timeout.unwrap_or(self.0.timeout);
        let mut outgoing = self
            .0
            .http
            .request(request.method.clone(), url)
            .headers(headers)
            .timeout(timeout);
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        let response = outgoing.send().await.map_err(Failure::Transport)?;
        receive(response, self.0.response_limit).await
    }
}

/// Reads a response up to a limit in bytes.
pub(crate) async fn receive(mut response: reqwest::Response, limit: usize) -> Result<Answer, Failure> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::Transport)? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Err(Failure::TooLong(
                Box::new(Answer::new(status, headers, body.freeze())),
                limit,
            ));
        }
    }
    Ok(Answer::new(status, headers, body.freeze()))
}

impl Prepared {
    /// Whether sending the request twice does what sending it once does.
    fn is_idempotent(&self) -> bool {
        let conditional =
            self.headers.contains_key(header::IF_MATCH) || self.headers.contains_key(header::IF_NONE_MATCH);
        self.method.is_safe() || (self.method.is_idempotent() && !conditional)
    }
}

fn asks_to_retry(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

/// Where a redirect leads, if it is one to follow: same scheme, host and port, and no change of method.
fn redirect_target(request: &Prepared, url: &Url, answer: &Answer) -> Option<Url> {
    let follows = match answer.status().as_u16() {
        307 | 308 => true,
        301 | 302 => request.method.is_safe(),
        _ => false,
    };
    let location = answer
        .headers()
        .get(header::LOCATION)
        .filter(|_| follows)?
        .to_str()
        .ok()?;
    let target = url.join(location).ok()?;
    (target.origin() == url.origin()).then_some(target)
}
