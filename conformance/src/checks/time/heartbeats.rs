//! Heartbeats of services (MEC 011, 8.1.2.4 and 8.2.10).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{AGREES, COUNTS, KEPT, SUSPENDED};
use crate::checks::input::bodies::refuse_all;
use crate::checks::notifications::scene::{Expected, Scene, Service};
use crate::suite::{Call, Context, Exchange, Failure, Outcome, Role, Stop, Suite, path_below};

/// The operations by which services are heard of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lively {
    pub(super) scene: Scene,
    /// `GET …/liveness`.
    pub(super) read: usize,
    /// `PATCH …/liveness`.
    pub(super) beat: usize,
}

impl Lively {
    /// Those of an API; none where it has none.
    pub(super) fn of(suite: &Suite, api: usize) -> Option<Self> {
        let path = "/applications/{appInstanceId}/services/{serviceId}/liveness";
        let find = |method: &str| {
            let operation = suite.apis[api].api.operation(method, path);
            operation.map(|operation| operation.index)
        };
        Some(Lively {
            scene: Scene::of(suite, api)?,
            read: find("GET")?,
            beat: find("PATCH")?,
        })
    }

    /// Registers a service that offers heartbeats.
    async fn register(&self, context: &mut Context, name: &str, interval: u64) -> Result<Watched, Stop> {
        let sent = Instant::now();
        let mut service = self
            .scene
            .register(context, name, |body| body["livenessInterval"] = json!(interval))
            .await?;
        service.changed = None;
        let answered = &service.made.answered;
        let Some(granted) = answered["livenessInterval"]
            .as_u64()
            .filter(|granted| *granted > 0)
        else {
            return Err(Stop::NotApplicable(
                "the platform asks for no heartbeats of a service that offers them".to_owned(),
            ));
        };
        let suite = Arc::clone(&context.suite);
        let link = answered.pointer("/_links/liveness/href").and_then(Value::as_str);
        let Some(link) = link else {
            return Err(Failure::new(
                "a service with livenessInterval has no link to its liveness",
                "_links.liveness",
                answered.to_string(),
            )
            .of(AGREES.id)
            .stop());
        };
        let template = &suite.apis[self.scene.api].api.operations[self.read].path;
        // Without a usable link, the path of the document is tried.
        let path =
            path_below(&suite, self.scene.api, link).unwrap_or_else(|| template.expand(&service.made.values));
        Ok(Watched {
            lively: *self,
            service,
            granted: Duration::from_secs(granted),
            sent,
            path,
        })
    }
}

/// A service that the platform watches.
struct Watched {
    lively: Lively,
    service: Service,
    granted: Duration,
    /// When its registration was sent.
    sent: Instant,
    path: String,
}

impl Watched {
    fn api(&self) -> usize {
        self.lively.scene.api
    }

    fn call(&self, operation: usize, method: &str) -> Call {
        Call {
            api: self.api(),
            operation: Some(operation),
            method: method.to_owned(),
            path: self.path.clone(),
            ..Call::default()
        }
    }

    /// Reads the liveness.
    async fn liveness(&self, context: &mut Context) -> Result<Value, Stop> {
        let exchange = context.send(self.call(self.lively.read, "GET")).await?;
        readable(
            &exchange,
            "the liveness of a service with heartbeats can't be read",
        )
    }

    /// Reads the service.
    async fn read(&self, context: &mut Context) -> Result<Value, Stop> {
        let scene = self.lively.scene;
        let call = context.call(scene.api, scene.read, &self.service.made.values);
        let exchange = context.send(call.role(Role::Control)).await?;
        readable(&exchange, "a service that was registered can't be read")
    }

    /// Sends a heartbeat.
    async fn beat(&self, context: &mut Context) -> Outcome {
        let call = self
            .call(self.lively.beat, "PATCH")
            .json(json!({"state": "ACTIVE"}));
        let exchange = context.send(call).await?;
        match (exchange.is_success(), exchange.status()) {
            (true, _) => Ok(()),
            (false, 401 | 403 | 429 | 503) => Err(Stop::Inconclusive(format!(
                "a heartbeat was answered {}; give credentials that may send it",
                exchange.summary()
            ))),
            _ => Err(
                Failure::new("a heartbeat is refused", "200 or 204", exchange.summary())
                    .of(COUNTS.id)
                    .shown_by(&exchange.call)
                    .stop(),
            ),
        }
    }

    /// How long it may take at most until a silent service is suspended, if there is time for that.
    fn latest(&self, context: &Context) -> Result<Duration, Stop> {
        let latest = self.granted * 2 + Duration::from_secs(3);
        if latest > context.suite.options.clock.expiry {
            return Err(Stop::Inconclusive(format!(
                "the platform asks for a heartbeat every {} s; give --clock {}s to wait long enough",
                self.granted.as_secs(),
                latest.as_secs()
            )));
        }
        Ok(latest)
    }
}

fn readable(exchange: &Exchange, title: &str) -> Result<Value, Stop> {
    match exchange.json().filter(|_| exchange.is_success()) {
        Some(body) => Ok(body),
        None if matches!(exchange.status(), 401 | 403 | 429 | 503) => Err(Stop::Inconclusive(format!(
            "GET was answered {}; give credentials that may read it",
            exchange.summary()
        ))),
        None => Err(Failure::new(title, "200 with a JSON object", exchange.summary()).stop()),
    }
}

/// Interval and state are the same wherever they are told.
pub(super) async fn agrees(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mut watched = lively.register(context, &name, 45).await?;
    let other = lively.register(context, &format!("{name}-other"), 45).await?;
    let link = |watched: &Watched| {
        let link = watched.service.made.answered.pointer("/_links/liveness/href");
        link.and_then(Value::as_str).map(str::to_owned)
    };
    if let Some(same) = link(&watched).filter(|one| link(&other).as_ref() == Some(one)) {
        context.report(Failure::new(
            "two services have the same link to their liveness",
            "a link for each",
            same,
        ));
    }
    let mut granted = watched.granted.as_secs();
    for proposal in [None, Some(50)] {
        if let Some(proposal) = proposal {
            let (scene, newer) = (lively.scene, json!(proposal));
            let call = context.call(scene.api, scene.replace, &watched.service.made.values);
            watched.service.body["livenessInterval"] = newer;
            let call = call.json(watched.service.body.clone()).role(Role::SetUp);
            let exchange = context.send(call).await?;
            match exchange.json().and_then(|body| body["livenessInterval"].as_u64()) {
                Some(interval) if exchange.is_success() => granted = interval,
                _ => return Ok(()),
            }
        }
        let service = watched.read(context).await?;
        let liveness = watched.liveness(context).await?;
        let told = [
            ("the service", &service["livenessInterval"]),
            ("its liveness", &liveness["interval"]),
        ];
        for (where_told, interval) in told {
            if interval.as_u64() != Some(granted) {
                let title =
                    format!("{where_told} tells another interval than the answer to its registration");
                context.report(Failure::new(title, granted.to_string(), interval.to_string()));
            }
        }
        if liveness["state"] != service["state"] {
            let (expected, actual) = (service["state"].to_string(), liveness["state"].to_string());
            context.report(Failure::new(
                "the liveness tells another state than the service",
                expected,
                actual,
            ));
        }
        if liveness["timeStamp"]["nanoSeconds"]
            .as_f64()
            .is_some_and(|nanos| nanos >= 1e9)
        {
            let actual = liveness["timeStamp"].to_string();
            context.report(Failure::new(
                "nanoSeconds are a second or more",
                "less than 1000000000",
                actual,
            ));
        }
    }
    Ok(())
}

/// A service without heartbeats has no interval, so its liveness, if there is one, must not tell one.
pub(super) async fn none(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let scene = lively.scene;
    let service = scene
        .register(context, &name, |body| {
            body.as_object_mut().map(|body| body.remove("livenessInterval"));
        })
        .await?;
    let call = context.call(scene.api, scene.read, &service.made.values);
    let read = context.send(call.role(Role::Control)).await?;
    let asked = read.json().is_none_or(|body| !body["livenessInterval"].is_null());
    if asked || !read.is_success() {
        return Err(Stop::NotApplicable(
            "the platform asks for heartbeats of services that do not offer them".to_owned(),
        ));
    }
    let call = context.call(scene.api, lively.read, &service.made.values);
    let exchange = context.send(call).await?;
    let body = exchange.json().unwrap_or_default();
    if exchange.is_success() && body["interval"].as_u64().is_some_and(|interval| interval > 0) {
        return Err(Failure::new(
            "the liveness of a service without livenessInterval tells an interval",
            "404, or no interval",
            exchange.summary(),
        )
        .shown_by(&exchange.call)
        .stop());
    }
    Ok(())
}

/// The time of the last heartbeat, as a number that can be compared.
fn time(liveness: &Value) -> Option<(u64, u64)> {
    let stamp = &liveness["timeStamp"];
    Some((stamp["seconds"].as_u64()?, stamp["nanoSeconds"].as_u64()?))
}

/// A heartbeat changes the time of the liveness, reading does not.
pub(super) async fn counts(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let watched = lively.register(context, &name, 60).await?;
    watched.beat(context).await?;
    let first = watched.liveness(context).await?;
    context.pause(Duration::from_millis(1_100)).await?;
    let second = watched.liveness(context).await?;
    if time(&first) != time(&second) {
        let (expected, actual) = (first["timeStamp"].to_string(), second["timeStamp"].to_string());
        context.report(Failure::new(
            "reading the liveness changes its timeStamp",
            expected,
            actual,
        ));
    }
    context.pause(Duration::from_millis(1_100)).await?;
    watched.beat(context).await?;
    let third = watched.liveness(context).await?;
    if time(&third) <= time(&second) {
        let expected = format!("later than {}", second["timeStamp"]);
        let actual = third["timeStamp"].to_string();
        return Err(Failure::new(
            "timeStamp of the liveness is not later after a heartbeat",
            expected,
            actual,
        )
        .stop());
    }
    let right = json!({"state": "ACTIVE"});
    let broken = context.suite.apis[watched.api()]
        .body_schema(lively.beat)
        .map(|schema| schema.invalid_cases(&right));
    let values = &watched.service.made.values;
    refuse_all(
        context,
        watched.api(),
        lively.beat,
        values,
        broken.unwrap_or_default(),
    )
    .await
}

/// A service that falls silent is suspended in time, and comes back.
pub(super) async fn silent(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let scene = lively.scene;
    let mut subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let watched = lively.register(context, &name, 1).await?;
    let latest = watched.latest(context)?;
    suspended(context, &watched, latest).await?;
    watched.beat(context).await?;
    let service = watched.read(context).await?;
    let liveness = watched.liveness(context).await?;
    for (what, body) in [("a service", service), ("the liveness", liveness)] {
        if body["state"] != "ACTIVE" {
            let title = format!("{what} is not ACTIVE after the heartbeat of a suspended service");
            return Err(Failure::new(title, "ACTIVE", body["state"].to_string())
                .of(SUSPENDED.id)
                .stop());
        }
    }
    let steps = [
        ("a registration", "ADDED", "ACTIVE"),
        ("a missing heartbeat", "STATE_CHANGED", "SUSPENDED"),
        ("a heartbeat of a suspended service", "STATE_CHANGED", "ACTIVE"),
    ];
    for (what, change, state) in steps {
        let step = Expected { what, change, state };
        scene
            .expect(context, &mut subscription, &watched.service, step)
            .await?;
    }
    Ok(())
}

/// Watches a silent service until it is suspended.
async fn suspended(context: &mut Context, watched: &Watched, latest: Duration) -> Outcome {
    loop {
        let begun = Instant::now();
        let service = watched.read(context).await?;
        let liveness = watched.liveness(context).await?;
        let state = service["state"].as_str().unwrap_or_default();
        let told = [
            ("the service", state),
            ("its liveness", liveness["state"].as_str().unwrap_or_default()),
        ];
        // The platform began to count after the registration was sent.
        if watched.sent.elapsed() < watched.granted
            && let Some((what, state)) = told.iter().find(|(_, state)| *state != "ACTIVE")
        {
            let title = format!("{what} is not ACTIVE before its interval is over");
            let expected = format!("ACTIVE for {} s", watched.granted.as_secs());
            let actual = format!("{state} after {:.1?}", watched.sent.elapsed());
            return Err(Failure::new(title, expected, actual).of(SUSPENDED.id).stop());
        }
        if state != "ACTIVE" {
            // The liveness was read after the service.
            let wrong = told.iter().find(|(_, state)| *state != "SUSPENDED");
            return match wrong {
                Some((what, state)) => Err(Failure::new(
                    format!("{what} of a service that has fallen silent is not SUSPENDED"),
                    "SUSPENDED",
                    (*state).to_owned(),
                )
                .of(SUSPENDED.id)
                .stop()),
                None => Ok(()),
            };
        }
        if liveness["state"] != service["state"] && watched.read(context).await?["state"] == "ACTIVE" {
            let title = "the liveness tells that a service is silent that is ACTIVE before and after";
            let actual = liveness["state"].to_string();
            return Err(Failure::new(title, "ACTIVE", actual).of(SUSPENDED.id).stop());
        }
        if begun.duration_since(watched.sent) > latest {
            let expected = format!("SUSPENDED within {} s", latest.as_secs());
            let actual = format!("{state} after {:.1?} without heartbeat", watched.sent.elapsed());
            return Err(
                Failure::new("a service that has fallen silent stays ACTIVE", expected, actual)
                    .of(SUSPENDED.id)
                    .stop(),
            );
        }
        context.pause(Duration::from_millis(300)).await?;
    }
}

/// Heartbeats that come in time keep a service active.
pub(super) async fn kept(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    // Long enough that a busy machine still sends its heartbeats in time.
    let watched = lively.register(context, &name, 3).await?;
    watched.latest(context)?;
    let mut last = watched.sent;
    while watched.sent.elapsed() < watched.granted * 3 / 2 + Duration::from_millis(800) {
        context.pause(watched.granted / 5).await?;
        let service = watched.read(context).await?;
        // The platform counts from a heartbeat, or from the registration, that was sent at `last`.
        let gap = last.elapsed();
        if gap >= watched.granted {
            return Err(Stop::Inconclusive(format!(
                "this machine or the target was too slow: {gap:.1?} between two heartbeats of an interval of {} s; give it more rest",
                watched.granted.as_secs()
            )));
        }
        if service["state"] != "ACTIVE" {
            let expected = format!("ACTIVE, {gap:.1?} after the last heartbeat");
            let actual = service["state"].to_string();
            return Err(Failure::new(
                "a service is not ACTIVE though its heartbeats come in time",
                expected,
                actual,
            )
            .of(KEPT.id)
            .stop());
        }
        if gap >= watched.granted / 3 {
            last = Instant::now();
            watched.beat(context).await?;
        }
    }
    Ok(())
}
