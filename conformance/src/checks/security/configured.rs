//! What applications have without making it (rules): out of reach below another application's path, and with another
//! application's credentials.

use std::sync::Arc;

use serde_json::Value;

use super::super::state::comparison::same;
use super::children::{CHILDREN, listed};
use super::ownership::{OWNED, as_other};
use crate::suite::{Call, Context, Failure, Intent, Outcome, Plan, Role, Stop, Suite, Values, each_named};

/// Objects of each application that are tried.
const MOST: usize = 3;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for resource in &state.api.resources {
        let collection = resource.collection.as_deref();
        let list = collection.and_then(|path| state.api.operation("GET", path));
        let (Some(list), Some(get), None) = (list, resource.operation("GET"), resource.maker) else {
            continue;
        };
        if !resource.path.text().starts_with("/applications/{appInstanceId}/") {
            continue;
        }
        let subject = Subject {
            api,
            list: list.index,
            get,
            put: resource.operation("PUT"),
        };
        plan.add(suite, &CHILDREN, api, Some(get), "configured", move |context| {
            Box::pin(async move { below_others(context, subject).await })
        })
        .alone();
        if suite.clients.other.is_some() {
            plan.add(suite, &OWNED, api, Some(get), "configured", move |context| {
                Box::pin(async move { as_others(context, subject).await })
            })
            .alone();
        }
    }
}

/// The operations on something that is configured.
#[derive(Clone, Copy)]
struct Subject {
    api: usize,
    list: usize,
    get: usize,
    put: Option<usize>,
}

impl Subject {
    /// What an application has: the values that name each, and the object.
    async fn of(self, context: &mut Context, application: &str) -> Result<Vec<(Values, Value)>, Stop> {
        let suite = Arc::clone(&context.suite);
        let Some(parameter) = suite.apis[self.api].api.operations[self.get]
            .path
            .last_parameter()
        else {
            return Ok(Vec::new());
        };
        let above = Values::from([("appInstanceId".to_owned(), application.to_owned())]);
        let all = listed(context, self.api, Some(self.list), &above).await?;
        Ok(each_named(all.unwrap_or_default(), &above, parameter))
    }

    /// GET, and PUT of what it is, so that nothing changes where it is taken.
    fn calls(self, context: &Context, values: &Values, object: &Value) -> Vec<Call> {
        let get = context.call(self.api, self.get, values);
        let put = self
            .put
            .map(|put| context.call(self.api, put, values).json(object.clone()));
        std::iter::once(get).chain(put).collect()
    }

    /// Whether an object is as it was.
    async fn stays(self, context: &mut Context, values: &Values, object: &Value) -> Outcome {
        let read = context.call(self.api, self.get, values).role(Role::Control);
        let read = context.send(read).await?;
        match read.json().filter(|_| read.is_success()) {
            Some(now) if same(&now, object) => Ok(()),
            _ => Err(Failure::new(
                "an object is not as it was after requests that had to be refused",
                object.to_string(),
                read.summary(),
            )
            .stop()),
        }
    }
}

fn nothing() -> Stop {
    Stop::Inconclusive(
        "no application has anything in this list; configure something for --app-instance-id A,B".to_owned(),
    )
}

async fn below_others(context: &mut Context, subject: Subject) -> Outcome {
    let instances = context.suite.instances.get().cloned().unwrap_or_default();
    let [first, second, ..] = instances.as_slice() else {
        return Err(Stop::Inconclusive(
            "two application instances are needed; give them with --app-instance-id A,B".to_owned(),
        ));
    };
    let mut tried = false;
    for (own, other) in [(first, second), (second, first)] {
        let theirs: Vec<_> = subject.of(context, other).await?;
        let has = |values: &Values| {
            let mut values = values.clone();
            values.insert("appInstanceId".to_owned(), other.clone());
            theirs.iter().any(|(named, _)| *named == values)
        };
        let mine = subject.of(context, own).await?;
        for (values, object) in mine.iter().filter(|(values, _)| !has(values)).take(MOST) {
            tried = true;
            let mut below = values.clone();
            below.insert("appInstanceId".to_owned(), other.clone());
            for call in subject.calls(context, &below, object) {
                let exchange = context.send(call.intent(Intent::Odd)).await?;
                if exchange.is_success() {
                    let title = format!(
                        "{} of what another application has is answered {} below this one's path",
                        exchange.call.method,
                        exchange.status()
                    );
                    let failure = Failure::new(title, "404", exchange.summary());
                    return Err(failure.shown_by(&exchange.call).stop());
                }
            }
            subject.stays(context, values, object).await?;
        }
    }
    match tried {
        true => Ok(()),
        false => Err(nothing()),
    }
}

async fn as_others(context: &mut Context, subject: Subject) -> Outcome {
    let instances = context.suite.instances.get().cloned().unwrap_or_default();
    let Some(own) = instances.first() else {
        return Err(nothing());
    };
    let mine = subject.of(context, own).await?;
    if mine.is_empty() {
        return Err(nothing());
    }
    for (values, object) in mine.iter().take(MOST) {
        for call in subject.calls(context, values, object) {
            as_other(context, subject.api, call).await?;
        }
        subject.stays(context, values, object).await?;
    }
    Ok(())
}
