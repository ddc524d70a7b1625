//! `pull` where all goes well, and the taking in of what ETSI has changed.

use crate::checkout::{Checkout, Mirror, mirror};
use crate::forge::{Forge, Reply, hold};

/// What `pull` without names fetches: not the earlier release.
fn newest() -> Mirror {
    let mut files = mirror();
    files.remove("mec/second-api/v1.0.0/Beta.json");
    files
}

fn write_mirror(checkout: &Checkout, files: &Mirror) -> String {
    let directory = checkout.path("mirror");
    for (path, text) in files {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

#[test]
fn pulls_the_newest_releases_with_what_they_refer_to() {
    let checkout = Checkout::new();
    let forge = Forge::holding(mirror());
    let said = checkout.pull(&forge, &[]);
    assert_eq!(
        said.succeeded(),
        "4 files in etsi-specs/documents are what etsi-specs/lock.toml pins, 4 of them written now\n"
    );
    assert_eq!(checkout.documents(), newest());
    assert!(
        checkout
            .pull(&forge, &[])
            .succeeded()
            .ends_with("0 of them written now\n")
    );
}

#[test]
fn pulls_what_is_asked_for() {
    let checkout = Checkout::new();
    let forge = Forge::holding(mirror());
    checkout.pull(&forge, &["beta@v1.0.0", "beta@v1.0.0"]).succeeded();
    assert_eq!(
        checkout.documents().into_keys().collect::<Vec<_>>(),
        ["mec/second-api/v1.0.0/Beta.json"]
    );
    checkout.pull(&forge, &["--all"]).succeeded();
    assert_eq!(checkout.documents(), mirror());
}

#[test]
fn pulls_from_a_directory() {
    let checkout = Checkout::new();
    let directory = write_mirror(&checkout, &mirror());
    checkout.run(&["pull", "--from", &directory]).succeeded();
    assert_eq!(checkout.documents(), newest());
}

#[test]
fn mends_a_pulled_file_that_was_edited() {
    let checkout = Checkout::new();
    let forge = Forge::holding(mirror());
    checkout.pull(&forge, &[]).succeeded();
    std::fs::write(
        checkout.path("etsi-specs/documents/mec/first-api/HEAD/more.yaml"),
        "edited",
    )
    .unwrap();
    assert!(
        checkout
            .pull(&forge, &[])
            .succeeded()
            .ends_with("1 of them written now\n")
    );
    assert_eq!(checkout.documents(), newest());
}

#[test]
fn asks_again_where_the_failure_may_pass() {
    let checkout = Checkout::new();
    let forge = Forge::start(|path, earlier| match earlier {
        0 => Reply::Other(503, "text/plain", "busy".to_owned()),
        1 => Reply::BrokenOff,
        2 => Reply::Other(429, "text/plain", "too many".to_owned()),
        _ => hold(&mirror(), path),
    });
    checkout.pull(&forge, &[]).succeeded();
    assert_eq!(checkout.documents(), newest());
}

/// Alpha with another version, and one file more.
fn moved() -> Mirror {
    let mut files = mirror();
    let alpha = files.get_mut("mec/first-api/HEAD/Alpha.yaml").unwrap();
    *alpha = alpha.replace("1.0.0", "1.1.0") + "x: {$ref: new.yaml}\n";
    files.insert("mec/first-api/HEAD/new.yaml".to_owned(), "y: 1\n".to_owned());
    files
}

#[test]
fn says_that_head_has_moved_and_takes_it_in_on_demand() {
    let checkout = Checkout::new();
    checkout.pull(&Forge::holding(mirror()), &[]).succeeded();
    let forge = Forge::holding(moved());
    let said = checkout.pull(&forge, &[]);
    said.failed_with(&[
        "ETSI has moved HEAD: mec/first-api/HEAD/Alpha.yaml is now ",
        "nothing was changed",
        "`cargo xtask pull alpha --accept` takes the new one in",
    ]);
    assert_eq!(checkout.documents(), newest());

    let said = checkout.pull(&forge, &["alpha", "--accept"]);
    assert_eq!(
        said.succeeded(),
        "took in mec/first-api/HEAD/Alpha.yaml\ntook in mec/first-api/HEAD/new.yaml\n\
         next: `cargo xtask generate alpha`, and look at what it changes\n"
    );
    let manifest = checkout.read("etsi-specs/manifest.toml");
    assert!(manifest.starts_with("# A comment that must survive.\n"));
    assert!(
        manifest.contains("title = \"Alpha\"\nversion = \"1.1.0\"\n"),
        "{manifest}"
    );
    assert!(!manifest.contains("2020-01-01"), "{manifest}");
    assert!(
        manifest.contains("version = \"2.0.0\"\nreleases = [{ ref = \"v1.0.0\""),
        "{manifest}"
    );

    checkout.pull(&forge, &[]).succeeded();
    assert_eq!(checkout.documents().len(), 5);
    let said = checkout.pull(&forge, &["alpha", "--accept"]);
    assert_eq!(
        said.succeeded(),
        "etsi-specs/lock.toml already pins these bytes\n"
    );
    assert_eq!(checkout.read("etsi-specs/manifest.toml"), manifest);
}

#[test]
fn accepts_nothing_without_being_told_what() {
    let checkout = Checkout::new();
    let said = checkout.pull(&Forge::holding(moved()), &["--accept"]);
    assert!(!said.success);
    assert!(checkout.documents().is_empty());
}
