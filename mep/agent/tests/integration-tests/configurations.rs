//! Files in both formats and both languages, and what is said about wrong ones.

use mep_agent::config::Format;
use mep_agent::{Configuration, Environment};
use serde_json::json;

use crate::platform::{APP, TestPlatform};
use crate::running::{Running, services};

/// The sample that EdgeGallery's mep-agent came with, in its own words and order of keys.
const PREDECESSOR: &str = "
# sample config yaml
appInstanceId: 5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f
serviceInfoPosts:
  - serName: ExampleService10
    serCategory:
      href: \"/example/catalogue1\"
      id: 57d75ef9-ca6a-47b7-bc3e-93b9d15d8efb
      name: RNI
      version: 1.0.2
    version: 1.10
    state: ACTIVE
    transportId: 6aca7e8c-d7f0-4a92-9374-b582d60ff104
    transportInfo:
      id: 6aca7e8c-d7f0-4a92-9374-b582d60ff104
      name: REST
      description: REST API
      type: REST_HTTP
      protocol: HTTP
      version: '2.0'
      endpoint:
        uris: []
        addresses:
          - host: sampleapp.default
            port: 32115
      implSpecificInfo: {}
    serializer: JSON
    scopeOfLocality: MEC_SYSTEM
    consumedLocalOnly: false
    isLocal: true
    livenessInterval: 0
serAvailabilityNotificationSubscriptions:
  - subscriptionType: SerAvailabilityNotificationSubscription
    callbackReference: string
    links:
      self:
        href: /mecSerMgmtApi/example
    filteringCriteria:
      serInstanceIds:
        - a4fab6fa-9ac7-4e29-8af6-082223cd13fc
      serNames:
        - ExampleService
      serCategories:
        - href: /example/catalogue1
          id: id12345
          name: RNI
          version:
      states:
        - ACTIVE
      isLocal: true
";

fn environment(variables: &[(&'static str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn read(text: &str, variables: &[(&'static str, &str)]) -> Result<Configuration, String> {
    Configuration::from_text(text, Format::Yaml, &environment(variables))
        .map_err(|error| format!("{error:#}"))
}

#[test]
fn the_predecessors_file_and_environment_work() {
    let configuration = read(
        PREDECESSOR,
        &[
            ("APPINSTID", "from-environment"),
            ("MEP_IP", "10.0.0.7"),
            ("MEP_APIGW_PORT", "8443"),
        ],
    )
    .unwrap();
    assert_eq!(configuration.platform.url, "http://10.0.0.7:8443");
    assert_eq!(
        configuration.application.app_instance_id.as_deref(),
        Some("from-environment")
    );
    assert_eq!(configuration.subscriptions, [], "the sample's own can't be made");
    let expected = json!([{
        "serName": "ExampleService10",
        "serCategory": {
            "href": "/example/catalogue1",
            "id": "57d75ef9-ca6a-47b7-bc3e-93b9d15d8efb",
            "name": "RNI",
            "version": "1.0.2",
        },
        "version": "1.10",
        "state": "ACTIVE",
        "transportInfo": {
            "id": "6aca7e8c-d7f0-4a92-9374-b582d60ff104",
            "name": "REST",
            "description": "REST API",
            "type": "REST_HTTP",
            "protocol": "HTTP",
            "version": "2.0",
            "endpoint": {"addresses": [{"host": "sampleapp.default", "port": 32115}]},
            "security": {},
            "implSpecificInfo": {},
        },
        "serializer": "JSON",
        "scopeOfLocality": "MEC_SYSTEM",
        "consumedLocalOnly": false,
        "isLocal": true,
    }]);
    assert_eq!(serde_json::to_value(&configuration.services).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_services_are_taken_by_a_platform() {
    let platform = TestPlatform::start().await;
    let port = platform.address.port().to_string();
    let configuration = read(PREDECESSOR, &[("MEP_IP", "127.0.0.1"), ("MEP_APIGW_PORT", &port)]).unwrap();
    let mut agent = Running::start(configuration);
    agent.until_ready().await;
    assert_eq!(
        services(&platform.url(), APP).await[0].ser_name,
        "ExampleService10"
    );
    agent.stop().await;
    assert_eq!(services(&platform.url(), APP).await, []);
}

#[test]
fn toml_says_the_same_as_yaml() {
    let yaml = "
platform: {url: 'https://mep.example', timeout: 7}
application: {appInstanceId: a, confirmReady: false}
listen: 'off'
checkInterval: 60
services:
  - serName: s
    version: 1.10
    transportId: t
    livenessInterval: 30
subscriptions:
  - callbackReference: http://127.0.0.1/n
    filteringCriteria: {states: [ACTIVE]}
";
    let toml = r#"
listen = "off"
checkInterval = 60
[platform]
url = "https://mep.example"
timeout = 7
[application]
appInstanceId = "a"
confirmReady = false
[[services]]
serName = "s"
version = "1.10"
transportId = "t"
livenessInterval = 30
[[subscriptions]]
callbackReference = "http://127.0.0.1/n"
filteringCriteria = { states = ["ACTIVE"] }
"#;
    let environment = Environment::default();
    let from_toml = Configuration::from_text(toml, Format::Toml, &environment).unwrap();
    assert_eq!(read(yaml, &[]).unwrap(), from_toml);
    assert_eq!(from_toml.listen, None);
    assert_eq!(from_toml.services[0].version, "1.10");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let service = "application: {appInstanceId: a}\nservices:\n  - {serName: s, version: '1', transportId: t";
    for (text, variables, expected) in [
        ("services: []", &[][..], "the application instance is not named"),
        (&format!("{service}, serNam: x}}"), &[], "serNam"),
        (
            &format!("{service}, serCategory: {{href: /x, id: i, name: n}}}}"),
            &[],
            "services[0]/serCategory must have the property version",
        ),
        (
            &format!("{service}}}\n  - {{serName: s, version: '1', transportId: t}}"),
            &[],
            "services[1] is the same as services[0]",
        ),
        (
            "application: {appInstanceId: a}\nservices: [{serName: s, version: '1'}]",
            &[],
            "exactly one of transportId, transportInfo",
        ),
        (
            "application: {appInstanceId: a}\nlisten: nowhere",
            &[],
            "listen must be an IP address and a port",
        ),
        (
            "application: {appInstanceId: a}\nstopTimeout: 99999",
            &[],
            "stopTimeout must be 0 to 3600 seconds",
        ),
        (
            "application: {appInstanceId: a}\nplatform: {url: mep.example}",
            &[],
            "not an absolute http or https URL",
        ),
        (
            "application: {appInstanceId: a}",
            &[("MEP_IP", "h")],
            "MEP_APIGW_PORT is not",
        ),
        (
            "application: {appInstanceId: a}",
            &[("MEP_IP", "h"), ("MEP_APIGW_PORT", "x")],
            "is no port",
        ),
        ("application: {appInstanceId: a", &[], "line 1"),
    ] {
        match read(text, variables) {
            Err(message) => assert!(message.contains(expected), "{text}\nsays: {message}"),
            Ok(configuration) => panic!("{text} is taken: {configuration:?}"),
        }
    }
}
