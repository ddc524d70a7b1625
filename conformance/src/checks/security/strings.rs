//! Text that looks like an attack is text: it comes back as it was sent, and nothing obeys it.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::{Value, json};

use super::{lister, properties, read, short};
use crate::checks::state::comparison::{is_at, items, last};
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
};

static TEXT: Check = Check {
    id: "text-comes-back-as-it-was",
    group: Group::Security,
    title: "text that is accepted is kept letter by letter",
    severity: Severity::Error,
    explanation: "Blanks at the ends, markup, quotes, NUL and other control characters, templates, paths, all planes and forms of Unicode, long text: in a property that takes any text. The platform may refuse it with a 4xx; what it accepts it must give back unchanged.",
    sources: &[
        Source::Document,
        Source::Rfc(8259, "7"),
        Source::Practice("CWE-116, CWE-89, CWE-1336"),
    ],
};

static HTML: Check = Check {
    id: "nothing-comes-back-as-html",
    group: Group::Security,
    title: "what a request contains does not come back in a page",
    severity: Severity::Error,
    explanation: "A tag is sent in a query parameter and in a path; an answer of the type text/html that has it as it is would run it in a browser.",
    sources: &[Source::Practice("CWE-79")],
};

static SPLIT: Check = Check {
    id: "line-breaks-stay-data",
    group: Group::Security,
    title: "line breaks in a request do not become header fields of the answer",
    severity: Severity::Error,
    explanation: "An encoded CRLF and a header field are sent in a query parameter, in a path and in a body; the answer must not have the field.",
    sources: &[Source::Rfc(9110, "5.5"), Source::Practice("CWE-113")],
};

pub(super) static CHECKS: &[&Check] = &[&TEXT, &HTML, &SPLIT];

/// What is special about a text, and the text.
fn texts(unique: &str) -> Vec<(&'static str, String)> {
    let all = [
        ("blanks at its ends", format!("  {unique}  ")),
        ("markup", format!("<script>alert('{unique}')</script>&amp;\"<b>")),
        (
            "quotes",
            format!("{unique}'); DROP TABLE services;-- \" OR '1'='1"),
        ),
        ("NUL", format!("{unique}\0after")),
        ("upper case", format!("{unique}-MiXeD-ÄÖ")),
        ("letters beyond ASCII", format!("{unique}-Größe-服务-خدمة")),
        (
            "combining accents",
            format!("{unique}-e\u{301}a\u{308}o\u{308}A\u{30a}"),
        ),
        ("composed accents", format!("{unique}-\u{e9}\u{e4}\u{c5}\u{212b}")),
        (
            "characters beyond the basic plane",
            format!("{unique}-\u{1f600}\u{1f469}\u{200d}\u{1f4bb}\u{20000}"),
        ),
        ("300 characters", format!("{unique}-{}", "x".repeat(290))),
        (
            "control characters",
            format!("{unique}\t\n\r\u{1}\u{7}\u{1b}[31m\u{7f}"),
        ),
        (
            "templates",
            format!("{unique}${{7*7}}{{{{7*7}}}}#{{7*7}}<%= 7*7 %>%s%n%x"),
        ),
        (
            "paths",
            format!("../../../../etc/passwd;{unique}\\..\\..%2e%2e%2f%00"),
        ),
        (
            "commands",
            format!("$(id);`id`|id&&id {unique} ${{jndi:ldap://127.0.0.1:9/x}}"),
        ),
        (
            "characters that turn or hide text",
            format!("{unique}\u{202e}abc\u{202c}\u{200b}\u{feff}\u{fffd}"),
        ),
        (
            "many combining characters",
            format!("{unique}{}", "a\u{300}".repeat(100)),
        ),
        ("names of values", format!("null true NaN __proto__ {unique}")),
        ("2000 characters", format!("{unique}-{}", "y".repeat(1990))),
    ];
    all.into_iter().collect()
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for resource in &state.api.resources {
        let Some(maker) = resource.maker else { continue };
        let free = free(suite, api, maker);
        if free.is_empty() {
            let reason = "its body has no property that takes any text";
            plan.not_applicable(&TEXT, api, Some(maker), reason);
            continue;
        }
        plan.add(suite, &TEXT, api, Some(maker), "text", move |context| {
            let free = free.clone();
            Box::pin(async move { kept(context, api, maker, &free).await })
        });
    }
    for operation in state
        .api
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let index = operation.index;
        plan.add(suite, &HTML, api, Some(index), "html", move |context| {
            Box::pin(async move { html(context, api, index).await })
        });
        plan.add(suite, &SPLIT, api, Some(index), "split", move |context| {
            Box::pin(async move { split(context, api, index).await })
        });
    }
}

/// Properties that take any text, and mean nothing beyond it as far as their names tell.
fn free(suite: &Suite, api: usize, maker: usize) -> Vec<String> {
    let state = &suite.apis[api];
    let assigned = state.knowledge.server_set(&state.api.operations[maker].key);
    // What has a meaning may have several forms, of which a platform keeps one.
    let meaningful = |name: &str| {
        let name = name.to_ascii_lowercase();
        let ends = [
            "id",
            "ids",
            "ref",
            "uri",
            "url",
            "href",
            "type",
            "address",
            "time",
            "reference",
            "version",
            "mail",
            "phone",
            "domain",
            "host",
            "hostname",
            "fqdn",
            "mac",
            "ip",
            "path",
            "language",
            "locale",
            "currency",
            "country",
            "code",
            "hash",
            "password",
            "secret",
            "token",
            "key",
        ];
        ends.iter().any(|end| name.ends_with(end)) || name.contains("link")
    };
    properties::of_body(suite, api, maker)
        .into_iter()
        .filter(|(name, schema)| properties::is_free_text(schema) && !meaningful(name))
        .filter(|(name, _)| !assigned.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect()
}

async fn kept(context: &mut Context, api: usize, maker: usize, free: &[String]) -> Outcome {
    let values = context.values(api, maker).await?;
    context.make(api, maker, &values, None).await?;
    let mut accepted = 0;
    let unique = context.unique();
    for (what, text) in texts(&unique) {
        let Some((exchange, set)) = taken(context, (api, maker), &values, free, &text).await? else {
            continue;
        };
        accepted += 1;
        let mut seen = vec![exchange.json().unwrap_or_default()];
        if let Some(path) = crate::suite::location_path(&context.suite, &exchange) {
            let single = read(context, api, &path, Role::Judged).await?;
            let single = single.filter(Exchange::is_success);
            seen.extend(single.and_then(|single| single.json()));
            seen.extend(in_lists(context, (api, maker), &values, &path).await?);
        }
        let mut failures = seen.iter().filter_map(|seen| changed(seen, &set, what, &text));
        if let Some(failure) = failures.next() {
            context.report(failure.shown_by(&exchange.call));
        }
    }
    match accepted {
        0 => Err(Stop::NotApplicable(
            "the platform refuses all unusual text, which it may".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// A creation with a text that the platform takes, and the properties that have it: several together, or else the first
/// that takes it alone, as one of them may stand for something that the platform has to know.
async fn taken(
    context: &mut Context,
    (api, maker): (usize, usize),
    values: &Values,
    free: &[String],
    text: &str,
) -> Result<Option<(Exchange, Vec<String>)>, Stop> {
    let free = &free[..free.len().min(3)];
    let alone = free.chunks(1).filter(|_| free.len() > 1);
    for names in std::iter::once(free).chain(alone) {
        let mut body = context.body(api, maker, values)?;
        let schema = context.suite.apis[api].body_schema(maker);
        let mut set = Vec::new();
        for name in names {
            let mut with = body.clone();
            with[name.as_str()] = json!(text);
            // A limit of its length, or a rule between properties, may forbid it.
            if schema.as_ref().is_none_or(|schema| schema.is_valid(&with)) {
                body = with;
                set.push(name.clone());
            }
        }
        if set.is_empty() {
            continue;
        }
        let call = context.call(api, maker, values).json(body).intent(Intent::Odd);
        let exchange = context.send(call).await?;
        if exchange.status() == 201 {
            return Ok(Some((exchange, set)));
        }
    }
    Ok(None)
}

/// An object as the lists have it in which it can be read: that of its collection, and another view.
async fn in_lists(
    context: &mut Context,
    (api, maker): (usize, usize),
    values: &Values,
    path: &str,
) -> Result<Vec<Value>, Stop> {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let view = state.knowledge.view(&state.api.operations[maker].key);
    let view = view.and_then(|(list, _)| state.api.operation("GET", list));
    let mut seen = Vec::new();
    for list in [lister(&suite, api, maker), view.map(|list| list.index)]
        .into_iter()
        .flatten()
    {
        let list = context
            .send(context.call(api, list, values).role(Role::Judged))
            .await?;
        let body = list.json().filter(|_| list.is_success()).unwrap_or_default();
        let own = items(&body)
            .into_iter()
            .flatten()
            .find(|item| is_at(item, last(path)));
        seen.extend(own.cloned());
    }
    Ok(seen)
}

/// What an answer has instead of the text that was sent; properties that it does not have are judged elsewhere.
fn changed(seen: &Value, set: &[String], what: &str, text: &str) -> Option<Failure> {
    let found = set
        .iter()
        .find_map(|name| Some((name, seen.get(name).filter(|found| **found != json!(text))?)));
    let (name, found) = found?;
    let title = format!("text with {what} is changed in {name}");
    Some(Failure::new(title, short(&json!(text)), short(found)))
}

async fn html(context: &mut Context, api: usize, operation: usize) -> Outcome {
    const TAG: &str = "<script>mec-conformance</script>";
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, operation).await?;
    let base = context.call(api, operation, &values).intent(Intent::Odd);
    let mut calls = vec![
        base.clone().query("mecConformance", TAG),
        base.clone().query(TAG, "1"),
    ];
    if suite.apis[api].api.operations[operation]
        .path
        .last_parameter()
        .is_some()
    {
        calls.push(base.with_last(&mecforge_api::segment(TAG)));
    }
    for call in calls {
        for accept in ["application/json", "text/html"] {
            let exchange = context.send(call.clone().header("Accept", accept)).await?;
            let page = exchange
                .header("content-type")
                .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
            let Ok(answer) = &exchange.outcome else { continue };
            if page && String::from_utf8_lossy(&answer.body).contains(TAG) {
                let failure = Failure::new(
                    "a tag of the request comes back in a page",
                    "JSON, or the tag escaped",
                    exchange.summary(),
                );
                return Err(failure.shown_by(&exchange.call).stop());
            }
        }
    }
    Ok(())
}

async fn split(context: &mut Context, api: usize, operation: usize) -> Outcome {
    const FIELD: &str = "x-mec-conformance-split";
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, operation).await?;
    let base = context.call(api, operation, &values).intent(Intent::Odd);
    let encoded = format!("a%0d%0a{FIELD}:%20yes%0d%0a");
    let mut calls = vec![crate::suite::Call {
        raw_query: Some(format!("mecConformance={encoded}")),
        ..base.clone()
    }];
    if suite.apis[api].api.operations[operation]
        .path
        .last_parameter()
        .is_some()
    {
        calls.push(base.with_last(&encoded));
    }
    for call in calls {
        let exchange = context.send(call).await?;
        if exchange.header(FIELD).is_some() {
            let failure = Failure::new(
                "an encoded line break of the request begins a header field of the answer",
                format!("no header field {FIELD}"),
                exchange.summary(),
            );
            return Err(failure.shown_by(&exchange.call).stop());
        }
    }
    Ok(())
}
