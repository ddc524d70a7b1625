//! From start to stop: registering, heartbeats, crashes of either side, new configurations.

use std::time::Duration;

use mec011_app_support::{Client as Support, GetRegistrationResponse};
use mec011_service_management::{Client, ServiceState};
use mecforge_runtime::client::Error;
use tokio::time::{Instant, sleep};

use crate::platform::{APP, TestPlatform};
use crate::running::{Running, configuration, service, services, until_services};

fn yaml(services: &[String]) -> String {
    format!(
        "application: {{appInstanceId: {APP}}}\nservices:{}",
        services.concat()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn services_stay_active_by_heartbeats_and_go_with_the_agent() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let file = yaml(&[service("beating", "1.0", Some(1)), service("quiet", "1.10", None)]);
    let mut agent = Running::start(configuration(&url, &file));
    let status = agent.until_ready().await;
    assert_eq!(status.app_instance_id.as_deref(), Some(APP));
    assert_eq!(status.services[0].liveness_interval, Some(1));
    assert_eq!(status.services[1].liveness_interval, None);

    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        let there = services(&url, APP).await;
        assert_eq!(there.len(), 2);
        assert!(
            there.iter().all(|service| service.state == ServiceState::Active),
            "{there:?}"
        );
        assert!(there.iter().any(|service| service.version == "1.10"), "{there:?}");
        sleep(Duration::from_millis(200)).await;
    }
    agent.stop().await;
    assert_eq!(services(&url, APP).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_crashed_finds_its_own_services_again() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let file = yaml(&[service("a", "1", Some(1)), service("b", "1", None)]);
    let mut agent = Running::start(configuration(&url, &file));
    agent.until_ready().await;
    let before = services(&url, APP).await;
    agent.kill().await;
    until_services(&url, APP, "suspended", |services| {
        services
            .iter()
            .any(|service| service.state == ServiceState::Suspended)
    })
    .await;

    let mut agent = Running::start(configuration(&url, &file));
    agent.until_ready().await;
    let after = until_services(&url, APP, "active again", |services| {
        services
            .iter()
            .all(|service| service.state == ServiceState::Active)
    })
    .await;
    let ids = |services: &[mec011_service_management::ServiceInfo]| {
        let mut ids: Vec<_> = services
            .iter()
            .map(|service| service.ser_instance_id.clone())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&after), ids(&before));
    agent.stop().await;
    assert_eq!(services(&url, APP).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_restarts_or_loses_everything_is_told_again() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let file = yaml(&[service("a", "1", Some(1)), service("b", "1", None)]);
    let mut agent = Running::start(configuration(&url, &file));
    agent.until_ready().await;
    let before = services(&url, APP).await;

    let (address, directory) = platform.stop().await;
    agent
        .until("disconnected", |status| !status.connected && !status.ready)
        .await;
    let platform = TestPlatform::start_at(address, directory, |router, _| router).await;
    agent.until_ready().await;
    let mut kept = services(&url, APP).await;
    let mut expected = before.clone();
    for services in [&mut kept, &mut expected] {
        services.sort_by(|left, right| left.ser_name.cmp(&right.ser_name));
    }
    assert_eq!(kept, expected);

    let (address, _) = platform.stop().await;
    let empty = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let _platform = TestPlatform::start_at(address, empty, |router, _| router).await;
    let new = until_services(&url, APP, "registered anew", |services| services.len() == 2).await;
    assert!(new.iter().all(|service| {
        !before
            .iter()
            .any(|old| old.ser_instance_id == service.ser_instance_id)
    }));
    agent.until_ready().await;
    agent.stop().await;
    assert_eq!(services(&url, APP).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_down_at_the_start_is_waited_for() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let (address, directory) = platform.stop().await;
    let mut agent = Running::start(configuration(&url, &yaml(&[service("a", "1", None)])));
    agent
        .until("in trouble", |status| status.error.is_some() && !status.connected)
        .await;
    let _platform = TestPlatform::start_at(address, directory, |router, _| router).await;
    agent.until_ready().await;
    assert_eq!(services(&url, APP).await.len(), 1);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_somebody_removes_comes_back() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let mut agent = Running::start(configuration(&url, &yaml(&[service("a", "1", None)])));
    agent.until_ready().await;
    let before = services(&url, APP).await.remove(0).ser_instance_id;
    let client = Client::new(&url).unwrap();
    client.delete_application_service(APP, &before).await.unwrap();
    let after = until_services(&url, APP, "back", |services| services.len() == 1).await;
    assert_ne!(after[0].ser_instance_id, before);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_changes_what_differs() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let old = yaml(&[
        service("kept", "1", None),
        service("changed", "1", None),
        service("former", "1", None),
    ]);
    let mut agent = Running::start(configuration(&url, &old));
    agent.until_ready().await;
    let before = services(&url, APP).await;
    let client = Client::new(&url).unwrap();
    let id = |name: &str| {
        let found = before.iter().find(|service| service.ser_name == name).unwrap();
        found.ser_instance_id.clone()
    };
    let tag = client.get_service(&id("kept")).await.unwrap().etag;

    let new = yaml(&[
        service("new", "1", None),
        service("changed", "2", None),
        service("kept", "1", None),
    ]);
    agent.reload(configuration(&url, &new)).await;
    let after = until_services(&url, APP, "changed", |services| {
        services.iter().any(|service| service.version == "2")
            && services.iter().any(|service| service.ser_name == "new")
            && services.len() == 3
    })
    .await;
    let found = |name: &str| after.iter().find(|service| service.ser_name == name).unwrap();
    assert_eq!(found("kept").ser_instance_id, id("kept"));
    assert_eq!(found("changed").ser_instance_id, id("changed"));
    assert_eq!(
        client.get_service(&id("kept")).await.unwrap().etag,
        tag,
        "changed without need"
    );
    agent.until_ready().await;
    agent.stop().await;
    assert_eq!(services(&url, APP).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_others_are_left_alone() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let mut other = configuration(&url, &yaml(&[service("other", "1", None)]));
    other.remove_on_stop = false;
    let mut agent = Running::start(other);
    agent.until_ready().await;
    agent.stop().await;
    let mut agent = Running::start(configuration(&url, &yaml(&[service("own", "1", None)])));
    agent.until_ready().await;
    agent.stop().await;
    let left = services(&url, APP).await;
    assert_eq!(
        left.iter()
            .map(|service| service.ser_name.as_str())
            .collect::<Vec<_>>(),
        ["other"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_service_does_not_stop_the_others() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let unknown = "
  - serName: refused
    version: '1'
    transportId: no-such-transport
";
    let file = yaml(&[unknown.to_owned(), service("good", "1", None)]);
    let mut agent = Running::start(configuration(&url, &file));
    let status = agent
        .until("partly registered", |status| {
            status.services[0].error.is_some() && status.services[1].ser_instance_id.is_some()
        })
        .await;
    assert!(!status.ready && status.connected, "{status:?}");
    assert!(
        status.services[0].error.as_ref().unwrap().contains("transportId"),
        "{status:?}"
    );
    agent.stop().await;
    assert_eq!(services(&url, APP).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_made_once_and_go_with_the_agent() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let file = format!(
        "application: {{appInstanceId: {APP}}}
subscriptions:
  - callbackReference: http://127.0.0.1:9/notify
    filteringCriteria: {{serNames: [other], states: [ACTIVE]}}
  - callbackReference: http://127.0.0.1:9/notify
"
    );
    let count = async || {
        let client = Client::new(&url).unwrap();
        let list = client.list_application_subscriptions(APP).await.unwrap().body;
        list.links.subscriptions.unwrap_or_default().len()
    };
    let mut agent = Running::start(configuration(&url, &file));
    agent.until_ready().await;
    assert_eq!(count().await, 2);
    agent.kill().await;
    let mut agent = Running::start(configuration(&url, &file));
    agent.until_ready().await;
    assert_eq!(count().await, 2, "made again");
    agent.stop().await;
    assert_eq!(count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_registers_its_application_finds_it_again_and_deregisters_it() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state.json");
    let file = format!(
        "application:
  registration:
    appName: camera
    endpoint: {{uris: ['http://camera.example']}}
services:{}",
        service("frames", "1", None)
    );
    let with_state = || {
        let mut configuration = configuration(&url, &file);
        configuration.state_file = Some(state.clone());
        configuration
    };
    let mut agent = Running::start(with_state());
    let id = agent.until_ready().await.app_instance_id.unwrap();
    let before = services(&url, &id).await;
    let client = Client::new(&url).unwrap();
    let tag = client.get_service(&before[0].ser_instance_id).await.unwrap().etag;
    agent.kill().await;

    let mut agent = Running::start(with_state());
    assert_eq!(agent.until_ready().await.app_instance_id, Some(id.clone()));
    assert_eq!(services(&url, &id).await, before);
    let now = client.get_service(&before[0].ser_instance_id).await.unwrap().etag;
    assert_eq!(now, tag, "changed without need");
    agent.stop().await;
    let support = Support::new(&url).unwrap();
    match support.get_registration(&id).await {
        Err(Error::Response { response, .. }) => {
            assert!(matches!(*response, GetRegistrationResponse::NotFound { .. }));
        }
        other => panic!("still registered: {other:?}"),
    }
    assert!(!state.exists(), "there is nothing left to find again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_platform_that_is_away() {
    let platform = TestPlatform::start().await;
    let mut configuration = configuration(&platform.url(), &yaml(&[service("a", "1", None)]));
    configuration.stop_timeout = Duration::from_millis(300);
    let mut agent = Running::start(configuration);
    agent.until_ready().await;
    platform.stop().await;
    let begun = Instant::now();
    agent.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_refused_subscription_is_not_ready() {
    let platform = TestPlatform::start().await;
    let file = format!(
        "{}subscriptions:\n  - callbackReference: http://forbidden.example/\n",
        yaml(&[service("a", "1", None)])
    );
    let mut agent = Running::start(configuration(&platform.url(), &file));
    let registered = |status: &mep_agent::Status| status.services[0].ser_instance_id.is_some();
    let status = agent.until("registered", registered).await;
    assert!(!status.ready, "{status:?}");
    sleep(Duration::from_millis(500)).await;
    assert!(!agent.status.borrow().ready);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crashed_agent_left_behind_is_removed_by_the_state_file() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let directory = tempfile::tempdir().unwrap();
    let with_state = |services: &[String]| {
        let mut configuration = configuration(&url, &yaml(services));
        configuration.state_file = Some(directory.path().join("state.json"));
        configuration
    };
    let mut agent = Running::start(with_state(&[
        service("former", "1", None),
        service("renewed", "1", None),
    ]));
    agent.until_ready().await;
    let before = services(&url, APP).await;
    agent.kill().await;

    let mut agent = Running::start(with_state(&[service("renewed", "2", None)]));
    agent.until_ready().await;
    let after = services(&url, APP).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!(
        (after[0].ser_name.as_str(), after[0].version.as_str()),
        ("renewed", "2")
    );
    assert!(
        before
            .iter()
            .any(|service| service.ser_instance_id == after[0].ser_instance_id)
    );
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_forgot_the_application_is_told_again() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let file = format!(
        "application:
  registration:
    appName: camera
    appInstanceId: cam-1
    endpoint: {{uris: ['http://camera.example']}}
services:{}",
        service("frames", "1", None)
    );
    let mut agent = Running::start(configuration(&url, &file));
    assert_eq!(
        agent.until_ready().await.app_instance_id.as_deref(),
        Some("cam-1")
    );
    let (address, _) = platform.stop().await;
    let empty = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let _platform = TestPlatform::start_at(address, empty, |router, _| router).await;
    until_name(&url, "camera").await;
    until_services(&url, "cam-1", "registered anew", |services| services.len() == 1).await;

    let renamed = file.replace("appName: camera", "appName: webcam");
    agent.reload(configuration(&url, &renamed)).await;
    until_name(&url, "webcam").await;
    agent.stop().await;
}

/// Waits until the application instance `cam-1` is registered with a name.
async fn until_name(url: &str, name: &str) {
    let support = Support::new(url).unwrap();
    let begun = Instant::now();
    loop {
        match support.get_registration("cam-1").await {
            Ok(found) if found.body.app_name == name => return,
            other => assert!(
                begun.elapsed() < Duration::from_secs(20),
                "never {name}: {other:?}"
            ),
        }
        sleep(Duration::from_millis(50)).await;
    }
}
