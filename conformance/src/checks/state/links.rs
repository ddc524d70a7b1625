//! Links of an object that was made: `Location` of its creation, and `_links.self`.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::Value;

use super::comparison::{lost, same};
use super::keeps;
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Made, Outcome, Role, Source, Stop, as_it_stands,
    path_below, reading,
};

pub(super) static LOCATION: Check = Check {
    id: "location",
    group: Group::State,
    title: "Location of a creation leads to the new object",
    severity: Severity::Error,
    explanation: "GET of the Location answers 200 with the object that the creation answered with, and so does its _links.self.",
    sources: &[Source::Rfc(9110, "10.2.2"), Source::Document],
};

pub(super) static STANDS: Check = Check {
    id: "location-as-it-stands",
    group: Group::State,
    title: "Location leads to the new object as it stands",
    severity: Severity::Warning,
    explanation: "A Location without authority, or with that of the target, whose path is not below the base path that is asked, is asked as it stands as well. Where nothing is there, while the object is below the base path, a client that follows the link does not find it; a gateway that adds a prefix has to add it to links too. A Location with another authority is not asked.",
    sources: &[Source::Rfc(9110, "10.2.2"), Source::Rfc(3986, "5.2")],
};

/// An object is where `Location` and its own link say.
pub(super) async fn location(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let suite = Arc::clone(&context.suite);
    if made.answered.is_object() {
        keeps(
            context,
            (api, maker),
            &made.sent,
            &made.answered,
            false,
            &made.exchange.call,
        );
    }
    let Some(call) = reading(&suite, api, &made.path) else {
        return Err(Stop::NotApplicable(
            "the API has no GET for what it makes".to_owned(),
        ));
    };
    let read = context.send(call.role(Role::Judged)).await?;
    if !read.is_success() {
        return Err(Failure::new("Location does not lead to the new object", "200", read.summary()).stop());
    }
    stands(context, &made, &read).await?;
    for body in [Some(&made.answered), read.json().as_ref()].into_iter().flatten() {
        leads(context, api, body.pointer("/_links/self/href"), &made.path).await?;
    }
    if let Some(body) = read
        .json()
        .filter(|body| made.answered.is_object() && !same(body, &made.answered))
    {
        let difference =
            lost(&made.answered, &body, &[], false).or_else(|| lost(&body, &made.answered, &[], false));
        let place = difference
            .as_ref()
            .map_or("the root", |difference| difference.place())
            .to_owned();
        let failure = Failure::new(
            format!("the object at Location differs from the answer to its creation at {place}"),
            made.answered.to_string(),
            body.to_string(),
        );
        return Err(failure.signature(place).stop());
    }
    Ok(())
}

/// A link that names an object leads to it: where MEC 011 says so.
pub(super) async fn leads(context: &mut Context, api: usize, href: Option<&Value>, path: &str) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let href = href.and_then(Value::as_str);
    let named = href.and_then(|href| path_below(&suite, api, href));
    let named = named.filter(|named| named != path && suite.apis[api].api.id.starts_with("mec011"));
    let (Some(named), Some(mut call)) = (named, reading(&suite, api, path)) else {
        return Ok(());
    };
    call.path = named;
    let read = context.send(call).await?;
    match read.is_success() || read.outcome.is_err() {
        true => Ok(()),
        false => Err(Failure::new(
            "a link does not lead to the object that it names",
            format!("an address that ends in {path}"),
            href.unwrap_or_default(),
        )
        .signature("link")
        .shown_by(&read.call)
        .stop()),
    }
}

/// A client that follows `Location` finds the object, without knowing by which prefix the platform is asked.
async fn stands(context: &mut Context, made: &Made, read: &Exchange) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let link = made.exchange.header("location").unwrap_or_default();
    let Some(path) = as_it_stands(&suite, &made.exchange.call, link) else {
        return Ok(());
    };
    let mut call = read.call.clone().role(Role::Judged).intent(Intent::Odd);
    (call.rooted, call.path) = (true, path);
    let exchange = context.send(call).await?;
    context.judge(STANDS.id, made.exchange.call.api, made.exchange.call.operation);
    if matches!(exchange.status(), 404 | 410) {
        let failure = Failure::new(
            "Location leads nowhere as it stands, though the object is below the base path that is asked",
            format!("200 at {}", exchange.call.path),
            exchange.summary(),
        );
        context.report(failure.of(STANDS.id).signature("prefix").shown_by(&exchange.call));
    }
    Ok(())
}
