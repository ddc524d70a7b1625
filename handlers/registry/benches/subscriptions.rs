//! What subscriptions and heartbeats cost: a registration with 10,000 subscriptions of which 10 match beside one with
//! none, heartbeats, and 10,000 services that fall silent at once. With a real store in a temporary directory.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot unwrap has failed")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mec011_service_management::server::ServiceManagement;
use mec011_service_management::{
    CreateApplicationService, CreateApplicationServiceResponse, CreateApplicationSubscription,
    FilteringCriteria, SerAvailabilityNotificationSubscriptionRequest, SerializerType, ServiceInfoRequest,
    ServiceLivenessUpdate, ServiceState, UpdateApplicationServiceLiveness,
};
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::{Applications, Presence, keys};
use mecforge_registry::{Liveness, Options, Registry, Transports};
use mecforge_runtime::Preconditions;
use mecforge_runtime::server::{Caller, Principal};
use mecforge_store::{Embedded, Store, Transaction};
use tokio::runtime::Runtime;

/// Every application exists, and every address may be called.
struct Anything;

impl Applications for Anything {
    fn presence(&self, _: &str) -> Presence {
        Presence::Declared
    }
}

impl CallbackPolicy for Anything {
    fn check(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

struct Bench {
    runtime: Runtime,
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let options = Options {
            subscriptions_per_application: None,
            liveness: Liveness {
                shortest_seconds: 1,
                tolerance_percent: 0,
                grace: Duration::ZERO,
                ..Liveness::default()
            },
            ..Options::default()
        };
        let transports = Transports::standard("http://mep.example");
        let anything = Arc::new(Anything);
        let registry = Registry::new(store.clone(), anything.clone(), transports, anything, options);
        Self {
            runtime: Runtime::new().unwrap(),
            store,
            registry: Arc::new(registry),
            _directory: directory,
        }
    }

    /// With so many subscriptions, of which the first `matching` match the service `wanted`.
    fn subscribed(count: usize, matching: usize) -> Self {
        let bench = Self::new();
        let all: Vec<_> = (0..count)
            .map(|number| {
                let name = if number < matching {
                    "wanted".to_owned()
                } else {
                    format!("other-{number}")
                };
                let criteria = match number % 2 {
                    0 => FilteringCriteria::default().ser_names(vec![name]),
                    _ => FilteringCriteria::default()
                        .ser_names(vec![name])
                        .states(vec![ServiceState::Active])
                        .is_local(true),
                };
                let request = CreateApplicationSubscription {
                    app_instance_id: format!("app-{}", number % 100),
                    ser_availability_notification_subscription:
                        SerAvailabilityNotificationSubscriptionRequest::new("http://10.0.0.1/callback")
                            .filtering_criteria(criteria),
                };
                let registry = bench.registry.clone();
                bench.runtime.spawn(async move {
                    let caller = Caller::local(Principal::Anonymous);
                    registry
                        .create_application_subscription(request, &caller)
                        .await
                        .unwrap();
                })
            })
            .collect();
        for task in all {
            bench.runtime.block_on(task).unwrap();
        }
        bench
    }

    fn forget(&self) {
        let transaction = Transaction::new()
            .delete_prefix(keys::SERVICES)
            .delete_prefix(keys::OUTBOX);
        self.runtime.block_on(self.store.commit(transaction)).unwrap();
    }
}

async fn register(registry: &Registry, name: &str) -> String {
    let info = ServiceInfoRequest::new(name, "1.0", ServiceState::Active, SerializerType::Json)
        .transport_id("rest-http")
        .liveness_interval(1);
    let request = CreateApplicationService {
        app_instance_id: "app-0".to_owned(),
        service_info: info,
    };
    let caller = Caller::local(Principal::Anonymous);
    match registry
        .create_application_service(request, &caller)
        .await
        .unwrap()
    {
        CreateApplicationServiceResponse::Created { body, .. } => body.ser_instance_id,
        other => panic!("{other:?}"),
    }
}

async fn heartbeat(registry: &Registry, service_id: &str) {
    let request = UpdateApplicationServiceLiveness {
        app_instance_id: "app-0".to_owned(),
        service_id: service_id.to_owned(),
        preconditions: Preconditions::default(),
        service_liveness_update: ServiceLivenessUpdate::new(),
    };
    let caller = Caller::local(Principal::Anonymous);
    black_box(
        registry
            .update_application_service_liveness(request, &caller)
            .await
            .unwrap(),
    );
}

fn registration(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("registration");
    for (name, count, matching) in [
        ("no subscriptions", 0, 0),
        ("10000 subscriptions, none matches", 10_000, 0),
        ("10000 subscriptions, 10 match", 10_000, 10),
    ] {
        let bench = Bench::subscribed(count, matching);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let begun = Instant::now();
                for _ in 0..iterations {
                    bench.runtime.block_on(register(&bench.registry, "wanted"));
                }
                let taken = begun.elapsed();
                bench.forget();
                taken
            });
        });
    }
    group.finish();
}

fn heartbeats(criterion: &mut Criterion) {
    let bench = Bench::new();
    let ids: Vec<String> = (0..1000)
        .map(|number| {
            bench
                .runtime
                .block_on(register(&bench.registry, &format!("s{number}")))
        })
        .collect();
    let mut next = ids.iter().cycle();
    criterion.bench_function("heartbeat", |bencher| {
        bencher.iter(|| {
            bench
                .runtime
                .block_on(heartbeat(&bench.registry, next.next().unwrap()))
        });
    });
}

/// From the moment at which 10,000 services are late to the moment at which all are suspended, durably.
fn silence(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("silence");
    group.sample_size(10).measurement_time(Duration::from_secs(30));
    group.bench_function("10000 services at once", |bencher| {
        bencher.iter_custom(|iterations| (0..iterations).map(|_| all_fall_silent()).sum());
    });
    group.finish();
}

fn all_fall_silent() -> Duration {
    let bench = Bench::subscribed(10, 0);
    let registering: Vec<_> = (0..10_000)
        .map(|number| {
            let registry = bench.registry.clone();
            bench
                .runtime
                .spawn(async move { register(&registry, &format!("s{number}")).await })
        })
        .collect();
    let ids: Vec<String> = registering
        .into_iter()
        .map(|task| bench.runtime.block_on(task).unwrap())
        .collect();
    let registry = bench.registry.clone();
    let taken = bench.runtime.block_on(async move {
        let _running = registry.start();
        tokio::time::sleep(Duration::from_millis(200)).await;
        for id in &ids {
            heartbeat(&registry, id).await;
        }
        let late = Instant::now() + Duration::from_secs(1);
        while registry.count(Some(ServiceState::Suspended)) < ids.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        late.elapsed()
    });
    drop(bench);
    taken
}

criterion_group!(benches, registration, heartbeats, silence);
criterion_main!(benches);
