//! The application that wants to know what happens to a service: it subscribes, and the platform calls it back.

use anyhow::{Context, Result};
use mec011_app_support::AppInfo;
use mec011_service_management::{
    Client, FilteringCriteria, SerAvailabilityNotificationSubscriptionRequest,
    ServiceAvailabilityNotification, ServiceReferences, callbacks,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::SERVICE_NAME;

/// A subscription whose notifications arrive here.
pub struct Observer {
    applications: mec011_app_support::Client,
    /// Who we are to the platform.
    pub app_instance_id: String,
    changes: mpsc::Receiver<ServiceReferences>,
    server: JoinHandle<std::io::Result<()>>,
}

/// Subscribes at the platform at `platform` to everything that happens to services called [`SERVICE_NAME`].
///
/// # Errors
/// A platform that cannot be reached, or that refuses.
pub async fn observe(platform: &str) -> Result<Observer> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
    let callback = format!("http://{}/changes", listener.local_addr()?);
    let (sender, changes) = mpsc::channel(64);
    // The platform takes the notification as delivered when the handler has returned.
    let receive = move |notification: ServiceAvailabilityNotification| {
        let sender = sender.clone();
        async move {
            for reference in notification.service_references {
                // Nobody listens any more: the notification is taken all the same.
                let _ = sender.send(reference).await;
            }
        }
    };
    let router = axum::Router::new().nest("/changes", callbacks::router(receive));
    let server = tokio::spawn(axum::serve(listener, router).into_future());

    let applications = mec011_app_support::Client::new(platform)?;
    let endpoint = mec011_app_support::EndPointInfo::default().uris(vec![callback.clone()]);
    let registered = applications
        .create_registration(&AppInfo::new("weather watch").endpoint(endpoint))
        .await
        .context("cannot register the application")?;
    let app_instance_id = registered
        .body
        .app_instance_id
        .context("the platform gave no appInstanceId")?;
    let criteria = FilteringCriteria::default().ser_names(vec![SERVICE_NAME.to_owned()]);
    let subscription =
        SerAvailabilityNotificationSubscriptionRequest::new(callback).filtering_criteria(criteria);
    Client::new(platform)?
        .create_application_subscription(&app_instance_id, &subscription)
        .await
        .context("cannot subscribe")?;
    Ok(Observer {
        applications,
        app_instance_id,
        changes,
        server,
    })
}

impl Observer {
    /// The next change; `None` if no more will come.
    pub async fn next(&mut self) -> Option<ServiceReferences> {
        self.changes.recv().await
    }

    /// Deregisters the application, which takes its subscription along.
    ///
    /// # Errors
    /// A platform that cannot be reached, or that refuses.
    pub async fn withdraw(self) -> Result<()> {
        self.server.abort();
        self.applications
            .delete_registration(&self.app_instance_id)
            .await
            .context("cannot deregister")?;
        Ok(())
    }
}
