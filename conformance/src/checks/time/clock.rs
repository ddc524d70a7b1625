//! The platform's clock (MEC 011, 7.1.2.4, 7.1.2.5).

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::{CLOCK, NEAR};
use crate::suite::{Context, Exchange, Failure, Outcome, Stop};

/// How far a clock may be away before it is wrong, in seconds.
const FAR: f64 = 300.0;
/// 2000-01-01, before any platform.
const OLDEST: f64 = 946_684_800.0;

/// Seconds since 1970 when an answer was on its way.
fn ours(exchange: &Exchange) -> f64 {
    let middle = exchange.started + Duration::from_secs_f64(exchange.elapsed_ms / 2000.0);
    middle
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// A time stamp in seconds.
fn seconds(stamp: &Value) -> Option<f64> {
    Some(stamp["seconds"].as_f64()? + stamp["nanoSeconds"].as_f64()? / 1e9)
}

/// The body of an answer that must be there.
fn body(exchange: &Exchange) -> Result<Value, Stop> {
    match exchange.status() {
        501 => Err(Stop::NotApplicable(
            "the platform does not offer it (501)".to_owned(),
        )),
        401 | 403 | 429 | 503 => Err(Stop::Inconclusive(format!(
            "it was answered {}; give credentials that may read it",
            exchange.summary()
        ))),
        _ => exchange.json().filter(|_| exchange.is_success()).ok_or_else(|| {
            let title = format!("it is answered {}", exchange.status());
            Failure::new(
                title,
                "200, as nothing that a client names can be missing",
                exchange.summary(),
            )
            .shown_by(&exchange.call)
            .stop()
        }),
    }
}

/// Two readings of the current time.
pub(super) async fn current(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let call = context.call(api, operation, &crate::suite::Values::new());
    let first = context.send(call.clone()).await?;
    let stamp = body(&first)?;
    if stamp["nanoSeconds"].as_f64().is_some_and(|nanos| nanos >= 1e9) {
        let actual = stamp["nanoSeconds"].to_string();
        context.report(Failure::new(
            "nanoSeconds are a second or more",
            "less than 1000000000",
            actual,
        ));
    }
    let Some(told) = seconds(&stamp) else {
        return Ok(());
    };
    let difference = told - ours(&first);
    context.judge(NEAR.id, api, Some(operation));
    if difference.abs() > FAR {
        far(&first, difference)?;
        let title = "the current time is far from the time";
        let failure = Failure::new(title, format!("{:.0}", ours(&first)), format!("{told:.0}"));
        return Err(failure
            .of(CLOCK.id)
            .signature("clock")
            .shown_by(&first.call)
            .stop());
    }
    if difference.abs() > 2.0 + first.elapsed_ms / 1000.0 {
        let failure = Failure::new(
            "the current time differs from that of this machine",
            format!("{:.0}", ours(&first)),
            format!("{told:.3}, {difference:+.1} s"),
        );
        context.report(failure.of(NEAR.id));
    }
    context.pause(Duration::from_millis(1_100)).await?;
    let second = context.send(call).await?;
    let Some(later) = seconds(&body(&second)?) else {
        return Ok(());
    };
    if later <= told {
        let title = match later < told {
            true => "the current time goes back",
            false => "the current time stands still",
        };
        let expected = format!(
            "about {:.1}, as {:.1} was told before",
            told + ours(&second) - ours(&first),
            told
        );
        return Err(Failure::new(title, expected, format!("{later:.3}"))
            .of(CLOCK.id)
            .signature("clock")
            .stop());
    }
    Ok(())
}

/// Inconclusive where the platform's `Date` differs from this machine's clock as well: one of them is set wrong.
fn far(exchange: &Exchange, difference: f64) -> Result<(), Stop> {
    let date = exchange
        .header("date")
        .and_then(crate::suite::time::seconds_of_date);
    match date {
        Some(date) if (date - ours(exchange)).abs() > FAR / 5.0 => Err(Stop::Inconclusive(format!(
            "the platform's clock and this machine's differ by {difference:+.0} s, also in Date; set both clocks"
        ))),
        _ => Ok(()),
    }
}

/// The timing capabilities.
pub(super) async fn capabilities(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let call = context.call(api, operation, &crate::suite::Values::new());
    let exchange = context.send(call).await?;
    let capabilities = body(&exchange)?;
    let Some(told) = seconds(&capabilities["timeStamp"]) else {
        return Ok(());
    };
    let now = ours(&exchange);
    if told < OLDEST || told > now + FAR {
        far(&exchange, told - now)?;
        let title = match told < OLDEST {
            true => "timeStamp is before any platform",
            false => "timeStamp is in the future",
        };
        let failure = Failure::new(title, format!("about {now:.0}"), format!("{told:.0}"));
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}
