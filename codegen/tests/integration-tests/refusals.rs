//! What the generator can't do yet is refused with its place and the reason, never left out.

use mecforge_codegen::model::{Options, lower};
use mecforge_document::load::load_text;

/// Checks the places and messages of what is refused in a document with one operation.
#[track_caller]
fn check(operation: &str, expected: &[(&str, &str)]) {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: T, version: '1'}}\npaths: {{/x: {{post: {operation}}}}}\n\
         components: {{schemas: {{File: {{type: string, format: binary}}}}}}\n"
    );
    let document = load_text("x.yaml", &text).unwrap();
    let (document, _) = mecforge_document::prepare(document, &[], false).unwrap();
    let options = Options {
        id: "x".to_owned(),
        crate_name: "x".to_owned(),
        source: "x.yaml".to_owned(),
        prose: false,
    };
    let refused = match lower(&document, &options) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => diagnostics,
    };
    let found: Vec<(&str, &str)> = refused
        .iter()
        .map(|diagnostic| (diagnostic.pointer.as_str(), diagnostic.message.as_str()))
        .collect();
    assert_eq!(found, expected, "{operation}");
}

const OK: &str = "responses: {'204': {description: ok}}";

#[test]
fn binary_parts_of_forms() {
    let place = "/paths/~1x/post/requestBody/content/multipart~1form-data/schema/properties/file";
    let message = "a binary part of multipart/form-data has no Rust form yet";
    for file in [
        "{type: string, format: binary}",
        "{$ref: '#/components/schemas/File'}",
        "{type: array, items: {$ref: '#/components/schemas/File'}}",
        "{type: string, contentMediaType: image/png}",
    ] {
        let schema = format!("{{type: object, properties: {{file: {file}, name: {{type: string}}}}}}");
        let body = format!("requestBody: {{content: {{multipart/form-data: {{schema: {schema}}}}}}}");
        check(&format!("{{{body}, {OK}}}"), &[(place, message)]);
    }
}

#[test]
fn parts_that_are_written_in_a_way_of_their_own() {
    let schema = "{type: object, properties: {a: {type: string}}}";
    let body = |encoding: &str| {
        format!(
            "{{requestBody: {{content: {{multipart/form-data: {{schema: {schema}, encoding: {{a: {encoding}}}}}}}}}, {OK}}}"
        )
    };
    check(&body("{contentType: text/plain}"), &[]);
    check(
        &body("{style: deepObject}"),
        &[(
            "/paths/~1x/post/requestBody/content/multipart~1form-data/encoding/a/style",
            "style of a part of multipart/form-data has no Rust form yet",
        )],
    );
}

#[test]
fn responses_as_forms() {
    check(
        "{responses: {'200': {description: ok, content: {multipart/form-data: {schema: {type: object}}}}}}",
        &[(
            "/paths/~1x/post/responses/200/content/multipart~1form-data",
            "a response as multipart/form-data has no Rust form yet",
        )],
    );
}
