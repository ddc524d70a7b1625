//! Operations: method, path, parameters, bodies and responses, each with the pointers of its schemas.

use crate::template::Template;

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its place in [`Api::operations`](crate::Api::operations).
    pub index: usize,
    /// The method, upper case.
    pub method: String,
    /// The path template below the base path.
    pub path: Template,
    /// `METHOD /path`, by which people name it.
    pub key: String,
    /// `operationId`, for readers only.
    pub operation_id: Option<String>,
    /// The clause of the standard, where the document names one (`x-etsi-ref`).
    pub clause: Option<String>,
    /// Its place in the document.
    pub pointer: String,
    /// Parameters of the path item and the operation: path parameters in the order of the path, then the others in
    /// the document's order.
    pub parameters: Vec<Parameter>,
    /// The request body.
    pub body: Option<Body>,
    /// The declared responses, ascending; `default` last.
    pub responses: Vec<Response>,
    /// The callbacks that it declares.
    pub callbacks: Vec<Callback>,
}

impl Operation {
    /// The parameters at one place.
    pub fn parameters_in(&self, location: Location) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(move |parameter| parameter.location == location)
    }

    /// The declared response for a status: the code itself, else its range, else `default`.
    pub fn response(&self, status: u16) -> Option<&Response> {
        let by = |wanted: Status| self.responses.iter().find(|response| response.status == wanted);
        by(Status::Code(status))
            .or_else(|| by(Status::Range((status / 100) as u8)))
            .or_else(|| by(Status::Default))
    }

    /// The declared responses with a status of success, 2xx.
    pub fn successes(&self) -> impl Iterator<Item = &Response> {
        self.responses
            .iter()
            .filter(|response| matches!(response.status, Status::Code(200..=299) | Status::Range(2)))
    }

    /// Whether the document declares anything but refusals: several documents list the methods of a path that are answered
    /// 405, which are no operations.
    pub(crate) fn may_succeed(&self) -> bool {
        let refused =
            |response: &Response| matches!(response.status, Status::Code(400..=599) | Status::Range(4 | 5));
        self.responses.is_empty() || !self.responses.iter().all(refused)
    }

    /// The JSON content of the request body.
    pub fn json_body(&self) -> Option<&Content> {
        self.body.as_ref().and_then(|body| json(&body.content))
    }

    /// Whether its method is safe (RFC 9110, 9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }
}

/// The first JSON content of a list.
pub(crate) fn json(content: &[Content]) -> Option<&Content> {
    content.iter().find(|content| content.is_json())
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// In a segment of the path.
    Path,
    /// In the query.
    Query,
    /// In a header field.
    Header,
    /// In a cookie.
    Cookie,
}

impl Location {
    /// As OpenAPI writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
        }
    }
}

/// How a parameter is written, after OpenAPI's `style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `simple` (path, header).
    Simple,
    /// `label` (path).
    Label,
    /// `matrix` (path).
    Matrix,
    /// `form` (query, cookie).
    Form,
    /// `spaceDelimited` (query).
    SpaceDelimited,
    /// `pipeDelimited` (query).
    PipeDelimited,
    /// `deepObject` (query).
    DeepObject,
    /// The parameter has `content` with a JSON media type: its text is JSON.
    Json,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name on the wire.
    pub name: String,
    /// Where it travels.
    pub location: Location,
    /// Whether a request must carry it.
    pub required: bool,
    /// Its schema's place.
    pub schema: String,
    /// How it is written.
    pub style: Style,
    /// OpenAPI's `explode`.
    pub explode: bool,
    /// Its place in the document, references followed.
    pub pointer: String,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Whether a request must carry it.
    pub required: bool,
    /// What is declared, in the document's order.
    pub content: Vec<Content>,
    /// Its place in the document, references followed.
    pub pointer: String,
}

/// One media type of a body.
#[derive(Clone, Debug)]
pub struct Content {
    /// The media type as the document writes it.
    pub media_type: String,
    /// Its schema's place, if it has one.
    pub schema: Option<String>,
}

impl Content {
    /// Whether a media type (without parameters) is this one, or in its range: `*/*`, `image/*`.
    pub fn covers(&self, media_type: &str) -> bool {
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        match essence.strip_suffix('*') {
            Some("*/") => true,
            Some(range) => media_type
                .get(..range.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(range)),
            None => essence.eq_ignore_ascii_case(media_type),
        }
    }

    /// Whether it is JSON: `application/json` or `…+json`, parameters aside.
    pub fn is_json(&self) -> bool {
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")
    }
}

/// The status of a declared response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// One status code.
    Code(u16),
    /// A range: 2 for `2XX` and so on.
    Range(u8),
    /// `default`.
    Default,
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Code(code) => write!(formatter, "{code}"),
            Status::Range(class) => write!(formatter, "{class}XX"),
            Status::Default => write!(formatter, "default"),
        }
    }
}

/// One declared response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: Status,
    /// The declared headers.
    pub headers: Vec<Header>,
    /// The declared media types; empty where there is no body.
    pub content: Vec<Content>,
    /// Its place in the document, references followed.
    pub pointer: String,
}

impl Response {
    /// The JSON content.
    pub fn json(&self) -> Option<&Content> {
        json(&self.content)
    }

    /// The declared header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&Header> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
    }
}

/// One declared header of a response.
#[derive(Clone, Debug)]
pub struct Header {
    /// Name as the document writes it.
    pub name: String,
    /// Whether every response of this status carries it.
    pub required: bool,
    /// Its schema's place, if it has one.
    pub schema: Option<String>,
}

/// A request that the server sends to an address that this operation gave it.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Name of the callback.
    pub name: String,
    /// The runtime expression of the address, for example `{$request.body#/callbackReference}`.
    pub expression: String,
    /// The method, upper case.
    pub method: String,
    /// What it sends.
    pub content: Vec<Content>,
    /// Its place in the document.
    pub pointer: String,
}
