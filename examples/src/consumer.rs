//! The application that needs a service: it asks the platform who offers it, and calls it there.

use anyhow::{Context, Result};
use mec011_service_management::{Client, ListServicesQuery, ServiceInfo, ServiceState};

use crate::{SERVICE_NAME, Weather};

/// The services called [`SERVICE_NAME`] that are active and local.
///
/// # Errors
/// A platform that cannot be reached, or that refuses.
pub async fn find(platform: &str) -> Result<Vec<ServiceInfo>> {
    let query = ListServicesQuery {
        ser_name: vec![SERVICE_NAME.to_owned()],
        is_local: Some(true),
        ..ListServicesQuery::default()
    };
    let found = Client::new(platform)?
        .list_services(&query)
        .await
        .context("cannot ask for services")?;
    Ok(found
        .body
        .into_iter()
        .filter(|service| service.state == ServiceState::Active)
        .collect())
}

/// Calls a service where its transport says that it is.
///
/// # Errors
/// A service without a URI, or one that does not answer as expected.
pub async fn call(service: &ServiceInfo) -> Result<Weather> {
    let uris = service
        .transport_info
        .endpoint
        .uris
        .as_deref()
        .unwrap_or_default();
    let uri = uris.first().context("the service has no URI")?;
    let answer = reqwest::get(uri)
        .await
        .with_context(|| format!("cannot reach {uri}"))?;
    let text = answer.error_for_status()?.text().await?;
    serde_json::from_str(&text).with_context(|| format!("{uri} does not answer with weather"))
}
