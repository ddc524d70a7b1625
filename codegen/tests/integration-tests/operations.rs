//! Golden test: what the generator makes of `fixtures/operations.yaml` is what the crate beside it holds.

use std::path::Path;

use mecforge_codegen::emit::{Packaging, generate};
use mecforge_codegen::model::{Options, lower};
use mecforge_document::load::load_text;

/// The crate of `fixtures/operations.yaml`, whose own tests show how the generated code behaves.
#[test]
fn operations_become_the_crate_beside_them() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let text = std::fs::read_to_string(place.join("fixtures/operations.yaml")).unwrap();
    let document = load_text("operations.yaml", &text).unwrap();
    let (document, _) = mecforge_document::prepare(document, &[], false).unwrap();
    let options = Options {
        id: "fixture-operations".to_owned(),
        crate_name: "fixture-operations".to_owned(),
        source: "codegen/tests/fixtures/operations.yaml".to_owned(),
        prose: false,
    };
    let api = lower(&document, &options).unwrap();
    let files = generate(&api, &Packaging::Workspace).unwrap();
    let root = place.join("operations-crate");
    for file in files.iter().filter(|file| file.path != "Cargo.toml") {
        // The crate's manifest is written by hand, because it has tests.
        expectorate::assert_contents(root.join(&file.path), &file.contents);
    }
    let mut found = Vec::new();
    list(&root.join("src"), "src", &mut found);
    found.sort();
    let written: Vec<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| path.starts_with("src/"))
        .collect();
    assert_eq!(
        found, written,
        "files that nothing writes, or the other way round"
    );
}

/// The files below a folder, by their paths from the crate's root.
fn list(folder: &Path, name: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => list(&entry.path(), &name, found),
            false => found.push(name),
        }
    }
}
