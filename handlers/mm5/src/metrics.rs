//! What is counted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::manager::Mm5;
use crate::task::{Task, TaskOperation, TaskState};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    operation: &'static str,
    outcome: &'static str,
}

/// Figures of tasks since the platform started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) unfinished: Gauge,
    finished: Family<Kind, Counter>,
}

impl Metrics {
    /// Counts a task that has finished now.
    pub(crate) fn finished(&self, task: &Task) {
        let operation = match task.operation {
            TaskOperation::Configure => "configure",
            TaskOperation::End => "end",
        };
        let outcome = match task.state {
            TaskState::Succeeded if task.changed == Some(false) => "unchanged",
            TaskState::Succeeded => "succeeded",
            _ => "failed",
        };
        self.finished.get_or_create(&Kind { operation, outcome }).inc();
    }
}

impl Mm5 {
    /// Adds what Mm5 counts to a registry, under names that begin with `mm5_`.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("mm5");
        let metrics = self.tasks.metrics();
        registry.register(
            "tasks_unfinished",
            "Tasks of managers that are not finished",
            metrics.unfinished.clone(),
        );
        registry.register(
            "tasks_finished",
            "Tasks of managers that have finished, by operation and outcome",
            metrics.finished.clone(),
        );
    }
}
