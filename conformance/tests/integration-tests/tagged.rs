//! A small server that is right in everything that HTTP says, with entity tags and PUT, and switches for faults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What is wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    UnknownPutAccepted,
    PageForUnknownPaths,
    UnknownMethodIsGet,
    AllowIncomplete,
    AllowTooMuch,
    HeadOtherLength,
    CharsetRefused,
    WildcardRefused,
    OverrideObeyed,
    PutAppends,
    SecondPutConflicts,
    NoneMatchIgnored,
    AlwaysNotModified,
    WeakComparison,
    RefusedButChanged,
    DeleteIgnoresMatch,
    EncodedIsOther,
    DecodedTwice,
    QueryNotDecoded,
    LargeIsServerError,
    TwoHosts,
    NoDate,
    TagWithoutQuotes,
    Latin1,
    MatchIgnoredOnGet,
    OlderIsNotModified,
    UnmodifiedIgnored,
    DateBesideTag,
    NoneMatchFirst,
    PlusIsBlank,
    RepeatedFindsBoth,
    RepeatedFindsAll,
    FirstOfSeveral,
    EmptyFindsSome,
    SlashIsList,
    SlashRemoves,
    EncodedSlashSplits,
}

pub(crate) const DOCUMENT: &str = r##"{
  "openapi": "3.1.0",
  "info": {"title": "Notes", "version": "1"},
  "servers": [{"url": "http://localhost/notes/v1"}],
  "paths": {
    "/notes": {
      "get": {"parameters": [{"name": "title", "in": "query", "schema": {"type": "string"}}, {"name": "titles", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}], "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}}}}}}},
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"201": {"description": "", "headers": {"Location": {"required": true, "schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "400": {"description": ""}}}
    },
    "/notes/{noteId}": {
      "parameters": [{"name": "noteId", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "404": {"description": ""}}},
      "put": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "404": {"description": ""}}},
      "delete": {"responses": {"204": {"description": ""}, "404": {"description": ""}}}
    }
  },
  "components": {"schemas": {
    "New": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "minLength": 1}, "text": {"type": "string"}}},
    "Note": {"type": "object", "required": ["title", "noteId"], "properties": {"noteId": {"type": "string"}, "title": {"type": "string"}, "text": {"type": "string"}}}
  }}
}"##;

#[derive(Default)]
struct Store {
    next: u64,
    put: Option<Value>,
    notes: BTreeMap<String, (u64, Value)>,
}

struct Notes {
    fault: Fault,
    store: Mutex<Store>,
}

/// An answer without body.
fn bare(status: StatusCode) -> Response {
    status.into_response()
}

fn tag(version: u64) -> String {
    format!("\"v{version}\"")
}

/// When a version was made, for `Last-Modified`: each a minute after the one before.
fn made(version: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000 + 60 * version)
}

fn answered(status: StatusCode, version: u64) -> Response {
    let mut answer = bare(status);
    answer
        .headers_mut()
        .insert(header::ETAG, tag(version).parse().unwrap());
    answer
}

impl Notes {
    /// Why a condition does not hold; none where it does.
    fn condition(&self, method: &Method, headers: &HeaderMap, version: u64) -> Option<StatusCode> {
        let present = tag(version);
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let has = |list: &str, weakly: bool| {
            list.split(',').map(str::trim).any(|one| {
                one == "*" || one == present || (weakly && one.strip_prefix("W/") == Some(present.as_str()))
            })
        };
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let failed = |holds: bool| (!holds).then_some(StatusCode::PRECONDITION_FAILED);
        let date = |name| httpdate::parse_http_date(text(name)?).ok();
        let ignored = match self.fault {
            Fault::DeleteIgnoresMatch => method == Method::DELETE,
            Fault::MatchIgnoredOnGet => reads,
            _ => false,
        };
        let matched = text("if-match").filter(|_| !ignored);
        let by_tag = matched.and_then(|list| failed(has(list, self.fault == Fault::WeakComparison)));
        let by_date = date("if-unmodified-since")
            .filter(|_| matched.is_none() || self.fault == Fault::DateBesideTag)
            .filter(|_| self.fault != Fault::UnmodifiedIgnored)
            .and_then(|date| failed(made(version) <= date));
        let list = text("if-none-match").filter(|_| self.fault != Fault::NoneMatchIgnored);
        let not_newer = date("if-modified-since")
            .filter(|_| reads && text("if-none-match").is_none())
            .is_some_and(|date| made(version) <= date || self.fault == Fault::OlderIsNotModified);
        let fits =
            list.is_some_and(|list| has(list, true) || (reads && self.fault == Fault::AlwaysNotModified));
        let known = match (fits || not_newer, reads) {
            (false, _) => None,
            (true, true) => Some(StatusCode::NOT_MODIFIED),
            (true, false) => Some(StatusCode::PRECONDITION_FAILED),
        };
        match self.fault {
            Fault::NoneMatchFirst => known.or(by_tag).or(by_date),
            _ => by_tag.or(by_date).or(known),
        }
    }

    fn shown(&self, status: StatusCode, version: u64, note: &Value) -> Response {
        let mut answer = (status, axum::Json(note.clone())).into_response();
        let tag = match self.fault {
            Fault::TagWithoutQuotes => format!("v{version}"),
            _ => tag(version),
        };
        answer.headers_mut().insert(header::ETAG, tag.parse().unwrap());
        let date = httpdate::fmt_http_date(made(version));
        let date = date.parse().unwrap();
        answer.headers_mut().insert(header::LAST_MODIFIED, date);
        answer
    }

    fn body(headers: &HeaderMap, body: &Bytes, fault: Fault) -> Result<Value, StatusCode> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        let named = kind.split(';').next().unwrap_or_default().trim() == "application/json";
        if !named || (fault == Fault::CharsetRefused && kind.contains("charset")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if body.len() > 100_000 {
            return Err(match fault {
                Fault::LargeIsServerError => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::PAYLOAD_TOO_LARGE,
            });
        }
        let mut value: Value = serde_json::from_slice(body).map_err(|_| StatusCode::BAD_REQUEST)?;
        let object = value.as_object_mut().ok_or(StatusCode::BAD_REQUEST)?;
        let title = object
            .get("title")
            .and_then(Value::as_str)
            .is_some_and(|title| !title.is_empty());
        let text = object.get("text").is_none_or(Value::is_string);
        object.retain(|name, _| name == "title" || name == "text");
        match title && text {
            true => Ok(value),
            false => Err(StatusCode::BAD_REQUEST),
        }
    }

    fn list(&self, query: &str) -> Response {
        let store = self.store.lock().unwrap();
        let given = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let own = pairs
                .filter(|(key, _)| *key == name)
                .map(|(_, text)| match self.fault {
                    Fault::QueryNotDecoded => text.to_owned(),
                    Fault::PlusIsBlank => decoded(text).replace('+', " "),
                    _ => decoded(text),
                });
            own.collect::<Vec<_>>()
        };
        let (mut wanted, mut several) = (given("title"), given("titles"));
        match self.fault {
            Fault::RepeatedFindsBoth => {}
            Fault::RepeatedFindsAll if wanted.len() > 1 => wanted.clear(),
            Fault::FirstOfSeveral => several.truncate(1),
            _ => wanted.truncate(1),
        }
        let empty = wanted == [""] && self.fault == Fault::EmptyFindsSome;
        if empty {
            // Some titles, the same ones always.
            let some = |title: &String| (title.bytes().map(u32::from).sum::<u32>() / 2).is_multiple_of(2);
            wanted = store
                .notes
                .values()
                .map(|(_, note)| text_of(note))
                .filter(some)
                .collect();
        }
        let fits = |note: &&Value| {
            let among = |texts: &[String]| texts.is_empty() || texts.contains(&text_of(note));
            among(&wanted) && among(&several)
        };
        let notes: Vec<_> = store
            .notes
            .values()
            .map(|(_, note)| note)
            .filter(fits)
            .cloned()
            .collect();
        axum::Json(notes).into_response()
    }

    fn create(&self, headers: &HeaderMap, body: &Bytes) -> Response {
        let mut note = match Self::body(headers, body, self.fault) {
            Ok(note) => note,
            Err(status) => return bare(status),
        };
        let mut store = self.store.lock().unwrap();
        store.next += 1;
        let (version, id) = (store.next, format!("note-{}", store.next));
        note["noteId"] = json!(id);
        store.notes.insert(id.clone(), (version, note.clone()));
        let mut answer = self.shown(StatusCode::CREATED, version, &note);
        let location = format!("/notes/v1/notes/{id}").parse().unwrap();
        answer.headers_mut().insert(header::LOCATION, location);
        answer
    }

    fn one(&self, method: &Method, id: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        let mut store = self.store.lock().unwrap();
        let Some((version, note)) = store.notes.get(id).cloned() else {
            return match self.fault == Fault::UnknownPutAccepted && method == Method::PUT {
                true => axum::Json(json!({"noteId": id, "title": "a"})).into_response(),
                false => bare(StatusCode::NOT_FOUND),
            };
        };
        let refused = self.condition(method, headers, version);
        if let Some(status) =
            refused.filter(|_| !(self.fault == Fault::RefusedButChanged && method == Method::PUT))
        {
            return answered(status, version);
        }
        match method.as_str() {
            "PUT" => {
                let mut changed = match Self::body(headers, body, self.fault) {
                    Ok(note) => note,
                    Err(status) => return bare(status),
                };
                changed["noteId"] = json!(id);
                let before = store.put.replace(changed.clone());
                if self.fault == Fault::SecondPutConflicts && before.as_ref() == Some(&changed) {
                    return bare(StatusCode::UNPROCESSABLE_ENTITY);
                }
                store.next += 1;
                let version = store.next;
                store.notes.insert(id.to_owned(), (version, changed.clone()));
                if self.fault == Fault::PutAppends {
                    store.next += 1;
                    let another = format!("note-{}", store.next);
                    let mut copy = changed.clone();
                    copy["noteId"] = json!(another);
                    store.notes.insert(another, (version, copy));
                }
                match refused {
                    Some(status) => bare(status),
                    None => self.shown(StatusCode::OK, version, &changed),
                }
            }
            "DELETE" => {
                store.notes.remove(id);
                bare(StatusCode::NO_CONTENT)
            }
            _ => self.shown(StatusCode::OK, version, &note),
        }
    }
}

fn text_of(note: &Value) -> String {
    note["title"].as_str().unwrap_or_default().to_owned()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits
            .filter(|_| *first == b'%')
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Which methods a path has, and its identifier.
fn place(path: &str) -> Option<(&'static [&'static str], Option<&str>)> {
    match path.strip_prefix("/notes/v1/notes")? {
        "" => Some((&["GET", "HEAD", "POST"], None)),
        rest => match rest.strip_prefix('/') {
            Some(id) if !id.is_empty() && !id.contains('/') => {
                Some((&["GET", "HEAD", "PUT", "DELETE"], Some(id)))
            }
            _ => None,
        },
    }
}

async fn answer(State(notes): State<Arc<Notes>>, request: Request) -> Response {
    let fault = notes.fault;
    let (parts, body) = request.into_parts();
    let hosts = parts.headers.get_all(header::HOST).iter().count();
    let wants = parts.version == axum::http::Version::HTTP_11;
    if wants && (hosts == 0 || (hosts > 1 && fault != Fault::TwoHosts)) {
        return bare(StatusCode::BAD_REQUEST);
    }
    let Ok(body) = axum::body::to_bytes(body, 8 << 20).await else {
        return bare(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let mut path = parts.uri.path().to_owned();
    match (fault, parts.method.as_str()) {
        (Fault::EncodedSlashSplits, _) => path = path.replace("%2F", "/"),
        (Fault::SlashIsList, "GET") if path.ends_with('/') => path = "/notes/v1/notes".to_owned(),
        (Fault::SlashRemoves, "DELETE") if path.ends_with('/') => {
            let id = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            notes.store.lock().unwrap().notes.remove(id);
        }
        _ => {}
    }
    let Some((methods, id)) = place(&path) else {
        return match fault == Fault::PageForUnknownPaths {
            true => ([(header::CONTENT_TYPE, "text/html")], "<html></html>").into_response(),
            false => bare(StatusCode::NOT_FOUND),
        };
    };
    let mut method = parts.method.clone();
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if fault == Fault::UnknownMethodIsGet && !known.contains(&method.as_str()) {
        method = Method::GET;
    }
    if fault == Fault::OverrideObeyed
        && let Some(other) = parts.headers.get("x-http-method-override")
    {
        method = Method::from_bytes(other.as_bytes()).unwrap();
    }
    if !methods.contains(&method.as_str()) {
        let mut answer = bare(StatusCode::METHOD_NOT_ALLOWED);
        let allow = match fault {
            Fault::AllowIncomplete => "GET".to_owned(),
            Fault::AllowTooMuch => "GET, HEAD, POST, PUT, PATCH, DELETE".to_owned(),
            _ => methods.join(", "),
        };
        answer.headers_mut().insert(header::ALLOW, allow.parse().unwrap());
        return answer;
    }
    let accept = parts
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let acceptable = accept.is_none_or(|accept| {
        accept.contains("application/json") || (accept.contains("/*") && fault != Fault::WildcardRefused)
    });
    if !acceptable {
        return bare(StatusCode::NOT_ACCEPTABLE);
    }
    match (id, method.as_str()) {
        (None, "POST") => notes.create(&parts.headers, &body),
        (None, _) => notes.list(parts.uri.query().unwrap_or_default()),
        (Some(id), _) => {
            let id = match fault {
                Fault::EncodedIsOther => id.to_owned(),
                Fault::DecodedTwice => decoded(&decoded(id)),
                _ => decoded(id),
            };
            notes.one(&method, &id, &parts.headers, &body)
        }
    }
}

/// What is wrong with an answer beside its contents.
async fn finished(
    State(notes): State<Arc<Notes>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let head = request.method() == Method::HEAD;
    let mut answer = next.run(request).await;
    match notes.fault {
        Fault::NoDate => {
            // hyper adds Date where there is none.
            let date = HeaderValue::from_static("a day in spring");
            answer.headers_mut().insert(header::DATE, date);
        }
        Fault::Latin1 if answer.headers().contains_key(header::CONTENT_TYPE) => {
            let kind = HeaderValue::from_static("application/json; charset=iso-8859-1");
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        Fault::HeadOtherLength if head && answer.status().is_success() => {
            *answer.body_mut() = Body::empty();
            let length = HeaderValue::from_static("17");
            answer.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        _ => {}
    }
    answer
}

/// The server with a fault.
pub(crate) fn notes(fault: Fault) -> SocketAddr {
    let notes = Arc::new(Notes {
        fault,
        store: Mutex::default(),
    });
    let router = Router::new()
        .fallback(answer)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&notes), finished))
        .with_state(notes);
    crate::server::serve(router)
}
