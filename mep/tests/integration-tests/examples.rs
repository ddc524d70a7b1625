//! The examples, as their readers would run them, against the real binary.

use mecforge_examples::{Weather, consumer, producer};

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
