//! `mepctl services`.

use std::io::Read;

use mec011_service_management::{
    EndPointInfo, ListApplicationServicesQuery, ListServicesQuery, ServiceInfo, ServiceInfoRequest,
};
use serde_json::json;

use super::watch;
use crate::arguments::{ServiceFilter, Services};
use crate::failure::Failure;
use crate::files;
use crate::platform::Platform;
use crate::show::{Output, or_dash, yes};

pub(crate) async fn run(
    command: Services,
    platform: &Platform,
    input: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Services::List(filter) => {
            let services = list(platform, &filter).await?;
            output.list(
                &services,
                [
                    "ID",
                    "NAME",
                    "VERSION",
                    "STATE",
                    "CATEGORY",
                    "TRANSPORT",
                    "ENDPOINT",
                ],
                row,
            )
        }
        Services::Get { service } => {
            let service = platform.services.get_service(&service).await?.body;
            output.one(&service, &properties(&service))
        }
        Services::Watch {
            filter,
            interval,
            changes,
        } => watch::run(platform, &filter, interval, changes, output).await,
        Services::Register { app, file } => {
            let request: ServiceInfoRequest = files::read(&file, input)?;
            let created = platform
                .services
                .create_application_service(&app, &request)
                .await?
                .body;
            let sentence = format!(
                "service {} is registered as {}",
                created.ser_name, created.ser_instance_id
            );
            output.done(&sentence, &created)
        }
        Services::Delete { app, service } => {
            platform
                .services
                .delete_application_service(&app, &service)
                .await?;
            output.done(
                &format!("service {service} is removed"),
                &json!({ "serInstanceId": service }),
            )
        }
    }
}

/// The services that pass a filter, by name and identifier.
pub(super) async fn list(platform: &Platform, filter: &ServiceFilter) -> Result<Vec<ServiceInfo>, Failure> {
    let filter = filter.clone();
    let mut services = match filter.app {
        Some(app) => {
            let query = ListApplicationServicesQuery {
                ser_instance_id: filter.id,
                ser_name: filter.name,
                ser_category_id: filter.category,
                scope_of_locality: filter.scope,
                consumed_local_only: filter.consumed_local_only,
                is_local: filter.local,
            };
            platform
                .services
                .list_application_services(&app, &query)
                .await?
                .body
        }
        None => {
            let query = ListServicesQuery {
                ser_instance_id: filter.id,
                ser_name: filter.name,
                ser_category_id: filter.category,
                scope_of_locality: filter.scope,
                consumed_local_only: filter.consumed_local_only,
                is_local: filter.local,
            };
            platform.services.list_services(&query).await?.body
        }
    };
    // The API has no query parameter for the state.
    services.retain(|service| filter.state.as_ref().is_none_or(|state| *state == service.state));
    services.sort_by(|left, right| {
        (&left.ser_name, &left.ser_instance_id).cmp(&(&right.ser_name, &right.ser_instance_id))
    });
    Ok(services)
}

fn row(service: &ServiceInfo) -> [String; 7] {
    [
        service.ser_instance_id.clone(),
        service.ser_name.clone(),
        service.version.clone(),
        service.state.to_string(),
        or_dash(service.ser_category.as_ref().map(|category| &category.name)),
        service.transport_info.r#type.to_string(),
        endpoint(&service.transport_info.endpoint),
    ]
}

fn properties(service: &ServiceInfo) -> Vec<(&'static str, Option<String>)> {
    let transport = &service.transport_info;
    let category = service.ser_category.as_ref();
    vec![
        ("Identifier", Some(service.ser_instance_id.clone())),
        ("Name", Some(service.ser_name.clone())),
        ("Version", Some(service.version.clone())),
        ("State", Some(service.state.to_string())),
        (
            "Category",
            category.map(|category| format!("{} ({})", category.name, category.id)),
        ),
        (
            "Transport",
            Some(format!(
                "{} {} {}",
                transport.r#type, transport.protocol, transport.version
            )),
        ),
        ("Endpoint", Some(endpoint(&transport.endpoint))),
        ("Serializer", Some(service.serializer.to_string())),
        ("Scope", service.scope_of_locality.map(|scope| scope.to_string())),
        ("Consumed locally only", service.consumed_local_only.map(yes)),
        ("On this host", service.is_local.map(yes)),
        (
            "Heartbeat",
            service
                .liveness_interval
                .map(|seconds| format!("every {seconds} s")),
        ),
        ("Link", Some(service.links.self_.href.clone())),
    ]
}

/// An endpoint in one line.
pub(super) fn endpoint(endpoint: &EndPointInfo) -> String {
    if let Some(uris) = &endpoint.uris {
        return uris.join(" ");
    }
    if let Some(names) = &endpoint.fqdn {
        return names.join(" ");
    }
    if let Some(addresses) = &endpoint.addresses {
        let addresses = addresses.iter().map(|address| match address.host.contains(':') {
            true => format!("[{}]:{}", address.host, address.port),
            false => format!("{}:{}", address.host, address.port),
        });
        return addresses.collect::<Vec<_>>().join(" ");
    }
    or_dash(
        endpoint
            .alternative
            .as_ref()
            .map(|alternative| json!(alternative)),
    )
}
