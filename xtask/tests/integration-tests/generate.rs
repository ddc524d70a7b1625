//! `generate` into `generated/`: only what differs is touched, every fault is listed, nothing is written by halves.

use crate::checkout::{Checkout, Mirror, collect};

/// Two documents, `alpha` and `beta`, each with one operation.
pub(crate) fn checkout() -> Checkout {
    let checkout = Checkout::new();
    for (path, title) in [
        ("mec/first-api/HEAD/Alpha.yaml", "Alpha"),
        ("mec/second-api/v2.0.0/Beta.json", "Beta"),
    ] {
        checkout.write(&format!("etsi-specs/documents/{path}"), &document(title));
    }
    checkout
}

/// A small OpenAPI document in YAML that is JSON too.
pub(crate) fn document(title: &str) -> String {
    format!(
        r##"{{
  "openapi": "3.1.0",
  "info": {{"title": "{title}", "version": "1.0.0"}},
  "servers": [{{"url": "https://localhost/{title}/v1"}}],
  "paths": {{
    "/things/{{thingId}}": {{
      "get": {{
        "parameters": [{{"name": "thingId", "in": "path", "required": true, "schema": {{"type": "string"}}}}],
        "responses": {{
          "200": {{
            "description": "The thing",
            "content": {{"application/json": {{"schema": {{"$ref": "#/components/schemas/Thing"}}}}}}
          }}
        }}
      }}
    }}
  }},
  "components": {{
    "schemas": {{
      "Thing": {{
        "type": "object",
        "required": ["name"],
        "properties": {{"name": {{"type": "string"}}, "size": {{"type": "integer", "format": "uint32"}}}}
      }}
    }}
  }}
}}
"##
    )
}

fn generated(checkout: &Checkout) -> Mirror {
    let mut files = Mirror::new();
    let root = checkout.path("generated");
    if root.exists() {
        collect(&root, &root, &mut files);
    }
    files
}

/// The lines of standard error that are no warnings: the documents of these tests are not the pinned ones.
fn errors(stderr: &str) -> Vec<&str> {
    stderr
        .lines()
        .filter(|line| !line.starts_with("warning: "))
        .collect()
}

#[test]
fn writes_what_differs_and_nothing_else() {
    let checkout = checkout();
    let said = checkout.run(&["generate"]);
    assert!(said.success, "{}", said.stderr);
    let files = generated(&checkout);
    for path in [
        "COVERAGE.md",
        "alpha/Cargo.toml",
        "alpha/src/lib.rs",
        "beta/Cargo.toml",
        "beta/src/lib.rs",
    ] {
        assert!(files.contains_key(path), "{path} is not in {:?}", files.keys());
        assert!(
            said.stdout.contains(&format!("added generated/{path}\n")),
            "{}",
            said.stdout
        );
    }
    assert_eq!(checkout.run(&["generate"]).stdout, "");
    let said = checkout.run(&["generate", "--check"]);
    assert!(said.success, "{}", said.stderr);

    checkout.write("generated/beta/src/lib.rs", "edited");
    assert_eq!(checkout.run(&["generate", "alpha"]).stdout, "");
    assert_eq!(
        checkout.run(&["generate", "beta"]).stdout,
        "changed generated/beta/src/lib.rs\n"
    );
    assert_eq!(generated(&checkout), files);
}

#[test]
fn lists_every_stale_missing_and_orphaned_file() {
    let checkout = checkout();
    assert!(checkout.run(&["generate"]).success);
    let files = generated(&checkout);
    checkout.write("generated/alpha/src/lib.rs", "edited");
    checkout.write("generated/alpha/src/left_over.rs", "");
    std::fs::remove_file(checkout.path("generated/beta/Cargo.toml")).unwrap();
    checkout.write("generated/gone/src/lib.rs", "");
    checkout.write("generated/rustfmt.toml", "# by hand");

    let said = checkout.run(&["generate", "--check"]);
    assert!(!said.success);
    assert_eq!(
        errors(&said.stderr),
        [
            "error: generated/alpha/src/left_over.rs is orphaned",
            "error: generated/alpha/src/lib.rs is stale",
            "error: generated/beta/Cargo.toml is missing",
            "error: generated/gone/src/lib.rs is orphaned",
            "error: 4 files are out of date; `cargo xtask generate` mends them",
        ]
    );
    let said = checkout.run(&["generate", "alpha", "--check"]);
    assert!(
        said.stderr
            .ends_with("2 files are out of date; `cargo xtask generate alpha` mends them\n")
    );

    assert!(checkout.run(&["generate"]).success);
    std::fs::remove_file(checkout.path("generated/rustfmt.toml")).unwrap();
    assert_eq!(generated(&checkout), files);
}

#[test]
fn writes_nothing_where_a_document_is_broken() {
    let checkout = checkout();
    checkout.write(
        "etsi-specs/documents/mec/first-api/HEAD/Alpha.yaml",
        "openapi: 3.1.0\npaths:\n\t/a: {}\n",
    );
    let said = checkout.run(&["generate"]);
    assert!(!said.success);
    let errors = errors(&said.stderr);
    assert!(!errors.is_empty());
    for error in errors {
        assert!(
            error.contains("etsi-specs/documents/mec/first-api/HEAD/Alpha.yaml:3:"),
            "{error}"
        );
        assert!(error.contains(": #"), "{error}");
    }
    assert_eq!(said.stdout, "");
    assert!(generated(&checkout).is_empty());
}

#[test]
fn keeps_an_earlier_release_that_has_a_crate_up_to_date() {
    let checkout = checkout();
    checkout.write(
        "etsi-specs/documents/mec/second-api/v1.0.0/Beta.json",
        &document("Beta"),
    );
    assert!(checkout.run(&["generate", "beta@v1.0.0"]).success);
    assert!(generated(&checkout)["beta@v1.0.0/Cargo.toml"].contains("beta-v1-0-0"));
    checkout.write("generated/beta@v1.0.0/src/lib.rs", "edited");
    assert!(
        checkout
            .run(&["generate"])
            .stdout
            .contains("changed generated/beta@v1.0.0/src/lib.rs\n")
    );
}

#[test]
fn says_what_to_run_where_a_document_is_not_on_this_machine() {
    let checkout = Checkout::new();
    checkout.run(&["generate", "beta"]).failed_with(&[
        "mec/second-api/v2.0.0/Beta.json cannot be found in ",
        "run `cargo xtask pull beta`",
        "MECFORGE_ETSI_MIRROR",
    ]);
    checkout.run(&["lint"]).failed_with(&[
        "2 documents, such as mec/first-api/HEAD/Alpha.yaml, cannot be found in ",
        "run `cargo xtask pull alpha beta`",
    ]);
}

#[test]
fn prints_a_document_as_it_was_written() {
    let checkout = checkout();
    let said = checkout.run(&["generate", "beta", "--no-repair"]);
    assert!(said.succeeded().contains("\"uint32\""));
    assert!(said.stdout.starts_with("{\n") && said.stdout.ends_with("}\n"));
    checkout
        .run(&["generate", "--no-repair"])
        .failed_with(&["--no-repair prints one document"]);
}
