//! The examples, as their readers would run them, against the real binary.

use std::time::Duration;

use mec011_service_management::{ServiceReferencesChangeType, ServiceState};
use mecforge_examples::{Weather, consumer, observer, producer};

use crate::process::Mep;

#[tokio::test(flavor = "multi_thread")]
async fn an_application_finds_the_service_of_another_and_calls_it() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let platform = format!("http://{}", mep.address);
    assert_eq!(consumer::find(&platform).await.unwrap(), []);
    let offer = producer::offer(&platform).await.unwrap();
    let found = consumer::find(&platform).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&offer.service));
    let weather = consumer::call(&found[0]).await.unwrap();
    assert_eq!(
        weather,
        Weather {
            celsius: 21.5,
            sky: "clear".to_owned()
        }
    );
    offer.withdraw().await.unwrap();
    assert_eq!(consumer::find(&platform).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_told_of_the_service_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let platform = format!("http://{}", mep.address);
    let mut observer = observer::observe(&platform).await.unwrap();
    let offer = producer::offer(&platform).await.unwrap();
    assert_eq!(offer.service.liveness_interval, Some(10));
    let mut next = async || {
        let change = tokio::time::timeout(Duration::from_secs(10), observer.next()).await;
        let change = change.expect("no notification came").unwrap();
        (change.ser_instance_id, change.change_type, change.state)
    };
    let id = offer.service.ser_instance_id.clone();
    assert_eq!(
        next().await,
        (
            id.clone(),
            ServiceReferencesChangeType::Added,
            ServiceState::Active
        )
    );
    offer.withdraw().await.unwrap();
    assert_eq!(
        next().await,
        (id, ServiceReferencesChangeType::Removed, ServiceState::Active)
    );
    observer.withdraw().await.unwrap();
}
