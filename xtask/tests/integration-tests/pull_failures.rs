//! `pull` on the forge's bad days: one clear sentence, and what was there stays.

use std::net::TcpListener;

use crate::checkout::{Checkout, Mirror, mirror};
use crate::forge::{Forge, Reply, hold};

/// Pulls with success, then from a forge that behaves badly: it must fail with these words and change nothing.
#[track_caller]
fn fails(forge: &Forge, arguments: &[&str], words: &[&str]) {
    let checkout = Checkout::new();
    checkout.pull(&Forge::holding(mirror()), &["--all"]).succeeded();
    checkout.pull(forge, arguments).failed_with(words);
    assert_eq!(checkout.documents(), mirror());
}

fn with(path: &str, text: &str) -> Mirror {
    let mut files = mirror();
    files.insert(path.to_owned(), text.to_owned());
    files
}

#[test]
fn a_tag_that_changed() {
    let forge = Forge::holding(with("mec/second-api/v2.0.0/Beta.json", "{}"));
    fails(
        &forge,
        &["beta"],
        &[
            "mec/second-api/v2.0.0/Beta.json is 44136fa355b3",
            "the tag v2.0.0 should never",
        ],
    );
}

#[test]
fn a_referenced_file_that_changed() {
    let forge = Forge::holding(with("mec/first-api/HEAD/more.yaml", "b: {put: {}}\n"));
    fails(
        &forge,
        &[],
        &[
            "ETSI has moved HEAD: mec/first-api/HEAD/more.yaml",
            "pull alpha --accept",
        ],
    );
}

#[test]
fn a_missing_file() {
    let mut files = mirror();
    files.remove("mec/first-api/HEAD/more.yaml");
    fails(
        &Forge::holding(files),
        &[],
        &["has no mec/first-api/HEAD/more.yaml", "manifest.toml"],
    );
}

#[test]
fn a_web_page_by_its_type() {
    let forge = Forge::start(|path, _| match path {
        "mec/second-api/v2.0.0/Beta.json" => {
            Reply::Other(200, "text/html; charset=utf-8", "Sign in".to_owned())
        }
        path => hold(&mirror(), path),
    });
    fails(
        &forge,
        &[],
        &["a web page (HTML) instead of mec/second-api/v2.0.0/Beta.json"],
    );
}

#[test]
fn a_web_page_by_its_text() {
    let forge = Forge::holding(with(
        "mec/second-api/v2.0.0/Beta.json",
        "\n<!DOCTYPE html><p>Sign in</p>",
    ));
    fails(
        &forge,
        &["beta"],
        &["a web page (HTML) instead of mec/second-api/v2.0.0/Beta.json"],
    );
    fails(
        &forge,
        &["beta", "--accept"],
        &["a web page (HTML) instead of mec/second-api/v2.0.0/Beta.json"],
    );
}

#[test]
fn a_refusal() {
    let forge = Forge::start(|_, _| Reply::Other(403, "application/json", "{}".to_owned()));
    fails(
        &forge,
        &["beta"],
        &["answered 403 when asked for mec/second-api/v2.0.0/Beta.json"],
    );
}

#[test]
fn an_answer_that_keeps_breaking_off() {
    let forge = Forge::start(|_, _| Reply::BrokenOff);
    fails(&forge, &[], &["cannot be reached", "--from DIR"]);
}

#[test]
fn a_text_that_is_no_yaml_is_not_accepted() {
    let forge = Forge::holding(with("mec/first-api/HEAD/more.yaml", "a: [b\nc: d"));
    fails(
        &forge,
        &["alpha", "--accept"],
        &["mec/first-api/HEAD/more.yaml is neither YAML nor JSON", "line"],
    );
}

#[test]
fn a_reference_that_leaves_its_project() {
    let forge = Forge::holding(with(
        "mec/first-api/HEAD/more.yaml",
        "a: {$ref: ../../other/x.yaml}",
    ));
    fails(
        &forge,
        &["alpha", "--accept"],
        &["more.yaml refers to ../../other/x.yaml", "outside its project"],
    );
}

#[test]
fn an_unknown_id_names_the_nearest() {
    fails(
        &Forge::holding(mirror()),
        &["alfa"],
        &["no document is called alfa; the nearest name is alpha"],
    );
    fails(
        &Forge::holding(mirror()),
        &["beta@v9"],
        &["no release v9 of beta; it names v2.0.0, v1.0.0"],
    );
}

#[test]
fn a_forge_that_is_down() {
    let checkout = Checkout::new();
    checkout.pull(&Forge::holding(mirror()), &[]).succeeded();
    let before = checkout.documents();
    // The port is free again when its listener is dropped.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("https://127.0.0.1:{port}/rep");
    checkout.run(&["pull", "--forge", &address]).failed_with(&[
        &format!("{address} cannot be reached: "),
        "Connection refused",
        "take the documents from a directory with --from DIR",
    ]);
    assert_eq!(checkout.documents(), before);
}

#[test]
fn a_forge_with_a_certificate_of_unknown_origin() {
    let forge = Forge::holding(mirror());
    Checkout::new()
        .run(&["pull", "--forge", &forge.address()])
        .failed_with(&["certificate"]);
}

#[test]
fn an_address_without_tls() {
    let said = Checkout::new().run(&["pull", "--forge", "http://localhost:1/rep"]);
    said.failed_with(&["does not begin with https://"]);
}

#[test]
fn a_directory_without_the_file() {
    let checkout = Checkout::new();
    let directory = checkout.path("etsi-specs");
    let said = checkout.run(&["pull", "beta", "--from", directory.to_str().unwrap()]);
    said.failed_with(&["etsi-specs has no mec/second-api/v2.0.0/Beta.json"]);
}
