//! `mepctl services`.

use serde_json::json;

use crate::command::{mepctl, register, service};
use crate::platform::{APP, TestPlatform};

#[tokio::test(flavor = "multi_thread")]
async fn services_are_registered_listed_shown_and_removed() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    assert_eq!(mepctl(&url, &["services", "list"]).await.ok(), "there are none\n");
    assert_eq!(
        mepctl(&url, &["services", "list", "--json"]).await.json(),
        json!([])
    );

    let second = register(&url, APP, &service("second", "1.10")).await;
    let first = register(&url, APP, &service("first", "1")).await;
    let table = mepctl(&url, &["services", "list"]).await.ok();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            vec![
                "ID",
                "NAME",
                "VERSION",
                "STATE",
                "CATEGORY",
                "TRANSPORT",
                "ENDPOINT"
            ],
            vec![
                &*first,
                "first",
                "1",
                "ACTIVE",
                "-",
                "REST_HTTP",
                "[2001:db8::1]:80"
            ],
            vec![
                &*second,
                "second",
                "1.10",
                "ACTIVE",
                "-",
                "REST_HTTP",
                "[2001:db8::1]:80"
            ],
        ],
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "colours");

    for (filter, expected) in [
        (vec!["--name", "first"], vec!["first"]),
        (
            vec!["--name", "first", "--name", "second"],
            vec!["first", "second"],
        ),
        (vec!["--id", &second], vec!["second"]),
        (vec!["--app", APP, "--state", "ACTIVE"], vec!["first", "second"]),
        (vec!["--state", "SUSPENDED"], vec![]),
    ] {
        let arguments = [vec!["--json", "services", "list"], filter].concat();
        let listed = mepctl(&url, &arguments).await.json();
        let names: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|service| &service["serName"])
            .collect();
        assert_eq!(names, expected, "{arguments:?}");
    }

    let shown = mepctl(&url, &["services", "get", &second]).await.ok();
    assert!(shown.contains("Version     1.10\n"), "{shown}");
    let said = mepctl(&url, &["services", "delete", APP, &second]).await.ok();
    assert_eq!(said, format!("service {second} is removed\n"));
    let said = mepctl(&url, &["services", "get", &second]).await.failed(1);
    assert!(
        said.contains("404") && said.contains("parameter serviceId"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_do_not_command_the_terminal() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    register(&url, APP, &service(r#""red\u001b[31m\u202ename""#, "1")).await;
    let table = mepctl(&url, &["services", "list"]).await.ok();
    assert!(table.contains("red\u{fffd}[31m\u{fffd}name"), "{table:?}");
}
