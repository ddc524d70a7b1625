//! A comma in the value of a filter, which separates nothing where several values are several parameters.

use serde_json::{Value, json};

use super::combinations::{Place, ask};
use super::filter::Filter;
use crate::checks::state::comparison::items;
use crate::suite::{Context, Failure, Outcome, Stop, Values};

/// A service is found by a name with a comma, and another one by no part of that name.
pub(super) async fn whole(context: &mut Context, place: Place) -> Outcome {
    let values = context.values(place.api, place.maker).await?;
    let part = format!("commas{}", context.unique());
    let name = format!("{part}-before,{part}");
    let named = make(context, place, &values, &name)
        .await
        .map_err(|stop| match stop {
            Stop::Fail(_) => Stop::NotApplicable("the platform refuses names with a comma".to_owned()),
            other => other,
        })?;
    let other = make(context, place, &values, &part).await?;
    let filters = [Filter::new("ser_name", [json!(name)])];
    let Some(exchange) = ask(context, place, &values, &filters).await? else {
        return Err(Stop::NotApplicable("the list has no filter ser_name".to_owned()));
    };
    let body = exchange.json().filter(|_| exchange.status() == 200);
    let Some(found) = body.as_ref().and_then(items) else {
        return Err(Stop::Inconclusive(format!(
            "it was answered {}",
            exchange.summary()
        )));
    };
    let there = |identifier: &Value| {
        found
            .iter()
            .any(|item| item.get("serInstanceId") == Some(identifier))
    };
    let title = match (there(&named), there(&other)) {
        (true, false) => return Ok(()),
        (false, _) => "a service is not found by its name, which has a comma",
        (true, true) => "a service is found by the part of a filter's value behind a comma",
    };
    let failure = Failure::new(title, format!("the service {name} alone"), exchange.summary());
    Err(failure.shown_by(&exchange.call).stop())
}

/// Makes a service of a name; its identifier.
async fn make(context: &mut Context, place: Place, values: &Values, name: &str) -> Result<Value, Stop> {
    let mut body = context.body(place.api, place.maker, values)?;
    body["serName"] = json!(name);
    let made = context.make(place.api, place.maker, values, Some(body)).await?;
    Ok(made.answered["serInstanceId"].clone())
}
