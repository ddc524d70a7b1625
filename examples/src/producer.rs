//! The application that offers a service: it registers itself, then the service, says from time to time that it is
//! there, and takes everything back at the end.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::{Json, Router, routing::get};
use mec011_app_support::AppInfo;
use mec011_service_management::{
    EndPointInfo, LocalityType, SecurityInfo, SerializerType, ServiceInfo, ServiceInfoRequest,
    ServiceLivenessUpdate, ServiceState, TransportInfo, TransportType,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{SERVICE_NAME, Weather};

/// A running service that the platform knows.
pub struct Offer {
    applications: mec011_app_support::Client,
    /// Who we are to the platform.
    pub app_instance_id: String,
    /// The service as the platform shows it.
    pub service: ServiceInfo,
    server: JoinHandle<std::io::Result<()>>,
    heartbeats: JoinHandle<()>,
}

/// How often the platform is to expect a sign of life, in seconds. It may grant another interval.
const LIVENESS_INTERVAL: u64 = 10;

/// Serves the weather on this machine and registers it with the platform at `platform`.
///
/// # Errors
/// A platform that cannot be reached, or that refuses.
pub async fn offer(platform: &str) -> Result<Offer> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
    let url = format!("http://{}/weather", listener.local_addr()?);
    let weather = Weather {
        celsius: 21.5,
        sky: "clear".to_owned(),
    };
    let server = tokio::spawn(
        axum::serve(
            listener,
            Router::new().route("/weather", get(async || Json(weather))),
        )
        .into_future(),
    );

    let applications = mec011_app_support::Client::new(platform)?;
    let application = AppInfo::new("weather station")
        .app_provider("mecforge")
        .endpoint(mec011_app_support::EndPointInfo::default().uris(vec![url.clone()]));
    let registered = applications
        .create_registration(&application)
        .await
        .context("cannot register the application")?;
    let app_instance_id = registered
        .body
        .app_instance_id
        .context("the platform gave no appInstanceId")?;

    let services = mec011_service_management::Client::new(platform)?;
    let transport = TransportInfo::new(
        "weather-http",
        "Weather over HTTP",
        TransportType::RestHttp,
        "HTTP",
        "1.1",
        EndPointInfo::default().uris(vec![url]),
        SecurityInfo::default(),
    );
    let service = ServiceInfoRequest::new(SERVICE_NAME, "1.0", ServiceState::Active, SerializerType::Json)
        .transport_info(transport)
        .scope_of_locality(LocalityType::MecHost)
        .consumed_local_only(true)
        .liveness_interval(LIVENESS_INTERVAL);
    let created = services
        .create_application_service(&app_instance_id, &service)
        .await
        .context("cannot register the service")?;
    let heartbeats = tokio::spawn(give_signs_of_life(
        services,
        app_instance_id.clone(),
        created.body.clone(),
    ));
    Ok(Offer {
        applications,
        app_instance_id,
        service: created.body,
        server,
        heartbeats,
    })
}

/// Sends a heartbeat twice in every interval that the platform has granted; none if it asks for none.
async fn give_signs_of_life(
    services: mec011_service_management::Client,
    app_instance_id: String,
    service: ServiceInfo,
) {
    let (Some(seconds), Some(_)) = (service.liveness_interval, &service.links.liveness) else {
        return;
    };
    let mut beat = tokio::time::interval(Duration::from_secs(seconds) / 2);
    loop {
        beat.tick().await;
        let alive = ServiceLivenessUpdate::new();
        // One that is lost does no harm: the next one comes in time.
        let _ = services
            .update_application_service_liveness(&app_instance_id, &service.ser_instance_id, &alive)
            .await;
    }
}

impl Offer {
    /// Deregisters the application, which takes its services along, and stops serving.
    ///
    /// # Errors
    /// A platform that cannot be reached, or that refuses.
    pub async fn withdraw(self) -> Result<()> {
        self.heartbeats.abort();
        self.server.abort();
        self.applications
            .delete_registration(&self.app_instance_id)
            .await
            .context("cannot deregister")?;
        Ok(())
    }
}
