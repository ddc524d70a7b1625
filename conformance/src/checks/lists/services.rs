//! The services that lists are tried with, and how each is shown without a filter.

use serde_json::{Value, json};

use crate::checks::state::comparison::items;
use crate::suite::{Context, Failure, Role, Stop, Values};

/// Services that differ in everything that can be filtered by.
pub(super) struct Services {
    /// Values above the services of the main application.
    pub(super) values: Values,
    /// As the unfiltered list shows those of the main application.
    pub(super) own: Vec<Value>,
    /// A service of a second application, where there is one, as the creation showed it.
    pub(super) foreign: Option<Value>,
}

/// The optional properties of the service of a number.
fn properties(at: usize, name: &str) -> Value {
    let category = |id: &str| {
        json!({
            "href": "http://192.0.2.1/catalogue",
            "id": format!("category-{id}-{name}"),
            "name": format!("name-{id}-{name}"),
            "version": "1.0"
        })
    };
    match at {
        0 => json!({
            "serName": name,
            "serCategory": category("one"),
            "scopeOfLocality": "MEC_HOST",
            "consumedLocalOnly": true,
            "isLocal": true,
        }),
        1 => json!({
            "serName": format!("{name}-more"),
            "serCategory": category("two"),
            "scopeOfLocality": "MEC_SYSTEM",
            "consumedLocalOnly": false,
            "isLocal": true,
            "state": "INACTIVE",
        }),
        2 => json!({
            "serName": name.to_uppercase(),
            "serCategory": category("one"),
            "scopeOfLocality": "MEC_SYSTEM",
            "consumedLocalOnly": false,
            "isLocal": false,
        }),
        3 => json!({ "serName": format!("{name}-bare") }),
        _ => json!({
            "serName": format!("{name}-fifth"),
            "serCategory": category("two"),
            "scopeOfLocality": "ZONE",
            "consumedLocalOnly": false,
            "isLocal": true,
            "state": "SUSPENDED",
        }),
    }
}

/// Makes the services and reads the list without filter.
pub(super) async fn make(
    context: &mut Context,
    api: usize,
    maker: usize,
    list: usize,
) -> Result<Services, Stop> {
    let values = context.values(api, maker).await?;
    let name = format!("filters{}", context.unique());
    let mut made = Vec::new();
    for at in 0..5 {
        let body = body(context, (api, maker), &values, properties(at, &name))?;
        let service = context.make(api, maker, &values, Some(body)).await?;
        made.push(service.answered["serInstanceId"].clone());
    }
    let foreign = foreign(context, (api, maker), &name).await?;
    let control = context.call(api, list, &values).role(Role::Control);
    let control = context.send(control).await?;
    let all = control.json().unwrap_or_default();
    let shown = |identifier: &Value| {
        let mut all = items(&all).into_iter().flatten();
        all.find(|item| item.get("serInstanceId") == Some(identifier))
            .cloned()
    };
    let own: Vec<_> = made.iter().filter_map(shown).collect();
    if !control.is_success() || own.len() < made.len() {
        return Err(Failure::new(
            "the unfiltered list lacks services that were made",
            "all of them",
            control.summary(),
        )
        .of("list-agrees")
        .stop());
    }
    Ok(Services { values, own, foreign })
}

fn body(
    context: &mut Context,
    (api, maker): (usize, usize),
    values: &Values,
    more: Value,
) -> Result<Value, Stop> {
    let mut body = context.body(api, maker, values)?;
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    context.fit_release(api, maker, &mut body);
    Ok(body)
}

/// A service of the second application with the name of the first one's.
async fn foreign(context: &mut Context, place: (usize, usize), name: &str) -> Result<Option<Value>, Stop> {
    let second = context.suite.instances.get().and_then(|all| all.get(1)).cloned();
    let Some(second) = second else { return Ok(None) };
    let values = Values::from([("appInstanceId".to_owned(), second)]);
    let body = body(context, place, &values, json!({ "serName": name }))?;
    match context.make(place.0, place.1, &values, Some(body)).await {
        Ok(made) => Ok(Some(made.answered)),
        Err(stop @ (Stop::Gone(_) | Stop::Over)) => Err(stop),
        // It may not be allowed to act for it.
        Err(_) => Ok(None),
    }
}
