//! Stage `load`: what is read, what is bundled, and what every fault says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use mecforge_document::{Diagnostic, Document, Node, Pointer, Value, load};

/// The files of a fixture: its text, cut at lines `### file: <path>`. The first file is the root.
pub(crate) fn files(fixture: &str) -> (String, BTreeMap<String, String>) {
    let mut files = BTreeMap::new();
    let mut root = None;
    for part in fixture.split("### file: ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap();
        root.get_or_insert(path.to_owned());
        files.insert(path.to_owned(), text.to_owned());
    }
    (root.unwrap(), files)
}

/// Loads the first file of `files`.
pub(crate) fn load_files(root: &str, files: &BTreeMap<String, String>) -> Result<Document, Vec<Diagnostic>> {
    let source = |path: &str| {
        files
            .get(path)
            .cloned()
            .ok_or_else(|| "there is no such file".to_owned())
    };
    load::load(&source, root)
}

/// One message a line.
pub(crate) fn list<T: std::fmt::Display>(messages: &[T]) -> String {
    messages
        .iter()
        .fold(String::new(), |text, message| text + &message.to_string() + "\n")
}

/// The fixtures of a directory in a stable order.
pub(crate) fn fixtures(directory: &str) -> Vec<std::path::PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(directory);
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    paths
}

/// Where each mapping and sequence was written.
fn positions(document: &Document) -> String {
    fn walk(document: &Document, node: &Node, pointer: &Pointer, text: &mut String) {
        let file = document.file_of(node.origin);
        writeln!(
            text,
            "#{pointer} {file}:{}:{}",
            node.origin.line, node.origin.column
        )
        .unwrap();
        match &node.value {
            Value::Object(members) => {
                for (key, member) in members {
                    walk(document, member, &pointer.child(key), text);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(document, item, &pointer.index(index), text);
                }
            }
            _ => {}
        }
    }
    let mut text = String::new();
    walk(document, &document.root, &Pointer::root(), &mut text);
    text
}

#[test]
fn fixtures_load_as_their_golden_files_say() {
    let fixtures = fixtures("load");
    assert!(fixtures.len() >= 8, "fixtures are missing");
    for path in fixtures {
        let (root, files) = files(&std::fs::read_to_string(&path).unwrap());
        let text = match load_files(&root, &files) {
            Ok(document) => {
                let json = serde_json::to_string_pretty(&document.root).unwrap();
                format!("{json}\n\n{}", positions(&document))
            }
            Err(diagnostics) => list(&diagnostics),
        };
        expectorate::assert_contents(path.with_extension("out"), &text);
    }
}

/// Reads `text` as the file `x.yaml` and compares its value, as JSON, or its faults.
#[track_caller]
fn check_text(text: &str, expected: &str) {
    let found = match load::load_text("x.yaml", text) {
        Ok(document) => serde_json::to_string(&document.root).unwrap(),
        Err(diagnostics) => list(&diagnostics).trim_end().to_owned(),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn scalars_follow_the_core_schema_of_yaml_1_2() {
    check_text(
        "a: no\nb: 'true'\nc: 0x1F\nd: 2020-01-01\ne:\n",
        r#"{"a":"no","b":"true","c":31,"d":"2020-01-01","e":null}"#,
    );
    check_text(
        "a: !!str 12\nb: !!int 7\nc: ! 5\nd: !!float 1.5\n",
        r#"{"a":"12","b":7,"c":"5","d":1.5}"#,
    );
    check_text(
        "a: |\n  one\n  two\nb: >-\n  one\n  two\n",
        r#"{"a":"one\ntwo\n","b":"one two"}"#,
    );
}

#[test]
fn versions_stay_text_however_they_are_written() {
    check_text(
        "openapi: 3.10\ninfo:\n  version: 1.10\n",
        r#"{"openapi":"3.10","info":{"version":"1.10"}}"#,
    );
    let document = load::load_text("x.json", r#"{"swagger": 2.0, "info": {"version": 1.10}}"#).unwrap();
    assert_eq!(
        serde_json::to_string(&document.root).unwrap(),
        r#"{"swagger":"2.0","info":{"version":"1.10"}}"#
    );
}

#[test]
fn keys_that_are_no_text_become_text() {
    check_text(
        "200: a\n'404': b\ntrue: c\n1.50: d\n",
        r#"{"200":"a","404":"b","true":"c","1.50":"d"}"#,
    );
}

#[test]
fn line_ends_marks_and_blank_lines_with_tabs_do_no_harm() {
    check_text("\u{feff}a: 1\r\nb:\r\n  - x\r\n", r#"{"a":1,"b":["x"]}"#);
    check_text(
        "a:\n  b: 1\n    \t\n \t\n  c: |\n    one\n\t\n    two\n",
        r#"{"a":{"b":1,"c":"one\n\ntwo\n"}}"#,
    );
    check_text("a: one\t\nb: \t2\nc: 3\t# words\n", r#"{"a":"one","b":2,"c":3}"#);
}

#[test]
fn tabs_as_indentation_are_a_fault() {
    check_text(
        "a:\n\tb: 1\n",
        "x.yaml:2:1: #/a: a tab stands in the indentation; indent with blanks",
    );
    check_text(
        "a:\n  b: 1\n\tc: 2\n",
        "x.yaml:3:1: #/a/b: a tab stands in the indentation; indent with blanks",
    );
    check_text(
        "\ta: 1\n",
        "x.yaml:1:1: #: a tab stands in the indentation; indent with blanks",
    );
    check_text(
        "a:\n  \tb:\n    - c\nd:\n  \te: 1\n",
        "x.yaml:2:3: #/a: a tab stands in the indentation; indent with blanks\n\
         x.yaml:5:3: #/d: a tab stands in the indentation; indent with blanks",
    );
    check_text(
        "a: {\n \tb: [\n \t\t1,\n \t2]\n }\nc: |\n  one\n  \ttwo: 2\n",
        r#"{"a":{"b":[1,2]},"c":"one\n\ttwo: 2\n"}"#,
    );
}

#[test]
fn a_tab_after_a_colon_is_a_fault_with_a_remedy() {
    check_text(
        "a:\tb\n",
        "x.yaml:1:4: #: a tab follows a colon; write a blank behind the colon",
    );
}

#[test]
fn every_duplicate_key_is_found() {
    check_text(
        "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n200: x\n'200': y\n",
        "x.yaml:4:3: #/b/c: the key \"c\" is here a second time, first on line 3; keep one of the two\n\
         x.yaml:5:1: #/a: the key \"a\" is here a second time, first on line 1; keep one of the two\n\
         x.yaml:7:1: #/200: the key \"200\" is here a second time, first on line 6; keep one of the two",
    );
}

#[test]
fn broken_texts_say_where() {
    check_text("", "x.yaml: #: the text is empty");
    check_text("# only words\n", "x.yaml: #: the text is empty");
    check_text(
        "- a\n",
        "x.yaml:1:1: #: the root of the text is no mapping (type: array)",
    );
    check_text(
        "just words\n",
        "x.yaml:1:1: #: the root of the text is no mapping (type: string)",
    );
    check_text(
        "a: 1\n---\nb: 2\n",
        "x.yaml:2:1: #: the text holds several YAML documents; keep one document in a file",
    );
    check_text(
        "a: .inf\n",
        "x.yaml:1:4: #/a: .inf is no number that JSON has; write a finite number, or quote it to make it text",
    );
    check_text(
        "a: !secret x\n",
        "x.yaml:1:4: #/a: the tag !secret does not fit here; remove the tag",
    );
    check_text("? [a, b]\n: c\n", "x.yaml:1:3: #: the key is no text");
    check_text(
        ": c\n",
        "x.yaml:1:1: #: a key is missing; write a key before the colon",
    );
}

/// Expects one fault at a line, whose message begins with `message`.
#[track_caller]
fn check_fault(name: &str, text: &str, line: u32, message: &str) {
    let diagnostics = load::load_text(name, text).unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(diagnostics[0].line, line, "{}", diagnostics[0]);
    assert!(diagnostics[0].message.starts_with(message), "{}", diagnostics[0]);
}

#[test]
fn truncated_texts_are_faults() {
    check_fault("x.yaml", "a:\n  b: [1, 2\n", 3, "the text is no YAML");
    check_fault("x.yaml", "a:\n  b: \"words\n", 2, "the text is no YAML");
    check_fault("x.yaml", "a:\n    b: 1\n  c: 1\n", 3, "the text is no YAML");
    check_fault("x.json", "{\"a\": [1, 2", 1, "a comma or a closing bracket");
    check_fault("x.json", "{\"a\": \"x", 1, "a text has no closing quote");
    check_fault("x.json", "{\"a\": 1}\n}", 2, "text follows the end");
    check_fault("x.json", "{\"a\": 01}", 1, "a value should be here");
    check_fault("x.json", "{\"a\":\n 1,}", 2, "a key in quotes");
}

#[test]
fn nesting_has_a_limit_and_no_stack_overflows() {
    let deep = |levels: usize| format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(load::load_text("x.yaml", &deep(249)).is_ok());
    for levels in [250, 100_000] {
        check_fault(
            "x.yaml",
            &deep(levels),
            1,
            "the text is nested more than 250 levels deep",
        );
    }
    let json = format!("{{\"a\":{}", "[".repeat(100_000));
    check_fault("x.json", &json, 1, "the text is nested more than 250 levels deep");
}

#[test]
fn deep_schemas_and_files_without_end_overflow_no_stack() {
    let schema = format!("{}{{}}{}", "{items: ".repeat(240), "}".repeat(240));
    let deep = format!("openapi: 3.0.0\npaths: {{}}\ncomponents: {{schemas: {{A: {schema}}}}}\n");
    let mut document = load::load(&|_: &str| Ok(deep.clone()), "x.yaml").unwrap();
    mecforge_document::upgrade::upgrade(&mut document).unwrap();
    let endless = "openapi: 3.0.0\npaths: {/a: {$ref: a/x.yaml#/paths/~1a}}\n";
    let faults = load::load(&|_: &str| Ok(endless.to_owned()), "x.yaml").unwrap_err();
    assert!(list(&faults).contains("leads in a circle"), "{}", list(&faults));
    let chain = (0..3_000).fold(
        "openapi: 3.0.0\npaths: {}\ndefinitions:\n".to_owned(),
        |text, number| {
            text + &format!(
                "  A{number}: {{properties: {{next: {{$ref: 'x.yaml#/definitions/A{}'}}}}}}\n",
                number + 1
            )
        },
    ) + "  A3000: {}\n";
    let twins = "openapi: 3.0.0\npaths: {}\ncomponents:\n  schemas:\n    A: {$ref: 'a/x.yaml#/definitions/A0'}\n    \
                 B: {allOf: [{$ref: 'b/x.yaml#/definitions/A0'}]}\n";
    let source = |path: &str| {
        Ok(if path == "root.yaml" {
            twins.to_owned()
        } else {
            chain.clone()
        })
    };
    let document = load::load(&source, "root.yaml").unwrap();
    let schemas = document
        .root
        .pointer(&Pointer::from_tokens(["components", "schemas"]))
        .unwrap();
    assert_eq!(schemas.as_object().unwrap().len(), 3_003, "the twins are one");
}

#[test]
fn aliases_and_merge_keys_are_copies() {
    check_text(
        "base: &base {a: 1, b: 2}\ncopy: *base\nmore:\n  <<: *base\n  b: 3\nlist:\n  <<: [*base, {d: 4}]\n",
        r#"{"base":{"a":1,"b":2},"copy":{"a":1,"b":2},"more":{"b":3,"a":1},"list":{"a":1,"b":2,"d":4}}"#,
    );
    check_text("&key a: 1\nb: *key\n", r#"{"a":1,"b":"a"}"#);
    check_text(
        "a:\n  <<: 1\n",
        "x.yaml:2:3: #/a/<<: << merges what is no mapping",
    );
}

#[test]
fn aliases_are_bounded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![alias; 10].join(", ")).unwrap();
    }
    check_fault("x.yaml", &bomb, 6, "the aliases stand for too much");
    check_fault(
        "x.yaml",
        "a: &a\n  - *a\n",
        2,
        "the alias stands inside of what it stands for",
    );
}

#[test]
fn json_is_read_with_its_own_escapes() {
    let text = "{\n\t\"a\": \"\\ud83d\\ude00\\/\",\n\t\"b\": [1e3, -0.5, null]\n}\n";
    for name in ["x.json", "x.yaml", "x"] {
        let document = load::load_text(name, text).unwrap();
        assert_eq!(
            serde_json::to_string(&document.root).unwrap(),
            "{\"a\":\"😀/\",\"b\":[1000.0,-0.5,null]}",
            "{name}"
        );
        assert_eq!(document.root.get("b").unwrap().origin.line, 3, "{name}");
    }
    check_fault(
        "x.json",
        "{\"a\": 1,\n \"a\": 2}",
        2,
        "the key \"a\" is here a second time",
    );
}

#[test]
fn what_the_source_says_is_passed_on() {
    let source = |_: &str| Err("the file is no UTF-8".to_owned());
    let diagnostics = load::load(&source, "api.yaml").unwrap_err();
    assert_eq!(list(&diagnostics), "api.yaml: #: the file is no UTF-8\n");
    let diagnostics = load::load(&source, "../api.yaml").unwrap_err();
    assert_eq!(
        list(&diagnostics),
        "../api.yaml: #: the path leads out of the root directory\n"
    );
}
