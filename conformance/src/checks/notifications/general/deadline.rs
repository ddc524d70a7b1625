//! Deadlines of subscriptions: they are announced, and obeyed.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::scene::not_delivered;
use super::super::{CONTENT, letters};
use super::{Asking, BEFORE, EXPIRES, FORM, unwrapped};
use crate::suite::{
    Context, Exchange, Failure, Letter, Made, Mailbox, Outcome, Role, Stop, Suite, reading,
    time::seconds_of_date,
};

/// The type of notifications that tell of the end.
pub(super) const EXPIRY: &str = "/components/schemas/ExpiryNotification";
/// How many seconds a notification may come after the deadline: what is told in whole seconds is told roughly.
const LATE: Duration = Duration::from_secs(1);
/// How many seconds the platform's clock may be away from ours.
const APART: f64 = 2.0;

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// A moment that is told in seconds since 1970.
pub(super) fn moment(seconds: f64) -> Instant {
    let left = Duration::try_from_secs_f64((seconds - now()).max(0.0)).unwrap_or(Duration::MAX);
    let now = Instant::now();
    now.checked_add(left).unwrap_or(now)
}

/// A deadline in whole seconds from now, and what is left of the one that has begun.
pub(super) fn within(seconds: f64) -> (f64, Value) {
    let asked = now().ceil() + seconds;
    (asked, json!({"seconds": asked as u64, "nanoSeconds": 0}))
}

/// Whether a document has a notification of the end of subscriptions.
pub(super) fn is_announced(suite: &Suite, api: usize) -> bool {
    suite.apis[api].api.document.pointer(EXPIRY).is_some()
}

/// A subscription that ends soon: what was asked for, and what was granted.
struct Ending {
    made: Made,
    asked: f64,
    granted: f64,
}

/// Makes one that notifies an address.
async fn ending(context: &mut Context, asking: &Asking, mailbox: &Mailbox) -> Result<Ending, Stop> {
    let address = mailbox.url.clone();
    let bodies = asking.bodies(context)?;
    let (asked, deadline) = within(3.0);
    let wish = [("expiryDeadline", deadline)];
    let body = bodies
        .into_iter()
        .find_map(|body| asking.with(context, body, Some(&address), &wish));
    let body = body.ok_or_else(|| asking.unfit(&wish))?;
    let made = asking.send(context, body).await?;
    // What a deadline means that is over when the subscription is made, no standard says.
    if now() + 0.5 > asked {
        return Err(Stop::Inconclusive(
            "making a subscription took about three seconds; try again when the target is less busy"
                .to_owned(),
        ));
    }
    let granted = asking.object(&made.answered)["expiryDeadline"]["seconds"].as_f64();
    let Some(granted) = granted else {
        return Err(Stop::NotApplicable("the platform grants no deadline".to_owned()));
    };
    let budget = context.suite.options.clock.expiry;
    let left = granted - now();
    if left + 2.0 > budget.as_secs_f64() {
        return Err(Stop::Inconclusive(format!(
            "the platform grants {left:.0} s until the subscription expires; give --clock {:.0}s",
            left + 5.0
        )));
    }
    Ok(Ending { made, asked, granted })
}

/// A subscription whose deadline is over is gone.
pub(super) async fn expires(context: &mut Context, asking: Asking) -> Outcome {
    let mailbox = context.mailbox()?;
    let Ending { made, granted, .. } = ending(context, &asking, &mailbox).await?;
    let Some(call) = reading(&context.suite, asking.api, &made.path) else {
        return Err(Stop::NotApplicable(
            "the API has no GET for subscriptions".to_owned(),
        ));
    };
    let control = context.send(call.clone()).await?;
    if !control.is_success() && now() < granted {
        return Err(Failure::new(
            "a subscription can't be read before its deadline",
            "200",
            control.summary(),
        )
        .shown_by(&control.call)
        .stop());
    }
    context
        .pause(moment(granted).saturating_duration_since(Instant::now()))
        .await?;
    let end = Instant::now() + context.patience();
    loop {
        let read = context.send(call.clone().role(Role::Judged)).await?;
        if !read.is_success() {
            return Ok(());
        }
        if Instant::now() > end {
            let actual = read.summary();
            let failure = Failure::new("a subscription is there after its deadline", "404", actual);
            return Err(failure.of(EXPIRES.id).stop());
        }
        context.pause(Duration::from_millis(250)).await?;
    }
}

/// Who has subscribed is told before the subscription ends.
pub(super) async fn announced(context: &mut Context, asking: Asking) -> Outcome {
    let mailbox = context.mailbox()?;
    let ending = ending(context, &asking, &mailbox).await?;
    let offset = offset(&ending.made.exchange);
    if offset.abs() > APART {
        return Err(Stop::Inconclusive(format!(
            "the platform's clock and this machine's differ by {offset:+.0} s; set both clocks"
        )));
    }
    let deadline = moment(ending.granted);
    let found = |letters: &[Arc<Letter>]| letters.iter().any(|letter| is_expiry(letter));
    // What comes late is told as late.
    let end = deadline + LATE.max(context.patience() / 4);
    let came = context.until_moment(&mailbox, end, found).await?;
    let letters = mailbox.letters();
    let letter = letters.iter().find(|letter| is_expiry(letter)).filter(|_| came);
    let Some(letter) = letter else {
        return match not_delivered(context, &mailbox, "the end of a subscription", &letters) {
            Stop::Fail(mut failure) => {
                let waited = end.saturating_duration_since(deadline);
                failure.actual = format!(
                    "no ExpiryNotification until {waited:.1?} after the deadline, and {} other deliveries",
                    letters.len()
                );
                Err(failure.of(BEFORE.id).stop())
            }
            stop => Err(stop),
        };
    };
    context.show(letter);
    form(context, &asking, &ending, letter);
    let late = letter.arrived.saturating_duration_since(deadline);
    if late > LATE {
        let title = "the notification of the end of a subscription comes after it";
        let failure = Failure::new(title, "before expiryDeadline", format!("{late:.1?} later"));
        return Err(failure.of(BEFORE.id).stop());
    }
    Ok(())
}

/// How many seconds the platform's clock is ahead, as far as its `Date` tells.
fn offset(exchange: &Exchange) -> f64 {
    let date = exchange.header("date").and_then(seconds_of_date);
    let ended = exchange.started + Duration::from_secs_f64(exchange.elapsed_ms / 1000.0);
    let ours = ended
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    // A date is cut to whole seconds.
    date.map_or(0.0, |date| date + 0.5 - ours)
}

/// Whether a letter tells of the end; one release has no type in it.
fn is_expiry(letter: &Letter) -> bool {
    let body = letter.json().unwrap_or_default();
    let inner = unwrapped(&body);
    match inner["notificationType"].as_str() {
        Some(kind) => kind == "ExpiryNotification",
        None => inner.get("expiryDeadline").is_some(),
    }
}

/// Judges the form of the notification, and what it tells.
fn form(context: &mut Context, asking: &Asking, ending: &Ending, letter: &Letter) {
    context.judge(FORM.id, asking.api, Some(asking.operation));
    let schema = context.suite.apis[asking.api].schema(EXPIRY);
    let judged = letters::envelope(letter).and_then(|body| {
        let inner = unwrapped(&body);
        if let Some(schema) = &schema {
            letters::obeys(schema, inner)?;
        }
        let told = inner["expiryDeadline"]["seconds"].as_f64();
        if told.is_some_and(|told| told != ending.granted && told != ending.asked) {
            let title = "expiryDeadline of a notification is not that of the subscription";
            let (expected, actual) = (ending.granted.to_string(), inner["expiryDeadline"].to_string());
            return Err(Box::new(Failure::new(title, expected, actual).of(CONTENT.id)));
        }
        letters::names_subscription(inner, &ending.made.path)
    });
    if let Err(failure) = judged {
        context.report(*failure);
    }
}
