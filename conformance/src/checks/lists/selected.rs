//! What is in a list that was filtered by a property, and what is not.

use serde_json::Value;

use super::selection::{Place, text};
use crate::suite::{Call, Context, Exchange, Failure, Intent, Outcome, Role, Stop};

/// What the objects in the answer have: each one of the values. Nothing where the answer is a refusal that may be.
pub(super) async fn judge(
    context: &mut Context,
    place: &Place,
    (property, wanted, known): (&str, &[Value], bool),
    answer: &Exchange,
) -> Result<Vec<Option<Value>>, Stop> {
    let name = &place.parameter.name;
    match answer.status() {
        200 => {}
        204 | 400..500 if !known => return Ok(Vec::new()),
        401 | 403 | 429 | 500.. => {
            return Err(Stop::Inconclusive(format!(
                "the filtered list was answered {}",
                answer.summary()
            )));
        }
        status => {
            let title = format!("a filter by {name} with a value that an object has is answered {status}");
            return Err(Failure::new(title, "200 with the object", answer.summary())
                .signature(name.clone())
                .stop());
        }
    }
    let body = answer.json().unwrap_or_default();
    let values = place.values(context, &body, property).await?;
    let means = |has: &Value| wanted.iter().any(|wanted| place.means(wanted, has));
    match values.iter().flatten().find(|has| !means(has)) {
        Some(has) => {
            let title = format!("a filter by {name} lets an object through that has another {property}");
            let failure = Failure::new(
                title,
                described(name, wanted),
                format!("{property}={}", text(has)),
            );
            Err(failure.signature(name.clone()).shown_by(&answer.call).stop())
        }
        None => Ok(values),
    }
}

/// Documents of ETSI are printed with names of parameters in lower case where the standard has capitals, and the other
/// way round: a platform that filters by the other name is not blamed.
pub(super) async fn called_otherwise(
    context: &mut Context,
    place: &Place,
    (property, wanted): (&str, &[Value]),
    call: &Call,
) -> Result<Option<Stop>, Stop> {
    let name = &place.parameter.name;
    for other in [name.to_ascii_lowercase(), property.to_owned()] {
        if other == *name {
            continue;
        }
        let mut renamed = call.clone().role(Role::Control).intent(Intent::Odd);
        for (key, _) in &mut renamed.query {
            if key == name {
                key.clone_from(&other);
            }
        }
        let answer = context.send(renamed).await?;
        let body = answer.json().filter(|_| answer.status() == 200);
        let Some(body) = body else { continue };
        let values = place.values(context, &body, property).await?;
        let means = |has: &Value| wanted.iter().any(|wanted| place.means(wanted, has));
        if values.iter().flatten().all(means) {
            let reason = format!("the platform filters by {other}, which the document calls {name}");
            return Ok(Some(Stop::Inconclusive(reason)));
        }
    }
    Ok(None)
}

fn described(name: &str, wanted: &[Value]) -> String {
    let all: Vec<_> = wanted.iter().map(text).collect();
    format!("only objects with {name}={}", all.join(" or "))
}

/// Nothing that has one of the values is left out, as the list without filter still has it afterwards.
pub(super) async fn complete(
    context: &mut Context,
    place: &Place,
    (property, wanted): (&str, &[Value]),
    (answer, found): (&Exchange, &[Option<Value>]),
    (unfiltered, before): (&Call, &[Option<Value>]),
) -> Outcome {
    let means = |has: &Value| wanted.iter().any(|wanted| place.means(wanted, has));
    let count = |values: &[Option<Value>]| values.iter().flatten().filter(|has| means(has)).count();
    if count(found) >= count(before) {
        return Ok(());
    }
    let after = context.send(unfiltered.clone().role(Role::Control)).await?;
    let after = place
        .values(context, &after.json().unwrap_or_default(), property)
        .await?;
    let wants = count(before).min(count(&after));
    if count(found) < wants {
        let name = &place.parameter.name;
        let title = format!("a filter by {name} leaves out an object that has the value");
        let expected = format!("{wants} {}", described(name, wanted).trim_start_matches("only "));
        let actual = format!("{} of them", count(found));
        let failure = Failure::new(title, expected, actual).signature(format!("{name} left out"));
        return Err(failure.shown_by(&answer.call).stop());
    }
    Ok(())
}
