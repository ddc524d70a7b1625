//! A small API by hand, as generated code would have it, and helpers to call it in process.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt;
use mecforge_runtime::operation::{Kind, Operation, Parameter, Place, RequestBody, Style};
use mecforge_runtime::rules::{ArrayRules, IntegerRules, StringRules};
use mecforge_runtime::server::{Call, Problem, Reply, Routes};
use mecforge_runtime::{Decode, EntityTag, Json, Location, decode};
use serde_json::{Value, json};
use tower::ServiceExt;

const fn query(name: &'static str, kind: Kind, style: Style) -> Parameter {
    Parameter {
        name,
        place: Place::Query,
        kind,
        style,
    }
}

const POINT: Kind = Kind::Object(&[("x", Kind::Number), ("labels", Kind::List(&Kind::Text))]);

pub(crate) static LIST: Operation = Operation {
    name: "list_things",
    method: "GET",
    path: "/things",
    parameters: &[
        query("name", Kind::List(&Kind::Text), Style::Exploded),
        query("number", Kind::List(&Kind::Integer), Style::Comma),
        query("limit", Kind::Integer, Style::Exploded),
        query("is_local", Kind::Boolean, Style::Exploded),
        query("text", Kind::Text, Style::Exploded),
        query("point", POINT, Style::Deep),
        query("area", Kind::Object(&[("radius", Kind::Number)]), Style::Exploded),
        query("pipes", Kind::List(&Kind::Text), Style::Pipe),
        query("tags", Kind::List(&Kind::Text), Style::Comma),
        query("any", Kind::Any, Style::Exploded),
        query("json", POINT, Style::Json),
        Parameter {
            name: "X-Numbers",
            place: Place::Header,
            kind: Kind::List(&Kind::Integer),
            style: Style::Comma,
        },
        Parameter {
            name: "session",
            place: Place::Cookie,
            kind: Kind::Text,
            style: Style::Comma,
        },
    ],
    body: RequestBody::None,
    produces: &["application/json"],
};

pub(crate) static CREATE: Operation = Operation {
    name: "create_thing",
    method: "POST",
    path: "/things",
    parameters: &[],
    body: RequestBody::Required(&[
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ]),
    produces: &["application/json"],
};

const THING_ID: Parameter = Parameter {
    name: "thingId",
    place: Place::Path,
    kind: Kind::Text,
    style: Style::Comma,
};

pub(crate) static GET: Operation = Operation {
    name: "get_thing",
    method: "GET",
    path: "/things/{thingId}",
    parameters: &[THING_ID],
    body: RequestBody::None,
    produces: &["application/json"],
};

pub(crate) static PUT: Operation = Operation {
    name: "replace_thing",
    method: "PUT",
    path: "/things/{thingId}",
    parameters: &[THING_ID],
    body: RequestBody::Optional(&["application/json"]),
    produces: &[],
};

static SPECIAL: Operation = Operation {
    name: "get_special",
    method: "GET",
    path: "/things/special",
    parameters: &[],
    body: RequestBody::None,
    produces: &["text/plain"],
};

static RANGE: Operation = Operation {
    name: "get_range",
    method: "GET",
    path: "/ranges/{from}-{to}.json",
    parameters: &[
        Parameter {
            name: "from",
            place: Place::Path,
            kind: Kind::Integer,
            style: Style::Comma,
        },
        Parameter {
            name: "to",
            place: Place::Path,
            kind: Kind::Integer,
            style: Style::Comma,
        },
    ],
    body: RequestBody::None,
    produces: &["application/json"],
};

static ROOT: Operation = Operation {
    name: "root",
    method: "GET",
    path: "/",
    parameters: &[],
    body: RequestBody::None,
    produces: &[],
};

static FAIL: Operation = Operation {
    name: "fail",
    method: "DELETE",
    path: "/failure",
    parameters: &[],
    body: RequestBody::None,
    produces: &[],
};

/// The whole API; `state` is the entity tag of every thing.
pub(crate) fn api() -> axum::Router {
    let api = Arc::new(());
    Routes::new()
        .route(&LIST, &api, async |_, call| list(&call))
        .route(&CREATE, &api, async |_, call| create(&call))
        .route(&GET, &api, async |_, call| get(&call))
        .route(&PUT, &api, async |_, call| put(&call))
        .route(&SPECIAL, &api, async |_, _| {
            Ok(Reply::text(200, "text/plain", "special".to_owned()))
        })
        .route(&RANGE, &api, async |_, call| {
            let bounds = (call.path("from", i64::decode)?, call.path("to", i64::decode)?);
            Ok(Reply::json(200, "application/json", &bounds))
        })
        .route(&ROOT, &api, async |_, call: Call| {
            Ok(Reply::json(
                200,
                "application/json",
                &call.caller().url("/things/1"),
            ))
        })
        .route(&FAIL, &api, async |_, _| {
            Err(Problem::internal("the password is secret"))
        })
        .into_router()
}

/// Answers with what it has read, so that tests can look at it.
fn list(call: &Call) -> Result<Reply, Problem> {
    let few = |json: &Json<'_>| {
        decode::array(
            json,
            &ArrayRules {
                max_items: Some(2),
                ..ArrayRules::NONE
            },
            i64::decode,
        )
    };
    let limit = |json: &Json<'_>| decode::unsigned(json, &IntegerRules::range(1, 100));
    let body = json!({
        "name": call.query("name", <Vec<String>>::decode)?,
        "number": call.query("number", <Vec<i64>>::decode)?,
        "limit": call.query("limit", limit)?,
        "is_local": call.query("is_local", bool::decode)?,
        "text": call.query("text", String::decode)?,
        "point": call.query("point", Value::decode)?,
        "area": call.query("area", Value::decode)?,
        "pipes": call.query("pipes", <Vec<String>>::decode)?,
        "tags": call.query("tags", <Vec<String>>::decode)?,
        "any": call.query("any", Value::decode)?,
        "json": call.query("json", Value::decode)?,
        "X-Numbers": call.header("X-Numbers", few)?,
        "session": call.cookie("session", String::decode)?,
    });
    let mut body = body;
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Ok(Reply::json(200, "application/json", &body))
}

fn create(call: &Call) -> Result<Reply, Problem> {
    const FORM: Kind = Kind::Object(&[
        ("name", Kind::Text),
        ("sizes", Kind::List(&Kind::Integer)),
        ("point", POINT),
    ]);
    let name = |json: &Json<'_>| {
        let reader = mecforge_runtime::ObjectReader::new(json)?;
        let rules = StringRules {
            max_length: Some(5),
            ..StringRules::NONE
        };
        reader.required("name", |json| decode::string_with(json, &rules))?;
        Ok(json.to_value())
    };
    let thing = match call.content() {
        Some(0) => call.json(name)?,
        Some(1) => call.form(FORM, name)?,
        _ => call.multipart(FORM, name)?,
    };
    let location = Location::from(call.caller().url(&GET.path_with(&["a/b"])));
    Ok(Reply::json(201, "application/json", &thing)
        .location(&location)
        .etag(Some(EntityTag::strong("1"))))
}

fn get(call: &Call) -> Result<Reply, Problem> {
    let id = call.path("thingId", String::decode)?;
    if id == "absent" {
        return Err(Problem::not_found("there is no such thing"));
    }
    Ok(Reply::json(200, "application/json", &json!({"id": id}))
        .etag(Some(EntityTag::strong("1")))
        .header("X-Names", &["a", "b"]))
}

fn put(call: &Call) -> Result<Reply, Problem> {
    call.preconditions()?.check(Some(&EntityTag::strong("1")))?;
    let thing = call.optional_json(Value::decode)?;
    let status = if thing.is_some() { 204 } else { 200 };
    Ok(Reply::empty(status).etag(Some(EntityTag::strong("2"))))
}

/// A response that has been read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Calls a router in process; `headers` are lines such as `Accept: text/plain`.
pub(crate) async fn call(
    router: axum::Router,
    method: &str,
    path: &str,
    headers: &[&str],
    body: impl Into<Body>,
) -> Answer {
    let mut request = http::Request::builder().method(method).uri(path);
    for line in headers {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let response = router.oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

/// Serves a router on a free port of this machine until the test ends; gives the base URL.
pub(crate) async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
