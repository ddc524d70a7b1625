//! Reads every document of `generated/`, and small ones of our own.
#![allow(clippy::unwrap_used)] // a test may panic

use std::path::Path;

use mecforge_api::{Api, Kind, Location, Status, Style, query_pairs};
use serde_json::{Value, json};

fn documents() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../generated");
    let mut documents: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("openapi.json").exists())
        .map(|path| {
            let text = std::fs::read_to_string(path.join("openapi.json")).unwrap();
            let id = path.file_name().unwrap().to_str().unwrap().to_owned();
            (id, serde_json::from_str(&text).unwrap())
        })
        .collect();
    documents.sort_by(|one, other| one.0.cmp(&other.0));
    documents
}

fn document(id: &str) -> Api {
    let (id, value) = documents().into_iter().find(|(name, _)| name == id).unwrap();
    Api::from_settled(&id, value).unwrap()
}

#[test]
fn reads_every_generated_document() {
    let documents = documents();
    assert_eq!(documents.len(), 19);
    let mut operations = 0;
    for (id, value) in documents {
        let api = Api::from_settled(&id, value).unwrap();
        for operation in &api.operations {
            let pointers = operation.parameters.iter().map(|parameter| &parameter.schema);
            let bodies = operation.body.iter().flat_map(|body| &body.content);
            let answers = operation.responses.iter().flat_map(|response| &response.content);
            let sent = operation.callbacks.iter().flat_map(|callback| &callback.content);
            let contents = bodies
                .chain(answers)
                .chain(sent)
                .filter_map(|content| content.schema.as_ref());
            for pointer in pointers.chain(contents) {
                assert!(api.node(pointer).is_some(), "{id}: {} {pointer}", operation.key);
            }
            for name in operation.path.parameters() {
                let declared = operation
                    .parameters_in(Location::Path)
                    .any(|parameter| parameter.name == name);
                assert!(declared, "{id}: {} has no {name}", operation.key);
            }
            assert!(operation.successes().next().is_some(), "{id}: {}", operation.key);
        }
        operations += api.operations.len();
    }
    assert!(operations >= 179, "{operations}");
}

#[test]
fn knows_what_makes_what() {
    let api = document("mec011-service-management");
    assert_eq!(api.base_path, "/mec_service_mgmt/v1");
    let service = api
        .resource("/applications/{appInstanceId}/services/{serviceId}")
        .unwrap();
    assert_eq!(service.kind, Kind::Item);
    let maker = &api.operations[service.maker.unwrap()];
    assert_eq!(maker.key, "POST /applications/{appInstanceId}/services");
    assert!(maker.response(201).unwrap().header("location").is_some());
    assert_eq!(maker.response(404).unwrap().status, Status::Code(404));
    let everything = api.resource("/services").unwrap();
    assert_eq!(
        (everything.kind, everything.items.as_deref()),
        (Kind::Collection, Some("/services/{serviceId}"))
    );
    assert!(api.resource("/services/{serviceId}").unwrap().maker.is_none());
    let callback = &api
        .operation("POST", "/applications/{appInstanceId}/subscriptions")
        .unwrap()
        .callbacks[0];
    assert_eq!(callback.method, "POST");
    assert!(callback.content[0].is_json());
    let at = api.resource_at("/applications/a/services/b").unwrap();
    assert_eq!(at.path.text(), service.path.text());
}

#[test]
fn reads_other_dialects_and_names_faults() {
    let swagger = "swagger: '2.0'\ninfo: {title: t, version: '1'}\nbasePath: /v1\npaths:\n  /things/{id}:\n    get:\n      \
                   parameters:\n      - {name: id, in: path, required: true, type: string}\n      - {name: tags, in: query, \
                   type: array, items: {type: string}, collectionFormat: pipes}\n      responses: {'200': {description: d, \
                   schema: {type: object}}, default: {description: d}}\n";
    let read = |text: &'static str| {
        let source = move |_: &str| Ok(text.to_owned());
        Api::read("own", &source, "own.yaml", &[], false).map(|(api, _)| api)
    };
    let api = read(swagger).unwrap();
    assert_eq!(api.base_path, "/v1");
    let operation = api.operation("GET", "/things/{id}").unwrap();
    let tags = &operation.parameters[1];
    assert_eq!(tags.style, Style::PipeDelimited);
    assert_eq!(
        query_pairs(tags, &json!(["a", "b"])).unwrap(),
        [("tags".to_owned(), "a|b".to_owned())]
    );
    assert_eq!(operation.response(500).unwrap().status, Status::Default);
    let fault = read("openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n").unwrap_err();
    assert!(fault.to_string().contains("no paths"), "{fault}");
    let fault = read("openapi: 3.1.0\ninfo: {title: t\n").unwrap_err();
    assert!(fault.to_string().contains("own.yaml:"), "{fault}");
}

#[test]
fn what_documents_say_of_http_itself_is_left_to_http() {
    let document = serde_json::json!({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": {
        "parameters": [{"name": "Accept", "in": "header", "required": true, "schema": {"type": "string"}}, {"name": "X-A", "in": "header", "schema": {"type": "string"}}],
        "get": {"responses": {"200": {"description": ""}, "405": {"description": ""}}},
        "put": {"responses": {"405": {"description": ""}}},
        "post": {"responses": {"4XX": {"description": ""}, "default": {"description": ""}}}
    }}});
    let api = Api::from_settled("a", document).unwrap();
    let keys: Vec<_> = api
        .operations
        .iter()
        .map(|operation| operation.key.as_str())
        .collect();
    assert_eq!(keys, ["GET /a", "POST /a"]);
    let names: Vec<_> = api.operations[0]
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    assert_eq!(names, ["X-A"]);
    assert!(
        api.operations
            .iter()
            .enumerate()
            .all(|(at, operation)| operation.index == at)
    );
}
