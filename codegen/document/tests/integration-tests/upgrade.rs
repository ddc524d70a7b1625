//! Stage `upgrade`: small documents of each dialect, and what they become.

use mecforge_document::{load, upgrade};

use crate::load::{fixtures, list};

#[test]
fn fixtures_become_what_their_golden_files_say() {
    let fixtures = fixtures("upgrade");
    assert!(fixtures.len() >= 6, "fixtures are missing");
    for path in fixtures {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let source = |_: &str| Ok(text.clone());
        let mut document = load::load(&source, &name).unwrap();
        let text = match upgrade::upgrade(&mut document) {
            Ok(findings) => {
                let json = serde_json::to_string_pretty(&document.root).unwrap();
                format!("{json}\n\n{}", list(&findings))
            }
            Err(diagnostics) => list(&diagnostics),
        };
        expectorate::assert_contents(path.with_extension("out"), &text);
    }
}

/// Upgrades a text and lists what is wrong with it.
#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let mut document = load::load_text("x.yaml", text).unwrap();
    let diagnostics = upgrade::upgrade(&mut document).unwrap_err();
    assert_eq!(list(&diagnostics).trim_end(), expected);
}

#[test]
fn other_documents_are_refused() {
    check_refused(
        "info: {}\n",
        "x.yaml:1:1: #: the document has neither `openapi` nor `swagger` at its root; \
         give the path of an OpenAPI document",
    );
    for (text, place, version) in [
        ("openapi: 2.0.0\n", "10: #/openapi", "\"2.0.0\" of openapi"),
        ("openapi: 3.2.0\n", "10: #/openapi", "\"3.2.0\" of openapi"),
        ("swagger: '1.2'\n", "10: #/swagger", "\"1.2\" of swagger"),
        ("openapi: [3]\n", "10: #/openapi", "\"\" of openapi"),
    ] {
        let expected = format!(
            "x.yaml:1:{place}: version {version} is not known; \
             known are Swagger 2.0, OpenAPI 3.0 and OpenAPI 3.1"
        );
        check_refused(text, &expected);
    }
}

#[test]
fn upgrading_twice_changes_nothing() {
    for path in fixtures("upgrade") {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut document = load::load(&|_: &str| Ok(text.clone()), "x.yaml").unwrap();
        upgrade::upgrade(&mut document).unwrap();
        let once = document.root.clone();
        assert_eq!(
            upgrade::upgrade(&mut document).unwrap(),
            vec![],
            "{}",
            path.display()
        );
        assert_eq!(document.root, once, "{}", path.display());
    }
}
