//! Stage `overlay`: what actions change, what they find, and which overlays are refused.

use std::path::Path;

use mecforge_document::{Document, load, overlay};

use crate::load::list;
use crate::repair::marked;

fn fixture(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/overlay")
        .join(name);
    load::load_text(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn actions_change_what_the_golden_file_says() {
    let mut document = fixture("every-action.yaml");
    let findings = overlay::apply(&mut document, &fixture("every-action.overlay")).unwrap();
    let json = serde_json::to_string_pretty(&document.root).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/overlay/every-action.out");
    expectorate::assert_contents(path, &format!("{json}\n\n{}", marked(&findings)));
}

#[test]
fn what_an_action_adds_keeps_its_place_in_the_overlay() {
    let mut document = fixture("every-action.yaml");
    overlay::apply(&mut document, &fixture("every-action.overlay")).unwrap();
    let minimum = document
        .root
        .get("components")
        .unwrap()
        .get("schemas")
        .unwrap()
        .get("Door")
        .unwrap();
    let minimum = minimum
        .get("properties")
        .unwrap()
        .get("width")
        .unwrap()
        .get("minimum")
        .unwrap();
    assert_eq!(
        (document.file_of(minimum.origin), minimum.origin.line),
        ("every-action.overlay", 10)
    );
}

/// Applies one action that removes what `target` matches; the places are gone in the result.
#[track_caller]
fn check_target(target: &str, expected: &str) {
    let text = "a: {b: [1, 2, 3, {n: x}], 'c/d': {n: y, k: true}, e-f: {n: 1.5}}\nz: {b: {b: null}}\n";
    let mut document = load::load_text("x.yaml", text).unwrap();
    let overlay = format!(
        "overlay: 1.0.0\ninfo: {{title: t, version: v}}\nactions:\n- {{target: {}, description: d, remove: true}}\n",
        serde_json::to_string(target).unwrap()
    );
    let overlay = load::load_text("o.yaml", &overlay).unwrap();
    match overlay::apply(&mut document, &overlay) {
        Ok(_) => assert_eq!(
            serde_json::to_string(&document.root).unwrap(),
            expected,
            "{target}"
        ),
        Err(faults) => assert_eq!(list(&faults).trim_end(), expected, "{target}"),
    }
}

#[test]
fn targets_match_as_rfc_9535_says() {
    let all =
        r#"{"a":{"b":[1,2,3,{"n":"x"}],"c/d":{"n":"y","k":true},"e-f":{"n":1.5}},"z":{"b":{"b":null}}}"#;
    let without = |part: &str| {
        assert!(all.contains(part), "{part}");
        all.replacen(part, "", 1)
    };
    let keyed = without(r#","c/d":{"n":"y","k":true}"#);
    check_target("$.a['c/d']", &keyed);
    check_target(r#"$.a["c/d"]"#, &keyed);
    check_target(r"$.a['c\/d']", &keyed);
    check_target("$.a[?@.k]", &keyed);
    check_target("$.a[?(@.k)]", &keyed);
    check_target("$.a[?@.k == true]", &keyed);
    check_target("$.a[?@.n == 'y']", &keyed);
    check_target("$.a[? @.n != $.a.b[3].n && @.k ]", &keyed);
    check_target("$.a.e-f", &without(r#","e-f":{"n":1.5}"#));
    check_target("$.a[?@.n >= 1.5 && @.n < 2]", &without(r#","e-f":{"n":1.5}"#));
    check_target("$.a.b[0]", &without("1,"));
    check_target("$.a.b[-1]", &without(r#",{"n":"x"}"#));
    check_target("$.a.b[0, 2, 1]", &without("1,2,3,"));
    check_target("$.a.b[?@ > 1]", &without("2,3,"));
    check_target("$.a.b[?!@.n]", &without("1,2,3,"));
    check_target("$.z..b", &without(r#""b":{"b":null}"#));
    check_target("$..b[?@ == null]", &without(r#""b":null"#));
    check_target("$.a.*[?@ == 1 || (@ == 2 && !(@ == 3))]", &without("1,2,"));
    check_target(
        "$.*['b']",
        r#"{"a":{"c/d":{"n":"y","k":true},"e-f":{"n":1.5}},"z":{}}"#,
    );
    check_target(
        "$[*]..n",
        r#"{"a":{"b":[1,2,3,{}],"c/d":{"k":true},"e-f":{}},"z":{"b":{"b":null}}}"#,
    );
}

#[test]
fn targets_that_match_nothing_are_faults() {
    let mended = |target: &str| {
        format!(
            "o.yaml:4:12: #/actions/0/target: the target matches nothing: {target}; \
             ETSI has mended this, or the target is wrong: remove or correct the action"
        )
    };
    for target in [
        "$.missing",
        "$.a.b[4]",
        "$.a.b[-5]",
        "$.a[?@.n == 'X']",
        "$.a[?@.n < @.q]",
        "$.a['c']",
    ] {
        check_target(target, &mended(target));
    }
    let whole = "o.yaml:4:12: #/actions/0/target: the document itself cannot be removed: $";
    check_target("$", whole);
}

#[test]
fn bad_targets_are_refused_with_the_place() {
    let refused = |message: &str, character: usize, target: &str| {
        check_target(
            target,
            &format!(
                "o.yaml:4:12: #/actions/0/target: not a JSONPath that overlays can use: {message} \
                 at character {character} of {target}"
            ),
        );
    };
    refused("expected \"$\"", 1, "a.b");
    refused("expected \".\" or \"[\"", 2, "$a");
    refused(
        "expected a name or \"*\"; other names go into brackets: ['…']",
        3,
        "$.",
    );
    refused("the quoted text does not end", 6, "$['ab");
    refused("expected \"]\" or \",\"", 4, "$[1");
    refused("slices are not supported", 4, "$[1:2]");
    refused("functions are not supported", 4, "$[?length(@)]");
    refused("expected a comparison", 7, "$[?'a']");
    refused("expected a quoted name, an index, \"*\" or a filter", 3, "$[a]");
    refused(
        "expected @, $, a quoted text, a number, true, false or null",
        8,
        "$[?@ ==]",
    );
    refused("\"1-2\" is no index", 6, "$[1-2]");
    let deep = format!("$[?{}@.a{}]", "(".repeat(40), ")".repeat(40));
    refused("the filter nests deeper than 32 levels", 36, &deep);
}

/// The faults of an overlay on a small document.
#[track_caller]
fn check_faults(text: &str, expected: &str) {
    let mut document = load::load_text("x.yaml", "a: {b: 1, c: [1]}\n").unwrap();
    let overlay = load::load_text("o.yaml", text).unwrap();
    let faults = overlay::apply(&mut document, &overlay).unwrap_err();
    assert_eq!(list(&faults).trim_end(), expected);
}

#[test]
fn overlays_that_are_none_are_refused() {
    check_faults(
        "info: {title: t}\nextra: 1\n",
        "o.yaml:2:8: #/extra: an overlay has no key \"extra\"; the keys are overlay, info, extends and actions\n\
         o.yaml:1:1: #/overlay: an overlay names its version as \"overlay: 1.0.0\"\n\
         o.yaml:1:7: #/info/version: an overlay's info needs \"version\"\n\
         o.yaml:1:1: #/actions: an overlay needs a list \"actions\" with at least one action",
    );
}

const HEAD: &str = "overlay: 1.0.0\ninfo: {title: t, version: v}\nactions:\n";

#[test]
fn all_faults_of_all_actions_are_found() {
    let actions = "- {target: $.a, description: d, update: {b: 2}, upsert: 1}\n\
                   - {target: 5, update: {b: 2}}\n\
                   - {target: $.a, description: d}\n\
                   - {target: $.a, description: d, update: {b: 2}, remove: true}\n\
                   - text\n";
    check_faults(
        &format!("{HEAD}{actions}"),
        "o.yaml:4:57: #/actions/0/upsert: an action has no key \"upsert\"; \
         the keys are target, description, update and remove\n\
         o.yaml:5:12: #/actions/1/target: an action needs a JSONPath as its \"target\"\n\
         o.yaml:5:3: #/actions/1/description: an action needs a \"description\" that gives its reason\n\
         o.yaml:6:3: #/actions/2/remove: an action has either an \"update\" or \"remove: true\"\n\
         o.yaml:7:57: #/actions/3/remove: an action has either an \"update\" or \"remove: true\"\n\
         o.yaml:8:3: #/actions/4: an action is an object, this is string",
    );
}

#[test]
fn actions_that_change_nothing_or_do_not_fit_are_faults() {
    let actions = "- {target: $.a, description: d, update: {b: 1}}\n\
                   - {target: $.a.b, description: d, update: 2}\n\
                   - {target: $.a, description: d, update: [2]}\n";
    check_faults(
        &format!("{HEAD}{actions}"),
        "o.yaml:4:12: #/actions/0/target: the update changes nothing: $.a; \
         ETSI has mended this, or the target is wrong: remove or correct the action\n\
         o.yaml:5:12: #/actions/1/target: cannot merge number into number at #/a/b: $.a.b; \
         target the object that holds the value\n\
         o.yaml:6:12: #/actions/2/target: cannot merge array into object at #/a: $.a; \
         target the object that holds the value",
    );
}
