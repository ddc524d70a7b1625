//! Objects below one parent can't be reached below another one, nor in another API.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::Value;

use super::super::state::comparison::{is_at, items, last, same};
use super::{lister, read, with_liveness};
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Made, Outcome, Plan, Role, Source, Stop, Suite, Values,
    each_named,
};

pub(super) static CHILDREN: Check = Check {
    id: "children-stay-with-parents",
    group: Group::Security,
    title: "an object can't be reached below a parent that does not have it",
    severity: Severity::Error,
    explanation: "An object is made below one parent (an application instance, or an object that the API makes). Below another one and below one that nobody made, every method of the object and of what is below it must be refused, lists must not have it, and afterwards it must be as it was. Rules, which nobody makes, are read and put as they are below another application's path. A PUT that makes a new object there is not held against documents other than ETSI's.",
    sources: &[
        Source::Rfc(9110, "15.5.5"),
        Source::Practice("OWASP API Security Top 10 2023, API1"),
        Source::Document,
    ],
};

static APIS: Check = Check {
    id: "apis-are-apart",
    group: Group::Security,
    title: "an object of one API can't be reached in another one",
    severity: Severity::Error,
    explanation: "Where two APIs have the same path below different base paths, an object that was made in one is asked for in the other; the other must not know it.",
    sources: &[Source::Rfc(9110, "15.5.5"), Source::Document],
};

static LISTS: Check = Check {
    id: "lists-are-of-their-parent",
    group: Group::Security,
    title: "a list of an application has its own objects, as each is read by itself",
    severity: Severity::Error,
    explanation: "For objects that the API can't make (rules): the lists of two application instances are read, and each of their objects by itself below the same path; both must agree.",
    sources: &[
        Source::Document,
        Source::Practice("OWASP API Security Top 10 2023, API1"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&CHILDREN, &APIS, &LISTS];

/// What could be below another parent.
#[derive(Clone, Debug)]
struct Family {
    maker: usize,
    /// The item's template.
    template: String,
    /// The parameter that names the parent.
    parent: String,
    /// Whether the parent is an application instance.
    application: bool,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for resource in &state.api.resources {
        if let Some(family) = family(suite, api, resource) {
            let maker = family.maker;
            let case = plan.add(suite, &CHILDREN, api, Some(maker), "parents", move |context| {
                let family = family.clone();
                Box::pin(async move { children(context, api, &family).await })
            });
            case.alone();
        }
        if let Some(maker) = resource.maker {
            let template = resource.path.text();
            for (other, sibling) in suite.apis.iter().enumerate() {
                let twin = sibling.api.resource(template).filter(|_| other != api);
                let same_place = sibling.base_path == state.base_path;
                if let Some(get) = twin
                    .filter(|twin| twin.maker.is_some() && !same_place)
                    .and_then(|twin| twin.operation("GET"))
                {
                    let name = format!("in-{}", sibling.api.id);
                    plan.add(suite, &APIS, api, Some(maker), &name, move |context| {
                        Box::pin(async move { other_api(context, (api, maker), (other, get)).await })
                    })
                    .alone();
                }
            }
            continue;
        }
        let collection = resource
            .collection
            .as_deref()
            .and_then(|path| state.api.operation("GET", path));
        if let (Some(list), Some(get)) = (collection, resource.operation("GET"))
            && resource.path.text().starts_with("/applications/{appInstanceId}/")
        {
            let list = list.index;
            plan.add(suite, &LISTS, api, Some(list), "own", move |context| {
                Box::pin(async move { lists(context, api, list, get).await })
            })
            .alone();
        }
    }
}

/// The family of an item, if it has a parent that owns it: an application instance, or an object that the API makes.
fn family(suite: &Suite, api: usize, resource: &mecforge_api::Resource) -> Option<Family> {
    let state = &suite.apis[api];
    let template = resource.path.text();
    let own = resource.path.last_parameter()?;
    let before = template.strip_suffix(&format!("/{{{own}}}"))?;
    let parent = resource.path.parameters().filter(|name| *name != own).last()?;
    let end = before.rfind(&format!("{{{parent}}}"))? + parent.len() + 2;
    let application = parent == "appInstanceId" && state.knowledge.is_of_etsi();
    let made = state
        .api
        .resource(&template[..end])
        .is_some_and(|resource| resource.maker.is_some());
    let maker = resource.maker.filter(|_| application || made)?;
    Some(Family {
        maker,
        template: template.to_owned(),
        parent: parent.to_owned(),
        application,
    })
}

/// Parents that do not have what is made next: another one that exists, if there is one, and one that nobody made.
async fn strangers(context: &mut Context, api: usize, family: &Family) -> Result<Vec<Values>, Stop> {
    let suite = Arc::clone(&context.suite);
    let mut all = Vec::new();
    if family.application {
        let second = suite.instances.get().and_then(|all| all.get(1)).cloned();
        let mut values = context.values(api, family.maker).await?;
        if let Some(second) = second {
            values.insert(family.parent.clone(), second);
            all.push(values);
        }
    } else {
        all.push(context.values(api, family.maker).await?);
    }
    let mut unknown = context.values(api, family.maker).await?;
    unknown.insert(family.parent.clone(), format!("unknown-{}", context.unique()));
    all.push(unknown);
    Ok(all)
}

async fn children(context: &mut Context, api: usize, family: &Family) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let list = lister(&suite, api, family.maker);
    let strangers = strangers(context, api, family).await?;
    let mut before = Vec::new();
    for stranger in &strangers {
        before.push(listed(context, api, list, stranger).await?);
    }
    let values = context.values(api, family.maker).await?;
    let body = context.body(api, family.maker, &values)?;
    let body = with_liveness(context, (api, family.maker), body);
    let made = context.make(api, family.maker, &values, Some(body)).await?;
    let Some(own) = read(context, api, &made.path, Role::Control)
        .await?
        .filter(Exchange::is_success)
    else {
        return Err(Stop::NotApplicable(
            "the API has no GET for what it makes".to_owned(),
        ));
    };
    let id = last(&made.path).to_owned();
    // Its own list is read first: a platform that mixes lists may do so with what it has already told.
    listed(context, api, list, &values).await?;
    for (stranger, before) in strangers.iter().zip(before) {
        // Identifiers may be given for each parent apart: then this one is the stranger's own.
        if before.is_some_and(|list| list.iter().any(|item| is_at(item, &id))) {
            continue;
        }
        below(context, api, family, &made, stranger).await?;
        if let Some(list) = listed(context, api, list, stranger).await?
            && list.iter().any(|item| is_at(item, &id))
        {
            let failure = Failure::new(
                "an object is in the list of a parent that does not have it",
                "a list without it",
                format!("{id} is in it"),
            );
            context.report(failure);
        }
    }
    unchanged(context, api, &made, &own).await
}

/// The objects in a parent's list; none where there is no list.
pub(super) async fn listed(
    context: &mut Context,
    api: usize,
    list: Option<usize>,
    values: &Values,
) -> Result<Option<Vec<Value>>, Stop> {
    let Some(list) = list else { return Ok(None) };
    let call = context
        .call(api, list, values)
        .role(Role::Control)
        .intent(Intent::Odd);
    let exchange = context.send(call).await?;
    let body = exchange.json().filter(|_| exchange.is_success());
    Ok(body.and_then(|body| items(&body).cloned()))
}

/// Asks for an object, and for what is below it, by every method below a parent that does not have it.
async fn below(
    context: &mut Context,
    api: usize,
    family: &Family,
    made: &Made,
    stranger: &Values,
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let mut foreign = made.values.clone();
    foreign.insert(
        family.parent.clone(),
        stranger.get(&family.parent).cloned().unwrap_or_default(),
    );
    let mut operations: Vec<_> = document
        .operations
        .iter()
        .filter(|operation| {
            let rest = operation.path.text().strip_prefix(&family.template);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && operation.path.parameters().all(|name| foreign.contains_key(name))
        })
        .collect();
    // What removes comes last: the others need what it removes.
    operations.sort_by_key(|operation| {
        ["GET", "PATCH", "PUT"]
            .iter()
            .position(|method| *method == operation.method)
            .unwrap_or(3)
    });
    for operation in operations {
        if operation.method == "POST"
            || !exists(context, api, operation.index, &made.values).await?
            || takes_anything(context, api, operation.index, family, made).await?
        {
            continue;
        }
        let mut call = context.call(api, operation.index, &foreign).intent(Intent::Odd);
        if operation.json_body().is_some() {
            match context.body(api, operation.index, &foreign) {
                Ok(body) => call = call.json(body),
                Err(_) => continue,
            }
        }
        let exchange = context.send(call).await?;
        // Who lets clients name objects makes a new one.
        let another =
            exchange.status() == 201 && operation.method == "PUT" && !suite.apis[api].knowledge.is_of_etsi();
        if exchange.is_success() && !another {
            let title = format!(
                "{} below a parent that does not have the object is answered {}",
                operation.method,
                exchange.status()
            );
            let failure = Failure::new(
                title,
                "404 (or 403), as that parent has no such object",
                exchange.summary(),
            );
            context.report(failure.at(operation.key.clone()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

/// Whether what an operation is about can be read at its right place; what has no GET is taken to exist.
async fn exists(context: &mut Context, api: usize, operation: usize, values: &Values) -> Result<bool, Stop> {
    let path = context.suite.apis[api].api.operations[operation]
        .path
        .expand(values);
    let own = read(context, api, &path, Role::Control).await?;
    Ok(own.is_none_or(|own| own.is_success()))
}

/// Whether what nobody made is answered with a success too, below the right parent: then nothing can be told.
async fn takes_anything(
    context: &mut Context,
    api: usize,
    operation: usize,
    family: &Family,
    made: &Made,
) -> Result<bool, Stop> {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let template = suite.apis[api].api.resource(&family.template);
    let Some(own) = template.and_then(|resource| resource.path.last_parameter()) else {
        return Ok(true);
    };
    let mut values = made.values.clone();
    values.insert(own.to_owned(), format!("unknown-{}", context.unique()));
    let mut call = context
        .call(api, operation, &values)
        .intent(Intent::Odd)
        .role(Role::Control);
    if declared.json_body().is_some() {
        match context.body(api, operation, &values) {
            Ok(body) => call = call.json(body),
            Err(_) => return Ok(true),
        }
    }
    Ok(context.send(call).await?.is_success())
}

/// After all that an object must be as it was.
async fn unchanged(context: &mut Context, api: usize, made: &Made, own: &Exchange) -> Outcome {
    let Some(after) = read(context, api, &made.path, Role::Judged).await? else {
        return Ok(());
    };
    let (one, other) = (own.json().unwrap_or_default(), after.json().unwrap_or_default());
    if same(&one, &other) {
        return Ok(());
    }
    let what = match after.is_success() {
        true => "an object has changed after requests below parents that do not have it",
        false => "an object is gone after requests below parents that do not have it",
    };
    Err(Failure::new(what, one.to_string(), after.summary()).stop())
}

async fn other_api(
    context: &mut Context,
    (api, maker): (usize, usize),
    (other, get): (usize, usize),
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let twin = &suite.apis[other].api;
    let list = suite.apis[api].api.operations[maker].path.text();
    let list = twin.operation("GET", list).map(|operation| operation.index);
    let before = listed(context, other, list, &values).await?.unwrap_or_default();
    let made = context.make(api, maker, &values, None).await?;
    if read(context, api, &made.path, Role::Control)
        .await?
        .is_none_or(|own| !own.is_success())
    {
        return Err(Stop::NotApplicable(
            "the API has no GET for what it makes".to_owned(),
        ));
    }
    if before.iter().any(|item| is_at(item, last(&made.path))) {
        return Err(Stop::NotApplicable(
            "both APIs give the same identifiers".to_owned(),
        ));
    }
    let call = context.call(other, get, &made.values).intent(Intent::Odd);
    // What comes would be judged by the other API's schema, which tells less than this check.
    let call = crate::suite::Call {
        operation: None,
        ..call
    };
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        let failure = Failure::new(
            format!(
                "an object that was made here can be read in {}",
                suite.apis[other].api.id
            ),
            "404, as nobody made it there",
            exchange.summary(),
        );
        let at = suite.apis[other].api.operations[get].key.clone();
        return Err(failure.at(at).shown_by(&exchange.call).stop());
    }
    Ok(())
}

/// Whether two forms of an object have the same in what both have.
fn agree(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return same(one, other);
    };
    one.iter()
        .all(|(name, value)| name == "_links" || other.get(name).is_none_or(|found| same(value, found)))
}

/// The lists of two application instances agree with what each reads one by one.
async fn lists(context: &mut Context, api: usize, list: usize, get: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let instances = suite.instances.get().cloned().unwrap_or_default();
    let Some(parameter) = suite.apis[api].api.operations[get]
        .path
        .last_parameter()
        .map(str::to_owned)
    else {
        return Ok(());
    };
    let mut compared = 0;
    for instance in instances.iter().take(2) {
        let above = Values::from([("appInstanceId".to_owned(), instance.clone())]);
        let all = listed(context, api, Some(list), &above).await?;
        let all = each_named(all.unwrap_or_default(), &above, &parameter);
        for (values, item) in all.iter().take(5) {
            let single = context
                .send(context.call(api, get, values).role(Role::Control))
                .await?;
            if single.status() >= 500 {
                continue;
            }
            compared += 1;
            let body = single.json().unwrap_or_default();
            if !single.is_success() || !agree(&body, item) {
                return Err(Failure::new(
                    "an object in the list of an application is another one, or none, below that application's path",
                    item.to_string(),
                    single.summary(),
                )
                .stop());
            }
        }
    }
    match compared {
        0 => Err(Stop::Inconclusive(format!(
            "no application has anything in this list; configure something for both of --app-instance-id A,B ({parameter})"
        ))),
        _ => Ok(()),
    }
}
