//! Hand-written schemas, one keyword or knot of keywords each.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_instances::{Schema, ValidKind};
use serde_json::{Value, json};

/// A schema with what is expected of it: the rules that must be broken alone.
fn check(schema: Value, broken: &[&str]) -> Schema {
    let document = Arc::new(json!({"schemas": {"S": schema.clone()}}));
    let whole = {
        let mut whole = (*document).clone();
        whole["$ref"] = json!("#/schemas/S");
        whole
    };
    let judge = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap();
    let found = Schema::new(&document, "/schemas/S").unwrap();
    let minimal = found
        .minimal()
        .unwrap_or_else(|| panic!("no minimal instance of {schema}"));
    assert!(judge.is_valid(&minimal), "{schema}: {minimal}");
    let full = found.full().unwrap();
    assert!(judge.is_valid(&full), "{schema}: {full}");
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..20 {
        let random = found.random(&mut rng).unwrap();
        assert!(judge.is_valid(&random), "{schema}: {random}");
        for smaller in found.shrink(&random) {
            assert!(judge.is_valid(&smaller) && smaller.to_string().len() < random.to_string().len());
        }
    }
    for case in found.valid_cases() {
        assert!(
            judge.is_valid(&case.value),
            "{schema}: {}: {}",
            case.what,
            case.value
        );
    }
    let cases = found.invalid_cases(&minimal);
    for case in &cases {
        assert!(
            !judge.is_valid(&case.value),
            "{schema}: {}: {}",
            case.what,
            case.value
        );
    }
    let rules: BTreeSet<&str> = cases
        .iter()
        .filter_map(|case| case.schema_pointer.strip_prefix("/schemas/S"))
        .collect();
    let mut by_chance = BTreeSet::new();
    for _ in 0..200 {
        let base = found.random(&mut rng).unwrap();
        for case in found.random_invalid(&base, &mut rng, 4) {
            assert!(
                !judge.is_valid(&case.value),
                "{schema}: {}: {}",
                case.what,
                case.value
            );
            by_chance.insert(case.schema_pointer);
        }
    }
    for rule in broken {
        assert!(
            by_chance.contains(&format!("/schemas/S{rule}")),
            "{schema}: {rule} is not broken by chance, only {by_chance:?}"
        );
        assert!(
            rules.contains(rule),
            "{schema}: {rule} is not broken, only {rules:?}"
        );
    }
    found
}

#[test]
fn scalars() {
    check(
        json!({"type": "string", "minLength": 2, "maxLength": 4}),
        &["/type", "/minLength", "/maxLength"],
    );
    check(json!({"type": "string", "pattern": "^[A-Z]{2}$"}), &["/pattern"]);
    check(
        json!({"type": "integer", "minimum": 3, "maximum": 7}),
        &["/type", "/minimum", "/maximum"],
    );
    check(
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        &["/exclusiveMinimum", "/exclusiveMaximum"],
    );
    check(
        json!({"type": "integer", "multipleOf": 5, "minimum": 1}),
        &["/multipleOf", "/minimum"],
    );
    check(json!({"type": "string", "enum": ["A", "B"]}), &["/type", "/enum"]);
    check(json!({"type": ["string", "null"]}), &["/type"]);
    check(json!({"type": "boolean", "const": true}), &["/const"]);
    check(
        json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
        &["/minimum", "/maximum"],
    );
    for format in [
        "date-time",
        "uri",
        "uri-reference",
        "ipv4",
        "ipv6",
        "uuid",
        "email",
    ] {
        check(json!({"type": "string", "format": format}), &["/type", "/format"]);
    }
}

#[test]
fn arrays() {
    check(
        json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": true}),
        &["/type", "/minItems", "/maxItems", "/uniqueItems", "/items/type"],
    );
    check(
        json!({"type": "array", "prefixItems": [{"type": "integer"}], "items": false, "minItems": 1}),
        &["/prefixItems/0/type"],
    );
    check(
        json!({"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5}}),
        &["/contains"],
    );
}

#[test]
fn objects() {
    check(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"],
               "additionalProperties": false}),
        &[
            "/type",
            "/required/0",
            "/properties/a/type",
            "/properties/b/type",
            "/additionalProperties",
        ],
    );
    check(
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 2}),
        &["/minProperties", "/maxProperties", "/additionalProperties/type"],
    );
    check(
        json!({"properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["b"]}}),
        &["/dependentRequired/a/0"],
    );
    check(
        json!({"type": "object", "patternProperties": {"^x": {"type": "integer"}}}),
        &["/type"],
    );
    check(
        json!({"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}}),
        &["/propertyNames"],
    );
    check(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "unevaluatedProperties": false}),
        &["/unevaluatedProperties"],
    );
    check(
        json!({"properties": {"a": {"type": "string"}}, "dependentSchemas": {"a": {"required": ["b"]}}}),
        &["/dependentSchemas/a/required/0"],
    );
}

#[test]
fn combinations() {
    check(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
               "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        &["/oneOf", "/properties/a/type"],
    );
    check(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                 "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        &["/anyOf"],
    );
    check(
        json!({"type": "object", "properties": {"a": {}, "b": {}}, "not": {"required": ["a", "b"]}}),
        &["/not"],
    );
    check(
        json!({"type": "object", "properties": {"kind": {"type": "string", "enum": ["X", "Y"]}, "x": {"type": "integer"}},
                 "required": ["kind"],
                 "if": {"properties": {"kind": {"const": "X"}}, "required": ["kind"]},
                 "then": {"required": ["x"]}, "else": {"not": {"required": ["x"]}}}),
        &[
            "/required/0",
            "/properties/kind/enum",
            "/then/required/0",
            "/else/not",
            "/properties/x/type",
        ],
    );
    check(
        json!({"oneOf": [
        {"type": "object", "properties": {"t": {"const": "A"}, "n": {"type": "integer"}}, "required": ["t", "n"]},
        {"type": "object", "properties": {"t": {"const": "B"}, "s": {"type": "string", "maxLength": 3}}, "required": ["t", "s"]}]}),
        &[
            "/oneOf",
            "/oneOf/0/required/1",
            "/oneOf/1/properties/s/maxLength",
            "/oneOf/0/properties/n/type",
        ],
    );
    check(
        json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                           {"properties": {"a": {"maxLength": 2}}}]}),
        &["/allOf/0/required/0", "/allOf/1/properties/a/maxLength"],
    );
}

#[test]
fn recursion_ends() {
    let document = Arc::new(json!({"Tree": {"type": "object", "required": ["name"],
        "properties": {"name": {"type": "string"}, "left": {"$ref": "#/Tree"}, "more": {"type": "array", "items": {"$ref": "#/Tree"}}}}}));
    let schema = Schema::new(&document, "/Tree").unwrap();
    assert_eq!(schema.minimal(), Some(json!({"name": "a"})));
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..50 {
        assert!(schema.is_valid(&schema.random(&mut rng).unwrap()));
    }
    assert!(schema.valid_cases().len() > 5 && schema.invalid_cases(&json!({"name": "a"})).len() > 5);
    let endless = Arc::new(
        json!({"Endless": {"type": "object", "required": ["again"], "properties": {"again": {"$ref": "#/Endless"}}}}),
    );
    assert_eq!(Schema::new(&endless, "/Endless").unwrap().minimal(), None);
}

#[test]
fn an_open_enumeration_gets_a_value_that_is_not_listed_and_no_invalid_one() {
    let schema = check(
        json!({"type": "string", "x-extensible-enum": ["A", "B"]}),
        &["/type"],
    );
    let cases = schema.valid_cases();
    assert!(cases.iter().any(|case| case.kind == ValidKind::Extension));
    assert!(cases.iter().any(|case| case.value == json!("B")));
    assert!(
        schema
            .invalid_cases(&json!("A"))
            .iter()
            .all(|case| case.keyword == "type")
    );
}

#[test]
fn every_kind_of_valid_case_is_there() {
    let schema = check(
        json!({"type": "object", "required": ["s"], "properties": {"s": {"type": "string"}, "n": {"type": "integer"},
               "l": {"type": "array", "items": {"type": "string"}}, "e": {"enum": ["A", "B"]}, "u": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
               "o": {"type": "string", "x-extensible-enum": ["A"]}}}),
        &[],
    );
    let kinds: BTreeSet<ValidKind> = schema.valid_cases().iter().map(|case| case.kind).collect();
    use ValidKind::{Boundary, Branch, Extension, Full, Large, Minimal, Notation, Open, Pairwise, Unicode};
    for kind in [
        Minimal, Full, Branch, Boundary, Extension, Pairwise, Unicode, Open, Notation, Large,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn a_breach_names_the_keyword_in_the_document() {
    let document = Arc::new(json!({
        "paths": {"/a": {"get": {"parameters": [{"schema": {"$ref": "#/schemas/Outer"}}]}}},
        "schemas": {"Outer": {"type": "object", "required": ["x", "in/ner"], "properties": {"in/ner": {"$ref": "#/schemas/Inner"}}},
                    "Inner": {"type": "string", "maxLength": 2}},
    }));
    let schema = Schema::new(&document, "/paths/~1a/get/parameters/0/schema").unwrap();
    let breaches = schema.errors(&json!({"in/ner": "abc"}));
    let places: Vec<(&str, &str)> = breaches
        .iter()
        .map(|breach| (breach.instance_pointer.as_str(), breach.schema_pointer.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            ("", "/schemas/Outer/required/0"),
            ("/in~1ner", "/schemas/Inner/maxLength")
        ]
    );
    assert_eq!(breaches[1].message, "\"abc\" has more than 2 characters");
}

#[test]
fn what_cannot_be_read_says_where() {
    let document =
        Arc::new(json!({"S": {"properties": {"a": {"$ref": "#/nowhere"}}}, "T": {"type": "strnig"}}));
    assert_eq!(
        Schema::new(&document, "/S").unwrap_err().pointer,
        "/S/properties/a"
    );
    assert_eq!(Schema::new(&document, "/T").unwrap_err().keyword, "type");
    assert!(Schema::new(&document, "/U").is_err());
}

#[test]
fn the_same_schema_gives_the_same_cases() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": [1, 2]}}, "required": ["a"]});
    let document = Arc::new(json!({"S": schema}));
    let [left, right] = [
        Schema::new(&document, "/S").unwrap(),
        Schema::new(&document, "/S").unwrap(),
    ];
    assert_eq!(left.valid_cases(), right.valid_cases());
    let base = left.minimal().unwrap();
    assert_eq!(left.invalid_cases(&base), right.invalid_cases(&base));
}

#[test]
fn what_is_cut_off_is_counted() {
    let document = Arc::new(
        json!({"S": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": [1, 2]}}}}),
    );
    let schema = Schema::new(&document, "/S").unwrap();
    let few = schema.valid_cases_within(3);
    assert_eq!(few.cases.len(), 3);
    assert!(few.truncated > 0);
    assert_eq!(schema.valid_cases_within(10_000).truncated, 0);
}
