//! Exchanges as reports carry them: masked, with bodies of bounded length.

use mecforge_report::{Answer, Exchange, Message};

use super::call::Role;

/// The most characters of a body in a report.
const LONGEST: usize = 16_384;

/// What was sent and came, for the report.
pub(super) fn exchange(target: &str, role: Role, sent: &mecforge_transport::Exchange) -> Exchange {
    let masked = sent.masked();
    let request = &masked.request;
    let (response, fault) = match &masked.outcome {
        Ok(response) => {
            let answer = Answer {
                status: response.status,
                version: response.version.as_str().to_owned(),
                headers: response.headers.clone(),
                body: text(&response.body),
                body_length: response.body.len() as u64,
            };
            (Some(answer), None)
        }
        Err(fault) => (None, Some(fault.to_string())),
    };
    Exchange {
        role: role.as_str().to_owned(),
        started_at: crate::engine::time::rfc3339(masked.started),
        elapsed_ms: (masked.elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0,
        request: Message {
            method: request.method.clone(),
            url: format!("{target}{}", request.target),
            version: response
                .as_ref()
                .map_or_else(|| "HTTP/1.1".to_owned(), |answer| answer.version.clone()),
            headers: request.headers.clone(),
            body: request.body.as_ref().map(|body| text(body)),
            body_length: request.body.as_ref().map_or(0, |body| body.len() as u64),
        },
        response,
        fault,
    }
}

fn text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(LONGEST) {
        None => text.into_owned(),
        Some((at, _)) => format!("{}… ({} bytes in all)", &text[..at], body.len()),
    }
}
