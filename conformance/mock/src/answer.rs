//! An answer on its way out: status, fields, body.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use crate::problem::Problem;

/// What is answered.
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn bytes(status: StatusCode, media_type: &str, body: Bytes) -> Answer {
        let mut answer = Answer::empty(status).with(header::CONTENT_TYPE, media_type);
        answer.body = body;
        answer
    }

    pub(crate) fn json(status: StatusCode, media_type: &str, value: &Value) -> Answer {
        Answer::bytes(status, media_type, Bytes::from(value.to_string()))
    }

    pub(crate) fn problem(problem: &Problem, path: &str) -> Answer {
        let answer = Answer::json(
            problem.status,
            problem
                .media_type
                .as_deref()
                .unwrap_or("application/problem+json"),
            &problem.body(path),
        );
        match &problem.allow {
            Some(allow) => answer.with(header::ALLOW, allow),
            None => answer,
        }
    }

    /// Adds a field; a value that no field can have is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Answer {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The response; to HEAD without the body, but with its length.
    pub(crate) fn into_response(self, head: bool) -> Response {
        let length = self.body.len();
        let bodiless = self.status == StatusCode::NO_CONTENT || self.status == StatusCode::NOT_MODIFIED;
        let mut response = Response::new(match head || bodiless {
            true => Body::empty(),
            false => Body::from(self.body),
        });
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        if !bodiless {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}
