//! Servers that were written by hand for documents in the manner of the world (`tests/documents`): each is right, and
//! decides otherwise than the reference server where its document leaves it free. Rules of bodies are taken from the
//! documents; identifiers, statuses, errors and what is kept are this file's.

mod kept;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mecforge_api::{Api, Location, Operation};
use mecforge_instances::{Direction, Options, Schema};
use serde_json::{Value, json};

use crate::server::{one_host, serve};

/// The path of one of the documents.
pub(crate) fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents")
        .join(name)
}

/// How a server is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Answers a creation without the identifier and with another text than was sent.
    ChangesText,
    /// The answer lacks what the type requires.
    LacksIdentifier,
    /// An invalid body is accepted.
    AcceptsAnything,
    /// What was removed is still there.
    KeepsRemoved,
    /// Answers 200 with an error's body of another form than declared.
    OtherErrors,
}

/// One thing: its path below the base path, what it is, and how often it was changed.
#[derive(Clone)]
struct Thing {
    value: Value,
    version: u64,
}

impl Thing {
    fn tag(&self) -> String {
        format!("\"v{}\"", self.version)
    }
}

#[derive(Default)]
struct Kept {
    things: BTreeMap<String, Thing>,
    count: u64,
    versions: u64,
}

/// What a server does in its own way.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    document: &'static str,
    /// The property of the identifier.
    id: &'static str,
    /// Whether identifiers are numbers, UUIDs or texts.
    form: Form,
    /// Whether a creation is answered with `Location`, and with the thing.
    location: bool,
    shows: bool,
    /// What a list is in.
    wrapped: Option<&'static str>,
    /// How many of a list are shown at most unless the client says.
    page: usize,
    /// The body of an error.
    error: fn(StatusCode, &str) -> (&'static str, Value),
    tags: bool,
    key: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Number,
    Uuid,
    Text,
}

pub(crate) const MANNERS: [Manner; 5] = [
    Manner {
        document: "petshop.yaml",
        id: "id",
        form: Form::Number,
        location: false,
        shows: true,
        wrapped: None,
        page: 20,
        error: |status, text| {
            (
                "application/json",
                json!({"code": status.as_u16(), "message": text}),
            )
        },
        tags: false,
        key: false,
    },
    Manner {
        document: "sensors.yaml",
        id: "sensor_id",
        form: Form::Uuid,
        location: true,
        shows: true,
        wrapped: None,
        page: usize::MAX,
        error: |status, text| {
            let body = json!({"title": text, "status": status.as_u16()});
            ("application/problem+json", body)
        },
        tags: true,
        key: false,
    },
    Manner {
        document: "drawings.yaml",
        id: "id",
        form: Form::Text,
        location: true,
        shows: true,
        wrapped: Some("items"),
        page: usize::MAX,
        error: |_, text| ("application/json", json!({"error": text})),
        tags: false,
        key: false,
    },
    Manner {
        document: "rooms.yaml",
        id: "",
        form: Form::Number,
        location: true,
        shows: false,
        wrapped: None,
        page: usize::MAX,
        error: |_, text| ("text/plain", json!(text)),
        tags: false,
        key: false,
    },
    Manner {
        document: "orders.yaml",
        id: "",
        form: Form::Text,
        location: true,
        shows: true,
        wrapped: None,
        page: usize::MAX,
        error: |_, text| ("text/html", json!(format!("<p>{text}</p>"))),
        tags: false,
        key: true,
    },
];

struct Server {
    manner: Manner,
    fault: Fault,
    api: Api,
    kept: Mutex<Kept>,
    schemas: Mutex<BTreeMap<String, Option<Schema>>>,
}

/// The API of a document.
fn api(name: &str) -> Api {
    let folder = document("");
    let read =
        move |file: &str| std::fs::read_to_string(folder.join(file)).map_err(|error| error.to_string());
    let id = name.split('.').next().unwrap();
    Api::read(id, &read, name, &[], false).unwrap().0
}

/// Starts a server.
pub(crate) fn start(manner: Manner, fault: Fault) -> SocketAddr {
    let server = Server {
        manner,
        fault,
        api: api(manner.document),
        kept: Mutex::default(),
        schemas: Mutex::default(),
    };
    let router = Router::new()
        .fallback(answer)
        .with_state(Arc::new(server))
        .layer(axum::middleware::from_fn(one_host));
    serve(router)
}

impl Manner {
    pub(crate) fn has_key(&self) -> bool {
        self.key
    }

    pub(crate) fn document(&self) -> &'static str {
        self.document
    }
}

/// What a framework answers of its own, before anybody looks at the document.
fn plain(status: StatusCode) -> Response {
    (status, status.canonical_reason().unwrap_or_default()).into_response()
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts
        .uri
        .path_and_query()
        .is_some_and(|address| address.as_str().len() > 8000)
    {
        return plain(StatusCode::URI_TOO_LONG);
    }
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let head = parts.method == Method::HEAD;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let path = unreserved(parts.uri.path());
    server.serve(&parts.method, &path, &query, &parts.headers, &body, head)
}

impl Server {
    fn refuse(&self, status: StatusCode, text: &str) -> Response {
        let (media_type, body) = match self.fault {
            Fault::OtherErrors => ("application/json", json!(["wrong"])),
            _ => (self.manner.error)(status, text),
        };
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
    }

    /// A refusal as the document declares it by its number, else as frameworks say it.
    fn refuse_or_plain(&self, operation: &Operation, status: StatusCode) -> Response {
        let code = status.as_u16().to_string();
        match operation
            .responses
            .iter()
            .any(|response| response.status.to_string() == code)
        {
            true => self.refuse(status, "not like this"),
            false => plain(status),
        }
    }

    /// Whether an instance obeys a schema of the document.
    fn obeys(&self, pointer: &str, value: &Value) -> bool {
        let mut schemas = self.schemas.lock().unwrap();
        let made = || {
            let options = Options {
                direction: Direction::Request,
                ..Options::default()
            };
            Schema::with_options(&self.api.document, pointer, &options).ok()
        };
        let schema = schemas.entry(pointer.to_owned()).or_insert_with(made);
        schema.as_ref().is_none_or(|schema| schema.is_valid(value))
    }

    /// Whether some reading of a text obeys a schema.
    fn fits(&self, pointer: &str, text: &str) -> bool {
        let texts: Vec<&str> = text.split(['|', ',']).filter(|part| !part.is_empty()).collect();
        let scalar = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let numbers: Vec<Value> = texts.iter().map(|text| scalar(text)).collect();
        let readings = [json!(text), scalar(text), json!(texts), json!(numbers)];
        readings.iter().any(|reading| self.obeys(pointer, reading))
    }

    fn serve(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &Bytes,
        head: bool,
    ) -> Response {
        let Some(below) = path.strip_prefix(self.api.base_path.as_str()) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let Some(resource) = self.api.resource_at(below) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let method = if head { "GET" } else { method.as_str() };
        let Some(operation) = resource.operation(method) else {
            let allow: Vec<&str> = resource.operations.keys().map(String::as_str).collect();
            return (
                StatusCode::METHOD_NOT_ALLOWED,
                [(header::ALLOW, allow.join(", "))],
            )
                .into_response();
        };
        let operation = &self.api.operations[operation];
        if let Some(refusal) = self.judge(operation, below, query, headers) {
            return refusal;
        }
        let given = match self.given(operation, headers, body) {
            Ok(given) => given,
            Err(refusal) => return *refusal,
        };
        self.act(operation, below, query, headers, given)
    }

    /// What is wrong with credentials and parameters.
    fn judge(&self, operation: &Operation, path: &str, query: &str, headers: &HeaderMap) -> Option<Response> {
        let open = !self.manner.key || operation.path.text() == "/session";
        if !open
            && headers
                .get("x-api-key")
                .is_none_or(|key| key != "secret-of-the-test")
        {
            let challenge = [(header::WWW_AUTHENTICATE, "ApiKey")];
            return Some((StatusCode::UNAUTHORIZED, challenge).into_response());
        }
        let values = operation.path.matches(path)?;
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let cookies = headers.get(header::COOKIE).and_then(|field| field.to_str().ok());
        for parameter in &operation.parameters {
            let given: Vec<String> = match parameter.location {
                Location::Path if !self.fits(&parameter.schema, &values[&parameter.name]) => {
                    return Some(self.refuse(StatusCode::NOT_FOUND, "no such thing"));
                }
                Location::Path => continue,
                Location::Query => pairs
                    .iter()
                    .filter(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| value.clone())
                    .collect(),
                Location::Header => headers
                    .get_all(&parameter.name)
                    .iter()
                    .filter_map(|value| value.to_str().ok().map(str::to_owned))
                    .collect(),
                Location::Cookie => cookies
                    .into_iter()
                    .flat_map(|field| field.split("; "))
                    .filter_map(|cookie| cookie.strip_prefix(&format!("{}=", parameter.name)))
                    .map(str::to_owned)
                    .collect(),
            };
            let missing = parameter.required && given.is_empty();
            if missing || given.len() > 1 || given.iter().any(|text| !self.fits(&parameter.schema, text)) {
                let text = format!("{} is wrong", parameter.name);
                return Some(self.refuse(StatusCode::BAD_REQUEST, &text));
            }
        }
        None
    }

    /// The body, if there is a good one.
    fn given(
        &self,
        operation: &Operation,
        headers: &HeaderMap,
        bytes: &Bytes,
    ) -> Result<Value, Box<Response>> {
        let Some(declared) = &operation.body else {
            return Ok(Value::Null);
        };
        let field = headers
            .get(header::CONTENT_TYPE)
            .and_then(|field| field.to_str().ok());
        let essence = field
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let known = declared.content.iter().find(|content| content.covers(essence));
        let Some(content) = known.filter(|_| !headers.contains_key(header::CONTENT_ENCODING)) else {
            return Err(Box::new(
                self.refuse_or_plain(operation, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            ));
        };
        if !content.is_json() {
            return match bytes.is_empty() {
                true => Err(Box::new(
                    self.refuse(StatusCode::BAD_REQUEST, "a body is missing"),
                )),
                false => Ok(json!({"article": "by other means", "amount": 1})),
            };
        }
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            return Err(Box::new(self.refuse_or_plain(operation, StatusCode::BAD_REQUEST)));
        };
        let schema = content.schema.as_deref().unwrap();
        match self.fault == Fault::AcceptsAnything || self.obeys(schema, &value) {
            true => Ok(value),
            false => Err(Box::new(
                self.refuse(StatusCode::BAD_REQUEST, "the body breaks a rule"),
            )),
        }
    }
}

/// A path in which letters, digits and their like are not percent-encoded.
fn unreserved(path: &str) -> String {
    let mut parts = path.split('%');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let letter = code.map(char::from);
        match letter.filter(|letter| letter.is_ascii_alphanumeric() || "-._~".contains(*letter)) {
            Some(letter) => {
                whole.push(letter);
                whole.push_str(&part[2..]);
            }
            None => {
                whole.push('%');
                whole.push_str(part);
            }
        }
    }
    whole
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text)
        .decode_utf8_lossy()
        .into_owned()
}
