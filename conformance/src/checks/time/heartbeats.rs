//! Heartbeats of services (MEC 011, 8.1.2.4 and 8.2.10).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::watched::{Lively, Watched};
use super::{KEPT, SUSPENDED};
use crate::checks::notifications::scene::Expected;
use crate::suite::time::seconds_of_date;
use crate::suite::{Context, Exchange, Failure, Intent, Outcome, Role, Stop};

/// How far the time of a heartbeat may be from the platform's own `Date`, in seconds.
const FAR: f64 = 300.0;
/// How long a platform may take to forget the liveness of a service that was removed.
const GRACE: Duration = Duration::from_secs(2);

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
    let exchange = watched.reading(context).await?;
    let first = watched.readable(&exchange)?;
    is_now(context, &exchange, &first);
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
    watched.refuses(context).await
}

/// Whether the time of a heartbeat that was just taken is about the time that the platform has itself.
fn is_now(context: &mut Context, exchange: &Exchange, liveness: &Value) {
    let date = exchange.header("date").and_then(seconds_of_date);
    let told = liveness["timeStamp"]["seconds"].as_f64();
    if let (Some(date), Some(told)) = (date, told)
        && (told - date).abs() > FAR
    {
        let failure = Failure::new(
            "timeStamp of the liveness is far from the time of the heartbeat",
            format!(
                "about {date:.0}, as the answer has Date: {}",
                exchange.header("date").unwrap_or_default()
            ),
            liveness["timeStamp"].to_string(),
        );
        context.report(failure.shown_by(&exchange.call));
    }
}

impl Watched {
    /// Heartbeats that break a rule are refused, where the link leads.
    async fn refuses(&self, context: &mut Context) -> Outcome {
        let beat = self.lively.beat;
        let schema = context.suite.apis[self.api()].body_schema(beat);
        let cases = schema.map(|schema| schema.invalid_cases(&json!({"state": "ACTIVE"})));
        for invalid in cases.unwrap_or_default() {
            if context.suite.apis[self.api()]
                .knowledge
                .is_open(&invalid.schema_pointer)
            {
                continue;
            }
            let call = self.call(beat, "PATCH").json(invalid.value);
            let call = call.intent(Intent::Breaks(invalid.schema_pointer.clone()));
            let exchange = context.send(call).await?;
            if exchange.is_success() {
                let failure = Failure::new(
                    format!("an invalid heartbeat is accepted: {}", invalid.what),
                    format!("a 4xx, as the body breaks one rule: {}", invalid.what),
                    exchange.summary(),
                );
                let signature = format!("{} {}", invalid.schema_pointer, invalid.keyword);
                let failure = failure.of("refuses-invalid").signature(signature);
                context.report(failure.pointer(invalid.schema_pointer).shown_by(&exchange.call));
            }
        }
        Ok(())
    }
}

/// The liveness of a service goes with it.
pub(super) async fn goes(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mut watched = lively.register(context, &name, 60).await?;
    watched.liveness(context).await?;
    lively.scene.remove(context, &mut watched.service).await?;
    let removed = Instant::now();
    loop {
        let service = context.call(lively.scene.api, lively.scene.read, &watched.service.made.values);
        let service = context.send(service.role(Role::Control)).await?;
        if !matches!(service.status(), 404 | 410) {
            return Err(Stop::Inconclusive(format!(
                "the service itself is answered {} after its removal, which is judged elsewhere",
                service.status()
            )));
        }
        let exchange = context.send(watched.call(lively.read, "GET")).await?;
        if !exchange.is_success() {
            return Ok(());
        }
        if removed.elapsed() > GRACE {
            let title = "the liveness of a service that was removed can still be read";
            let failure = Failure::new(title, "404", exchange.summary());
            return Err(failure.shown_by(&exchange.call).stop());
        }
        context.pause(Duration::from_millis(400)).await?;
    }
}

/// A service that falls silent is suspended in time, and comes back.
pub(super) async fn silent(context: &mut Context, lively: Lively) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let scene = lively.scene;
    let mut subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let mut watched = lively.register(context, &name, 1).await?;
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
    // Neither a replacement nor a suspension that is over ends the watch.
    watched.sent = Instant::now();
    watched.beat(context).await?;
    let newer = |body: &mut Value| body["version"] = json!("1.0.1");
    scene.replace(context, &mut watched.service, newer).await?;
    let service = watched.read(context).await?;
    match service["livenessInterval"].as_u64().map(Duration::from_secs) {
        Some(interval) if interval == watched.granted => suspended(context, &watched, latest).await,
        _ => Ok(()),
    }
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
