//! Test notifications (MEC 009, 6.12a).

use std::sync::Arc;

use serde_json::json;

use super::super::letters;
use super::super::scene::not_delivered;
use super::{Asking, TEST, is_test, unwrapped};
use crate::suite::{Context, Failure, Letter, Made, Mailbox, Outcome, Stop};

/// Who asks for a test notification gets one, whatever the subscription is for.
pub(super) async fn test(context: &mut Context, asking: Asking) -> Outcome {
    let wish = [("requestTestNotification", json!(true))];
    let mut asked = Vec::new();
    for body in asking.bodies(context)? {
        let mut mailbox = context.mailbox()?;
        // An address is no name: its path has large letters, and its query belongs to it.
        mailbox.url.push_str("/Deep/est?subscriber=One&kind=test");
        let address = mailbox.url.clone();
        let Some(body) = asking.with(context, body, Some(&address), &wish) else {
            continue;
        };
        match asking.send(context, body).await {
            Ok(made) => asked.push((mailbox, made)),
            // A platform need not have every type.
            Err(Stop::Inconclusive(_)) if !asked.is_empty() => {}
            Err(stop) => return Err(stop),
        }
    }
    if asked.is_empty() {
        return Err(asking.unfit(&wish));
    }
    for (mailbox, made) in asked {
        came(context, &asking, &mailbox, &made).await?;
    }
    Ok(())
}

/// The test notification of one subscription.
async fn came(context: &mut Context, asking: &Asking, mailbox: &Mailbox, made: &Made) -> Outcome {
    let found = |letters: &[Arc<Letter>]| letters.iter().any(|letter| is_test(letter));
    context.until(mailbox, found).await?;
    let letters = mailbox.letters();
    let test = letters.iter().find(|letter| is_test(letter));
    let Some(letter) = test.or(letters.first()) else {
        return match not_delivered(context, mailbox, "a test that was asked for", &[]) {
            Stop::Fail(failure) => Err(failure.of(TEST.id).stop()),
            stop => Err(stop),
        };
    };
    context.show(letter);
    judged(context, asking, letter, made).map_err(|failure| failure.of(TEST.id).stop())?;
    letters::went_to(letter, &mailbox.url)
}

/// Judges a test notification that was posted.
pub(super) fn judged(
    context: &Context,
    asking: &Asking,
    letter: &Letter,
    made: &Made,
) -> Result<(), Box<Failure>> {
    let body = letters::envelope(letter)?;
    let state = &context.suite.apis[asking.api];
    let body = &state.knowledge.test_notification(unwrapped(&body).clone());
    if let Some(schema) = &state.schema("/components/schemas/TestNotification") {
        letters::obeys(schema, body)?;
    }
    if body["notificationType"] != "TestNotification" {
        let actual = body["notificationType"].to_string();
        let failure = Failure::new("a notification comes, and no test", "TestNotification", actual);
        return Err(Box::new(failure));
    }
    letters::names_subscription(body, &made.path)
}
