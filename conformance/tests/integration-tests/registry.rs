//! A small registry of services with filters, and faults of filters.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::serve;

/// The document of the lists that are filtered.
pub(crate) const DOCUMENT: &str = include_str!("../../../generated/mec011-service-management/openapi.json");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// `is_local=false` gives remote services alone, which is right as well.
    RemoteOnly,
    /// A service that passes one of several filters passes.
    OrForAnd,
    /// Of several values the first one counts.
    FirstValueOnly,
    /// Absent properties fit every value.
    AbsentFitsAll,
    /// A list that nothing passes is answered 404.
    EmptyIsNotFound,
    /// Parameters that exclude each other are taken together.
    TakesExclusive,
    /// `is_local` is ignored.
    IgnoresLocality,
    /// A comma separates values.
    SplitsAtCommas,
}

struct Registry {
    fault: Fault,
    services: Mutex<Vec<(String, Value)>>,
}

type Shared = State<Arc<Registry>>;

async fn create(
    State(registry): Shared,
    Path(application): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let mut services = registry.services.lock().unwrap();
    let identifier = format!("service-{}", services.len() + 1);
    let mut service = body;
    service["serInstanceId"] = json!(identifier);
    let own = format!("/mec_service_mgmt/v1/applications/{application}/services/{identifier}");
    service["_links"] = json!({"self": {"href": own}});
    services.push((application, service.clone()));
    (StatusCode::CREATED, [(header::LOCATION, own)], Json(service)).into_response()
}

/// Whether a service has one of the values of a parameter; none for an unknown parameter.
fn fits(fault: Fault, service: &Value, name: &str, values: &[&str]) -> Option<bool> {
    let (pointer, default) = match name {
        "ser_instance_id" => ("/serInstanceId", None),
        "ser_name" => ("/serName", None),
        "ser_category_id" => ("/serCategory/id", None),
        "scope_of_locality" => ("/scopeOfLocality", Some("MEC_HOST")),
        "consumed_local_only" => ("/consumedLocalOnly", Some("true")),
        "is_local" if fault == Fault::IgnoresLocality => return Some(true),
        "is_local" if fault != Fault::RemoteOnly && values == ["false"] => return Some(true),
        "is_local" => ("/isLocal", Some("true")),
        _ => return None,
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let own = service.pointer(pointer).map(text);
    if own.is_none() && fault == Fault::AbsentFitsAll {
        return Some(true);
    }
    let own = own.or(default.map(str::to_owned))?;
    let values = match fault {
        Fault::FirstValueOnly => &values[..1],
        _ => values,
    };
    Some(values.contains(&own.as_str()))
}

fn select(registry: &Registry, application: Option<&str>, query: &str) -> Response {
    let decoded = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
    let mut filters: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in decoded.split('&').filter_map(|pair| pair.split_once('=')) {
        let own = match registry.fault {
            Fault::SplitsAtCommas => value.split(',').collect(),
            _ => vec![value],
        };
        match filters.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.extend(own),
            None => filters.push((name, own)),
        }
    }
    let exclusive = ["ser_instance_id", "ser_name", "ser_category_id"];
    let named = filters
        .iter()
        .filter(|(name, _)| exclusive.contains(name))
        .count();
    if named > 1 && registry.fault != Fault::TakesExclusive {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let passes = |service: &Value| {
        let mut all = filters
            .iter()
            .map(|(name, values)| fits(registry.fault, service, name, values).unwrap_or(false));
        match registry.fault {
            Fault::OrForAnd if filters.len() > 1 => all.any(|fits| fits),
            _ => all.all(|fits| fits),
        }
    };
    let services = registry.services.lock().unwrap();
    let found: Vec<_> = services
        .iter()
        .filter(|(owner, service)| {
            application.is_none_or(|application| application == owner) && passes(service)
        })
        .map(|(_, service)| service.clone())
        .collect();
    match found.is_empty() && !filters.is_empty() && registry.fault == Fault::EmptyIsNotFound {
        true => StatusCode::NOT_FOUND.into_response(),
        false => Json(found).into_response(),
    }
}

async fn all(State(registry): Shared, RawQuery(query): RawQuery) -> Response {
    select(&registry, None, &query.unwrap_or_default())
}

async fn own(
    State(registry): Shared,
    Path(application): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    select(&registry, Some(&application), &query.unwrap_or_default())
}

/// The registry with a fault.
pub(crate) fn registry(fault: Fault) -> SocketAddr {
    let registry = Arc::new(Registry {
        fault,
        services: Mutex::default(),
    });
    let router = Router::new()
        .route("/mec_service_mgmt/v1/services", get(all))
        .route(
            "/mec_service_mgmt/v1/applications/{id}/services",
            get(own).post(create),
        )
        .with_state(registry);
    serve(router)
}
