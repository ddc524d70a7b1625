//! Stage `settle`: marks and decisions become plain OpenAPI; what cannot be settled is a fault.

use mecforge_document::{load, settle};

use crate::load::{fixtures, list};
use crate::repair::marked;

#[test]
fn fixtures_become_what_their_golden_files_say() {
    let fixtures = fixtures("settle");
    assert!(fixtures.len() >= 10, "fixtures are missing");
    for path in fixtures {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut document = load::load_text(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
        let text = match settle::settle(&mut document) {
            Ok(findings) => {
                let json = serde_json::to_string_pretty(&document.root).unwrap();
                format!("{json}\n\n{}", marked(&findings))
            }
            Err(diagnostics) => list(&diagnostics),
        };
        expectorate::assert_contents(path.with_extension("out"), &text);
    }
}

#[test]
fn a_settled_document_stays_as_it_is() {
    for path in fixtures("settle") {
        // What a mark has kept is kept once: the marks are gone afterwards.
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("wrapped-bod")
        {
            continue;
        }
        let mut document = load::load_text("x.yaml", &std::fs::read_to_string(&path).unwrap()).unwrap();
        if settle::settle(&mut document).is_ok() {
            let before = serde_json::to_string_pretty(&document.root).unwrap();
            let findings = settle::settle(&mut document).unwrap();
            assert_eq!(marked(&findings), "", "{}", path.display());
            assert_eq!(
                serde_json::to_string_pretty(&document.root).unwrap(),
                before,
                "{}",
                path.display()
            );
        }
    }
}
