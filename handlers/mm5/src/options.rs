//! What an operator may choose.

use std::time::Duration;

/// Limits and times of Mm5; the default suits a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most DNS rules that one application instance may have.
    pub dns_rules: usize,
    /// The most traffic rules that one application instance may have.
    pub traffic_rules: usize,
    /// How many finished tasks are kept; older ones are forgotten.
    pub finished_tasks: usize,
    /// The most tasks that may be unfinished at a time; above it, new ones are refused with 429.
    pub unfinished_tasks: usize,
    /// How often a task is begun anew after the platform has stopped in its middle, before it fails.
    pub attempts: u32,
    /// The most subscriptions to platform events.
    pub subscriptions: usize,
    /// How long an application instance may take for its end where the manager does not say.
    pub grace: Duration,
    /// The longest that a manager may grant; at most what fits into 32 bits of seconds.
    pub longest_grace: Duration,
    /// How long after the time of grace an application instance may still be there before it is removed by force.
    pub patience: Duration,
    /// The transports that the platform offers, by name, to be listed as a capability.
    pub transports: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dns_rules: 32,
            traffic_rules: 16,
            finished_tasks: 1000,
            unfinished_tasks: 1000,
            attempts: 5,
            subscriptions: 100,
            grace: Duration::ZERO,
            longest_grace: Duration::from_secs(3600),
            patience: Duration::from_secs(10),
            transports: Vec::new(),
        }
    }
}
