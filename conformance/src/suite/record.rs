//! Exchanges as reports carry them: masked, with bodies of bounded length.

use mecforge_report::{Answer, Exchange, Message};

use super::call::Role;

/// The most characters of a body in a report.
const LONGEST: usize = 16_384;

/// The bytes of a body in which secrets are looked for: more than the longest text can have.
const SEARCHED: usize = 5 * LONGEST;

/// What stands for a secret of the second identity, so that a command that repeats a finding has both.
pub(super) const SECOND: &str = "*** (second identity)";

/// Says of the masked credentials of a request that they are the second identity's.
pub(super) fn of_second(mut exchange: Exchange) -> Exchange {
    for (_, value) in &mut exchange.request.headers {
        *value = value.replace("***", SECOND);
    }
    exchange
}

/// What was sent and came, for the report.
pub(super) fn exchange(target: &str, role: Role, sent: &mecforge_transport::Exchange) -> Exchange {
    // What is not shown need not be masked: searching megabytes takes seconds.
    let (sent_length, answer_length) = lengths(sent);
    let mut short = sent.clone();
    if let Some(body) = &mut short.request.body {
        body.truncate(SEARCHED);
    }
    if let Ok(response) = &mut short.outcome {
        response.body.truncate(SEARCHED);
    }
    let masked = short.masked();
    let request = &masked.request;
    let (response, fault) = match &masked.outcome {
        Ok(response) => {
            let answer = Answer {
                status: response.status,
                version: response.version.as_str().to_owned(),
                headers: response.headers.clone(),
                body: cut(&response.body, answer_length),
                body_length: answer_length as u64,
            };
            (Some(answer), None)
        }
        Err(fault) => (None, Some(fault.to_string())),
    };
    Exchange {
        role: role.as_str().to_owned(),
        started_at: crate::suite::time::rfc3339(masked.started),
        elapsed_ms: (masked.elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0,
        request: Message {
            method: request.method.clone(),
            url: format!("{target}{}", request.target),
            version: response
                .as_ref()
                .map_or_else(|| "HTTP/1.1".to_owned(), |answer| answer.version.clone()),
            headers: request.headers.clone(),
            body: request.body.as_ref().map(|body| cut(body, sent_length)),
            body_length: sent_length as u64,
        },
        response,
        fault,
    }
}

/// The lengths of the bodies.
fn lengths(sent: &mecforge_transport::Exchange) -> (usize, usize) {
    let request = sent.request.body.as_ref().map_or(0, |body| body.len());
    let response = sent.outcome.as_ref().map_or(0, |response| response.body.len());
    (request, response)
}

pub(super) fn text(body: &[u8]) -> String {
    cut(body, body.len())
}

/// The beginning of a body as text; `length` is that of the whole.
fn cut(body: &[u8], length: usize) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(LONGEST) {
        None => text.into_owned(),
        Some((at, _)) => format!("{}… ({length} bytes in all)", &text[..at]),
    }
}
