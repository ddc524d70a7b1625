//! `ServiceInfo` as a person would write it for serde, without rules: what a validated value still has to become.
#![allow(
    dead_code,
    reason = "the fields are filled, which is what is measured, and not read"
)]

use serde::Deserialize;

/// Clause 8.1.2.2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceInfo {
    ser_instance_id: String,
    ser_name: String,
    ser_category: Option<CategoryRef>,
    version: String,
    state: String,
    transport_info: TransportInfo,
    serializer: String,
    scope_of_locality: Option<String>,
    consumed_local_only: Option<bool>,
    is_local: Option<bool>,
    liveness_interval: Option<u64>,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Deserialize)]
struct CategoryRef {
    href: String,
    id: String,
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct TransportInfo {
    id: String,
    name: String,
    description: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    protocol: String,
    version: String,
    endpoint: EndPointInfo,
    security: SecurityInfo,
}

#[derive(Deserialize)]
struct EndPointInfo {
    uris: Option<Vec<String>>,
    fqdn: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecurityInfo {
    o_auth2_info: Option<OAuth2Info>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OAuth2Info {
    grant_types: Vec<String>,
    token_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(rename = "self")]
    own: Link,
    liveness: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}
