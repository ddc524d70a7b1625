//! `generate --out`: a crate of a user's own, that compiles by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::checkout::{Mirror, Outcome, collect, run_in};
use crate::generate::document;

/// The project's own checkout, whose runtime crate is copied.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// A document of a user's own in OpenAPI 3.0, with what differs from 3.1.
const OWN: &str = "\
openapi: 3.0.3
info: {title: Own, version: 0.1.0}
servers: [{url: 'https://localhost/own/v1'}]
paths:
  /things:
    post:
      description: Prose that only --docs full copies.
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
      responses:
        '201':
          description: Made
          headers: {Location: {required: true, schema: {type: string, format: uri}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
components:
  schemas:
    Thing:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1}
        note: {type: string, nullable: true, description: Another line of prose.}
        size: {type: integer, minimum: 0, exclusiveMinimum: true}
";

struct Standalone {
    directory: TempDir,
}

impl Standalone {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("own.yaml"), OWN).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn generate(&self, arguments: &[&str]) -> Outcome {
        let (input, out) = (self.path("own.yaml"), self.path("out"));
        let mut line = vec![
            "generate",
            "--input",
            input.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        line.extend(arguments);
        run_in(&root(), &line)
    }

    /// The document of these tests has one defect, which the generator mends and tells of.
    fn note(&self) -> String {
        let input = self.path("own.yaml");
        format!(
            "1 place was repaired: `cargo xtask lint --input {}` shows what\n",
            input.display()
        )
    }

    fn files(&self) -> Mirror {
        let mut files = Mirror::new();
        collect(&self.path("out"), &self.path("out"), &mut files);
        files
    }
}

#[test]
fn compiles_without_the_workspace() {
    let standalone = Standalone::new();
    standalone
        .generate(&["--name", "my-own"])
        .succeeded_and_told(&standalone.note());
    let files = standalone.files();
    assert!(files["Cargo.toml"].contains("name = \"my-own\""));
    for manifest in ["Cargo.toml", "runtime/Cargo.toml"] {
        assert!(
            !files[manifest].contains("workspace = true"),
            "{}",
            files[manifest]
        );
    }
    assert!(
        files
            .iter()
            .all(|(path, text)| path.ends_with("openapi.json") || !text.contains("of prose"))
    );

    // The versions that the project itself is tested with; the target directory is kept from run to run.
    std::fs::copy(root().join("Cargo.lock"), standalone.path("out/Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standalone");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--all-features"])
        .current_dir(standalone.path("out"))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn copies_prose_on_demand() {
    let standalone = Standalone::new();
    standalone
        .generate(&[
            "--docs",
            "full",
            "--runtime",
            root().join("codegen/runtime").to_str().unwrap(),
        ])
        .succeeded_and_told(&standalone.note());
    let files = standalone.files();
    let sources = |words: &str| {
        files
            .iter()
            .any(|(path, text)| path.ends_with(".rs") && text.contains(words))
    };
    assert!(sources("Prose that only --docs full copies") && sources("Another line of prose"));
    assert!(!files.contains_key("runtime/Cargo.toml"));
    assert!(files["Cargo.toml"].contains("name = \"own\""));
}

#[test]
fn writes_again_over_its_own_crate_and_over_no_other() {
    let standalone = Standalone::new();
    standalone.generate(&[]).succeeded_and_told(&standalone.note());
    let files = standalone.files();
    standalone.generate(&[]).succeeded_and_told(&standalone.note());
    assert_eq!(standalone.files(), files);

    std::fs::write(standalone.path("out/src/lib.rs"), "//! Mine.\n").unwrap();
    standalone
        .generate(&[])
        .failed_with(&["holds a crate that was not generated"]);
    assert_eq!(standalone.files()["src/lib.rs"], "//! Mine.\n");
}

#[test]
fn refuses_what_cannot_work() {
    let standalone = Standalone::new();
    standalone
        .generate(&["--name", "9 lives"])
        .failed_with(&["\"9 lives\" is no name for a crate"]);
    standalone
        .generate(&["--runtime", "/nonexistent"])
        .failed_with(&["--runtime /nonexistent has no Cargo.toml"]);
    let input = standalone.path("own.yaml");
    let said = run_in(&root(), &["generate", "--input", input.to_str().unwrap()]);
    said.failed_with(&["--input needs --out"]);
    assert!(!standalone.path("out").exists());
    let two = document("Two").replace("\"type\": \"string\"}}]", "\"type\": \"nothing\"}}]");
    std::fs::write(&input, two).unwrap();
    let said = standalone.generate(&[]);
    assert!(
        !said.success && said.stderr.contains("own.yaml:8:"),
        "{}",
        said.stderr
    );
    assert!(!standalone.path("out").exists());
}
