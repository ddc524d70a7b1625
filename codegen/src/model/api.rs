//! The typed model of an API: what the emitters print. No document tree and no Rust token is in here.
//!
//! Names come in pairs: `name` is the Rust name, `api_name` is the name on the wire or in the document.

use mecforge_document::Pointer;

use super::shape::Shape;
use super::types::Type;

/// One API: everything that a generated crate holds.
#[derive(Clone, Debug)]
pub struct Api {
    /// The document's id, by which `cargo xtask generate` finds it.
    pub id: String,
    /// Package name of the crate, for example `mec011-service-management`.
    pub crate_name: String,
    /// `info.title` of the document.
    pub title: String,
    /// `info.version` of the document.
    pub version: String,
    /// Path of the first server, without scheme and host and without a final `/`; may be empty.
    pub base_path: String,
    /// The document's place in its project, for example `mec/gs011-app-enablement-api/v3.1.1/MecServiceMgmtApi.yaml`.
    pub source: String,
    /// Rust name of the server trait and stem of other API-wide names, for example `ServiceManagement`.
    pub trait_name: String,
    /// The types; a [`TypeId`](super::types::TypeId) is an index into this list.
    pub types: Vec<Type>,
    /// The operations in the document's order.
    pub operations: Vec<Operation>,
    /// The notification bodies that the platform sends to callback addresses.
    pub notifications: Vec<Notification>,
    /// The repaired document without prose, as JSON text.
    pub document: String,
    /// Whether the document is ETSI's, so that the crate carries ETSI's licence notice.
    pub is_etsi: bool,
}

impl Api {
    /// The type that `id` names.
    pub fn type_of(&self, id: super::types::TypeId) -> &Type {
        &self.types[id.0]
    }
}

/// An HTTP method that OpenAPI describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`.
    Get,
    /// `PUT`.
    Put,
    /// `POST`.
    Post,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// `TRACE`.
    Trace,
}

impl Method {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
        }
    }

    /// The method's key in a path item.
    pub fn key(self) -> &'static str {
        match self {
            Method::Get => "get",
            Method::Put => "put",
            Method::Post => "post",
            Method::Patch => "patch",
            Method::Delete => "delete",
            Method::Head => "head",
            Method::Options => "options",
            Method::Trace => "trace",
        }
    }

    /// All methods in the order in which a path item's operations are listed.
    pub const ALL: [Method; 8] = [
        Method::Get,
        Method::Put,
        Method::Post,
        Method::Patch,
        Method::Delete,
        Method::Head,
        Method::Options,
        Method::Trace,
    ];
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Rust method name from method and path, for example `create_application_service`.
    pub name: String,
    /// Stem of the operation's type names, for example `CreateApplicationService`.
    pub type_name: String,
    /// `operationId` of the document, for readers only.
    pub operation_id: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// The path template as the document writes it, relative to the base path.
    pub path: String,
    /// The place in the document.
    pub pointer: Pointer,
    /// Clause of the standard, where the document names one.
    pub clause: Option<String>,
    /// ETSI's summary, only for `--docs full`.
    pub summary: Option<String>,
    /// ETSI's description, only for `--docs full`.
    pub description: Option<String>,
    /// Path, query and header parameters: path parameters first, in the order of the path.
    pub parameters: Vec<Parameter>,
    /// The request body.
    pub body: Option<RequestBody>,
    /// The declared responses, ascending by status.
    pub responses: Vec<Response>,
}

impl Operation {
    /// The parameters at one place.
    pub fn parameters_in(&self, location: Location) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(move |parameter| parameter.location == location)
    }

    /// The responses with a status below 400.
    pub fn successes(&self) -> impl Iterator<Item = &Response> {
        self.responses
            .iter()
            .filter(|response| response.status.is_success())
    }
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// How a parameter is written, after OpenAPI's `style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `simple`: comma-separated (path, header).
    Simple,
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
    /// Rust field name.
    pub name: String,
    /// Name on the wire.
    pub api_name: String,
    /// Where it travels.
    pub location: Location,
    /// Whether a request must carry it.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
    /// How it is written.
    pub style: Style,
    /// OpenAPI's `explode`.
    pub explode: bool,
    /// The place in the document.
    pub pointer: Pointer,
    /// ETSI's description, only for `--docs full`.
    pub description: Option<String>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// Whether a request must carry it.
    pub required: bool,
    /// The media types that are declared, in the document's order; never empty.
    pub content: Vec<Content>,
    /// The place in the document.
    pub pointer: Pointer,
}

/// One media type of a body.
#[derive(Clone, Debug)]
pub struct Content {
    /// The media type as the document writes it, for example `application/json`.
    pub media_type: String,
    /// What the body holds.
    pub body: Body,
}

/// What a body of one media type holds.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON (`application/json`, `…+json`).
    Json(Shape),
    /// Text (`text/*`).
    Text,
    /// Anything else: bytes.
    Bytes,
    /// `application/x-www-form-urlencoded`: a struct of scalar fields.
    Form(Shape),
    /// `multipart/form-data`: a struct whose fields are the parts.
    Multipart(Shape),
}

/// The status of a declared response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// One status code.
    Code(u16),
    /// A range: 2 for `2XX` and so on.
    Range(u8),
    /// `default`: every status that is not declared otherwise.
    Default,
}

impl Status {
    /// Whether the status is below 400 (`default` counts as an error).
    pub fn is_success(self) -> bool {
        match self {
            Status::Code(code) => code < 400,
            Status::Range(class) => class < 4,
            Status::Default => false,
        }
    }
}

/// One declared response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: Status,
    /// Name of the variant, for example `Created`.
    pub variant: String,
    /// The declared headers, in the document's order, `Content-Type` left out.
    pub headers: Vec<Header>,
    /// The media types that are declared, in the document's order; empty where there is no body.
    pub content: Vec<Content>,
    /// The place in the document.
    pub pointer: Pointer,
}

/// One declared header of a response.
#[derive(Clone, Debug)]
pub struct Header {
    /// Rust field name, for example `location`.
    pub name: String,
    /// Name on the wire, for example `Location`.
    pub api_name: String,
    /// Whether every response of this status carries it.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
}

/// A body that the platform sends to a callback address.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Rust name in snake case, for example `service_availability_notification`.
    pub name: String,
    /// What is sent.
    pub shape: Shape,
    /// The value of `notificationType`, where the schema fixes it.
    pub notification_type: Option<String>,
    /// The schema or callback that it comes from.
    pub pointer: Pointer,
    /// Whether the repaired document declares a callback with this body.
    pub declared: bool,
}
