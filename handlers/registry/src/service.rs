//! A service as the registry keeps it, and as it appears in answers.

use std::sync::Arc;
use std::time::Duration;

use mec011_service_management::{
    GetApplicationService, GetApplicationServiceLiveness, LinkType, LocalityType, ServiceInfo,
    ServiceInfoLinks, ServiceInfoRequest, ServiceState, TransportInfo,
};
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::EntityTag;
use mecforge_runtime::server::Caller;
use mecforge_store::{Entry, Revision};
use serde::Serialize;

use crate::liveness::Pulse;

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
    pub(crate) content: Content,
    /// Its heartbeats; stays the same when the service changes.
    pub(crate) pulse: Arc<Pulse>,
}

/// What is kept of a service: what the application said, its transport in full, and the interval that was granted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content {
    /// Without the transport. `liveness_interval` is what was granted.
    pub(crate) info: ServiceInfoRequest,
    pub(crate) transport: TransportInfo,
}

impl Service {
    /// The service in an entry of the store; `None` if the entry is no service.
    pub(crate) fn read(key: &str, entry: &Entry) -> Option<Self> {
        let (application, id) = keys::service_at(key)?;
        Some(Self {
            id: id.into(),
            application: application.into(),
            created: entry.created,
            modified: entry.modified,
            content: Content::read(&entry.value)?,
            pulse: Arc::default(),
        })
    }

    /// Its key in the store.
    pub(crate) fn key(&self) -> String {
        keys::service(&self.application, &self.id)
    }

    pub(crate) fn position(&self) -> Position {
        (self.created, self.id.clone())
    }

    pub(crate) fn entity_tag(&self) -> EntityTag {
        outcome::entity_tag(self.modified)
    }

    /// The service as answers show it (MEC 011 clause 8.1.2.2).
    pub(crate) fn shown_to(&self, caller: &Caller) -> ServiceInfo {
        self.content.shown(caller, &self.application, &self.id)
    }
}

impl Content {
    /// From the value of an entry of the store.
    fn read(value: &[u8]) -> Option<Self> {
        let mut info: ServiceInfoRequest = mecforge_runtime::from_slice(value).ok()?;
        let transport = info.transport_info.take()?;
        Some(Self { info, transport })
    }

    /// The value of an entry of the store: the request, with its transport in full.
    pub(crate) fn write(&self) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Stored<'a> {
            #[serde(flatten)]
            info: &'a ServiceInfoRequest,
            transport_info: &'a TransportInfo,
        }
        serde_json::to_vec(&Stored {
            info: &self.info,
            transport_info: &self.transport,
        })
    }

    /// The same in another state.
    pub(crate) fn in_state(&self, state: ServiceState) -> Self {
        let mut content = self.clone();
        content.info.state = state;
        content
    }

    /// The time between heartbeats that was granted; `None` if none are asked for.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let seconds = self.info.liveness_interval.filter(|seconds| *seconds > 0);
        seconds.map(Duration::from_secs)
    }

    /// Whether the service is suspended when heartbeats stay away.
    pub(crate) fn is_watched(&self) -> bool {
        self.info.state == ServiceState::Active && self.interval().is_some()
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

    /// The identifier of its category.
    pub(crate) fn category(&self) -> Option<&str> {
        self.info
            .ser_category
            .as_ref()
            .map(|category| category.id.as_str())
    }

    /// The service as answers show it (MEC 011 clause 8.1.2.2).
    ///
    /// `livenessInterval` and the link to the liveness resource are there only if heartbeats are asked for. What the
    /// application left out is not filled in, as the standard names what absence means.
    pub(crate) fn shown(&self, caller: &Caller, application: &str, id: &str) -> ServiceInfo {
        let Self { info, transport } = self;
        let mut links = ServiceInfoLinks::new(LinkType::new(
            caller.url(&GetApplicationService::path(application, id)),
        ));
        let interval = self.interval();
        if interval.is_some() {
            let liveness = GetApplicationServiceLiveness::path(application, id);
            links = links.liveness(LinkType::new(caller.url(&liveness)));
        }
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
            liveness_interval: interval.map(|interval| interval.as_secs()),
            links,
        }
    }
}
