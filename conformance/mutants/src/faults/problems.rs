//! Media types and problem details.

use serde_json::{Value, json};

use crate::behaviour::{Handler, every};
use crate::fault::{Class, Fault, fault};
use crate::message::Answer;

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, what, handler: Handler| fault(Class::Problems, id, clause, "all", what, handler);
    vec![
        fault(
            "problems/json-as-text",
            "6.2.2 of MEC 009",
            "Answers are sent as text/plain",
            every(|answer, _, _| {
                if answer.is_success() && !answer.body.is_empty() {
                    answer.set_header("content-type", "text/plain");
                }
            }),
        ),
        fault(
            "problems/no-content-type",
            "RFC 9110 8.3",
            "Answers have no Content-Type",
            every(|answer, _, _| answer.remove_header("content-type")),
        ),
        fault(
            "problems/json-as-html",
            "6.2.2 of MEC 009",
            "Answers are sent as text/html",
            every(|answer, _, _| {
                if answer.is_success() && !answer.body.is_empty() {
                    answer.set_header("content-type", "text/html; charset=utf-8");
                }
            }),
        ),
        fault(
            "problems/charset-latin-1",
            "RFC 8259 8.1",
            "Answers are in ISO 8859-1 in place of UTF-8",
            every(latin),
        ),
        fault(
            "problems/problem-as-json",
            "6.15 of MEC 009",
            "Problems are sent as application/json",
            failing(|answer, _| answer.set_header("content-type", "application/json")),
        ),
        fault(
            "problems/problem-as-text",
            "6.15 of MEC 009",
            "Problems are plain text",
            failing(|answer, _| {
                answer.set_header("content-type", "text/plain");
                answer.set_body("the request failed".into());
            }),
        ),
        fault(
            "problems/empty-404",
            "6.15 of MEC 009",
            "404 comes without a body",
            failing(|answer, _| {
                if answer.status() == 404 {
                    answer.set_body(bytes::Bytes::new());
                }
            }),
        ),
        fault(
            "problems/html-404",
            "6.15 of MEC 009",
            "404 is a page of HTML",
            failing(|answer, _| {
                if answer.status() == 404 {
                    answer.set_header("content-type", "text/html");
                    answer.set_body("<html><body><h1>404 Not Found</h1></body></html>".into());
                }
            }),
        ),
        fault(
            "problems/status-differs",
            "RFC 9457 3.1.2",
            "The status in problems is not that of the answer",
            failing(|answer, body| set(answer, body, "status", json!(418))),
        ),
        fault(
            "problems/status-as-text",
            "RFC 9457 3.1.2",
            "The status in problems is a string",
            failing(|answer, body| set(answer, body, "status", json!(answer.status().to_string()))),
        ),
        fault(
            "problems/internal-code",
            "RFC 9457 3.1.2",
            "The status in problems is an internal code",
            failing(|answer, body| set(answer, body, "status", json!(13))),
        ),
        fault(
            "problems/without-detail",
            "6.15 of MEC 009",
            "Problems have neither detail nor status",
            failing(|answer, body| {
                if let Value::Object(members) = body {
                    members.remove("detail");
                    members.remove("status");
                    answer.set_json(&Value::Object(members.clone()));
                }
            }),
        ),
        fault(
            "problems/wrapped",
            "6.15 of MEC 009",
            "Problems are inside an object with the member ProblemDetails",
            failing(|answer, body| answer.set_json(&json!({"ProblemDetails": body.clone()}))),
        ),
        fault(
            "problems/empty-object",
            "6.15 of MEC 009",
            "Problems are empty objects",
            failing(|answer, _| answer.set_json(&json!({}))),
        ),
        fault(
            "problems/detail-as-object",
            "RFC 9457 3.1.4",
            "The detail of problems is an object",
            failing(|answer, body| set(answer, body, "detail", json!({"message": "the request failed"}))),
        ),
        fault(
            "problems/type-no-uri",
            "RFC 9457 3.1.1",
            "The type of problems is no URI reference",
            failing(|answer, body| set(answer, body, "type", json!("bad request <type>"))),
        ),
        fault(
            "problems/broken-json",
            "RFC 8259",
            "Problems lack their last bracket",
            failing(|answer, _| {
                let length = answer.body.len().saturating_sub(1);
                answer.set_body(answer.body.slice(..length));
            }),
        ),
    ]
}

/// Changes problems, of all statuses from 400.
fn failing(change: impl Fn(&mut Answer, &mut Value) + Send + Sync + Clone + 'static) -> Handler {
    every(move |answer, request, _| {
        if answer.status() >= 400
            && request.method() != "HEAD"
            && let Some(mut body) = answer.json()
        {
            change(answer, &mut body);
        }
    })
}

fn set(answer: &mut Answer, body: &mut Value, name: &str, value: Value) {
    body[name] = value;
    answer.set_json(body);
}

fn latin(answer: &mut Answer, _: &crate::message::Request, _: &crate::context::Context) {
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        return;
    };
    if !text.is_ascii() {
        let bytes: Vec<u8> = text
            .chars()
            .map(|each| u8::try_from(u32::from(each)).unwrap_or(b'?'))
            .collect();
        answer.set_body(bytes.into());
    }
}
