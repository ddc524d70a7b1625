//! A response as it came, and typed values out of it.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::Unexpected;
use crate::json::Json;
use crate::media_type::MediaType;
use crate::operation::{Kind, Style};
use crate::parameter::joined;
use crate::{EntityTag, Invalid, Location, ProblemDetails};

/// A response as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// A response from its parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The problem details in the body, where the status is an error and the body is JSON.
    pub fn problem(&self) -> Option<ProblemDetails> {
        let is_error = self.status.is_client_error() || self.status.is_server_error();
        let is_json = self.media_type().is_some_and(|media_type| media_type.is_json());
        (is_error && is_json)
            .then(|| ProblemDetails::from_slice(&self.body))
            .flatten()
    }

    /// The media type of the body, where the response names one.
    pub fn media_type(&self) -> Option<MediaType> {
        self.headers
            .get(header::CONTENT_TYPE)?
            .to_str()
            .ok()
            .and_then(MediaType::parse)
    }

    /// Whether the body is of a media type, which may be a range such as `image/*`.
    pub fn is(&self, media_type: &str) -> bool {
        let declared = MediaType::parse(media_type);
        let media_type = self.media_type();
        declared
            .zip(media_type)
            .is_some_and(|(declared, actual)| declared.includes(actual.essence()))
    }

    /// The entity tag, where there is a valid one.
    pub fn etag(&self) -> Option<EntityTag> {
        EntityTag::from_headers(&self.headers)
    }

    /// `Location`, where there is one.
    pub fn location(&self) -> Option<Location> {
        self.headers
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(Location::new)
    }

    /// `Location`.
    ///
    /// # Errors
    /// [`Unexpected::Header`] where it is absent.
    pub fn required_location(&self) -> Result<Location, Unexpected> {
        self.location().ok_or_else(|| missing("Location"))
    }

    /// A header, where there is one.
    ///
    /// # Errors
    /// [`Unexpected::Header`] where its value breaks a rule.
    pub fn header<T>(
        &self,
        name: &'static str,
        kind: Kind,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Unexpected> {
        let values = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| std::str::from_utf8(value.as_bytes()));
        let texts: Vec<&str> = values
            .collect::<Result<_, _>>()
            .map_err(|_| Unexpected::Header(name, Invalid::new("type", "is not UTF-8")))?;
        if texts.is_empty() {
            return Ok(None);
        }
        let text = match kind {
            Kind::List(_) => texts
                .iter()
                .flat_map(|text| text.split(','))
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(","),
            _ => texts.join(", "),
        };
        let value = joined(text.into(), kind, Style::Comma).and_then(|json| decode(&json));
        value
            .map(Some)
            .map_err(|invalid| Unexpected::Header(name, invalid))
    }

    /// A header that must be there.
    ///
    /// # Errors
    /// [`Unexpected::Header`] where it is absent or its value breaks a rule.
    pub fn required_header<T>(
        &self,
        name: &'static str,
        kind: Kind,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Unexpected> {
        self.header(name, kind, decode)?.ok_or_else(|| missing(name))
    }

    /// The body as JSON. A body without `Content-Type` is taken for JSON.
    ///
    /// # Errors
    /// [`Unexpected::MediaType`] for another media type, [`Unexpected::Body`] for a body that breaks a rule.
    pub fn json<T>(&self, decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>) -> Result<T, Unexpected> {
        if self.media_type().is_some_and(|media_type| !media_type.is_json()) {
            return Err(Unexpected::MediaType);
        }
        Json::parse(&self.body)
            .and_then(|json| decode(&json))
            .map_err(Unexpected::Body)
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Unexpected::Body`] where the body is not UTF-8.
    pub fn text(&self) -> Result<String, Unexpected> {
        let text = std::str::from_utf8(&self.body).map(str::to_owned);
        text.map_err(|_| Unexpected::Body(Invalid::new("utf-8", "is not UTF-8")))
    }
}

fn missing(name: &'static str) -> Unexpected {
    Unexpected::Header(name, Invalid::new("required", "is missing"))
}

/// The responses that an operation declares, as a type with a variant for each.
pub trait Responses: Sized + Send + 'static {
    /// What a successful call gives.
    type Success: Send + 'static;

    /// Reads a response.
    ///
    /// # Errors
    /// What is unexpected about a response that the operation does not declare.
    fn from_answer(answer: &Answer) -> Result<Self, Unexpected>;

    /// The success.
    ///
    /// # Errors
    /// The same value, where it is none.
    fn into_success(self) -> Result<Self::Success, Self>;
}

/// A response as it came, whatever its operation declares: for tools and tests that know an operation only at run time.
impl Responses for Answer {
    type Success = Self;

    fn from_answer(answer: &Answer) -> Result<Self, Unexpected> {
        Ok(answer.clone())
    }

    fn into_success(self) -> Result<Self, Self> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(self),
        }
    }
}
