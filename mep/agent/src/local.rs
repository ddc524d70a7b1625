//! The agent's answers to its application: where services are, and how the agent is doing.

use std::cmp::Reverse;
use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use mec011_service_management::{EndPointInfo, ListServicesQuery, ServiceInfo, ServiceState};
use mecforge_runtime::client::Error;
use mecforge_runtime::server::Problem;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::platform::Platform;
use crate::status::Status;

/// What the answers are made of.
#[derive(Clone)]
struct Local {
    clients: watch::Receiver<Platform>,
    status: watch::Receiver<Status>,
}

/// `GET /endpoint/{serName}`, the predecessor's `/mep-agent/v1/endpoint/{serName}` and `/mep-agent/v1/token`,
/// `/healthz` and `/readyz`.
pub fn router(clients: watch::Receiver<Platform>, status: watch::Receiver<Status>) -> Router {
    Router::new()
        .route("/endpoint/{ser_name}", get(endpoint))
        .route("/mep-agent/v1/endpoint/{ser_name}", get(endpoint))
        .route("/mep-agent/v1/token", get(token))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .fallback(|uri: Uri| async move { Problem::not_found(format!("there is nothing at {}", uri.path())) })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and HEAD are answered here",
            )
        })
        .with_state(Local { clients, status })
}

/// Answers on a socket until told to end.
///
/// # Errors
/// Those of the socket.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(end).await
}

async fn endpoint(State(local): State<Local>, Path(ser_name): Path<String>) -> Result<Response, Problem> {
    let client = local.clients.borrow().services.clone();
    let query = ListServicesQuery {
        ser_name: vec![ser_name.clone()],
        ..ListServicesQuery::default()
    };
    let found = match client.list_services(&query).await {
        Ok(found) => found.body,
        Err(error) if matches!(error, Error::InvalidRequest { .. }) => {
            return Err(Problem::bad_request(error.to_string()).with_parameter("serName"));
        }
        Err(error) => {
            let problem = Problem::service_unavailable(format!("the platform can't say it now: {error}"));
            return Err(problem.with_cause(error));
        }
    };
    match best(found) {
        Some(service) => json::<EndPointInfo>(StatusCode::OK, &service.transport_info.endpoint),
        None => Err(
            Problem::not_found(format!("no service called {ser_name:?} is ACTIVE")).with_parameter("serName"),
        ),
    }
}

/// The service to be used of several that have the name: one on this host rather than elsewhere, else the one
/// with the least identifier, so that the answer does not change from one time to the next.
fn best(services: Vec<ServiceInfo>) -> Option<ServiceInfo> {
    services
        .into_iter()
        .filter(|service| service.state == ServiceState::Active)
        .min_by_key(|service| {
            (
                Reverse(service.is_local == Some(true)),
                service.ser_instance_id.clone(),
            )
        })
}

async fn token() -> Problem {
    Problem::not_implemented("the platform gives out no tokens yet, and wants none")
}

async fn health(State(local): State<Local>) -> Result<Response, Problem> {
    json::<Status>(StatusCode::OK, &local.status.borrow())
}

async fn readiness(State(local): State<Local>) -> Result<Response, Problem> {
    let status = local.status.borrow().clone();
    match status.ready {
        true => json(StatusCode::OK, &status),
        false => json(StatusCode::SERVICE_UNAVAILABLE, &status),
    }
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(Problem::internal)?;
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(Problem::internal)
}
