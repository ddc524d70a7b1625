//! A client that was generated from MEC 011 V2.1.1 on this platform of V3.1.1: what works, and what cannot.
//!
//! `docs/mec011.md` lists the same for people.

use mec011_service_management as v3;
use mec011_service_management_v2_1_1 as v2;
use mecforge_runtime::client::{Error, Unexpected};

use crate::process::Mep;

/// A platform on which an application of the older release is declared, as it cannot register.
fn platform() -> (Mep, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let configuration =
        "[[applications]]\napp_instance_id = \"old\"\napp_name = \"an application of 2020\"\n";
    (Mep::configured(directory.path(), configuration), directory)
}

fn service(name: &str) -> v2::ServiceInfoPost {
    v2::ServiceInfoPost::new(name, "1.0", v2::ServiceState::Active, v2::SerializerType::Json)
}

fn transport() -> v2::TransportInfo {
    let uri = v2::EndPointInfoUri::new("/entry".to_owned()).unwrap();
    v2::TransportInfo::new(
        "mine",
        "mine",
        v2::TransportType::RestHttp,
        "HTTP",
        "2.0",
        v2::TransportInfoEndpoint::EndPointInfoUris(v2::EndPointInfoUris::new(vec![uri])),
        v2::SecurityInfo::default(),
    )
}

#[tokio::test]
async fn services_live_their_whole_life() {
    let (mep, _directory) = platform();
    let client = v2::Client::new(format!("http://{}", mep.address)).unwrap();
    let transports = client.list_transports().await.unwrap().body;
    let created = client
        .create_application_service("old", &service("weather").transport_id(transports[0].id.as_str()))
        .await
        .unwrap();
    assert_eq!(created.body.transport_info, transports[0]);
    let id = created.body.ser_instance_id.clone().unwrap();
    assert_eq!(created.location.last_segment().as_deref(), Some(id.as_str()));
    let found = client.get_application_service("old", &id).await.unwrap();
    assert_eq!((&found.body, &found.etag), (&created.body, &created.etag));
    assert_eq!(client.get_service(&id).await.unwrap().body, created.body);

    let mut replacement = v2::ServiceInfoRequest::new(
        "weather",
        "1.1",
        v2::ServiceState::Inactive,
        transport(),
        v2::SerializerType::Json,
    );
    replacement.is_local = Some(true);
    let etag = created.etag.unwrap();
    let put = || {
        client
            .replace_application_service("old", &id, &replacement)
            .if_match(&etag)
    };
    let replaced = put().await.unwrap();
    assert_eq!(
        (replaced.body.state, &replaced.body.transport_info),
        (v2::ServiceState::Inactive, &transport())
    );
    let refused = put().await.unwrap_err();
    assert!(matches!(
        refused.response(),
        Some(v2::ReplaceApplicationServiceResponse::PreconditionFailed { .. })
    ));

    let query = v2::ListServicesQuery {
        ser_name: vec!["weather".to_owned()],
        ..Default::default()
    };
    assert_eq!(
        client.list_services(&query).await.unwrap().body,
        std::slice::from_ref(&replaced.body)
    );
    client.delete_application_service("old", &id).await.unwrap();
    let gone = client.get_service(&id).await.unwrap_err();
    assert!(
        matches!(gone.response(), Some(v2::GetServiceResponse::NotFound { .. })),
        "{gone}"
    );
}

#[tokio::test]
async fn lists_and_refusals_are_typed() {
    let (mep, _directory) = platform();
    let client = v2::Client::new(format!("http://{}", mep.address)).unwrap();
    let query = v2::ListApplicationServicesQuery::default();
    assert_eq!(
        client
            .list_application_services("old", &query)
            .await
            .unwrap()
            .body,
        []
    );
    let links = client
        .list_application_subscriptions("old")
        .await
        .unwrap()
        .body
        .links;
    assert_eq!(links.subscriptions, Some(Vec::new()));
    let unknown = client
        .create_application_service("new", &service("x").transport_id("rest-http"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            unknown.response(),
            Some(v2::CreateApplicationServiceResponse::NotFound { .. })
        ),
        "{unknown}"
    );
    let transport = client
        .create_application_service("old", &service("x").transport_id("none"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            transport.response(),
            Some(v2::CreateApplicationServiceResponse::BadRequest { .. })
        ),
        "{transport}"
    );
    assert_eq!(
        transport.problem().unwrap().extension("pointer"),
        Some("/transportId")
    );
}

/// Registers a service as V3.1.1 allows it, and returns where in it a V2.1.1 client gives up.
async fn unreadable(change: impl FnOnce(v3::ServiceInfoRequest) -> v3::ServiceInfoRequest) -> String {
    let (mep, _directory) = platform();
    let url = format!("http://{}", mep.address);
    let request =
        v3::ServiceInfoRequest::new("new", "1.0", v3::ServiceState::Active, v3::SerializerType::Json);
    let newer = v3::Client::new(&url).unwrap();
    let created = newer
        .create_application_service("old", &change(request))
        .await
        .unwrap()
        .body;
    let older = v2::Client::new(&url).unwrap();
    match older.get_service(&created.ser_instance_id).await {
        Err(Error::Unexpected {
            reason: Unexpected::Body(invalid),
            ..
        }) => invalid.pointer(),
        other => panic!("{other:?}"),
    }
}

fn newer_transport(endpoint: v3::EndPointInfo) -> v3::TransportInfo {
    v3::TransportInfo::new(
        "t",
        "t",
        v3::TransportType::RestHttp,
        "HTTP",
        "2.0",
        endpoint,
        v3::SecurityInfo::default(),
    )
}

#[tokio::test]
async fn what_the_older_release_does_not_know_it_cannot_read() {
    let offered = |request: v3::ServiceInfoRequest| request.transport_id("rest-http");
    let suspended = |mut request: v3::ServiceInfoRequest| {
        request.state = v3::ServiceState::Suspended;
        offered(request)
    };
    assert_eq!(unreadable(suspended).await, "/state");
    let serializer = |mut request: v3::ServiceInfoRequest| {
        request.serializer = v3::SerializerType::Other("CBOR".to_owned());
        offered(request)
    };
    assert_eq!(unreadable(serializer).await, "/serializer");
    let named = |request: v3::ServiceInfoRequest| {
        request.transport_info(newer_transport(
            v3::EndPointInfo::default().fqdn(vec!["weather.example".to_owned()]),
        ))
    };
    assert_eq!(unreadable(named).await, "/transportInfo/endpoint");
    let typed = |request: v3::ServiceInfoRequest| {
        let mut transport = newer_transport(v3::EndPointInfo::default().uris(vec!["/entry".to_owned()]));
        transport.r#type = v3::TransportType::Other("QUIC".to_owned());
        request.transport_info(transport)
    };
    assert_eq!(unreadable(typed).await, "/transportInfo/type");
}
