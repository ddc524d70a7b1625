//! A platform with all of its APIs.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecforge_administration::Administration;
use mecforge_mm5::Mm5;
use mecforge_notifications::Notifications;

use crate::platform::{Made, TestPlatform};

/// A platform with Mp1, Mm5 and administration.
pub(crate) struct Whole {
    pub(crate) platform: TestPlatform,
    pub(crate) url: String,
    _background: Vec<Box<dyn Any + Send>>,
}

impl Whole {
    pub(crate) async fn start() -> Self {
        let background = Arc::new(Mutex::new(Vec::new()));
        let kept = background.clone();
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let platform = TestPlatform::start_at(([127, 0, 0, 1], 0).into(), directory, move |router, made| {
            let (administration, mm5, running) = make(made);
            kept.lock().unwrap().extend(running);
            router
                .nest(mecforge_administration::BASE_PATH, administration)
                .nest(mecforge_mm5::BASE_PATH, mm5)
        })
        .await;
        let background = std::mem::take(&mut *background.lock().unwrap());
        Self {
            url: platform.url(),
            platform,
            _background: background,
        }
    }
}

fn make(made: &Made) -> (axum::Router, axum::Router, Vec<Box<dyn Any + Send>>) {
    // Given up after one attempt, so that there are dead letters at once.
    let notifications = Notifications::new(
        made.store.clone(),
        mecforge_notifications::Options {
            attempts: 1,
            ..mecforge_notifications::Options::default()
        },
    )
    .unwrap();
    let mm5 = Mm5::new(
        made.store.clone(),
        made.instances.clone(),
        made.rules.clone(),
        made.rules.clone(),
        made.support.clone(),
        notifications.clone(),
        mecforge_mm5::Options::default(),
    );
    let administration = Administration::new(
        mecforge_administration::Platform {
            store: made.store.clone(),
            deliveries: notifications.clone(),
            dns_rules: made.rules.clone(),
            traffic_rules: made.rules.clone(),
            lifecycle: made.support.clone(),
        },
        mecforge_administration::Options {
            declared: vec![crate::platform::APP.to_owned()],
            event_interval: Duration::from_millis(5),
            ..mecforge_administration::Options::default()
        },
    );
    let routers = (administration.router(), mm5.router());
    let background: Vec<Box<dyn Any + Send>> = vec![
        Box::new(notifications.start()),
        Box::new(mm5.start()),
        Box::new(notifications),
        Box::new(administration),
    ];
    (routers.0, routers.1, background)
}
