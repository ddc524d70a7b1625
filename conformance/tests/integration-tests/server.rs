//! A small server that is right, with switches for faults, and its document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

/// What is wrong with a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Accepts a name that is one letter too long.
    OneLetterMore,
    /// Answers the creation without the note that was sent.
    DropsNote,
    /// Keeps what was deleted.
    Resurrects,
    /// Answers 500 to letters beyond the basic plane.
    DislikesEmoji,
    /// The list has the oldest alone.
    ShortList,
    /// The list has no names.
    NamelessList,
    /// Location leads nowhere.
    WrongLocation,
    /// Answers one of seven bodies with 500 when it comes for the first time.
    FailsNowAndThen,
    /// Refuses a size of 0, and bodies without size; both are valid.
    RefusesZero,
}

pub(crate) const DOCUMENT: &str = r##"{
  "openapi": "3.1.0",
  "info": {"title": "Things", "version": "1"},
  "servers": [{"url": "http://localhost/v1"}],
  "paths": {
    "/things": {
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}}}},
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"201": {"description": "", "headers": {"Location": {"required": true, "schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "400": {"description": ""}}}
    },
    "/things/{thingId}": {
      "parameters": [{"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "404": {"description": ""}}},
      "delete": {"responses": {"204": {"description": ""}, "404": {"description": ""}}}
    }
  },
  "components": {"schemas": {
    "New": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 20}, "note": {"type": "string"}, "size": {"type": "integer", "minimum": 0, "maximum": 9}}},
    "Thing": {"type": "object", "required": ["name", "thingId"], "properties": {"thingId": {"type": "string"}, "name": {"type": "string"}, "note": {"type": "string"}, "size": {"type": "integer"}}}
  }}
}"##;

struct Things {
    fault: Fault,
    all: Mutex<(u64, BTreeMap<String, Value>)>,
    /// Bodies that were sent.
    seen: Mutex<BTreeSet<String>>,
}

type Shared = State<Arc<Things>>;

fn valid(body: &Value, fault: Fault) -> bool {
    let Some(object) = body.as_object() else {
        return false;
    };
    let most = if fault == Fault::OneLetterMore { 21 } else { 20 };
    let name = object
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| (1..=most).contains(&name.chars().count()));
    let note = object.get("note").is_none_or(Value::is_string);
    let size = object.get("size").is_none_or(|size| {
        size.as_f64()
            .is_some_and(|size| size.fract() == 0.0 && (0.0..=9.0).contains(&size))
    });
    name && note && size
}

async fn create(State(things): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let json_typed = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"));
    if !json_typed {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if !valid(&body, things.fault) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if things.fault == Fault::RefusesZero && body.get("size").is_none_or(|size| *size == 0) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if things.fault == Fault::DislikesEmoji
        && body.to_string().chars().any(|letter| u32::from(letter) > 0xffff)
    {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut all = things.all.lock().unwrap();
    all.0 += 1;
    let first = things.seen.lock().unwrap().insert(body.to_string());
    if things.fault == Fault::FailsNowAndThen && first && all.0 % 7 == 0 {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let id = format!("t{}", all.0);
    let object = body.as_object_mut().unwrap();
    object.retain(|name, _| ["name", "note", "size"].contains(&name.as_str()));
    object.insert("thingId".to_owned(), json!(id));
    if things.fault == Fault::DropsNote {
        object.remove("note");
    }
    all.1.insert(id.clone(), body.clone());
    let location = match things.fault {
        Fault::WrongLocation => format!("/v1/things/{id}x"),
        _ => format!("/v1/things/{id}"),
    };
    (
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        axum::Json(body),
    )
        .into_response()
}

async fn list(State(things): Shared) -> Response {
    let all = things.all.lock().unwrap();
    let most = if things.fault == Fault::ShortList {
        1
    } else {
        usize::MAX
    };
    let mut listed: Vec<Value> = all.1.values().take(most).cloned().collect();
    if things.fault == Fault::NamelessList {
        for thing in listed.iter_mut().filter_map(Value::as_object_mut) {
            thing.remove("name");
        }
    }
    axum::Json(listed).into_response()
}

async fn read(State(things): Shared, Path(id): Path<String>) -> Response {
    match things.all.lock().unwrap().1.get(&id) {
        Some(thing) => axum::Json(thing.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn remove(State(things): Shared, Path(id): Path<String>) -> StatusCode {
    let mut all = things.all.lock().unwrap();
    match (things.fault, all.1.contains_key(&id)) {
        (_, false) => StatusCode::NOT_FOUND,
        (Fault::Resurrects, true) => StatusCode::NO_CONTENT,
        (_, true) => {
            all.1.remove(&id);
            StatusCode::NO_CONTENT
        }
    }
}

/// Starts a server on a runtime of its own; it ends with the test's process.
pub(crate) fn serve(router: Router) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Refuses requests without Host, or with two, as RFC 9112 demands and hyper does not.
pub(crate) async fn one_host(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match hosts == 1 || request.version() != axum::http::Version::HTTP_11 {
        true => next.run(request).await,
        false => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The small server with a fault.
pub(crate) fn things(fault: Fault) -> SocketAddr {
    serve(router(fault))
}

/// The paths of the small server.
pub(crate) fn router(fault: Fault) -> Router {
    let things = Arc::new(Things {
        fault,
        all: Mutex::default(),
        seen: Mutex::default(),
    });
    Router::new()
        .route("/v1/things", get(list).post(create))
        .route("/v1/things/{id}", get(read).delete(remove))
        .with_state(things)
        .layer(axum::middleware::from_fn(one_host))
}

/// A directory with a document.
fn directory_with(name: &str, document: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, document).unwrap();
    (directory, path)
}

/// A directory with the small document.
pub(crate) fn directory() -> (tempfile::TempDir, PathBuf) {
    directory_with("things.json", DOCUMENT)
}

/// Runs the binary.
pub(crate) fn suite(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mec-conformance"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Tests the small document at an address; gives exit code, text and the report.
pub(crate) fn test(address: &str, more: &[&str]) -> (i32, String, Value) {
    test_document(address, "things.json", DOCUMENT, more)
}

/// Tests a document, whose file's name is its id, at an address.
pub(crate) fn test_document(
    address: &str,
    name: &str,
    document: &str,
    more: &[&str],
) -> (i32, String, Value) {
    let (directory, document) = directory_with(name, document);
    let reports = directory.path().join("reports");
    let mut arguments = vec![
        "run",
        "--target",
        address,
        "--document",
        document.to_str().unwrap(),
        "--seed",
        "7",
        "--report-dir",
        reports.to_str().unwrap(),
    ];
    arguments.extend(more);
    let output = suite(&arguments);
    let report = std::fs::read_to_string(reports.join("report.json")).unwrap_or_else(|_| "null".to_owned());
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (
        output.status.code().unwrap(),
        text,
        serde_json::from_str(&report).unwrap(),
    )
}
