//! A small client: requests through the router, answers judged by the document.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use jsonschema::Validator;
use mecforge_api::{Api, Location, Operation, query_pairs, segment};
use mecforge_instances::Schema;
use mecforge_mock::{Options, router};
use serde_json::{Value, json};
use tower::ServiceExt;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"))
            .to_str()
            .unwrap()
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// A served API.
pub(crate) struct Client {
    pub(crate) api: Arc<Api>,
    pub(crate) router: Router,
    pub(crate) clock: Arc<Mutex<Duration>>,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
    count: AtomicUsize,
}

/// The documents of `generated/`.
pub(crate) fn documents() -> Vec<Arc<Api>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../generated");
    let mut documents: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("openapi.json").exists())
        .map(|path| {
            let text = std::fs::read_to_string(path.join("openapi.json")).unwrap();
            let id = path.file_name().unwrap().to_str().unwrap();
            Arc::new(Api::from_settled(id, serde_json::from_str(&text).unwrap()).unwrap())
        })
        .collect();
    documents.sort_by(|one, other| one.id.cmp(&other.id));
    documents
}

pub(crate) fn serve(id: &str) -> Client {
    let api = documents().into_iter().find(|api| api.id == id).unwrap();
    Client::new(api, Options::default())
}

impl Client {
    pub(crate) fn new(api: Arc<Api>, options: Options) -> Client {
        let clock = Arc::new(Mutex::new(Duration::from_secs(1_800_000_000)));
        let own = clock.clone();
        let options = Options {
            now: Arc::new(move || *own.lock().unwrap()),
            ..options
        };
        Client {
            router: router(vec![api.clone()], options).unwrap(),
            api,
            clock,
            validators: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// A request below the base path; a body is JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let path = match path.starts_with("http://") {
            true => path.to_owned(),
            false => format!("http://mock{}{path}", self.api.base_path),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(&path)
            .header("host", "mock");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    /// An independent judge of the document's schemas.
    pub(crate) fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let build = || {
            let mut document = (*self.api.document).clone();
            let fragment: String = pointer
                .bytes()
                .map(|byte| match byte {
                    b'{' | b'}' | b'%' | b' ' | b'"' | b'<' | b'>' => format!("%{byte:02X}"),
                    byte => char::from(byte).to_string(),
                })
                .collect();
            document["$ref"] = json!(format!("#{fragment}"));
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&document).unwrap())
        };
        validators.entry(pointer.to_owned()).or_insert_with(build).clone()
    }

    /// Whether an answer is what the document declares for its status: body, media type and headers.
    #[track_caller]
    pub(crate) fn judge(&self, operation: &Operation, answer: &Answer) {
        let context = || {
            format!(
                "{}: {}: {} {}",
                self.api.id, operation.key, answer.status, answer.text
            )
        };
        let response = operation
            .successes()
            .find(|response| response.status.to_string() == answer.status.to_string());
        let response = response.unwrap_or_else(|| panic!("not declared: {}", context()));
        match response.json() {
            Some(content) => {
                assert_eq!(answer.header("content-type"), content.media_type, "{}", context());
                let value = answer.json();
                if let Some(schema) = &content.schema {
                    let errors: Vec<_> = self
                        .validator(schema)
                        .iter_errors(&value)
                        .map(|error| error.to_string())
                        .collect();
                    assert!(errors.is_empty(), "{}: {errors:?}", context());
                }
            }
            None if response.content.is_empty() => assert_eq!(answer.text, "", "{}", context()),
            None => assert_eq!(
                answer.header("content-type"),
                response.content[0].media_type,
                "{}",
                context()
            ),
        }
        for header in &response.headers {
            let value = answer
                .headers
                .get(&header.name)
                .map(|value| value.to_str().unwrap());
            assert!(
                value.is_some() || !header.required,
                "{} lacks {}",
                context(),
                header.name
            );
            if let (Some(value), Some(schema)) = (value, &header.schema) {
                assert!(
                    self.validator(schema).is_valid(&json!(value)),
                    "{}: {value}",
                    context()
                );
            }
        }
    }

    /// A small valid body for an operation.
    pub(crate) fn body(&self, operation: &Operation) -> Option<Value> {
        let pointer = operation.json_body()?.schema.as_deref()?;
        let schema = Schema::new(&self.api.document, pointer).unwrap();
        let mut body = schema.minimal();
        if let (Some(body), "POST /registrations") = (&mut body, operation.key.as_str()) {
            // One that is registered already would be refused.
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            body["appInstanceId"] = json!(format!("own-{count}"));
        }
        assert!(body.is_some(), "{}: {} has no body", self.api.id, operation.key);
        body
    }

    /// The query that an operation needs at least.
    pub(crate) fn query(&self, operation: &Operation) -> String {
        let mut pairs = Vec::new();
        for parameter in operation
            .parameters_in(Location::Query)
            .filter(|parameter| parameter.required)
        {
            let schema = Schema::new(&self.api.document, &parameter.schema).unwrap();
            for (name, value) in query_pairs(parameter, &schema.minimal().unwrap()).unwrap() {
                pairs.push(format!("{}={}", segment(&name), segment(&value)));
            }
        }
        match pairs.is_empty() {
            true => String::new(),
            false => format!("?{}", pairs.join("&")),
        }
    }

    /// Sets what a body must have in common with the path.
    pub(crate) fn bind(&self, body: &mut Value, values: &BTreeMap<String, String>) {
        for (name, value) in values {
            if let Some(member) = body.get_mut(name) {
                *member = json!(value);
            }
        }
    }

    /// The path of something that is there, for each parameter that a template needs: made or found.
    pub(crate) async fn place(&self, operation: &Operation) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        let mut prefix = String::new();
        for part in operation.path.text().split('/').skip(1) {
            let collection = prefix.clone();
            prefix = format!("{prefix}/{part}");
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                continue;
            };
            let template = mecforge_api::Template::new(&collection);
            let path = template.expand(&values);
            let id = match (
                self.api.operation("POST", &collection),
                self.api.operation("GET", &collection),
            ) {
                (Some(maker), _) if maker.response(201).is_some() => {
                    let mut body = self.body(maker);
                    body.iter_mut().for_each(|body| self.bind(body, &values));
                    if let (true, Some(body)) = (operation.path.text().ends_with("/liveness"), &mut body) {
                        body["livenessInterval"] = json!(10);
                    }
                    let made = self.call("POST", &path, body.as_ref()).await.is(201);
                    made.header("location").rsplit('/').next().unwrap().to_owned()
                }
                (None, Some(_)) if prefix == "/services/{serviceId}" => {
                    // Services are made under applications.
                    let maker = "/applications/{appInstanceId}/services";
                    let body = self.body(self.api.operation("POST", maker).unwrap());
                    let made = self
                        .call("POST", "/applications/a/services", body.as_ref())
                        .await
                        .is(201);
                    made.header("location").rsplit('/').next().unwrap().to_owned()
                }
                (None, Some(list)) => {
                    let listed = self
                        .call("GET", &format!("{path}{}", self.query(list)), None)
                        .await
                        .is(200)
                        .json();
                    first(&listed, name).unwrap_or_else(|| panic!("{}: no {name} in {listed}", operation.key))
                }
                _ => "instance-1".to_owned(),
            };
            values.insert(name.to_owned(), id);
        }
        values
    }
}

/// The first identifier of a name (or `id`) anywhere in a list.
fn first(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Array(values) => values.iter().find_map(|value| first(value, name)),
        Value::Object(members) => {
            let own = members.get(name).or(members.get("id")).and_then(Value::as_str);
            own.map(str::to_owned)
                .or_else(|| members.values().find_map(|value| first(value, name)))
        }
        _ => None,
    }
}
