//! What is said, and with which exit code, when something does not work.

use crate::command::{mepctl, mepctl_with, service};
use crate::platform::{APP, TestPlatform};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_one_sentence_with_field_and_rule() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let arguments = ["services", "register", "nobody", "-"];
    let said = mepctl_with(&url, &arguments, &service("s", "1")).await.failed(1);
    assert_eq!(
        said,
        "mepctl: there is no application instance \"nobody\" (404 Not Found, parameter appInstanceId)\n"
    );
    let forbidden = [
        "subscriptions",
        "create",
        APP,
        "--callback",
        "http://forbidden.example/",
    ];
    let said = mepctl(&url, &forbidden).await.failed(1);
    assert!(said.contains("field /callbackReference"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_and_files_are_told_before_anything_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("service.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, service("s", "1").replace("'1'", "1")).unwrap();
    // Nobody listens there: what is sent fails with 1.
    let url = "http://127.0.0.1:9";
    for (arguments, expected) in [
        (
            vec!["services", "register", APP, path],
            "/version must be a string",
        ),
        (
            vec!["services", "register", APP, "/no/such/file"],
            "/no/such/file: cannot be read",
        ),
        (
            vec!["subscriptions", "create", APP, "--callback", "nowhere"],
            "callbackReference",
        ),
        (
            vec![
                "subscriptions",
                "create",
                APP,
                "--kind",
                "termination",
                "--callback",
                "http://a/",
                "--local",
                "true",
            ],
            "--local",
        ),
        (
            vec!["--ca-certificate", path, "services", "list"],
            "--ca-certificate",
        ),
    ] {
        let said = mepctl(url, &arguments).await.failed(2);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let said = mepctl("nowhere", &["services", "list"]).await.failed(2);
    assert!(said.contains("--url"), "{said}");
    for arguments in [
        &["services", "list", "--name", "a", "--id", "b"][..],
        &["services", "list", "--state", "ASLEEP"],
        &["notifications", "replay"],
        &["nothing"],
        &[],
    ] {
        let said = mepctl(url, arguments).await;
        assert_eq!((said.code, said.output.as_str()), (2, ""), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_is_a_failure() {
    for arguments in [
        &["services", "list"][..],
        &["apps", "list"],
        &["time"],
        &["services", "watch"],
    ] {
        let said = mepctl("http://127.0.0.1:9", arguments).await.failed(1);
        assert!(said.contains("no response could be had"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_without_administration_says_so() {
    let platform = TestPlatform::start().await;
    let said = mepctl(&platform.url(), &["notifications", "list"])
        .await
        .failed(1);
    assert!(said.contains("404"), "{said}");
}
