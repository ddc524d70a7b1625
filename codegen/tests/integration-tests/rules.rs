//! Golden test: what the generator makes of `fixtures/rules.yaml`; and what it refuses, with place and reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mecforge_codegen::emit::{File, Packaging, generate};
use mecforge_codegen::model::{Options, lower};
use mecforge_document::Diagnostic;
use mecforge_document::load::load_text;

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The crate of a document, or what is wrong with the document.
fn generated(name: &str, text: &str) -> Result<Vec<File>, Vec<Diagnostic>> {
    let (document, _) = mecforge_document::prepare(load_text(&format!("{name}.yaml"), text)?, &[], false)?;
    let options = Options {
        id: format!("fixture-{name}"),
        crate_name: format!("fixture-{name}"),
        source: format!("codegen/tests/fixtures/{name}.yaml"),
        prose: false,
    };
    Ok(generate(&lower(&document, &options)?, &Packaging::Workspace).unwrap())
}

/// The crate that `codegen/corpus` judges by its schemas.
#[test]
fn rules_become_the_crate_beside_them() {
    let text = std::fs::read_to_string(place().join("fixtures/rules.yaml")).unwrap();
    let root = place().join("fixture-crate");
    let files = generated("rules", &text).unwrap();
    let wanted = files
        .iter()
        .map(|file| file.path.clone())
        .collect::<BTreeSet<_>>();
    for file in &files {
        expectorate::assert_contents(root.join(&file.path), &file.contents);
    }
    let orphans = present(&root, "")
        .difference(&wanted)
        .cloned()
        .collect::<Vec<_>>();
    assert!(
        orphans.is_empty(),
        "nothing generates {orphans:?} in {}: delete them",
        root.display()
    );
}

fn present(root: &Path, below: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root.join(below)).unwrap().map(Result::unwrap);
    let paths = entries.flat_map(|entry| {
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => present(root, &format!("{name}/")),
            false => BTreeSet::from([name]),
        }
    });
    paths.collect()
}

/// What is refused is refused with the line, the pointer and a reason; a fixture is a list of such schemas.
#[test]
fn what_has_no_rust_form_is_refused_with_its_place() {
    let text = std::fs::read_to_string(place().join("fixtures/refused.yaml")).unwrap();
    let faults = generated("refused", &text).unwrap_err();
    let lines = faults
        .iter()
        .map(|fault| format!("{fault}\n"))
        .collect::<String>();
    expectorate::assert_contents(place().join("fixtures/refused.out"), &lines);
}
