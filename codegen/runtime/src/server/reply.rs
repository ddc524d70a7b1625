//! The answer of an operation on its way to the wire: serialised once, with its headers.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::Problem;
use crate::parameter::text_of;
use crate::{EntityTag, Location};

/// The answer of an operation: status, headers and body.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Bytes>,
    entity_tag: Option<EntityTag>,
    failure: Option<Problem>,
}

impl Reply {
    /// An answer without a body. A number that is no status is answered as an internal error.
    pub fn empty(status: u16) -> Self {
        let (status, failure) = match StatusCode::from_u16(status) {
            Ok(status) => (status, None),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Some(Problem::internal(error))),
        };
        Self {
            status,
            headers: HeaderMap::new(),
            body: None,
            entity_tag: None,
            failure,
        }
    }

    /// An answer with a JSON body.
    pub fn json<T: Serialize + ?Sized>(status: u16, media_type: &'static str, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => Self::bytes(status, media_type, bytes),
            Err(error) => Self {
                failure: Some(Problem::internal(error)),
                ..Self::empty(status)
            },
        }
    }

    /// An answer with a body of text.
    pub fn text(status: u16, media_type: &'static str, body: String) -> Self {
        Self::bytes(status, media_type, body)
    }

    /// An answer with a body of any media type.
    pub fn bytes(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status);
        reply
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply.body = Some(body.into());
        reply
    }

    /// Adds `ETag`, where there is a tag.
    #[must_use]
    pub fn etag(mut self, tag: Option<EntityTag>) -> Self {
        if let Some(tag) = &tag {
            self.headers.insert(header::ETAG, tag.to_header_value());
        }
        self.entity_tag = tag;
        self
    }

    /// Adds `Location`.
    #[must_use]
    pub fn location(mut self, location: &Location) -> Self {
        self.headers.insert(header::LOCATION, location.to_header_value());
        self
    }

    /// Adds `Location`, where there is one.
    #[must_use]
    pub fn optional_location(self, location: Option<&Location>) -> Self {
        match location {
            Some(location) => self.location(location),
            None => self,
        }
    }

    /// Adds a header; a list becomes a comma-separated one, `null` (an absent `Option`) nothing.
    ///
    /// A value that no header can hold is answered as an internal error.
    #[must_use]
    pub fn header<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Self {
        let text = match serde_json::to_value(value).unwrap_or_default() {
            serde_json::Value::Null => return self,
            serde_json::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
            value => text_of(&value),
        };
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&text),
        ) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => {
                self.failure = Some(Problem::internal(format!(
                    "{text:?} is no value for header {name}"
                )))
            }
        }
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The entity tag of the answer.
    pub(super) fn entity_tag(&self) -> Option<&EntityTag> {
        self.entity_tag.as_ref()
    }

    /// The same answer as `304 Not Modified` (RFC 9110 section 15.4.5): no body, and no header that describes it.
    pub(super) fn not_modified(mut self) -> Self {
        self.status = StatusCode::NOT_MODIFIED;
        self.body = None;
        self.headers.remove(header::CONTENT_TYPE);
        self
    }

    /// The response.
    ///
    /// # Errors
    /// What went wrong when the answer was put together.
    pub(super) fn into_http(self) -> Result<Response<Body>, Problem> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let length = self.body.as_ref().map(Bytes::len);
        let mut response = Response::new(self.body.map_or_else(Body::empty, Body::from));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let bodyless = self.status == StatusCode::NO_CONTENT || self.status == StatusCode::NOT_MODIFIED;
        if let Some(length) = length.or((!bodyless).then_some(0)) {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(response)
    }
}
