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
    for file in generate(&api, &Packaging::Workspace).unwrap() {
        // The crate's manifest is written by hand, because it has tests.
        if file.path != "Cargo.toml" {
            expectorate::assert_contents(place.join("operations-crate").join(&file.path), &file.contents);
        }
    }
}
