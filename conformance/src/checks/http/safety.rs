//! What requests do beside what they are for: reading changes nothing, one request does one thing, the same PUT twice
//! does what it does once.

use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;
use serde_json::Value;

use crate::checks::state::comparison::{is_at, is_part, items, last, lost, same};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Made, Outcome, Plan, Role, Source, Stop, Suite,
    reading,
};

pub(super) static SAFE: Check = Check {
    id: "reading-changes-nothing",
    group: Group::Http,
    title: "safe methods change nothing",
    severity: Severity::Error,
    explanation: "An object is made and read, and asked for with HEAD and OPTIONS; afterwards it is still there, and still has everything that was sent. What the platform itself keeps about an object may change.",
    sources: &[Source::Rfc(9110, "9.2.1")],
};

pub(super) static ONE: Check = Check {
    id: "one-request-one-effect",
    group: Group::Http,
    title: "a request changes what it names and nothing else",
    severity: Severity::Error,
    explanation: "After a creation the list has that one new object and no other, after a replacement none; another object of the same kind stays as it is through all of it, the deletion included. What other cases of the run make meanwhile is known.",
    sources: &[
        Source::Rfc(9110, "9.3.3"),
        Source::Rfc(9110, "9.3.4"),
        Source::Rfc(9110, "9.3.5"),
    ],
};

pub(super) static TWICE: Check = Check {
    id: "put-is-idempotent",
    group: Group::Http,
    title: "the same PUT again succeeds and leaves the same",
    severity: Severity::Error,
    explanation: "An object is replaced twice by the same body; the second answer must be a success as the first, and what is read afterwards the same. For APIs that are not ETSI's a conflict is taken for a rule of the API.",
    sources: &[Source::Rfc(9110, "9.2.2"), Source::Rfc(9110, "9.3.4")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for resource in &document.resources {
        let get = resource.operation("GET");
        if let (Some(maker), Some(get)) = (resource.maker, get) {
            plan.add(suite, &SAFE, api, Some(get), "safe", move |context| {
                Box::pin(safe(context, api, maker))
            })
            .read_only = false;
        }
        let collection = resource.collection.as_deref();
        let list = collection.and_then(|path| document.operation("GET", path));
        if let (Some(maker), Some(list)) = (resource.maker, list.map(|operation| operation.index)) {
            let changes = Changes {
                maker,
                list,
                put: resource.operation("PUT"),
                delete: resource.operation("DELETE"),
            };
            plan.add(suite, &ONE, api, Some(maker), "effects", move |context| {
                Box::pin(one(context, api, changes))
            })
            .alone();
        }
        if let (Some(get), Some(put)) = (get, resource.operation("PUT")) {
            plan.add(suite, &TWICE, api, Some(put), "twice", move |context| {
                Box::pin(twice(context, api, get, put))
            });
        }
    }
}

async fn safe(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let Some(read) = reading(&suite, api, &made.path) else {
        return Ok(());
    };
    let first = context.send(read.clone()).await?;
    if !first.is_success() {
        return Err(Stop::Inconclusive(format!(
            "what was made can't be read: {}",
            first.summary()
        )));
    }
    let key = &suite.apis[api].api.operations[maker].key;
    let except = suite.apis[api].knowledge.assigned(key);
    let plain = |method: &str| Call {
        method: method.to_owned(),
        operation: None,
        role: Role::Judged,
        intent: Intent::Odd,
        ..read.clone()
    };
    let steps = [
        ("GET", read.clone()),
        ("HEAD", plain("HEAD")),
        ("OPTIONS", plain("OPTIONS")),
    ];
    for (what, call) in steps {
        context.send(call).await?;
        let now = context.send(read.clone().role(Role::Judged)).await?;
        let Some(difference) = changed(&made, except, &first, &now) else {
            continue;
        };
        let failure = Failure::new(
            format!("{what} changes the object: {difference}"),
            format!("as before: {}", first.summary()),
            now.summary(),
        );
        return Err(failure.signature(format!("{what} changes")).stop());
    }
    Ok(())
}

/// What of that which a client sent is not there any more.
fn changed(made: &Made, except: &[&str], before: &Exchange, now: &Exchange) -> Option<String> {
    if matches!(now.status(), 404 | 410) {
        return Some("it is gone".to_owned());
    }
    let (before, now) = (before.json()?, now.json()?);
    // What was not kept from the start is judged elsewhere.
    if lost(&made.sent, &before, except, false).is_some() {
        return None;
    }
    let difference = lost(&made.sent, &now, except, false)?;
    Some(format!("{} is another", difference.place()))
}

/// The operations on one kind of object.
#[derive(Clone, Copy)]
struct Changes {
    maker: usize,
    list: usize,
    put: Option<usize>,
    delete: Option<usize>,
}

/// A list, as it is now.
async fn listed(context: &mut Context, call: &Call) -> Result<Vec<Value>, Stop> {
    let exchange = context.send(call.clone()).await?;
    if exchange.header("link").is_some() || is_part(&context.suite, &exchange) {
        let reason = "the list comes in pages, so that its length tells nothing";
        return Err(Stop::NotApplicable(reason.to_owned()));
    }
    let body = exchange.json().filter(|_| exchange.is_success());
    match body.as_ref().and_then(items) {
        Some(items) => Ok(items.clone()),
        None => Err(Stop::Inconclusive(format!(
            "the list has no objects: {}",
            exchange.summary()
        ))),
    }
}

async fn one(context: &mut Context, api: usize, changes: Changes) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, changes.maker).await?;
    let neighbour = context.make(api, changes.maker, &values, None).await?;
    let list = context.call(api, changes.list, &values).role(Role::Control);
    let read = reading(&suite, api, &neighbour.path);
    let before_neighbour = match &read {
        Some(read) => context.send(read.clone()).await?.json(),
        None => None,
    };
    let before = listed(context, &list).await?;
    if !before.iter().any(|item| is_at(item, last(&neighbour.path))) {
        return Err(Stop::Inconclusive(
            "the list does not have what was made, which is judged elsewhere".to_owned(),
        ));
    }
    let made = context.make(api, changes.maker, &values, None).await?;
    nothing_else(context, &list, &before, &made, "a creation").await?;
    let before = listed(context, &list).await?;
    if let Some(put) = changes.put {
        let body = context.body(api, put, &made.values)?;
        let call = context.call(api, put, &made.values).json(body);
        if context.send(call).await?.is_success() {
            nothing_else(context, &list, &before, &made, "a replacement").await?;
        }
    }
    if let Some(delete) = changes.delete {
        let call = context.call(api, delete, &made.values);
        context.send(call).await?;
    }
    let (Some(read), Some(was)) = (read, before_neighbour) else {
        return Ok(());
    };
    let now = context.send(read.role(Role::Judged)).await?;
    let key = &suite.apis[api].api.operations[changes.maker].key;
    let except = suite.apis[api].knowledge.assigned(key);
    if now.is_success() && lost(&neighbour.sent, &was, except, false).is_some() {
        return Ok(());
    }
    let body = now.json().unwrap_or_default();
    if !now.is_success() || lost(&neighbour.sent, &body, except, false).is_some() {
        let title = "changes of one object have changed another";
        return Err(Failure::new(title, format!("as before: {was}"), now.summary()).stop());
    }
    Ok(())
}

/// Whether the list has nothing new beside what was made. Less than before is no breach: what earlier cases made is
/// removed at any time.
async fn nothing_else(
    context: &mut Context,
    list: &Call,
    before: &[Value],
    made: &Made,
    what: &str,
) -> Outcome {
    let now = listed(context, list).await?;
    let fresh = now
        .iter()
        .filter(|item| !is_at(item, last(&made.path)) && !before.iter().any(|was| same(was, item)));
    let fresh: Vec<_> = fresh.cloned().collect();
    if fresh.is_empty() {
        return Ok(());
    }
    // Cases that wait for time run beside this one, and may just have made something.
    context.pause(BESIDE).await?;
    let places = &context.suite.places;
    let fresh = fresh.iter().filter(|item| !places.is_ours(item));
    let fresh: Vec<_> = fresh.map(Value::to_string).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let title = format!("{what} makes something else besides");
    let expected = format!("nothing new but {}", made.path);
    Err(Failure::new(title, expected, fresh.join(", ")).stop())
}

/// How long the answer to what another case made may take to be noted.
const BESIDE: Duration = Duration::from_millis(300);

async fn twice(context: &mut Context, api: usize, get: usize, put: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, put).await?;
    let read = context.call(api, get, &values).role(Role::Control);
    let own = suite.apis[api]
        .api
        .resource(suite.apis[api].api.operations[put].path.text());
    if let Some(reason) = suite.apis[api].foreign_body(put) {
        return Err(Stop::Inconclusive(reason));
    }
    let body = match own.and_then(|resource| resource.maker.or(resource.upsert)) {
        Some(_) => context.body(api, put, &values)?,
        // What the operator has configured is put back as it is; where nothing is yet, something is put there.
        None => match context.send(read.clone()).await? {
            there if there.is_success() => there.json().unwrap_or_default(),
            _ => context.body(api, put, &values)?,
        },
    };
    let call = context.call(api, put, &values).json(body);
    let first = context.send(call.clone().role(Role::Control)).await?;
    if !first.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the first PUT was answered {}",
            first.summary()
        )));
    }
    let before = context.send(read.clone()).await?;
    let second = context.send(call).await?;
    let conflict = matches!(second.status(), 409 | 412 | 428) && !suite.apis[api].knowledge.is_of_etsi();
    if second.is_refusal() && second.status() != 429 && !conflict {
        let title = format!("the same PUT again is answered {}", second.status());
        let expected = format!("{}, as the first time", first.status());
        return Err(Failure::new(title, expected, second.summary()).stop());
    }
    let after = context.send(read.role(Role::Judged)).await?;
    let (was, is) = (
        before.json().unwrap_or_default(),
        after.json().unwrap_or_default(),
    );
    let itself = suite.apis[api].knowledge.changes_by_itself(&after.call.path);
    if before.is_success() && second.is_success() && !itself && !same(&was, &is) {
        // Times and counters that the platform keeps may differ: what was sent must not.
        let sent = match &second.call.payload {
            crate::suite::Payload::Json(sent) => sent.clone(),
            _ => Value::Null,
        };
        let kept = lost(&sent, &was, &[], false).is_none() && lost(&sent, &is, &[], false).is_some();
        if kept || !after.is_success() {
            let title = "the same PUT again leaves something else";
            return Err(Failure::new(title, was.to_string(), after.summary()).stop());
        }
    }
    Ok(())
}
