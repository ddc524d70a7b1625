//! Metrics in the text format of OpenMetrics, which Prometheus reads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mecforge_runtime::operation::Operation;
use mecforge_store::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The media type of [`Metrics::render`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the latency histogram's buckets, in seconds.
const BUCKETS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    api: &'static str,
    method: &'static str,
    path: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    api: &'static str,
    method: &'static str,
    path: &'static str,
}

/// Where the answers of one operation with one status are counted.
#[derive(Clone, Debug)]
pub struct Series {
    requests: Counter,
    seconds: Histogram,
}

impl Series {
    /// Counts one answer.
    pub fn count(&self, elapsed: Duration) {
        self.requests.inc();
        self.seconds.observe(elapsed.as_secs_f64());
    }
}

/// Something that can be counted on demand, such as the number of services.
pub type Gauge = Box<dyn Fn() -> i64 + Send + Sync>;

/// All metrics of a platform.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Metrics of a store and of requests, none of which has come yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, gauges: Vec<(&'static str, &'static str, Gauge)>) -> Self {
        let mut registry = Registry::with_prefix("mep");
        let requests = Family::default();
        registry.register(
            "http_requests",
            "Requests answered, by operation and status",
            requests.clone(),
        );
        let seconds: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let help = "Time from a request's head to its answer, by operation";
        registry.register_with_unit("http_request", help, Unit::Seconds, seconds.clone());
        registry.register_collector(Box::new(OnDemand { store, gauges }));
        Self {
            registry,
            requests,
            seconds,
        }
    }

    /// Where handlers register metrics of their own.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Where an answer is counted. Requests that no operation answered are counted together, whatever their paths.
    #[must_use]
    pub fn series(&self, api: &'static str, operation: Option<&'static Operation>, status: u16) -> Series {
        let (method, path) = operation.map_or(("", ""), |operation| (operation.method, operation.path));
        Series {
            requests: self.requests.get_or_create_owned(&Answer {
                api,
                method,
                path,
                status,
            }),
            seconds: self.seconds.get_or_create_owned(&Route { api, method, path }),
        }
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// Those of formatting, which do not occur in memory.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Figures that are asked for when metrics are read, and cost nothing otherwise.
struct OnDemand {
    store: Arc<dyn Store>,
    gauges: Vec<(&'static str, &'static str, Gauge)>,
}

impl fmt::Debug for OnDemand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnDemand").finish_non_exhaustive()
    }
}

impl Collector for OnDemand {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = self.store.figures();
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let store = [
            ("store_entries", "Keys in the store", signed(figures.entries)),
            (
                "store_size_bytes",
                "Bytes of keys and values in the store",
                signed(figures.bytes),
            ),
            (
                "store_journal_bytes",
                "Bytes of journal since the last snapshot",
                signed(figures.journal_bytes),
            ),
            ("store_revision", "The store's revision", signed(figures.revision)),
            (
                "store_writable",
                "Whether the store takes writes",
                i64::from(self.store.health().is_ok()),
            ),
        ];
        for (name, help, value) in store {
            gauge(&mut encoder, name, help, value)?;
        }
        for (name, help, read) in &self.gauges {
            gauge(&mut encoder, name, help, read())?;
        }
        let counters = [
            ("store_commits", "Transactions committed", figures.commits),
            (
                "store_conflicts",
                "Transactions refused because a condition did not hold",
                figures.conflicts,
            ),
            (
                "store_syncs",
                "Times that writes were made durable",
                figures.syncs,
            ),
            ("store_snapshots", "Snapshots written", figures.snapshots),
        ];
        for (name, help, value) in counters {
            counter(&mut encoder, name, help, None, &ConstCounter::new(value))?;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a metric in seconds has no use for the last nanoseconds"
        )]
        let seconds = figures.sync_nanoseconds as f64 / 1e9;
        counter(
            &mut encoder,
            "store_sync",
            "Time spent making writes durable",
            Some(&Unit::Seconds),
            &ConstCounter::new(seconds),
        )
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn counter<C: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    counter: &C,
) -> fmt::Result {
    counter.encode(encoder.encode_descriptor(name, help, unit, counter.metric_type())?)
}
