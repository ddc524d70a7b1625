//! What wears a platform down: the same request many times, and bodies that are deep, huge or strange.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mecforge_report::Severity;

use serde_json::{Value, json};

use super::properties;
use crate::suite::{Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite};

static STEADY: Check = Check {
    id: "answers-steadily",
    group: Group::Responses,
    title: "the same request, sent hundreds of times, is answered each time",
    severity: Severity::Error,
    explanation: "One valid GET is sent up to 300 times one after the other, for at most four seconds. No answer may be a 5xx, be missing or break off. 503 and 429 with Retry-After are taken as being busy. What is seen once and not again is reported as flaky.",
    sources: &[Source::Rfc(9110, "15.6"), Source::Rfc(9112, "6.3")],
};

static STRANGE: Check = Check {
    id: "strange-bodies-are-survived",
    group: Group::Input,
    title: "a body that is deep, huge or strange is no reason for a 5xx, and what comes after it is answered",
    severity: Severity::Error,
    explanation: "Objects and lists of up to 2,000 levels, numbers beyond 32 and 64 bits, 2,000 properties, names given twice, a byte order mark, UTF-16, half of a surrogate pair. The platform may accept or refuse each; afterwards a valid request must be accepted as before.",
    sources: &[Source::Rfc(9110, "15.6"), Source::Rfc(8259, "9")],
};

pub(in crate::checks) static CHECKS: &[&Check] = &[&STEADY, &STRANGE];

/// Requests at most, and how long they may take together.
const MOST: usize = 300;
const LONGEST: Duration = Duration::from_secs(4);

pub(in crate::checks) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        let operations = &state.api.operations;
        let gets = operations.iter().filter(|operation| operation.method == "GET");
        let fewest = gets.min_by_key(|operation| operation.path.parameters().count());
        if let Some(get) = fewest.map(|operation| operation.index) {
            plan.add(suite, &STEADY, api, Some(get), "steady", move |context| {
                Box::pin(async move { steady(context, api, get).await })
            });
        }
        for operation in operations
            .iter()
            .filter(|operation| operation.json_body().is_some())
        {
            let index = operation.index;
            plan.add(suite, &STRANGE, api, Some(index), "strange", move |context| {
                Box::pin(async move { strange(context, api, index).await })
            });
        }
    }
}

fn strange_bodies(suite: &Suite, api: usize, operation: usize, good: &Value) -> Vec<Vec<u8>> {
    let text = good.to_string();
    // All bodies that are bodies of this operation have one more member.
    let with = |member: &str| {
        let inner = text.trim_start_matches('{');
        let comma = if inner.starts_with('}') { "" } else { "," };
        format!("{{{member}{comma}{inner}").into_bytes()
    };
    let mut all = Vec::new();
    for depth in [20, 100, 2000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        all.push(with(&format!("\"mecConformance\":{open}{close}")));
        let (open, close) = ("{\"a\":".repeat(depth), "}".repeat(depth));
        all.push(with(&format!("\"mecConformance\":{open}1{close}")));
    }
    let many: Vec<_> = (0..2000).map(|at| format!("\"x{at}\":{at}")).collect();
    all.push(with(&many.join(",")));
    all.push(with(
        "\"\":1,\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":1}",
    ));
    all.push(with("\"mecConformance\":\"\\ud800\""));
    all.push(with(&format!("\"mecConformance\":{}", "9".repeat(400))));
    all.push(with("\"mecConformance\":1e999"));
    all.push([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat());
    all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    let numbers = properties::of_body(suite, api, operation)
        .into_iter()
        .filter(|(_, schema)| {
            schema
                .get("type")
                .is_some_and(|kind| kind == "integer" || kind == "number")
        });
    for (name, _) in numbers.take(6) {
        for number in [
            "4294967296",
            "-2147483649",
            "9223372036854775808",
            "18446744073709551616",
            "1e308",
            "-1",
        ] {
            let mut body = good.clone();
            body[name.as_str()] = json!("mec-conformance-number");
            let body = body.to_string().replace("\"mec-conformance-number\"", number);
            all.push(body.into_bytes());
        }
    }
    all
}

async fn strange(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, operation).await?;
    let good = context.body(api, operation, &values)?;
    let call = context.call(api, operation, &values);
    let before = context
        .send(call.clone().json(good.clone()).role(Role::Control))
        .await?;
    let media_type = suite.apis[api].api.operations[operation].json_body().map_or_else(
        || "application/json".to_owned(),
        |content| content.media_type.clone(),
    );
    for body in strange_bodies(&suite, api, operation, &good) {
        let call = call.clone().bytes(&media_type, body).intent(Intent::Odd);
        context.send(call).await?;
    }
    let good = context.body(api, operation, &values)?;
    let after = context.send(call.json(good).role(Role::Judged)).await?;
    if before.is_success() && !after.is_success() && !matches!(after.status(), 403 | 404 | 409 | 410 | 429) {
        return Err(Failure::new(
            "after bodies that are deep, huge or strange a valid one is refused",
            "a success, as before them",
            after.summary(),
        )
        .shown_by(&after.call)
        .stop());
    }
    Ok(())
}

async fn steady(context: &mut Context, api: usize, get: usize) -> Outcome {
    let values = context.values(api, get).await?;
    let call = context.call(api, get, &values);
    if !context.send(call.clone().role(Role::Control)).await?.is_success() {
        return Err(Stop::Inconclusive(
            "the request is not answered with a success even once".to_owned(),
        ));
    }
    let before = context.trace.len();
    let begun = Instant::now();
    for _ in 0..MOST {
        // Hundreds of the same are no evidence.
        context.trace.truncate(before);
        let exchange = context.send(call.clone().impatient()).await?;
        let busy = matches!(exchange.status(), 429 | 503) && exchange.header("retry-after").is_some();
        if (exchange.outcome.is_err() || exchange.status() >= 500) && !busy {
            return Err(Failure::new(
                "a request that is answered with a success is sometimes not",
                "a success each time",
                exchange.summary(),
            )
            .stop());
        }
        if begun.elapsed() > LONGEST {
            break;
        }
    }
    Ok(())
}
