//! A path leads to what it names, and nowhere else.

use std::sync::Arc;

use mecforge_report::Severity;

use super::super::state::comparison::last;
use super::read;
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite,
};

static EXACT: Check = Check {
    id: "identifiers-are-whole",
    group: Group::Security,
    title: "a part of an identifier, or one with something added, names nothing",
    severity: Severity::Error,
    explanation: "An object is made and read. Its identifier without the last character, without its last half, twice, and with a letter, a NUL or a percent sign added are names that nobody gave: 404, or another 4xx.",
    sources: &[Source::Rfc(9110, "15.5.5"), Source::Rfc(3986, "6.2.2")],
};

static TRAVERSAL: Check = Check {
    id: "paths-do-not-climb",
    group: Group::Security,
    title: "encoded slashes and dots in an identifier do not lead to another resource",
    severity: Severity::Error,
    explanation: "..%2F, ..%5C, their double encodings and overlong forms of UTF-8 are sent in place of an identifier. %2F is not a slash (RFC 3986, 2.2), so this names nothing: any 4xx is right.",
    sources: &[
        Source::Rfc(3986, "2.2"),
        Source::Practice("CWE-22: path traversal"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&EXACT, &TRAVERSAL];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let (Some(_), Some(get)) = (resource.path.last_parameter(), resource.operation("GET")) else {
            continue;
        };
        if let Some(maker) = resource.maker {
            plan.add(suite, &EXACT, api, Some(get), "whole", move |context| {
                Box::pin(async move { whole(context, api, maker, get).await })
            })
            .read_only = false;
        }
        plan.add(suite, &TRAVERSAL, api, Some(get), "climbs", move |context| {
            Box::pin(async move { climbs(context, api, get).await })
        });
    }
}

async fn whole(context: &mut Context, api: usize, maker: usize, get: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let own = read(context, api, &made.path, Role::Control).await?;
    let Some(own) = own.filter(Exchange::is_success) else {
        return Err(Stop::Inconclusive("what was made can't be read".to_owned()));
    };
    let call = context.call(api, get, &made.values);
    let id = last(&made.path).to_owned();
    let mut others = vec![
        ("its last letter more", format!("{id}x")),
        ("NUL at its end", format!("{id}%00")),
        ("a percent sign at its end", format!("{id}%25")),
        ("a wildcard at its end", format!("{id}*")),
        ("itself behind it", format!("{id}{id}")),
        ("300 letters more", format!("{id}{}", "x".repeat(300))),
        ("5000 letters more", format!("{id}{}", "x".repeat(5000))),
    ];
    // A shorter number may be the name of an older object.
    if id.len() >= 8 && id.is_ascii() && !id.contains('%') {
        others.push(("its last character missing", id[..id.len() - 1].to_owned()));
        others.push(("its second half missing", id[..(id.len() / 2).max(8)].to_owned()));
        others.push(("its first character missing", id[1..].to_owned()));
    }
    for (what, other) in others.into_iter().filter(|(_, other)| *other != id) {
        let exchange = context
            .send(call.clone().with_last(&other).intent(Intent::Odd))
            .await?;
        if exchange.is_success() && exchange.json() == own.json() {
            let title = format!("an object is read by its identifier with {what}");
            let failure = Failure::new(title, "404, as nothing has that name", exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn climbs(context: &mut Context, api: usize, get: usize) -> Outcome {
    let values = context.values(api, get).await?;
    let call = context.call(api, get, &values);
    let id = last(&call.path).to_owned();
    let parent = call.path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let collection = last(parent).to_owned();
    let stranger = format!("unknown-{}", context.unique());
    let control = context
        .send(
            call.clone()
                .with_last(&stranger)
                .intent(Intent::Odd)
                .role(Role::Control),
        )
        .await?;
    if control.is_success() {
        return Err(Stop::NotApplicable(
            "any identifier is answered with a success here".to_owned(),
        ));
    }
    let all = [
        format!("..%2f{collection}%2f{id}"),
        format!("..%2F{collection}"),
        format!("..%5c{collection}%5c{id}"),
        format!("%252e%252e%252f{collection}"),
        format!("..%252f{collection}%252f{id}"),
        format!("%c0%ae%c0%ae%c0%af{collection}"),
        "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd".to_owned(),
        "%00".to_owned(),
        "%ff%fe".to_owned(),
        format!("x%2f..%2f{id}"),
        format!("{id}%2f"),
        format!("..;%2f{collection}"),
    ];
    for segment in all {
        let exchange = context
            .send(call.clone().with_last(&segment).intent(Intent::Odd))
            .await?;
        if exchange.is_success() {
            let failure = Failure::new(
                "an identifier with encoded slashes, dots or bytes that are no text leads to a resource",
                "404 or another 4xx",
                exchange.summary(),
            );
            return Err(failure.shown_by(&exchange.call).stop());
        }
    }
    Ok(())
}
