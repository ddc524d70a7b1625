//! The pages in a real browser: headless Chromium, which `cargo xtask test` installs.

use std::path::Path;
use std::process::Command;

use crate::process::Mep;

/// The document of a page after its scripts have run. The browser reaches no host but this machine, so a page that
/// needs anything from elsewhere comes out broken.
fn rendered(profile: &Path, url: &str) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=30000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .output()
        .expect("chromium does not start: `cargo xtask test` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_explorer_shows_every_operation() {
    let (data, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mep = Mep::start(data.path());
    let page = rendered(profile.path(), &format!("http://{}/explorer/", mep.address));
    let document: serde_json::Value = serde_json::from_str(mec011_service_management::DOCUMENT).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        // Swagger UI puts a mark for a line break after each `/`, and shows each path as `data-path`.
        assert!(
            page.contains(&format!("data-path=\"{path}\"")),
            "{path} is not shown"
        );
    }
    assert!(
        !page.contains("Failed to load") && !page.contains("version-pragma__message--missing"),
        "{page}"
    );
}

#[test]
fn the_first_page_leads_to_the_explorer() {
    let (data, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mep = Mep::start(data.path());
    let page = rendered(profile.path(), &format!("http://{}/", mep.address));
    assert!(page.contains("<h1>MEC platform</h1>") && page.contains("href=\"explorer/\""));
    assert!(page.contains(mec011_service_management::BASE_PATH));
}
