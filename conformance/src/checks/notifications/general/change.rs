//! Subscriptions that are replaced by one with another callback address.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::scene::not_delivered;
use super::{Asking, CHANGED, FOLLOWS, TEST, is_test, test};
use crate::checks::state::comparison::lost;
use crate::suite::{Context, Failure, Letter, Made, Mailbox, Outcome, Role, Stop, reading};

/// How long after the answer something that was on its way may still come to the old address.
const UNDERWAY: Duration = Duration::from_secs(1);

/// After a change the subscription is what was put, and the old address is not used any more.
pub(super) async fn changed(context: &mut Context, asking: Asking) -> Outcome {
    let Some(put) = asking.replace else {
        return Ok(());
    };
    let (old, new) = (context.mailbox()?, context.mailbox()?);
    let bodies = asking.bodies(context)?;
    let found = bodies.into_iter().find_map(|body| {
        let before = asking.with(context, body.clone(), Some(&old.url), &[])?;
        Some((before, instead(context, &asking, put, body, &new.url)?))
    });
    let (before, (mut body, tested)) = found.ok_or_else(|| asking.unfit(&[]))?;
    let made = asking.send(context, before).await?;
    context.bind(&mut body, &made.values);
    let asked = Instant::now();
    replaced(context, &asking, put, &made, &body).await?;
    let answered = Instant::now();
    reads(context, &asking, put, &made, &body).await?;
    let tests = tested && follows(context, &asking, put, &new, &made).await?;
    // What goes to both goes to the old one at about the same time.
    context.pause(UNDERWAY.min(context.patience() / 2)).await?;
    // A test that nobody has asked for may have come before.
    let is_stray = |letter: &Letter| match is_test(letter) {
        true => letter.arrived > asked,
        false => letter.arrived.saturating_duration_since(answered) > UNDERWAY,
    };
    let letters = old.letters();
    let stray = letters.iter().find(|letter| is_stray(letter));
    if let Some(stray) = stray {
        context.show(stray);
        let title = "after a change of a subscription its old callback address is notified";
        return Err(Failure::new(title, "nothing there", stray.text()).stop());
    }
    match tests {
        true => Ok(()),
        false => Err(Stop::Inconclusive(
            "the subscription reads as it was put, but nothing was notified after the change".to_owned(),
        )),
    }
}

/// A body for the replacement, and whether it asks for a test.
fn instead(
    context: &Context,
    asking: &Asking,
    put: usize,
    body: Value,
    address: &str,
) -> Option<(Value, bool)> {
    let state = &context.suite.apis[asking.api];
    let options = &context.suite.options;
    let denied = options.denial(TEST.id, &state.api.id, None).is_some();
    let tested = !denied && asking.declares(&context.suite, "requestTestNotification");
    let wish = [("requestTestNotification", json!(true))];
    let wish = if tested { &wish[..] } else { &[] };
    let body = asking.with(context, body, Some(address), wish)?;
    let schema = state.body_schema(put);
    let fits = schema.is_none_or(|schema| schema.is_valid(&body));
    fits.then_some((body, tested))
}

/// Puts it.
async fn replaced(context: &mut Context, asking: &Asking, put: usize, made: &Made, body: &Value) -> Outcome {
    let call = context.call(asking.api, put, &made.values).json(body.clone());
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        return Ok(());
    }
    let state = &context.suite.apis[asking.api];
    let key = state.api.operations[put].key.clone();
    let environment = !exchange.is_refusal() || matches!(exchange.status(), 401 | 403 | 429);
    let callback = exchange.summary().to_lowercase().contains("callback");
    if environment || callback || state.knowledge.may_refuse(&key).is_some() {
        return Err(Stop::Inconclusive(format!(
            "{key} was answered {}",
            exchange.summary()
        )));
    }
    let failure = Failure::new("a valid request is refused", "success", exchange.summary());
    Err(failure
        .of("accepts-valid")
        .at(key)
        .shown_by(&exchange.call)
        .stop())
}

/// What is read is what was put.
async fn reads(context: &mut Context, asking: &Asking, put: usize, made: &Made, body: &Value) -> Outcome {
    let Some(call) = reading(&context.suite, asking.api, &made.path) else {
        return Ok(());
    };
    let read = context.send(call.role(Role::Judged)).await?;
    if !read.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the subscription can't be read after PUT: {}",
            read.summary()
        )));
    }
    let now = read.json().unwrap_or_default();
    let mut expected = body.clone();
    // It asks for something to be done once, which need not be told afterwards.
    if let Some(members) = expected
        .pointer_mut(&asking.parent)
        .and_then(Value::as_object_mut)
    {
        members.remove("requestTestNotification");
    }
    let state = &context.suite.apis[asking.api];
    let except = state.knowledge.assigned(&state.api.operations[put].key);
    match lost(&expected, &now, except, false) {
        None => Ok(()),
        Some(difference) => {
            let title = format!(
                "a changed subscription is not what was put at {}",
                difference.place()
            );
            let signature = difference.place().to_owned();
            Err(Failure::new(title, difference.expected, difference.actual)
                .of(CHANGED.id)
                .signature(signature)
                .stop())
        }
    }
}

/// Whether the test that the change asks for comes to the new address.
async fn follows(
    context: &mut Context,
    asking: &Asking,
    put: usize,
    new: &Mailbox,
    made: &Made,
) -> Result<bool, Stop> {
    context.judge(FOLLOWS.id, asking.api, Some(put));
    let found = |letters: &[Arc<Letter>]| letters.iter().any(|letter| is_test(letter));
    context.until(new, found).await?;
    let letters = new.letters();
    if let Some(letter) = letters.iter().find(|letter| is_test(letter)) {
        context.show(letter);
        if let Err(failure) = test::judged(context, asking, letter, made) {
            context.report(failure.of(FOLLOWS.id));
        }
        return Ok(true);
    }
    let what = "a test that a change of a subscription asks for";
    match not_delivered(context, new, what, &letters) {
        Stop::Fail(failure) => context.report(failure.of(FOLLOWS.id)),
        stop => return Err(stop),
    }
    // What else comes shows that the change is known.
    Ok(!letters.is_empty())
}
