//! A small server that asks for tokens and keeps applications apart, with switches for faults that an attacker would
//! like, and its document.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::server::serve;

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hole {
    None,
    /// Creates without credentials.
    AnonymousCreation,
    /// Takes any bearer token.
    AnyToken,
    /// Takes a JWT without signature.
    UnsignedToken,
    /// Takes the token that has expired.
    ExpiredToken,
    /// Takes the token for another audience.
    ForeignToken,
    /// Does not look whose token it is when it removes.
    OthersRemove,
    /// Does not look whose token it is when it replaces.
    OthersReplace,
    /// Does not look whose token it is when it reads one object.
    OthersRead,
    /// Answers 403 for what exists and 404 for what does not.
    Betrays,
    /// Does not look at the application of the path.
    AnyParent,
    /// Keeps what it refuses.
    KeepsRefused,
    /// Takes the identifier of the client.
    TakesIdentifier,
    /// Gives all objects one identifier in their bodies.
    OneIdentifier,
    /// Numbers its objects.
    Numbers,
    /// Cuts blanks off.
    Trims,
    /// Takes callbacks of any scheme.
    AnyScheme,
    /// Takes callbacks to addresses of clouds' metadata.
    Metadata,
    /// The beginning of an identifier is enough.
    Prefix,
    /// Decodes slashes in identifiers and follows them.
    Climbs,
    /// Trusts every origin.
    Origins,
    /// Echoes by TRACE.
    Trace,
    /// Copies the query into a header field.
    Splits,
    /// Shows the query in a page.
    Page,
    /// Answers one request in forty with 500.
    Sometimes,
    /// The list has what was removed.
    Lingers,
    /// The list has everything twice.
    ListsTwice,
    /// Makes two objects of one creation.
    MakesTwo,
    /// Answers 200 to a replacement of what does not exist.
    ReplacesNothing,
    /// Answers 500 to deep bodies.
    Shallow,
    /// Puts the filter into a query of a database.
    Injectable,
    /// Takes another method from a header field.
    Overridden,
}

const BASE: &str = "/notes/v1/applications/";

pub(crate) const DOCUMENT: &str = r##"{
  "openapi": "3.1.0",
  "info": {"title": "Notes", "version": "1"},
  "servers": [{"url": "http://localhost/notes/v1"}],
  "paths": {
    "/applications/{appInstanceId}/notes": {
      "parameters": [{"name": "appInstanceId", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"parameters": [{"name": "name", "in": "query", "schema": {"type": "string"}}],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}}}}}}},
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
        "responses": {"201": {"description": "", "headers": {"Location": {"required": true, "schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "400": {"description": ""}}}
    },
    "/applications/{appInstanceId}/notes/{noteId}": {
      "parameters": [
        {"name": "appInstanceId", "in": "path", "required": true, "schema": {"type": "string"}},
        {"name": "noteId", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}}},
      "put": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "400": {"description": ""}}},
      "delete": {"responses": {"204": {"description": ""}}}
    }
  },
  "components": {"schemas": {
    "Note": {"type": "object", "required": ["name", "callbackReference"], "properties": {
      "noteId": {"type": "string", "readOnly": true},
      "name": {"type": "string"},
      "callbackReference": {"type": "string"}}}
  }}
}"##;

struct Vault {
    hole: Hole,
    all: Mutex<Content>,
}

/// By application and identifier.
type Notes = BTreeMap<(String, String), Value>;

#[derive(Default)]
struct Content {
    /// The number of the last object.
    last: u64,
    notes: Notes,
    removed: Notes,
    requests: u64,
}

/// Starts it.
pub(crate) fn vault(hole: Hole) -> SocketAddr {
    let vault = Arc::new(Vault {
        hole,
        all: Mutex::default(),
    });
    serve(Router::new().fallback(answer).with_state(vault))
}

async fn answer(
    State(vault): State<Arc<Vault>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut answer = vault.answer(&method, &uri, &headers, &body);
    let origin = headers
        .get(header::ORIGIN)
        .filter(|_| vault.hole == Hole::Origins);
    if let Some(origin) = origin {
        let fields = answer.headers_mut();
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        fields.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    let query = uri.query().unwrap_or_default();
    if vault.hole == Hole::Splits && query.contains("%0d%0a") {
        answer
            .headers_mut()
            .insert("x-mec-conformance-split", HeaderValue::from_static("yes"));
    }
    answer
}

fn refuse(status: u16) -> Response {
    let mut answer = StatusCode::from_u16(status).unwrap().into_response();
    if status == 401 {
        let challenge = HeaderValue::from_static("Bearer");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

/// 405 of a list or of one of its objects.
fn not_allowed(list: bool) -> Response {
    let methods = if list {
        "GET, HEAD, POST"
    } else {
        "GET, HEAD, PUT, DELETE"
    };
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, methods)]).into_response()
}

/// A path with letters and digits out of their percent-encoding.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(u8::is_ascii_alphanumeric) {
            Some(letter) => whole += &format!("{}{}", char::from(letter), &part[2..]),
            None => whole += &format!("%{part}"),
        }
    }
    whole
}

impl Vault {
    /// The application of a token.
    fn who(&self, headers: &HeaderMap) -> Option<&'static str> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        match value.strip_prefix("Bearer ")? {
            "token-of-one" => Some("one"),
            "token-of-two" => Some("two"),
            "old-secret" if self.hole == Hole::ExpiredToken => Some("one"),
            "elsewhere-secret" if self.hole == Hole::ForeignToken => Some("one"),
            token if self.hole == Hole::UnsignedToken && token.ends_with('.') => Some("one"),
            _ if self.hole == Hole::AnyToken => Some("one"),
            _ => None,
        }
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        if method == Method::TRACE && self.hole == Hole::Trace {
            return format!("{headers:?}").into_response();
        }
        let requests = {
            let mut all = self.all.lock().unwrap();
            all.requests += 1;
            all.requests
        };
        if self.hole == Hole::Sometimes && requests.is_multiple_of(40) {
            return refuse(500);
        }
        // HTTP/2 has it in the address.
        if uri.host().is_none() && headers.get_all(header::HOST).iter().count() != 1 {
            return refuse(400);
        }
        let accept = headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
        if accept == Some(b"application/x-mec-conformance-none") {
            return refuse(406);
        }
        if self.hole == Hole::Page && uri.query().is_some() {
            let page = uri
                .query()
                .unwrap()
                .replace("%3C", "<")
                .replace("%3E", ">")
                .replace("%2F", "/");
            return ([(header::CONTENT_TYPE, "text/html")], page).into_response();
        }
        let method = match headers.get("x-http-method-override") {
            Some(_) if self.hole == Hole::Overridden => &Method::DELETE,
            _ => method,
        };
        let path = match self.hole {
            Hole::Climbs => uri
                .path()
                .replace("..%2f", "")
                .replace("%2f", "/")
                .replace("notes/notes", "notes"),
            _ => decoded(uri.path()),
        };
        let Some(rest) = path.strip_prefix(BASE) else {
            return refuse(404);
        };
        let parts: Vec<_> = rest.split('/').collect();
        let (application, id) = match parts.as_slice() {
            [application, "notes"] => (*application, None),
            [application, "notes", id] => (*application, Some((*id).to_owned())),
            _ => return refuse(404),
        };
        let creates = method == Method::POST && self.hole == Hole::AnonymousCreation;
        match self.who(headers) {
            None if !creates => return refuse(401),
            Some(who) if !self.may(who, application, method, id.is_some()) => {
                let all = self.all.lock().unwrap();
                let exists = id.is_some_and(|id| all.notes.contains_key(&(application.to_owned(), id)));
                return refuse(if self.hole == Hole::Betrays && !exists {
                    404
                } else {
                    403
                });
            }
            _ => {}
        }
        self.act(method, application, id.as_deref(), (headers, uri), body)
    }

    fn may(&self, who: &str, application: &str, method: &Method, one: bool) -> bool {
        let open = match self.hole {
            Hole::AnyParent => true,
            Hole::OthersRemove => method == Method::DELETE,
            Hole::OthersReplace => method == Method::PUT,
            Hole::OthersRead => method == Method::GET && one,
            _ => false,
        };
        who == application || open
    }

    /// Whether a note is in the list that a query asks for.
    fn is_asked_for(&self, note: &Value, query: &str) -> bool {
        let wanted = query.split('&').find_map(|pair| pair.strip_prefix("name="));
        let Some(wanted) = wanted else { return true };
        let injected = self.hole == Hole::Injectable && wanted.contains("%27%20OR%20");
        injected || mecforge_api::segment(note["name"].as_str().unwrap()) == decoded(wanted)
    }

    fn act(
        &self,
        method: &Method,
        application: &str,
        id: Option<&str>,
        (headers, uri): (&HeaderMap, &Uri),
        body: &Bytes,
    ) -> Response {
        let mut all = self.all.lock().unwrap();
        let key = id.and_then(|id| self.find(&all.notes, application, id));
        match (method.as_str(), id, key) {
            ("GET" | "HEAD", None, _) => {
                let times = if self.hole == Hole::ListsTwice { 2 } else { 1 };
                let removed = all.removed.iter().filter(|_| self.hole == Hole::Lingers);
                let own = all
                    .notes
                    .iter()
                    .chain(removed)
                    .filter(|((owner, _), _)| owner == application);
                let query = uri.query().unwrap_or_default();
                let own = own.filter(|(_, note)| self.is_asked_for(note, query));
                let own = own.flat_map(|note| std::iter::repeat_n(note, times));
                axum::Json(own.map(|(_, note)| note.clone()).collect::<Vec<_>>()).into_response()
            }
            ("GET" | "HEAD", Some(_), Some(key)) => axum::Json(all.notes[&key].clone()).into_response(),
            ("DELETE", Some(_), Some(key)) => {
                let note = all.notes.remove(&key);
                all.removed.insert(key, note.unwrap());
                StatusCode::NO_CONTENT.into_response()
            }
            ("PUT", Some(id), None) if self.hole == Hole::ReplacesNothing => {
                axum::Json(self.note(headers, body, id).0).into_response()
            }
            ("GET" | "HEAD" | "DELETE" | "PUT", Some(_), None) => refuse(404),
            ("POST", None, _) => {
                if self.hole == Hole::Shallow && body.windows(30).any(|part| part == [b'['; 30]) {
                    return refuse(500);
                }
                all.last += 1;
                let id = match self.hole {
                    Hole::Numbers => all.last.to_string(),
                    _ => format!("{:016x}", all.last.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                };
                let (note, valid) = self.note(headers, body, &id);
                if !valid {
                    if self.hole == Hole::KeepsRefused {
                        all.notes.insert((application.to_owned(), id), note);
                    }
                    return refuse(if is_json(headers) { 400 } else { 415 });
                }
                all.notes
                    .insert((application.to_owned(), id.clone()), note.clone());
                if self.hole == Hole::MakesTwo {
                    let (mut copy, id) = (note.clone(), format!("{id}b"));
                    copy["noteId"] = json!(id);
                    all.notes.insert((application.to_owned(), id), copy);
                }
                let location = format!("{BASE}{application}/notes/{id}");
                (
                    StatusCode::CREATED,
                    [(header::LOCATION, location)],
                    axum::Json(note),
                )
                    .into_response()
            }
            ("PUT", Some(_), Some(key)) => match self.note(headers, body, &key.1) {
                (note, true) => {
                    all.notes.insert(key, note.clone());
                    axum::Json(note).into_response()
                }
                _ => refuse(if is_json(headers) { 400 } else { 415 }),
            },
            _ => not_allowed(id.is_none()),
        }
    }

    fn find(&self, all: &Notes, application: &str, id: &str) -> Option<(String, String)> {
        let fits = |owner: &str, own: &str| match self.hole {
            Hole::Prefix => owner == application && id.len() >= 8 && own.starts_with(id),
            Hole::AnyParent => own == id,
            _ => owner == application && own == id,
        };
        all.keys().find(|(owner, own)| fits(owner, own)).cloned()
    }

    /// The note that is made of a body, and whether the body is valid.
    fn note(&self, headers: &HeaderMap, body: &Bytes, id: &str) -> (Value, bool) {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let callback = sent["callbackReference"].as_str().unwrap_or_default();
        let http = callback.starts_with("http://") || callback.starts_with("https://");
        let scheme = http || (self.hole == Hole::AnyScheme && callback.contains(':'));
        let place = self.hole == Hole::Metadata
            || !["169.254.", "fd00:ec2", "100.100."]
                .iter()
                .any(|bad| callback.contains(bad));
        let id_ok = sent.get("noteId").is_none_or(Value::is_string);
        let valid = is_json(headers) && sent["name"].is_string() && scheme && place && id_ok;
        let mut name = sent["name"].as_str().unwrap_or_default().to_owned();
        if self.hole == Hole::Trims {
            name = name.trim().to_owned();
        }
        let own = match (self.hole, sent["noteId"].as_str()) {
            (Hole::TakesIdentifier, Some(forged)) => forged,
            (Hole::OneIdentifier, _) => "note",
            _ => id,
        };
        (
            json!({"noteId": own, "name": name, "callbackReference": callback}),
            valid,
        )
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| {
        kind.as_bytes()
            .to_ascii_lowercase()
            .starts_with(b"application/json")
    })
}
