//! What the name server counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered by a rule, a service or a zone.
    Answered,
    /// One of our names, which has nothing of the type.
    NoData,
    /// A name that does not exist in a zone of ours.
    NoSuchName,
    /// Told to ask again by TCP.
    Truncated,
    /// Answered by an upstream, now.
    Forwarded,
    /// Answered by an upstream, earlier.
    Cached,
    /// No upstream answered, or too many questions were on their way.
    Failed,
    /// Not answered on principle.
    Refused,
    /// Another operation, class or version than those that there are.
    NotImplemented,
    /// Broken.
    Malformed,
    /// No question at all; there was no answer.
    Ignored,
}

/// All outcomes with the values of their label, in the order of their declaration.
const OUTCOMES: [(Outcome, &str); 11] = [
    (Outcome::Answered, "answered"),
    (Outcome::NoData, "no_data"),
    (Outcome::NoSuchName, "no_such_name"),
    (Outcome::Truncated, "truncated"),
    (Outcome::Forwarded, "forwarded"),
    (Outcome::Cached, "cached"),
    (Outcome::Failed, "failed"),
    (Outcome::Refused, "refused"),
    (Outcome::NotImplemented, "not_implemented"),
    (Outcome::Malformed, "malformed"),
    (Outcome::Ignored, "ignored"),
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// Counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    queries: Family<Labels, Counter>,
    /// The family's members, so that counting looks nothing up.
    by_outcome: [Counter; OUTCOMES.len()],
    pub(crate) upstream_failures: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let queries = Family::<Labels, Counter>::default();
        let by_outcome = OUTCOMES.map(|(_, outcome)| queries.get_or_create_owned(&Labels { outcome }));
        Self {
            queries,
            by_outcome,
            upstream_failures: Counter::default(),
        }
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        if let Some(counter) = self.by_outcome.get(outcome as usize) {
            counter.inc();
        }
    }

    /// How many questions there were, by outcome.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        OUTCOMES
            .iter()
            .zip(&self.by_outcome)
            .map(|((_, label), counter)| (*label, counter.get()))
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("dns");
        registry.register(
            "queries",
            "DNS messages received, by what became of them",
            self.queries.clone(),
        );
        registry.register(
            "upstream_failures",
            "Questions that no upstream name server answered",
            self.upstream_failures.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_counter() {
        let metrics = Metrics::new();
        for (place, (outcome, _)) in OUTCOMES.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
            metrics.count(outcome);
        }
        assert!(metrics.counts().all(|(_, count)| count == 1));
    }
}
