//! One request that has found its operation: where the generated code takes typed values from.

use bytes::Bytes;
use http::header;

use super::body::ReadBody;
use super::query::Query;
use super::{Caller, Problem, form};
use crate::json::Json;
use crate::media_type::MediaType;
use crate::operation::{Kind, Operation, Parameter, Place, Style};
use crate::parameter::joined;
use crate::{Invalid, Preconditions};

/// One request that has found its operation, with its body read.
#[derive(Debug)]
pub struct Call {
    pub(super) operation: &'static Operation,
    pub(super) caller: Caller,
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    pub(super) body: ReadBody,
}

impl Call {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The operation that was found.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// A path parameter.
    ///
    /// # Errors
    /// `400` where the value breaks a rule.
    pub fn path<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        let mut parameters = self
            .operation
            .parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Path);
        let found = parameters.position(|parameter| parameter.name == name);
        let text = found.and_then(|index| self.path.get(index));
        let (Some(text), Some(parameter)) = (text, self.operation.parameter(Place::Path, name)) else {
            return Err(Problem::internal(format!(
                "{} has no path parameter {name}",
                self.operation.name
            )));
        };
        let value = joined(text.as_str().into(), parameter.kind, parameter.style);
        value
            .and_then(|json| decode(&json))
            .map_err(|invalid| Problem::parameter(name, &invalid))
    }

    /// A query parameter that must be there.
    ///
    /// # Errors
    /// `400` where it is absent or its value breaks a rule.
    pub fn required_query<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        present(name, self.query(name, decode)?)
    }

    /// A query parameter that may be absent.
    ///
    /// # Errors
    /// `400` where the value breaks a rule.
    pub fn query<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        let Some(parameter) = self.operation.parameter(Place::Query, name) else {
            return Err(Problem::internal(format!(
                "{} has no query parameter {name}",
                self.operation.name
            )));
        };
        let value = self
            .query
            .value(parameter)
            .and_then(|json| json.map(|json| decode(&json)).transpose());
        value.map_err(|invalid| Problem::parameter(name, &invalid))
    }

    /// A header that must be there.
    ///
    /// # Errors
    /// `400` where it is absent or its value breaks a rule.
    pub fn required_header<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        present(name, self.header(name, decode)?)
    }

    /// A header that may be absent.
    ///
    /// # Errors
    /// `400` where the value breaks a rule, is not text, or where a header that holds one value is repeated.
    pub fn header<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        let mut texts = Vec::new();
        for value in self.caller.headers().get_all(name) {
            match value.to_str() {
                Ok(text) => texts.push(text.trim()),
                Err(_) => {
                    let invalid = Invalid::new("type", "must be visible ASCII characters");
                    return Err(Problem::parameter(name, &invalid));
                }
            }
        }
        self.text_parameter(
            Place::Header,
            name,
            (!texts.is_empty()).then(|| texts.join(",")),
            decode,
        )
    }

    /// A cookie that must be there.
    ///
    /// # Errors
    /// `400` where it is absent or its value breaks a rule.
    pub fn required_cookie<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        present(name, self.cookie(name, decode)?)
    }

    /// A cookie that may be absent.
    ///
    /// # Errors
    /// `400` where the value breaks a rule.
    pub fn cookie<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        let headers = self.caller.headers().get_all(header::COOKIE);
        let cookies = headers
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'));
        let text = cookies
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(known, _)| *known == name);
        self.text_parameter(
            Place::Cookie,
            name,
            text.map(|(_, value)| value.to_owned()),
            decode,
        )
    }

    fn text_parameter<T>(
        &self,
        place: Place,
        name: &str,
        text: Option<String>,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = text else { return Ok(None) };
        let Some(parameter) = self.operation.parameter(place, name) else {
            return Err(Problem::internal(format!(
                "{} has no parameter {name}",
                self.operation.name
            )));
        };
        let Parameter { kind, style, .. } = *parameter;
        let text = match kind {
            // A list in a header may have blanks after its commas (RFC 9110 section 5.6.1).
            Kind::List(_) if style != Style::Json => {
                text.split(',').map(str::trim).collect::<Vec<_>>().join(",")
            }
            _ => text,
        };
        let value = joined(text.into(), kind, style)
            .and_then(|json| decode(&json))
            .map(Some);
        value.map_err(|invalid| Problem::parameter(name, &invalid))
    }

    /// `If-Match` and `If-None-Match`.
    ///
    /// # Errors
    /// `400` for an `If-None-Match` that is neither `*` nor a list of entity tags.
    pub fn preconditions(&self) -> Result<Preconditions, Problem> {
        Ok(Preconditions::from_headers(self.caller.headers())?)
    }

    /// Which of the operation's media types the body is of, counted from 0; `None` where there is no body.
    pub fn content(&self) -> Option<usize> {
        self.body.content
    }

    /// The media type of the body, where there is one.
    pub fn media_type(&self) -> Option<&MediaType> {
        self.body.media_type.as_ref()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `400` where the body is not JSON or breaks a rule.
    pub fn json<T>(&self, decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>) -> Result<T, Problem> {
        Ok(decode(&Json::parse(&self.body.bytes)?)?)
    }

    /// The body as JSON, where there is one.
    ///
    /// # Errors
    /// `400` where the body is not JSON or breaks a rule.
    pub fn optional_json<T>(
        &self,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Problem> {
        self.body.content.map(|_| self.json(decode)).transpose()
    }

    /// The body as a form (`application/x-www-form-urlencoded`) whose fields are the properties of an object.
    ///
    /// # Errors
    /// `400` where the body is no form or a field breaks a rule.
    pub fn form<T>(
        &self,
        kind: Kind,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        let text = self.text()?;
        let json = form::urlencoded(&text, kind)?;
        Ok(decode(&json)?)
    }

    /// The body as a form (`multipart/form-data`) whose parts are the properties of an object.
    ///
    /// # Errors
    /// `400` where the body is no form or a part breaks a rule.
    pub fn multipart<T>(
        &self,
        kind: Kind,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Problem> {
        let boundary = self
            .media_type()
            .and_then(|media_type| media_type.parameter("boundary"));
        let boundary = boundary.ok_or_else(|| Problem::bad_request("Content-Type names no boundary"))?;
        let json = form::multipart(&self.body.bytes, boundary, kind)?;
        Ok(decode(&json)?)
    }

    /// The body as text.
    ///
    /// # Errors
    /// `400` where the body is not UTF-8.
    pub fn text(&self) -> Result<String, Problem> {
        match std::str::from_utf8(&self.body.bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let detail = format!("the body is not UTF-8 from byte {}", error.valid_up_to());
                Err(Problem::bad_request(detail).with_pointer("").with_rule("utf-8"))
            }
        }
    }

    /// The body as it came.
    pub fn bytes(&self) -> Bytes {
        self.body.bytes.clone()
    }
}

/// A value that is made from a request.
pub trait FromCall: Sized {
    /// Takes the value from a request.
    ///
    /// # Errors
    /// `400` where the request breaks a rule.
    fn from_call(call: &Call) -> Result<Self, Problem>;
}

/// Refuses a request that lacks a parameter.
fn present<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::parameter(name, &Invalid::new("required", "is missing")))
}
