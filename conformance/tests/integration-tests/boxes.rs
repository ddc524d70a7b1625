//! A small server whose objects can be replaced, with entity tags and pages, and faults that only sequences and parallel
//! requests show.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::serve;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Every third replacement of an object is answered, but not kept.
    LosesThirdUpdate,
    /// The list shows objects as they were made.
    ListsFirst,
    /// A PATCH is answered as if it was made.
    PatchLost,
    /// A PATCH replaces the object.
    PatchReplaces,
    /// Each object that is deleted brings back the one that was deleted before it.
    Revives,
    /// A new object gets the identifier of one that was deleted.
    ReusesIdentifiers,
    /// If-Match is looked at before others write.
    SeveralWritersWin,
    /// Objects that are made at the same time get one identifier.
    SharesIdentifiers,
    /// A replacement soon after another one is answered before it is made.
    AnswersEarly,
    /// Each of several removals at the same time is answered 204.
    RemovesTwice,
    /// The last object of a page is the first of the next.
    PagesOverlap,
    /// The last page leads back to the first.
    PagesWithoutEnd,
    /// None: the identifiers have letters that are written otherwise in addresses.
    PeculiarIdentifiers,
    /// None: such identifiers, and the list is one of links.
    PeculiarLinks,
    /// None: a new object changes by itself.
    Settles,
}

pub(crate) const DOCUMENT: &str = r##"{
  "openapi": "3.1.0",
  "info": {"title": "Boxes", "version": "1"},
  "servers": [{"url": "http://localhost/v1"}],
  "paths": {
    "/boxes": {
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Box"}}}}}}},
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"201": {"description": "", "headers": {"Location": {"required": true, "schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}}}, "400": {"description": ""}}}
    },
    "/boxes/{boxId}": {
      "parameters": [{"name": "boxId", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}}}, "404": {"description": ""}}},
      "put": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}}}, "404": {"description": ""}, "412": {"description": ""}}},
      "patch": {"requestBody": {"required": true, "content": {"application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/Change"}}}},
        "responses": {"204": {"description": ""}, "404": {"description": ""}}},
      "delete": {"responses": {"204": {"description": ""}, "404": {"description": ""}}}
    }
  },
  "components": {"schemas": {
    "New": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 60}, "colour": {"type": "string", "enum": ["red", "green", "blue"]}}},
    "Change": {"type": "object", "minProperties": 1, "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 60}, "colour": {"type": "string", "enum": ["red", "green", "blue"]}}},
    "Box": {"type": "object", "required": ["name", "boxId"], "properties": {"boxId": {"type": "string"}, "name": {"type": "string"}, "colour": {"type": "string"}}}
  }}
}"##;

#[derive(Clone)]
struct Kept {
    value: Value,
    first: Value,
    version: u64,
    updates: u64,
    updated: Option<Instant>,
    made: Instant,
}

#[derive(Default)]
struct Store {
    next: u64,
    boxes: BTreeMap<String, Kept>,
    deleted: Vec<(String, Kept)>,
}

struct Boxes {
    fault: Fault,
    paged: bool,
    store: Mutex<Store>,
}

type Shared = State<Arc<Boxes>>;

/// How long a new object is at work: shorter than a few requests take.
const SETTLING: Duration = Duration::from_millis(25);

/// Long enough for the others to come in between.
const GAP: Duration = Duration::from_millis(15);

fn read_body(body: &Bytes) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let object = value.as_object_mut()?;
    let name = object.get("name")?.as_str()?;
    let right = (1..=60).contains(&name.chars().count())
        && object
            .get("colour")
            .is_none_or(|colour| ["red", "green", "blue"].iter().any(|known| colour == known));
    object.retain(|name, _| ["name", "colour"].contains(&name.as_str()));
    right.then_some(value)
}

fn shown(value: &Value, version: u64) -> Response {
    ([(header::ETAG, format!("\"{version}\""))], Json(value.clone())).into_response()
}

async fn create(State(boxes): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if !headers[header::CONTENT_TYPE]
        .as_bytes()
        .starts_with(b"application/json")
    {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Some(mut value) = read_body(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = {
        let mut store = boxes.store.lock().unwrap();
        let free = store
            .deleted
            .pop()
            .filter(|_| boxes.fault == Fault::ReusesIdentifiers);
        if boxes.fault != Fault::SharesIdentifiers {
            store.next += 1;
        }
        let name = match boxes.fault {
            Fault::PeculiarIdentifiers | Fault::PeculiarLinks => "box: ä+1% %41 ",
            _ => "box-",
        };
        free.map_or_else(|| format!("{name}{:06}", store.next), |(id, _)| id)
    };
    let place = mecforge_api::segment(&id);
    if boxes.fault == Fault::SharesIdentifiers {
        tokio::time::sleep(GAP).await;
        boxes.store.lock().unwrap().next += 1;
    }
    value["boxId"] = json!(id);
    let kept = Kept {
        value: value.clone(),
        first: value.clone(),
        version: 1,
        updates: 0,
        updated: None,
        made: Instant::now(),
    };
    boxes.store.lock().unwrap().boxes.insert(id.clone(), kept);
    (
        StatusCode::CREATED,
        [(header::LOCATION, format!("/v1/boxes/{place}"))],
        Json(value),
    )
        .into_response()
}

async fn list(State(boxes): Shared, RawQuery(query): RawQuery) -> Response {
    let store = boxes.store.lock().unwrap();
    let first = boxes.fault == Fault::ListsFirst;
    let all = store.boxes.values();
    let all: Vec<_> = all
        .map(|kept| {
            if first {
                kept.first.clone()
            } else {
                kept.value.clone()
            }
        })
        .collect();
    if boxes.fault == Fault::PeculiarLinks {
        let place = |id: &String| format!("/v1/boxes/{}", mecforge_api::segment(id));
        let links: Vec<_> = store.boxes.keys().map(|id| json!({"href": place(id)})).collect();
        return Json(links).into_response();
    }
    if !boxes.paged {
        return Json(all).into_response();
    }
    let query = query.unwrap_or_default();
    let from = query.strip_prefix("from=");
    let from: usize = from.and_then(|from| from.parse().ok()).unwrap_or(0);
    let page: Vec<_> = all.iter().skip(from).take(2).cloned().collect();
    let step = if boxes.fault == Fault::PagesOverlap { 1 } else { 2 };
    let next = match from + step {
        next if next < all.len() => Some(next),
        _ => (boxes.fault == Fault::PagesWithoutEnd).then_some(0),
    };
    match next {
        None => Json(page).into_response(),
        Some(next) => {
            let link = format!("</v1/boxes?from={next}>; rel=\"next\"");
            ([(header::LINK, link)], Json(page)).into_response()
        }
    }
}

async fn read(State(boxes): Shared, Path(id): Path<String>) -> Response {
    match boxes.store.lock().unwrap().boxes.get(&id) {
        Some(kept) if boxes.fault == Fault::Settles => {
            let mut value = kept.value.clone();
            value["settled"] = json!(kept.made.elapsed() > SETTLING);
            shown(&value, kept.version)
        }
        Some(kept) => shown(&kept.value, kept.version),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn replace(State(boxes): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if !headers[header::CONTENT_TYPE]
        .as_bytes()
        .starts_with(b"application/json")
    {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Some(mut value) = read_body(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    value["boxId"] = json!(id);
    let fits = |store: &Store| {
        let version = store.boxes.get(&id).map(|kept| format!("\"{}\"", kept.version));
        let wanted = headers
            .get(header::IF_MATCH)
            .and_then(|wanted| wanted.to_str().ok());
        wanted.is_none_or(|wanted| wanted == "*" || Some(wanted) == version.as_deref())
    };
    if !fits(&boxes.store.lock().unwrap()) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    if boxes.fault == Fault::SeveralWritersWin && headers.contains_key(header::IF_MATCH) {
        tokio::time::sleep(GAP).await;
    }
    let mut store = boxes.store.lock().unwrap();
    if boxes.fault != Fault::SeveralWritersWin && !fits(&store) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    let Some(kept) = store.boxes.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    kept.updates += 1;
    kept.version += 1;
    let busy = kept.updated.is_some_and(|updated| updated.elapsed() < GAP);
    kept.updated = Some(Instant::now());
    if boxes.fault == Fault::AnswersEarly && busy {
        let (boxes, id, value, version) = (Arc::clone(&boxes), id.clone(), value.clone(), kept.version);
        let answer = shown(&value, version);
        tokio::spawn(async move {
            tokio::time::sleep(GAP).await;
            if let Some(kept) = boxes.store.lock().unwrap().boxes.get_mut(&id) {
                kept.value = value;
            }
        });
        return answer;
    }
    if boxes.fault != Fault::LosesThirdUpdate || kept.updates % 3 != 0 {
        kept.value = value.clone();
    }
    shown(&value, kept.version)
}

async fn change(State(boxes): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !headers[header::CONTENT_TYPE]
        .as_bytes()
        .starts_with(b"application/merge-patch+json")
    {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let mut store = boxes.store.lock().unwrap();
    let Some(kept) = store.boxes.get_mut(&id) else {
        return StatusCode::NOT_FOUND;
    };
    let Ok(Value::Object(change)) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut whole = kept.value.clone();
    if boxes.fault == Fault::PatchReplaces {
        whole.as_object_mut().unwrap().remove("colour");
    }
    whole.as_object_mut().unwrap().extend(change);
    let Some(mut value) = read_body(&Bytes::from(whole.to_string())) else {
        return StatusCode::BAD_REQUEST;
    };
    value["boxId"] = json!(id);
    if boxes.fault != Fault::PatchLost {
        kept.value = value;
        kept.version += 1;
    }
    StatusCode::NO_CONTENT
}

async fn remove(State(boxes): Shared, Path(id): Path<String>) -> StatusCode {
    let exists = boxes.store.lock().unwrap().boxes.contains_key(&id);
    if !exists {
        return StatusCode::NOT_FOUND;
    }
    if boxes.fault == Fault::RemovesTwice {
        tokio::time::sleep(GAP).await;
    }
    let mut store = boxes.store.lock().unwrap();
    let Some(kept) = store.boxes.remove(&id) else {
        return match boxes.fault {
            Fault::RemovesTwice => StatusCode::NO_CONTENT,
            _ => StatusCode::NOT_FOUND,
        };
    };
    store.deleted.push((id, kept));
    if boxes.fault == Fault::Revives && store.deleted.len() > 1 {
        let (id, kept) = store.deleted.remove(0);
        store.boxes.insert(id, kept);
    }
    StatusCode::NO_CONTENT
}

/// The server with a fault; with pages of two objects if it is one of pages.
pub(crate) fn boxes(fault: Fault, paged: bool) -> SocketAddr {
    let boxes = Arc::new(Boxes {
        fault,
        paged,
        store: Mutex::default(),
    });
    let router = Router::new()
        .route("/v1/boxes", get(list).post(create))
        .route(
            "/v1/boxes/{id}",
            get(read).put(replace).patch(change).delete(remove),
        )
        .with_state(boxes);
    serve(router)
}
