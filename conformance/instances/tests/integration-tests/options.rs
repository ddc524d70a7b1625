//! What callers may demand of the generators beyond the schema.

use std::sync::Arc;

use mecforge_instances::{Binding, Direction, Options, Schema};
use serde_json::{Value, json};

fn schema(options: &Options) -> Schema {
    let document = Arc::new(json!({"S": {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, "callback": {"type": "string", "format": "uri"}, "secret": {"type": "string"},
        "made": {"type": "string", "readOnly": true}, "port": {"type": "integer"}, "names": {"type": "array", "items": {"type": "string"}}}}}));
    Schema::with_options(&document, "/S", options).unwrap()
}

fn all(schema: &Schema) -> Vec<Value> {
    let mut rng = fastrand::Rng::with_seed(9);
    let mut values: Vec<Value> = (0..50).filter_map(|_| schema.random(&mut rng)).collect();
    values.extend(schema.minimal().into_iter().chain(schema.full()));
    values.extend(schema.valid_cases().into_iter().map(|case| case.value));
    values
}

#[test]
fn bindings_hold_in_every_valid_instance() {
    let options = Options {
        bindings: vec![
            ("/id".to_owned(), Binding::Fixed(json!("me"))),
            (
                "/callback".to_owned(),
                Binding::Fixed(json!("http://127.0.0.1:9/x")),
            ),
            ("/secret".to_owned(), Binding::Absent),
            ("/port".to_owned(), Binding::AtMost(65_535)),
            ("/port".to_owned(), Binding::AtLeast(1)),
            ("/names/*".to_owned(), Binding::Pattern("^[a-z]{1,9}$".to_owned())),
        ],
        ..Options::default()
    };
    let schema = schema(&options);
    let values = all(&schema);
    assert!(values.len() > 60);
    for value in values {
        assert_eq!(value["id"], "me", "{value}");
        assert_eq!(value["callback"], "http://127.0.0.1:9/x", "{value}");
        assert!(value.get("secret").is_none(), "{value}");
        assert!(
            value
                .get("port")
                .is_none_or(|port| (1.0..=65_535.0).contains(&port.as_f64().unwrap())),
            "{value}"
        );
        let mut names = value.get("names").and_then(Value::as_array).into_iter().flatten();
        assert!(
            names.all(|name| name
                .as_str()
                .unwrap()
                .bytes()
                .all(|byte| byte.is_ascii_lowercase())),
            "{value}"
        );
    }
    let base = schema.minimal().unwrap();
    assert!(
        schema
            .invalid_cases(&base)
            .iter()
            .any(|case| case.schema_pointer == "/S/properties/id/type")
    );
}

#[test]
fn only_responses_carry_read_only_properties() {
    let request = schema(&Options::default());
    assert!(all(&request).iter().all(|value| value.get("made").is_none()));
    let response = schema(&Options {
        direction: Direction::Response,
        ..Options::default()
    });
    assert!(response.full().unwrap().get("made").is_some());
}

#[test]
fn formats_may_be_left_unasserted() {
    let schema = schema(&Options {
        formats: false,
        ..Options::default()
    });
    assert!(schema.is_valid(&json!({"id": "a", "callback": "not a uri"})));
    assert!(
        schema
            .invalid_cases(&json!({"id": "a"}))
            .iter()
            .all(|case| case.keyword != "format")
    );
}
