//! The primitives that faults are made of.
//!
//! A [`Handler`] stands where the platform would: it gets the request and gives the answer, and may pass the request on
//! through its [`Context`]. The functions here make handlers of small closures.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::context::Context;
use crate::message::{Answer, Request};
use crate::place::Scope;
use crate::upstream::NoAnswer;

/// An answer to come.
pub(crate) type Reply = Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

/// What answers requests.
pub(crate) type Handler = Box<dyn Fn(Request, Context) -> Reply + Send + Sync>;

/// A handler of an asynchronous closure.
pub(crate) fn handler<F, R>(answer: F) -> Handler
where
    F: Fn(Request, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Answer, NoAnswer>> + Send + 'static,
{
    Box::new(move |request, context| Box::pin(answer(request, context)))
}

/// Passes everything on.
pub(crate) fn transparent() -> Handler {
    handler(|request, context| async move { context.pass(request).await })
}

/// A handler within a scope; everything else is passed on.
pub(crate) fn within<F, R>(scope: Scope, answer: F) -> Handler
where
    F: Fn(Request, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Answer, NoAnswer>> + Send + 'static,
{
    Box::new(move |request, context| {
        if request.is_in(scope) {
            Box::pin(answer(request, context))
        } else {
            Box::pin(async move { context.pass(request).await })
        }
    })
}

/// Changes requests within a scope before they are passed on.
pub(crate) fn before(
    scope: Scope,
    change: impl Fn(&mut Request, &Context) + Send + Sync + 'static,
) -> Handler {
    Box::new(move |mut request, context| {
        if request.is_in(scope) {
            change(&mut request, &context);
        }
        Box::pin(async move { context.pass(request).await })
    })
}

/// Changes answers to requests within a scope.
pub(crate) fn after<F>(scope: Scope, change: F) -> Handler
where
    F: Fn(&mut Answer, &Request, &Context) + Send + Sync + Clone + 'static,
{
    every(move |answer, request, context| {
        if request.is_in(scope) {
            change(answer, request, context);
        }
    })
}

/// Changes all answers.
pub(crate) fn every<F>(change: F) -> Handler
where
    F: Fn(&mut Answer, &Request, &Context) + Send + Sync + Clone + 'static,
{
    handler(move |request, context| {
        let change = change.clone();
        async move {
            let mut answer = context.pass(request.clone()).await?;
            change(&mut answer, &request, &context);
            Ok(answer)
        }
    })
}

/// Changes successful answers within a scope.
pub(crate) fn after_success<F>(scope: Scope, change: F) -> Handler
where
    F: Fn(&mut Answer, &Request, &Context) + Send + Sync + Clone + 'static,
{
    after(scope, move |answer, request, context| {
        if answer.is_success() {
            change(answer, request, context);
        }
    })
}

/// Changes each resource (the elements of a list, or the one object) in successful answers within a scope.
pub(crate) fn resources<F>(scope: Scope, change: F) -> Handler
where
    F: Fn(&mut Value) + Send + Sync + Clone + 'static,
{
    after_success(scope, move |answer, _, _| answer.each_resource(&change))
}

/// Changes the JSON of successful answers within a scope, lists as a whole.
pub(crate) fn bodies<F>(scope: Scope, change: F) -> Handler
where
    F: Fn(&mut Value, &Request) + Send + Sync + Clone + 'static,
{
    after_success(scope, move |answer, request, _| {
        if let Some(mut body) = answer.json() {
            change(&mut body, request);
            answer.set_json(&body);
        }
    })
}

/// Changes the JSON of requests within a scope.
pub(crate) fn request_bodies<F>(scope: Scope, change: F) -> Handler
where
    F: Fn(&mut Value) + Send + Sync + 'static,
{
    before(scope, move |request, _| {
        if let Some(mut body) = request.json() {
            let old = body.clone();
            change(&mut body);
            if body != old {
                request.set_json(&body);
            }
        }
    })
}

/// Answers in the platform's place where the closure gives an answer.
pub(crate) fn instead(
    scope: Scope,
    answer: impl Fn(&Request, &Context) -> Option<Answer> + Send + Sync + 'static,
) -> Handler {
    Box::new(move |request, context| {
        let ready = if request.is_in(scope) {
            answer(&request, &context)
        } else {
            None
        };
        Box::pin(async move {
            match ready {
                Some(answer) => Ok(answer),
                None => context.pass(request).await,
            }
        })
    })
}

/// Refuses with 400 what a correct platform takes: requests whose JSON the closure finds.
pub(crate) fn refuses(scope: Scope, found: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Handler {
    instead(scope, move |request, _| {
        let body = request.json()?;
        found(&body).then(|| Answer::problem(400, request, "the body is not acceptable"))
    })
}

/// Takes what a correct platform refuses: the closure mends the body for the platform, and the answer to this request
/// and later readings of what it made show what the client has sent.
pub(crate) fn accepts<F>(scope: Scope, mend: F) -> Handler
where
    F: Fn(&mut Value, &Request) + Send + Sync + Clone + 'static,
{
    handler(move |request, context| {
        let mend = mend.clone();
        async move {
            let mended = request.json().filter(|_| request.is_in(scope)).and_then(|sent| {
                let mut mended = sent.clone();
                mend(&mut mended, &request);
                (mended != sent).then_some((sent, mended))
            });
            let Some((sent, mended)) = mended else {
                return read_overlaid(request, context).await;
            };
            let mut outgoing = request.clone();
            outgoing.set_json(&mended);
            let mut answer = context.pass(outgoing).await?;
            if answer.is_success() {
                let differences = differences(&sent, &mended);
                answer.each_resource(|resource| overlay(resource, &differences));
                let path = answer
                    .location_path()
                    .unwrap_or_else(|| request.path().to_owned());
                context.remember(&format!("overlay {path}"), differences);
            }
            Ok(answer)
        }
    })
}

/// Passes a request on; what is read shows what was taken wrongly.
async fn read_overlaid(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("overlay {}", request.path());
    if request.method() != "GET" && request.method() != "HEAD" {
        context.forget(&key);
    }
    let mut answer = context.pass(request).await?;
    if let Some(differences) = context.recall(&key).filter(|_| answer.is_success()) {
        answer.each_resource(|resource| overlay(resource, &differences));
    }
    Ok(answer)
}

/// The members that differ, as sent; null for those that were not sent.
fn differences(sent: &Value, mended: &Value) -> Value {
    let (Value::Object(sent), Value::Object(mended)) = (sent, mended) else {
        return Value::Null;
    };
    let changed = sent
        .iter()
        .filter(|(name, value)| mended.get(*name) != Some(value));
    let added = mended.keys().filter(|name| !sent.contains_key(*name));
    let changed = changed.map(|(name, value)| (name.clone(), value.clone()));
    changed
        .chain(added.map(|name| (name.clone(), Value::Null)))
        .collect()
}

/// Shows the members as they were sent.
fn overlay(resource: &mut Value, differences: &Value) {
    let (Value::Object(resource), Value::Object(differences)) = (resource, differences) else {
        return;
    };
    for (name, value) in differences {
        match value {
            Value::Null => drop(resource.remove(name)),
            value => drop(resource.insert(name.clone(), value.clone())),
        }
    }
}

/// A success in place of a refusal with one of these statuses: what the client sent comes back with another status.
pub(crate) fn succeeds(scope: Scope, refusals: &'static [u16], status: u16) -> Handler {
    after(scope, move |answer, request, _| {
        if !refusals.contains(&answer.status()) {
            return;
        }
        *answer = match request.json() {
            Some(body) if status != 204 => Answer::json_with(status, &body),
            _ => Answer::empty(status),
        };
    })
}

/// Takes a member away.
pub(crate) fn without(name: &'static str) -> impl Fn(&mut Value) + Send + Sync + Clone + 'static {
    move |resource| without_named(resource, name)
}

/// Replaces the member at a JSON pointer, where there is one.
pub(crate) fn with(
    pointer: &'static str,
    change: impl Fn(&Value) -> Value + Send + Sync + Clone + 'static,
) -> impl Fn(&mut Value) + Send + Sync + Clone + 'static {
    move |resource| {
        if let Some(member) = resource.pointer_mut(pointer) {
            *member = change(member);
        }
    }
}

/// Takes a member away.
pub(crate) fn without_named(resource: &mut Value, name: &str) {
    if let Value::Object(members) = resource {
        members.remove(name);
    }
}
