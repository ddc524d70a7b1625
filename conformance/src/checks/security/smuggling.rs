//! Requests whose end two servers may see in two places. Only on demand (`--smuggling`): no client sends them, and a
//! proxy that others use may suffer.

use std::sync::Arc;

use mecforge_report::Severity;
use mecforge_transport::{RawAnswer, Request};

use crate::suite::{Check, Context, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite};

static FRAMING: Check = Check {
    id: "framing-is-unambiguous",
    group: Group::Security,
    title: "a request whose end is not certain is refused, and nothing after it is answered",
    severity: Severity::Error,
    explanation: "Content-Length beside Transfer-Encoding, two different lengths, lengths that are no numbers, codings that do not end in chunked, a blank before the colon, a chunk size beyond 64 bits. Behind each a second request follows on the same connection: if it is answered, a proxy and the platform can be made to disagree on whose request it is. Two right requests in one go are first seen to be answered both.",
    sources: &[
        Source::Rfc(9112, "6.1"),
        Source::Rfc(9112, "6.3"),
        Source::Rfc(9112, "5.1"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&FRAMING];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    if !suite.options.smuggling {
        let reason = "only on demand, as no client sends such requests; give --smuggling";
        plan.not_applicable(&FRAMING, api, None, reason);
        return;
    }
    let operations = &suite.apis[api].api.operations;
    let Some(get) = operations.iter().find(|operation| operation.method == "GET") else {
        return;
    };
    let get = get.index;
    for (at, probe) in PROBES.iter().enumerate() {
        plan.add(suite, &FRAMING, api, Some(get), probe.0, move |context| {
            Box::pin(async move { ask(context, api, get, at).await })
        })
        .read_only = false;
    }
}

/// What a server must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Answer at most once on that connection.
    Once,
    /// Refuse it, and answer at most once.
    Refuse,
}

/// Name, what it is, header fields, body, rule, section of RFC 9112.
type Probe = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Rule,
    &'static str,
);

static PROBES: &[Probe] = &[
    (
        "both",
        "Content-Length beside Transfer-Encoding",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
        Rule::Once,
        "6.1",
    ),
    (
        "lengths",
        "two different Content-Length fields",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "",
        Rule::Refuse,
        "6.3",
    ),
    (
        "list",
        "a list of different lengths",
        "Content-Length: 0, 5\r\n",
        "",
        Rule::Refuse,
        "6.3",
    ),
    (
        "sign",
        "a length with a sign",
        "Content-Length: +0\r\n",
        "",
        Rule::Refuse,
        "6.3",
    ),
    (
        "hexadecimal",
        "a length that is no decimal number",
        "Content-Length: 0x0\r\n",
        "",
        Rule::Refuse,
        "6.3",
    ),
    (
        "not-last",
        "a coding after chunked",
        "Transfer-Encoding: chunked, identity\r\n",
        "0\r\n\r\n",
        Rule::Refuse,
        "6.3",
    ),
    (
        "unknown",
        "an unknown coding",
        "Transfer-Encoding: xchunked\r\n",
        "0\r\n\r\n",
        Rule::Refuse,
        "6.1",
    ),
    (
        "colon",
        "a blank before a colon",
        "Content-Length : 0\r\n",
        "",
        Rule::Refuse,
        "5.1",
    ),
    (
        "overflow",
        "a chunk size beyond 64 bits",
        "Transfer-Encoding: chunked\r\n",
        "10000000000000000\r\n\r\n0\r\n\r\n",
        Rule::Once,
        "7.1",
    ),
];

/// What all requests of a probe begin with.
struct Head {
    path: String,
    fields: String,
}

async fn head(context: &mut Context, api: usize, get: usize) -> Result<Head, Stop> {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, get).await?;
    let path = format!(
        "{}{}",
        suite.apis[api].base_path,
        context.call(api, get, &values).path
    );
    let client = &suite.clients.main;
    let credentials = client.authorization(&Request::new("GET", path.clone())).await;
    let credentials = credentials.map_or_else(String::new, |value| {
        format!("Authorization: {}\r\n", value.expose())
    });
    Ok(Head {
        path,
        fields: format!(
            "Host: {}\r\n{credentials}Accept: application/json\r\n",
            client.target().authority()
        ),
    })
}

impl Head {
    fn request(&self, method: &str, fields: &str, body: &str) -> String {
        format!(
            "{method} {} HTTP/1.1\r\n{}{fields}\r\n{body}",
            self.path, self.fields
        )
    }
}

async fn ask(context: &mut Context, api: usize, get: usize, at: usize) -> Outcome {
    let (_, what, fields, body, rule, section) = PROBES[at];
    let head = head(context, api, get).await?;
    let second = head.request("GET", "", "");
    let right = head.request("GET", "Content-Length: 0\r\n", "") + &second;
    let control = context
        .raw_sent(api, "GET", right.as_bytes(), Role::Control)
        .await?;
    if control.statuses().len() != 2 {
        return Err(Stop::Inconclusive(
            "two right requests in one go are not answered both, so that nothing tells where the platform sees the end of one; test it without what is in front of it"
                .to_owned(),
        ));
    }
    let bytes = (head.request("GET", fields, body) + &second).into_bytes();
    let answer = context.raw_sent(api, "GET", &bytes, Role::Judged).await?;
    match breach(&answer, rule) {
        None => Ok(()),
        Some(title) => {
            let expected = match rule {
                Rule::Once => format!("the connection closed after one answer (RFC 9112, {section})"),
                Rule::Refuse => format!("400, and the connection closed (RFC 9112, {section})"),
            };
            let statuses: Vec<_> = answer.statuses().iter().map(u16::to_string).collect();
            let came = format!("answers: {}; {:?}", statuses.join(", "), answer.end);
            Err(Failure::new(format!("{what}: {title}"), expected, came)
                .signature(what)
                .stop())
        }
    }
}

/// What is wrong with the answer to a request of uncertain end, behind which a second one was sent.
fn breach(answer: &RawAnswer, rule: Rule) -> Option<&'static str> {
    let statuses = answer.statuses();
    match statuses.as_slice() {
        [_, _, ..] => Some("what follows on the connection is answered"),
        [status] if rule == Rule::Refuse && *status < 300 => Some("it is accepted"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mecforge_transport::RawEnd;

    use super::*;

    #[test]
    fn the_second_answer_and_the_first_success_tell() {
        let answer = |text: &str| RawAnswer {
            bytes: text
                .replace('|', "Content-Length: 0\r\n\r\n")
                .replace(';', "\r\n")
                .into_bytes(),
            end: RawEnd::Closed,
            elapsed: Duration::ZERO,
        };
        let refused = answer("HTTP/1.1 400 Bad Request;|");
        assert_eq!(breach(&refused, Rule::Refuse), None);
        let taken = answer("HTTP/1.1 200 OK;|");
        assert_eq!(breach(&taken, Rule::Once), None);
        assert!(breach(&taken, Rule::Refuse).is_some());
        assert!(breach(&answer("HTTP/1.1 400 Bad Request;|HTTP/1.1 200 OK;|"), Rule::Once).is_some());
        assert_eq!(breach(&answer(""), Rule::Refuse), None);
    }
}
