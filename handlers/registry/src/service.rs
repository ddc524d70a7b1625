//! A service as the registry keeps it, and as it appears in answers.

use std::sync::Arc;

use mec011_service_management::{
    GetApplicationService, LinkType, LocalityType, ServiceInfo, ServiceInfoLinks, ServiceInfoRequest,
    TransportInfo,
};
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::EntityTag;
use mecforge_runtime::server::Caller;
use mecforge_store::{Entry, Revision};
use serde::Serialize;

/// Creation order, and what tells services of one transaction apart.
pub(crate) type Position = (Revision, Arc<str>);

/// One registered service.
#[derive(Debug)]
pub(crate) struct Service {
    /// `serInstanceId`.
    pub(crate) id: Arc<str>,
    /// The application instance that offers it.
    pub(crate) application: Arc<str>,
    pub(crate) created: Revision,
    pub(crate) modified: Revision,
    /// What the application said, apart from its transport.
    pub(crate) info: ServiceInfoRequest,
    transport: TransportInfo,
}

impl Service {
    /// The service in an entry of the store; `None` if the entry is no service.
    pub(crate) fn read(key: &str, entry: &Entry) -> Option<Self> {
        let (application, id) = keys::service_at(key)?;
        let mut info: ServiceInfoRequest = mecforge_runtime::from_slice(&entry.value).ok()?;
        let transport = info.transport_info.take()?;
        let (id, application) = (id.into(), application.into());
        Some(Self {
            id,
            application,
            created: entry.created,
            modified: entry.modified,
            info,
            transport,
        })
    }

    /// What an entry of the store holds of a service: the request, with its transport in full.
    pub(crate) fn write(info: &ServiceInfoRequest, transport: &TransportInfo) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Stored<'a> {
            #[serde(flatten)]
            info: &'a ServiceInfoRequest,
            transport_info: &'a TransportInfo,
        }
        serde_json::to_vec(&Stored {
            info,
            transport_info: transport,
        })
    }

    pub(crate) fn position(&self) -> Position {
        (self.created, self.id.clone())
    }

    pub(crate) fn entity_tag(&self) -> EntityTag {
        outcome::entity_tag(self.modified)
    }

    /// The service as answers show it (MEC 011 clause 8.1.2.2).
    ///
    /// `livenessInterval` is left out: the platform requires no heartbeats. What the application left out is not
    /// filled in, as the standard names what absence means.
    pub(crate) fn shown_to(&self, caller: &Caller) -> ServiceInfo {
        shown(
            &self.info,
            &self.transport,
            &self.id,
            location(caller, &self.application, &self.id),
        )
    }

    /// The locality that `consumedLocalOnly` and `isLocal` refer to.
    pub(crate) fn scope_of_locality(&self) -> LocalityType {
        self.info.scope_of_locality.unwrap_or(LocalityType::MecHost)
    }

    /// Whether only applications in the same locality can consume the service.
    pub(crate) fn consumed_local_only(&self) -> bool {
        self.info.consumed_local_only.unwrap_or(true)
    }

    /// Whether the service is in the locality of the application that asks.
    pub(crate) fn is_local(&self) -> bool {
        self.info.is_local.unwrap_or(true)
    }
}

/// The absolute URL of a service under its application.
pub(crate) fn location(caller: &Caller, application: &str, id: &str) -> String {
    caller.url(&GetApplicationService::path(application, id))
}

/// A service as answers show it, from its parts.
pub(crate) fn shown(
    info: &ServiceInfoRequest,
    transport: &TransportInfo,
    id: &str,
    location: String,
) -> ServiceInfo {
    ServiceInfo {
        ser_instance_id: id.to_owned(),
        ser_name: info.ser_name.clone(),
        ser_category: info.ser_category.clone(),
        version: info.version.clone(),
        state: info.state,
        transport_info: transport.clone(),
        serializer: info.serializer.clone(),
        scope_of_locality: info.scope_of_locality,
        consumed_local_only: info.consumed_local_only,
        is_local: info.is_local,
        liveness_interval: None,
        links: ServiceInfoLinks::new(LinkType::new(location)),
    }
}
