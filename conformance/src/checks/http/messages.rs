//! Messages as bytes: Host, framing, forms of the target, order of answers, what follows an answer, Date.

use std::sync::Arc;
use std::time::SystemTime;

use mecforge_report::Severity;
use mecforge_transport::{RawAnswer, RawEnd};

use crate::suite::{
    Check, Context, Failure, Group, Outcome, Plan, RawCall, Role, Source, Stop, Suite, Values,
};

pub(super) static HOST: Check = Check {
    id: "demands-host",
    group: Group::Http,
    title: "HTTP/1.1 without Host, or with two, is answered 400",
    severity: Severity::Error,
    explanation: "What is meant for one host must not be answered for another. Any 4xx and a closed connection are taken as refusals too.",
    sources: &[Source::Rfc(9112, "3.2")],
};

pub(super) static FRAMING: Check = Check {
    id: "refuses-broken-framing",
    group: Group::Http,
    title: "a message whose end can't be known is refused",
    severity: Severity::Error,
    explanation: "Content-Length that is no number, two that differ, a Transfer-Encoding that does not end in chunked, and a blank before the colon of a field name: 400 (501 for the coding), or a closed connection. Taking them lets attackers smuggle requests.",
    sources: &[
        Source::Rfc(9112, "6.3"),
        Source::Rfc(9112, "6.1"),
        Source::Rfc(9112, "5.1"),
    ],
};

pub(super) static FORMS: Check = Check {
    id: "understands-all-forms",
    group: Group::Http,
    title: "every form of a request that HTTP/1.1 has is understood",
    severity: Severity::Error,
    explanation: "The whole address as target, field names in any case, a body in chunks (411 is right too), and Expect: 100-continue. The same request in its usual form succeeds before.",
    sources: &[
        Source::Rfc(9112, "3.2.2"),
        Source::Rfc(9112, "7.1"),
        Source::Rfc(9110, "5.1"),
        Source::Rfc(9110, "10.1.1"),
    ],
};

pub(super) static ORDER: Check = Check {
    id: "answers-in-order",
    group: Group::Http,
    title: "requests on one connection are answered in their order",
    severity: Severity::Error,
    explanation: "Three requests are sent at once, the second for something that does not exist. A platform may close the connection after any answer.",
    sources: &[Source::Rfc(9112, "9.3.2")],
};

pub(super) static NOTHING_AFTER: Check = Check {
    id: "nothing-after-the-head",
    group: Group::Http,
    title: "the answer to HEAD, and 204, end with their head",
    severity: Severity::Error,
    explanation: "Bytes that follow are taken for the next answer on the connection.",
    sources: &[
        Source::Rfc(9110, "9.3.2"),
        Source::Rfc(9110, "15.3.5"),
        Source::Rfc(9112, "6.3"),
    ],
};

pub(super) static DATE: Check = Check {
    id: "date",
    group: Group::Http,
    title: "answers carry Date, in the form that HTTP demands",
    severity: Severity::Warning,
    explanation: "A server with a clock must send it with 2xx, 3xx and 4xx; one without a clock must not. The suite can't know which it is, so this is a warning.",
    sources: &[Source::Rfc(9110, "6.6.1"), Source::Rfc(9110, "5.6.7")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    let simple = document.operations.iter().find(|operation| {
        operation.method == "GET" && operation.path.parameters().all(|name| name == "appInstanceId")
    });
    if let Some(index) = simple.map(|operation| operation.index) {
        plan.add(suite, &HOST, api, Some(index), "host", move |context| {
            Box::pin(host(context, api, index))
        });
        plan.add(suite, &FRAMING, api, Some(index), "fields", move |context| {
            Box::pin(framing(context, api, index))
        });
        plan.add(suite, &FORMS, api, Some(index), "target", move |context| {
            Box::pin(absolute(context, api, index))
        });
        plan.add(suite, &ORDER, api, Some(index), "pipeline", move |context| {
            Box::pin(order(context, api, index))
        });
        plan.add(suite, &NOTHING_AFTER, api, Some(index), "head", move |context| {
            Box::pin(nothing_after(context, api, index))
        });
        plan.add(suite, &DATE, api, Some(index), "date", move |context| {
            Box::pin(date(context, api, index))
        });
    }
    for resource in &document.resources {
        if let (Some(maker), Some(delete)) = (resource.maker, resource.operation("DELETE")) {
            plan.add(
                suite,
                &NOTHING_AFTER,
                api,
                Some(delete),
                "delete",
                move |context| Box::pin(deleted(context, api, maker)),
            );
        }
    }
    let mut waits = true;
    for operation in &document.operations {
        let index = operation.index;
        if operation.method != "POST" || operation.json_body().is_none() {
            continue;
        }
        plan.add(suite, &FORMS, api, Some(index), "chunks", move |context| {
            Box::pin(chunks(context, api, index))
        });
        // It takes seconds, and is about the server, not about the operation.
        if std::mem::take(&mut waits) {
            plan.add(suite, &FORMS, api, Some(index), "expect", move |context| {
                Box::pin(expect(context, api, index))
            })
            .stage = 3;
        }
    }
}

/// A request that is answered with a success in its usual form, over HTTP/1.1.
async fn usual(context: &mut Context, api: usize, operation: usize) -> Result<(RawCall, u16), Stop> {
    let values = context.values(api, operation).await?;
    let call = RawCall::of(context, &context.call(api, operation, &values));
    let answer = context.raw(&call.clone().close()).await?;
    match answer.statuses().first() {
        Some(status) if (200..300).contains(status) => Ok((call, *status)),
        Some(status) => Err(Stop::Inconclusive(format!(
            "in its usual form it is answered {status}"
        ))),
        None => Err(Stop::NotApplicable(
            "the target does not speak HTTP/1.1".to_owned(),
        )),
    }
}

/// What came, in a few words.
fn told(answer: &RawAnswer) -> String {
    match answer.statuses().as_slice() {
        [] => format!(
            "no complete answer: {:?} after {} bytes",
            answer.end,
            answer.bytes.len()
        ),
        statuses => format!("{statuses:?}"),
    }
}

/// Reports a message that was taken though it must be refused.
fn taken(context: &mut Context, what: &str, answer: &RawAnswer) {
    let status = answer.statuses().first().copied();
    if status.is_some_and(|status| (200..400).contains(&status)) {
        let title = format!("{what} is taken");
        context.report(Failure::new(title, "400", told(answer)));
    } else if status.is_some_and(|status| status >= 500 && status != 501 && status != 505) {
        let title = format!("{what} is answered with a server error");
        context.report(Failure::new(title, "400", told(answer)).of("no-server-error"));
    } else if status.is_none() && answer.end == RawEnd::Timeout {
        let title = format!("{what} is not answered");
        context.report(Failure::new(title, "400, or a closed connection", told(answer)));
    }
}

async fn host(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (call, _) = usual(context, api, operation).await?;
    let mut without = call.clone().close();
    without.host = false;
    let answer = context.raw(&without).await?;
    taken(context, "a request without Host", &answer);
    let twice = call.close().field("Host: mec-conformance.invalid");
    let answer = context.raw(&twice).await?;
    taken(context, "a request with two Host fields", &answer);
    Ok(())
}

async fn framing(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (call, _) = usual(context, api, operation).await?;
    let broken = [
        ("a Content-Length that is no number", "Content-Length: five"),
        ("a negative Content-Length", "Content-Length: -1"),
        (
            "two different Content-Lengths",
            "Content-Length: 0\r\nContent-Length: 1",
        ),
        (
            "a Transfer-Encoding that does not end in chunked",
            "Transfer-Encoding: mec-conformance",
        ),
        ("a blank before the colon", "X-Mec-Conformance : 1"),
    ];
    for (what, field) in broken {
        let answer = context.raw(&call.clone().close().field(field)).await?;
        taken(context, what, &answer);
    }
    Ok(())
}

async fn absolute(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (call, status) = usual(context, api, operation).await?;
    let mut whole = call.clone().close();
    whole.target = format!("{}{}", context.suite.target, call.target);
    let answer = context.raw(&whole).await?;
    if answer.statuses().first() != Some(&status) {
        let title = "the whole address as target is not understood";
        context.report(Failure::new(title, status.to_string(), told(&answer)));
    }
    let mut upper = call.close();
    upper.host = false;
    let authority = context.suite.clients.main.target().authority();
    for field in &mut upper.fields {
        if let Some((name, value)) = field.split_once(':') {
            *field = format!("{}:{value}", name.to_ascii_uppercase());
        }
    }
    upper.fields.insert(0, format!("hOST: {authority}"));
    let answer = context.raw(&upper).await?;
    if answer.statuses().first() != Some(&status) {
        let title = "field names in another case are not understood";
        context.report(Failure::new(title, status.to_string(), told(&answer)));
    }
    Ok(())
}

/// A POST with a body that is new each time.
async fn post(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
) -> Result<(RawCall, Vec<u8>), Stop> {
    let body = context.body(api, operation, values)?;
    let call = context.call(api, operation, values).json(body.clone());
    Ok((RawCall::of(context, &call), body.to_string().into_bytes()))
}

/// Values with which the operation succeeds in its usual form.
async fn working(context: &mut Context, api: usize, operation: usize) -> Result<Values, Stop> {
    let values = context.values(api, operation).await?;
    let json = context.body(api, operation, &values)?;
    let control = context.call(api, operation, &values).json(json);
    let control = context.send(control.role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "in its usual form it is answered {}",
            control.summary()
        )));
    }
    Ok(values)
}

async fn chunks(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = working(context, api, operation).await?;
    let (mut chunked, body) = post(context, api, operation, &values).await?;
    let half = body.len() / 2;
    for part in [&body[..half], &body[half..]] {
        chunked.body.extend(format!("{:x}\r\n", part.len()).bytes());
        chunked.body.extend_from_slice(part);
        chunked.body.extend_from_slice(b"\r\n");
    }
    chunked.body.extend_from_slice(b"0\r\n\r\n");
    let call = chunked.close().field("Transfer-Encoding: chunked");
    let answer = context.raw(&call).await?;
    let status = answer.statuses().first().copied();
    if status != Some(411) && status != Some(429) && status.is_none_or(|status| status >= 300) {
        let title = "a body in chunks is not understood";
        context.report(Failure::new(title, "success, or 411", told(&answer)));
    }
    Ok(())
}

async fn expect(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = working(context, api, operation).await?;
    let (expecting, body) = post(context, api, operation, &values).await?;
    let call = expecting
        .field(format!("Content-Length: {}", body.len()))
        .field("Expect: 100-continue");
    // Only the head: the platform has to say whether it wants the rest.
    let answer = context.raw(&call.clone().close()).await?;
    let responses = answer.responses().responses;
    if responses.is_empty() && answer.end == RawEnd::Timeout {
        let title = "Expect: 100-continue is answered neither with 100 nor with a final status";
        context.report(Failure::new(title, "100, or a final status", told(&answer)));
    }
    Ok(())
}

async fn order(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (call, status) = usual(context, api, operation).await?;
    let mut unknown = call.clone();
    let name = context.unique();
    unknown.target = format!("{}/mec-conformance-{name}", context.suite.apis[api].base_path);
    let control = context.raw(&unknown.clone().close()).await?;
    let Some(absent) = control
        .statuses()
        .first()
        .copied()
        .filter(|other| *other != status)
    else {
        return Err(Stop::NotApplicable(
            "both requests have the same status, so that their order can't be told".to_owned(),
        ));
    };
    let mut bytes = Vec::new();
    for call in [call.clone(), unknown, call.close()] {
        bytes.extend(context.raw_bytes(&call).await?);
    }
    let answer = context
        .raw_sent(api, "GET", &bytes, crate::suite::Role::Judged)
        .await?;
    let wanted = [status, absent, status];
    let came = answer.statuses();
    if came.is_empty() || !wanted.starts_with(&came) {
        let title = "requests that are sent at once are answered in another order";
        let failure = Failure::new(title, format!("{wanted:?} or its beginning"), told(&answer));
        return Err(failure.stop());
    }
    Ok(())
}

async fn nothing_after(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (mut call, status) = usual(context, api, operation).await?;
    call.method = "HEAD".to_owned();
    let answer = context.raw(&call.close()).await?;
    let end = answer.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(Stop::Inconclusive("HEAD is not answered with a head".to_owned()));
    };
    let head = String::from_utf8_lossy(&answer.bytes[..end]).into_owned();
    let offered = head.split(' ').nth(1) == Some(status.to_string().as_str());
    let after = answer.bytes.len() - end - 4;
    match (offered, after) {
        (false, _) => Err(Stop::NotApplicable("the platform does not offer HEAD".to_owned())),
        (true, 0) => Ok(()),
        (true, after) => {
            let title = "the answer to HEAD has a body";
            Err(Failure::new(title, "nothing after the head", format!("{after} bytes")).stop())
        }
    }
}

async fn deleted(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let call = RawCall::new(context, api, "DELETE", &made.path);
    let answer = context.raw(&call.close()).await?;
    let rest = answer.responses().rest.len();
    match answer.statuses().first() {
        Some(204) if rest > 0 => {
            let title = "204 has a body";
            Err(Failure::new(title, "nothing after the head", format!("{rest} bytes")).stop())
        }
        Some(_) => Ok(()),
        None => Err(Stop::NotApplicable(
            "the target does not speak HTTP/1.1".to_owned(),
        )),
    }
}

async fn date(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let exchange = context.send(call).await?;
    if exchange.outcome.is_err() || exchange.status() >= 500 {
        return Err(Stop::Inconclusive("there is no answer".to_owned()));
    }
    let Some(date) = exchange.header("date") else {
        let failure = Failure::new("an answer has no Date", "Date: …", exchange.summary());
        return Err(failure.stop());
    };
    let Some(told) = moment(date) else {
        let failure = Failure::new(
            "Date is not in the form of HTTP",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            date,
        );
        return Err(failure.stop());
    };
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if now.abs_diff(told) > 86_400 {
        let failure = Failure::new("Date is more than a day off", "the present time", date);
        return Err(failure.stop());
    }
    Ok(())
}

/// Seconds since 1970 of a date in the form `Sun, 06 Nov 1994 08:49:37 GMT`.
fn moment(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.trim().split_once(", ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|name| name == month)? as i64 + 1;
    let (day, year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    let mut parts = time.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    // Days since 1970 after Howard Hinnant's algorithm.
    let (y, m) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn reads_dates_of_http() {
        assert_eq!(moment("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(moment("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        assert_eq!(moment("1994-11-06T08:49:37Z"), None);
    }
}
