//! Rules that ETSI's documents hardly use fail where they should: the crate of `codegen/tests/fixtures/rules.yaml`
//! against the judge, and value by value against what is written here.

use mecforge_runtime::strategy::Case;
use serde_json::{Value, json};

use crate::judge::Judge;
use crate::truth::compare;

fn case(name: &str) -> Case {
    let mut cases = fixture_rules::strategies::cases().into_iter();
    cases
        .find(|case| case.name == name)
        .unwrap_or_else(|| panic!("the fixture has no schema {name}"))
}

fn judge(case: &Case) -> Judge {
    Judge::new(
        &serde_json::from_str(fixture_rules::DOCUMENT).unwrap(),
        case.pointer,
    )
}

#[test]
fn every_type_of_the_fixture_agrees_with_the_judge() {
    let mut disagreements = Vec::new();
    for case in fixture_rules::strategies::cases() {
        compare(&case, &judge(&case), &mut |sentence: String| {
            disagreements.push(format!("{}: {sentence}", case.name))
        });
    }
    let shown = disagreements
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        disagreements.is_empty(),
        "{} disagreements:\n{shown}",
        disagreements.len()
    );
}

/// A value that the judge and the type accept, and that comes back equal.
#[track_caller]
fn accepted(name: &str, value: Value) {
    let case = case(name);
    assert!(
        judge(&case).accepts(&value),
        "the judge refuses {value}: {:?}",
        judge(&case).faults(&value)
    );
    assert_eq!(
        (case.round_trip)(value.to_string().as_bytes()).map_err(|error| error.to_string()),
        Ok(value)
    );
}

/// A value that both refuse, the type at this place and for this rule.
#[track_caller]
fn refused(name: &str, value: Value, pointer: &str, rule: &str) {
    let case = case(name);
    assert!(!judge(&case).accepts(&value), "the judge accepts {value}");
    match (case.round_trip)(value.to_string().as_bytes()) {
        Ok(back) => panic!("{name} accepts {value} as {back}"),
        Err(error) => assert_eq!(
            (error.pointer().as_str(), error.rule()),
            (pointer, rule),
            "{error}"
        ),
    }
}

#[test]
fn text() {
    accepted("Code", json!("AB12"));
    refused("Code", json!("ab12"), "", "pattern");
    refused("Code", json!("AB"), "", "minLength");
    refused("Code", json!("AB12345"), "", "maxLength");
    accepted("Anywhere", json!("a7xb"));
    refused("Anywhere", json!("a7-x"), "", "pattern");
    // Three characters of four bytes each are three, and letters of any script are letters.
    accepted("Letters", json!("日é𝒳"));
    refused("Letters", json!("日é𝒳a"), "", "maxLength");
    refused("Letters", json!("a1"), "", "pattern");
    let sound = [
        ("dateTime", "2026-11-21T07:00:00.5+01:00"),
        ("date", "2024-02-29"),
        ("time", "07:00:00Z"),
        ("duration", "P1DT2H"),
        ("callbackUri", "http://host/path"),
        ("reference", "../path"),
        ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("ipv4", "192.0.2.1"),
        ("ipv6", "2001:db8::1"),
        ("hostname", "mep.example"),
        ("email", "a@example.org"),
        ("pointer", "/a~1b"),
        ("regex", "a+"),
        ("annotation", "not a MAC address"),
    ];
    let faulty = [
        ("dateTime", "2026-11-21"),
        ("date", "2025-02-29"),
        ("time", "25:00:00Z"),
        ("duration", "1D"),
        ("callbackUri", "../path"),
        ("reference", "%zz"),
        ("uuid", "f81d4fae"),
        ("ipv4", "192.0.2.256"),
        ("ipv6", "2001:db8::g"),
        ("hostname", "-mep-"),
        ("email", "example.org"),
        ("pointer", "a/b"),
        ("regex", "(["),
    ];
    sound
        .into_iter()
        .for_each(|(name, text)| accepted("Formats", json!({ name: text })));
    faulty
        .into_iter()
        .for_each(|(name, text)| refused("Formats", json!({ name: text }), &format!("/{name}"), "format"));
}

#[test]
fn numbers() {
    accepted("Percent", json!(0.001));
    refused("Percent", json!(0.0), "", "exclusiveMinimum");
    refused("Percent", json!(100.0), "", "exclusiveMaximum");
    accepted("Inclusive", json!(-1.5));
    refused("Inclusive", json!(1.6), "", "maximum");
    accepted("Quarters", json!(-0.75));
    refused("Quarters", json!(0.3), "", "multipleOf");
    accepted("Steps", json!(-10));
    refused("Steps", json!(7), "", "multipleOf");
    refused("Steps", json!(55), "", "maximum");
    refused("Steps", json!(5.5), "", "type");
    accepted("Port", json!(65535));
    refused("Port", json!(0), "", "minimum");
    refused("Port", json!(65536), "", "maximum");
    accepted("Unsigned", json!(u64::MAX));
    refused("Unsigned", json!(-1), "", "minimum");
    accepted("Signed", json!(i64::MIN));
}

#[test]
fn lists() {
    accepted("UniqueTexts", json!(["a", "b"]));
    refused("UniqueTexts", json!(["a", "b", "a"]), "/2", "uniqueItems");
    refused("UniqueTexts", json!([]), "", "minItems");
    refused("UniqueTexts", json!(["a", "b", "c", "d", "e"]), "", "maxItems");
    refused("UniqueTexts", json!(["a", ""]), "/1", "minLength");
    // One and one point nothing are one number.
    refused("UniqueNumbers", json!([1, 1.0]), "/1", "uniqueItems");
    refused(
        "UniqueObjects",
        json!([{"a": 1, "b": "x"}, {"b": "x", "a": 1}]),
        "/1",
        "uniqueItems",
    );
    accepted("UniqueObjects", json!([{"a": 1}, {"a": 1, "b": "x"}]));
    refused("Matrix", json!([[true, false], [true]]), "/1", "minItems");
    accepted("ContainsOne", json!(["hay", "needle"]));
    refused("ContainsOne", json!(["hay"]), "", "contains");
}

#[test]
fn objects() {
    refused("Closed", json!({"a": 1, "c": 2}), "/c", "additionalProperties");
    accepted(
        "Extended",
        json!({"id": "x", "more": 1, "additionalProperties": true, "additional_properties": false}),
    );
    refused("Extended", json!({"id": "x", "more": 0}), "/more", "minimum");
    accepted("ExtendedByAnything", json!({"id": "x", "more": [null]}));
    refused("Sized", json!({}), "", "minProperties");
    refused(
        "Sized",
        json!({"a": 1, "b": 2, "undeclared": 3}),
        "",
        "maxProperties",
    );
    refused("SizedMap", json!({"k": "x"}), "/k", "pattern");
    refused("SizedMap", json!({}), "", "minProperties");
    refused("MapOfObjects", json!({"k": {"x": "1"}}), "/k/x", "type");
    // What no schema declares can't be demanded: the repair says so in a finding.
    accepted("RequiredUndeclared", json!({"declared": "x"}));
}

#[test]
fn unions_name_the_member_that_was_meant() {
    accepted("ByDiscriminator", json!({"petType": "cat", "lives": 9}));
    refused(
        "ByDiscriminator",
        json!({"petType": "cat", "lives": 10}),
        "/lives",
        "maximum",
    );
    refused(
        "ByDiscriminator",
        json!({"petType": "dog", "tricks": ["s"]}),
        "/tricks/0",
        "minLength",
    );
    refused(
        "ByDiscriminator",
        json!({"petType": "cow"}),
        "/petType",
        "discriminator",
    );
    refused("ByDiscriminator", json!({"lives": 1}), "", "required");
    accepted("ByConstant", json!({"petType": "bat", "wings": 2}));
    refused(
        "ByConstant",
        json!({"petType": "bird", "wings": 3}),
        "/wings",
        "enum",
    );
    accepted("NestedUnion", json!({"petType": "dog"}));
    refused(
        "NestedUnion",
        json!({"petType": "bird", "wings": 4}),
        "/wings",
        "enum",
    );
    refused(
        "NestedUnion",
        json!({"left": {"literal": 1}, "right": {"literal": "x"}}),
        "/right/literal",
        "type",
    );
    refused("ByRequired", json!({"left": 1, "right": 2}), "", "oneOf");
    refused("ByRequired", json!({"left": "x"}), "/left", "type");
    accepted("ByKind", json!([1, 2]));
    refused("ByKind", json!([1, 2, 3]), "", "maxItems");
    refused("ByKind", json!("x"), "", "minLength");
    refused("ByKind", json!(9), "", "minimum");
    refused("ByKind", json!({"k": 1}), "/k", "type");
    accepted("Overlapping", json!({"a": 1, "b": 2}));
    accepted("Overlapping", json!({"a": 1, "c": "x"}));
    accepted("ExactlyOneNumber", json!(11));
    refused("ExactlyOneNumber", json!(7), "", "oneOf");
    accepted("TypeList", json!("ab"));
    refused("TypeList", json!("a"), "", "minLength");
    refused("TypeList", json!(2), "", "minimum");
    accepted("UnionBesideProperties", json!({"common": "x", "one": 1}));
    refused("UnionBesideProperties", json!({"one": 1}), "", "required");
    refused(
        "UnionBesideProperties",
        json!({"common": "x", "one": 1, "other": true}),
        "",
        "oneOf",
    );
}

#[test]
fn null_is_kept_apart_from_absence() {
    accepted("NullableText", json!(null));
    refused("NullableText", json!("12345"), "", "maxLength");
    accepted("NullableReference", json!(null));
    accepted(
        "NullableMembers",
        json!({"a": null, "b": [null, "x"], "c": null, "d": null, "e": null}),
    );
    accepted("NullableMembers", json!({"a": 1}));
    refused("NullableMembers", json!({}), "", "required");
    refused("NullableMembers", json!({"a": 0}), "/a", "minimum");
    refused("NullableMembers", json!({"a": 1, "d": "z"}), "/d", "enum");
}

#[test]
fn enumerations_and_constants() {
    for text in [
        "a-b", "a_b", "A B", "", "*", "self", "Self", "Other", "été", "5G", "+", "-",
    ] {
        accepted("ClosedEnumeration", json!(text));
    }
    refused("ClosedEnumeration", json!("ab"), "", "enum");
    accepted("OpenEnumeration", json!("unheard of"));
    refused("OpenEnumeration", json!(1), "", "type");
    accepted("NamedIntegers", json!(-3));
    refused("NamedIntegers", json!(3), "", "enum");
    accepted("OpenIntegers", json!(7));
    refused("OpenIntegers", json!(10), "", "maximum");
    let constants = json!({"text": "fixed", "integer": 3, "number": 1.5, "yes": true, "always": false, "mixture": "a", "list": ["x"]});
    accepted("Constants", constants.clone());
    let wrong = [
        ("text", json!("other")),
        ("integer", json!(4)),
        ("number", json!(1)),
        ("yes", json!(false)),
        ("always", json!(true)),
        ("mixture", json!(2)),
    ];
    for (name, value) in wrong {
        let mut constants = constants.clone();
        constants[name] = value;
        refused("Constants", constants, &format!("/{name}"), "enum");
    }
    accepted("5G", json!(5));
}

#[test]
fn recursion() {
    refused(
        "Tree",
        json!({"value": 1, "children": [{"value": 2, "children": [{}]}]}),
        "/children/0/children/0",
        "required",
    );
    accepted("Chain", json!({"next": {"next": {"end": true}}}));
    accepted("Ping", json!({"pong": {"ping": {"pong": {"stop": "x"}}}}));
    accepted("Nest", json!({"a": {"b": {}, "c": {"d": {}}}}));
    refused("Nest", json!({"a": {"b": 1}}), "/a/b", "type");
    refused(
        "Expression",
        json!({"left": {"literal": 1}, "right": {"left": {"literal": 2}}}),
        "/right",
        "required",
    );
}

#[test]
fn parts_add_up() {
    accepted("Derived", json!({"id": "x", "extra": 1, "note": "n"}));
    refused("Derived", json!({"id": "x", "extra": 1}), "", "required");
    refused(
        "Derived",
        json!({"id": "x", "extra": "1", "note": "n"}),
        "/extra",
        "type",
    );
    refused("Narrowed", json!({"id": "xyz"}), "/id", "maxLength");
    refused("Narrowed", json!({"id": ""}), "/id", "minLength");
    refused("Narrowed", json!({"id": "x", "note": "r"}), "/note", "enum");
    refused("Thrice", json!({"id": "x", "extra": 1, "note": "n"}), "", "anyOf");
    accepted("Thrice", json!({"id": "x", "extra": 1, "note": "n", "end": true}));
    refused("BesideReference", json!({"id": "x"}), "", "required");
    refused(
        "BesideReference",
        json!({"id": "x", "note": "n", "a": 1, "b": 2}),
        "",
        "maxProperties",
    );
    refused("TextWithRules", json!("AB1"), "", "not");
    refused("TextWithRules", json!("1AB"), "", "pattern");
}

#[test]
fn rules_across_properties() {
    refused("ExactlyOne", json!({"a": 1, "b": 2}), "", "oneOf");
    refused("ExactlyOne", json!({}), "", "oneOf");
    refused("AtMostOne", json!({"a": 1, "c": 2}), "", "not");
    accepted("AtMostOne", json!({}));
    refused("AtLeastOne", json!({}), "", "anyOf");
    refused("Conditional", json!({"kind": "big"}), "", "if");
    refused("Conditional", json!({"kind": "small", "unit": "x"}), "", "if");
    accepted("Conditional", json!({"kind": "big", "size": 1, "unit": "x"}));
    refused("Dependent", json!({"card": "x"}), "", "dependentRequired");
    refused("Several", json!({"a": true, "b": true}), "", "oneOf");
    refused("Several", json!({"a": true, "c": []}), "", "if");
}

#[test]
fn names_that_collide_are_told_apart() {
    let names = json!({
        "type": "t", "self": 1, "Self": 2, "fn": true, "crate": "c", "async": "a", "_": "u",
        "_links": {"other": "o"}, "Links": {"self": "x"}, "links": {"third": 3},
        "a-b": "1", "a_b": "2", "a b": "3", "aB": "4", "1st": 1, "@id": "i", "été": "e", "日本": "j",
        "quote\"back\\slash": "q", "new": "n", "decode": "d", "result": "Ok", "text": {"length": 1}, "vec": [{"some": "s"}],
    });
    accepted("Names", names.clone());
    let mut wrong = names;
    wrong["quote\"back\\slash"] = json!(1);
    refused("Names", wrong, "/quote\"back\\slash", "type");
    accepted("Box", json!({"box": {"box": {}}}));
    refused("links.inner", json!(""), "", "minLength");
}
