//! What is counted of heartbeats.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry as Metrics;

/// Counters that start at zero with the platform.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) heartbeats: Counter,
    pub(crate) suspended: Counter,
    pub(crate) resumed: Counter,
}

impl Counters {
    pub(crate) fn register(&self, metrics: &mut Metrics) {
        let metrics = metrics.sub_registry_with_prefix("liveness");
        metrics.register(
            "heartbeats",
            "Heartbeats of services received",
            self.heartbeats.clone(),
        );
        metrics.register(
            "suspended",
            "Services suspended because their heartbeats stayed away",
            self.suspended.clone(),
        );
        metrics.register(
            "resumed",
            "Suspended services that a heartbeat has made active again",
            self.resumed.clone(),
        );
    }
}
