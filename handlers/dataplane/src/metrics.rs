//! What the data plane counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters since the platform started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// Times that the rules in the kernel were replaced.
    pub(crate) replacements: Counter,
    /// Times that this failed.
    pub(crate) failures: Counter,
    /// Times that the kernel was found changed by somebody else.
    pub(crate) drifts: Counter,
    /// Rules in force.
    pub(crate) active: Gauge,
    /// Active rules that could not be put in force.
    pub(crate) left_out: Gauge,
}

impl Metrics {
    /// Shows them under `dataplane`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("dataplane");
        registry.register(
            "replacements",
            "Times that the traffic rules in the kernel were replaced",
            self.replacements.clone(),
        );
        registry.register(
            "failures",
            "Times that traffic rules could not be put into the kernel",
            self.failures.clone(),
        );
        registry.register(
            "drifts",
            "Times that traffic rules in the kernel were found changed by somebody else",
            self.drifts.clone(),
        );
        registry.register("active_rules", "Traffic rules in force", self.active.clone());
        registry.register(
            "left_out_rules",
            "Active traffic rules that could not be put in force",
            self.left_out.clone(),
        );
    }
}
