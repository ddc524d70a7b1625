//! One call of an operation, from its arguments to its outcome.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde::Serialize;

use super::error::Failure;
use super::http_client::{HttpClient, Prepared};
use super::{Error, Responses, form};
use crate::json::Json;
use crate::operation::{Operation, Place};
use crate::parameter::{QueryText, query_pairs, simple_text};
use crate::{EntityTag, Invalid, Preconditions};

/// What stands for itself in a query: the unreserved characters of RFC 3986, so that nothing is left to opinions.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One call of an operation: await it for the outcome, or give it conditions and headers before.
#[must_use = "a request is sent when it is awaited"]
pub struct Request<'client, R> {
    client: &'client HttpClient,
    operation: &'static Operation,
    path: Vec<String>,
    query: String,
    headers: HeaderMap,
    body: Option<Bytes>,
    timeout: Option<Duration>,
    failure: Option<Failure>,
    responses: PhantomData<fn() -> R>,
}

impl<'client, R: Responses> Request<'client, R> {
    pub(super) fn new(client: &'client HttpClient, operation: &'static Operation) -> Self {
        let mut headers = HeaderMap::new();
        let accept = match operation.produces.is_empty() {
            true => "application/problem+json, */*;q=0.1".to_owned(),
            false => format!(
                "{}, application/problem+json;q=0.9",
                operation.produces.join(", ")
            ),
        };
        if let Ok(accept) = HeaderValue::from_str(&accept) {
            headers.insert(header::ACCEPT, accept);
        }
        Self {
            client,
            operation,
            path: Vec::new(),
            query: String::new(),
            headers,
            body: None,
            timeout: None,
            failure: None,
            responses: PhantomData,
        }
    }

    /// Carry the call out only if the resource still is in the state that the tag names (`If-Match`).
    pub fn if_match(self, tag: &EntityTag) -> Self {
        self.raw_header(header::IF_MATCH, &tag.to_string())
    }

    /// Carry the call out only if the resource no longer is in the state that the tag names (`If-None-Match`).
    pub fn if_none_match(self, tag: &EntityTag) -> Self {
        self.raw_header(header::IF_NONE_MATCH, &tag.to_string())
    }

    /// Carry the call out only under these conditions.
    pub fn preconditions(mut self, conditions: &Preconditions) -> Self {
        if let Some(condition) = &conditions.if_match {
            self = self.raw_header(header::IF_MATCH, &condition.to_string());
        }
        if let Some(condition) = &conditions.if_none_match {
            self = self.raw_header(header::IF_NONE_MATCH, &condition.to_string());
        }
        self
    }

    /// Sends a header that the operation does not declare.
    pub fn raw_header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(_) => self.fail(
                None,
                Invalid::new("type", format!("can't be sent as header {name}")),
            ),
        }
        self
    }

    /// How long one attempt of this call may take, instead of what the client is set to.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gives a path parameter its value.
    pub fn path<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        let Some(parameter) = self.operation.parameter(Place::Path, name) else {
            return self;
        };
        let text = simple_text(parameter, value);
        if matches!(text.as_str(), "" | "." | "..") {
            let message = format!("must be more than {text:?}, which can't be a segment of a path");
            self.fail(Some(parameter.name), Invalid::new("minLength", message));
        }
        self.path.push(text);
        self
    }

    /// Gives a query parameter its value; `None` and an empty list leave it out.
    pub fn query<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        if let Some(parameter) = self.operation.parameter(Place::Query, name) {
            query_pairs(parameter, value)
                .iter()
                .for_each(|(name, text)| self.pair(name, text));
        }
        self
    }

    /// Gives a header its value; `None` and an empty list leave it out.
    pub fn header<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        let Some(parameter) = self.operation.parameter(Place::Header, name) else {
            return self;
        };
        match (
            simple_text(parameter, value),
            HeaderName::from_bytes(name.as_bytes()),
        ) {
            (text, _) if text.is_empty() => self,
            (text, Ok(name)) => self.raw_header(name, &text),
            (_, Err(_)) => {
                self.fail(Some(parameter.name), Invalid::new("type", "is no header name"));
                self
            }
        }
    }

    /// Gives a cookie its value; `None` and an empty list leave it out.
    pub fn cookie<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        let Some(parameter) = self.operation.parameter(Place::Cookie, name) else {
            return self;
        };
        let text = simple_text(parameter, value);
        if text.is_empty() {
            return self;
        }
        let known = self
            .headers
            .get(header::COOKIE)
            .and_then(|value| value.to_str().ok());
        let cookies = known.map_or_else(String::new, |known| format!("{known}; "));
        self.raw_header(header::COOKIE, &format!("{cookies}{name}={text}"))
    }

    /// Sends a JSON body, if `decode` accepts it: what breaks a rule of the API never leaves the program.
    pub fn json<T: Serialize + ?Sized, U>(
        mut self,
        media_type: &str,
        body: &T,
        decode: impl FnOnce(&Json<'_>) -> Result<U, Invalid>,
    ) -> Self {
        match self.checked(body, decode) {
            Some((bytes, _)) => self.bytes(media_type, bytes),
            None => self,
        }
    }

    /// Sends an object as a form (`application/x-www-form-urlencoded`), if `decode` accepts it.
    pub fn form<T: Serialize + ?Sized, U>(
        mut self,
        body: &T,
        decode: impl FnOnce(&Json<'_>) -> Result<U, Invalid>,
    ) -> Self {
        match self.checked(body, decode) {
            Some((_, value)) => self.bytes("application/x-www-form-urlencoded", form::to_urlencoded(&value)),
            None => self,
        }
    }

    /// Sends an object as a form (`multipart/form-data`), if `decode` accepts it.
    pub fn multipart<T: Serialize + ?Sized, U>(
        mut self,
        body: &T,
        decode: impl FnOnce(&Json<'_>) -> Result<U, Invalid>,
    ) -> Self {
        match self.checked(body, decode) {
            Some((_, value)) => {
                let (boundary, bytes) = form::to_multipart(&value);
                self.bytes(&format!("multipart/form-data; boundary={boundary}"), bytes)
            }
            None => self,
        }
    }

    /// The body as text and as a tree, if it follows the rules.
    fn checked<T: Serialize + ?Sized, U>(
        &mut self,
        body: &T,
        decode: impl FnOnce(&Json<'_>) -> Result<U, Invalid>,
    ) -> Option<(Vec<u8>, serde_json::Value)> {
        let written = serde_json::to_vec(body)
            .map_err(|error| Invalid::new("json", format!("can't be written: {error}")))
            .and_then(|bytes| {
                let json = Json::parse(&bytes)?;
                decode(&json)?;
                let value = json.to_value();
                Ok((bytes, value))
            });
        written.map_err(|invalid| self.fail(None, invalid)).ok()
    }

    /// Sends a body of any media type.
    pub fn bytes(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.raw_header(header::CONTENT_TYPE, media_type)
    }

    /// Sends the call and gives the response as it came, whatever it is.
    ///
    /// # Errors
    /// [`Error`] where there is no response.
    pub async fn send(self) -> Result<super::Answer, Error<R>> {
        let client = self.client;
        Ok(client.send(&self.prepare()?).await?)
    }

    fn fail(&mut self, parameter: Option<&'static str>, invalid: Invalid) {
        self.failure
            .get_or_insert(Failure::InvalidRequest { parameter, invalid });
    }

    fn pair(&mut self, name: &str, text: &QueryText) {
        let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
        let value = match text {
            QueryText::Whole(text) => encode(text),
            QueryText::Joined(texts, separator) => texts
                .iter()
                .map(|text| encode(text))
                .collect::<Vec<_>>()
                .join(separator),
        };
        let separator = if self.query.is_empty() { '?' } else { '&' };
        self.query.push(separator);
        self.query.push_str(&format!("{}={value}", encode(name)));
    }

    fn prepare(self) -> Result<Prepared, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let url = format!(
            "{}{}{}",
            self.client.root(),
            self.operation.path_with(&path),
            self.query
        );
        let url = Url::parse(&url).map_err(|error| Failure::InvalidRequest {
            parameter: None,
            invalid: Invalid::new("uri", format!("can't be sent to {url}: {error}")),
        })?;
        // OpenAPI's methods are all valid.
        let method = Method::from_bytes(self.operation.method.as_bytes()).unwrap_or_default();
        Ok(Prepared {
            method,
            url,
            headers: self.headers,
            body: self.body,
            timeout: self.timeout,
        })
    }

    async fn outcome(self) -> Result<R::Success, Error<R>> {
        let answer = self.send().await?;
        match R::from_answer(&answer) {
            Ok(response) => response.into_success().map_err(|response| Error::Response {
                response: Box::new(response),
                answer: Box::new(answer),
            }),
            Err(reason) => Err(Error::Unexpected {
                answer: Box::new(answer),
                reason,
            }),
        }
    }
}

impl<'client, R: Responses> IntoFuture for Request<'client, R> {
    type Output = Result<R::Success, Error<R>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'client>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.outcome())
    }
}
