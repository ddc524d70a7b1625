//! The evidence as an HTTP archive (HAR 1.2), which browsers' developer tools and proxies open.
//!
//! A page stands for a finding or a failed test purpose, its entries are the exchanges in order. Where nothing was
//! answered the status is 0 and `_error` says why, as browsers do it.

use serde_json::{Value, json};

use crate::model::{Answer, Exchange, Message, Report};

/// Writes all evidence of a report as HAR 1.2: that of findings, expected and flaky ones, and test purposes.
#[must_use]
pub fn har(report: &Report) -> String {
    let mut archive = Archive {
        pages: Vec::new(),
        entries: Vec::new(),
    };
    let started = &report.run.started_at;
    for finding in &report.findings {
        archive.add(&finding.id, &finding.title, "", started, &finding.evidence);
    }
    for known in &report.expected {
        archive.add(
            &known.finding.id,
            &known.finding.title,
            "expected: ",
            started,
            &known.finding.evidence,
        );
    }
    for finding in &report.flaky {
        archive.add(&finding.id, &finding.title, "flaky: ", started, &finding.evidence);
    }
    for purpose in &report.test_purposes {
        archive.add(
            &purpose.id,
            &purpose.title,
            "test purpose: ",
            started,
            &purpose.evidence,
        );
    }
    let log = json!({ "log": {
        "version": "1.2",
        "creator": { "name": report.tool.name, "version": report.tool.version },
        "pages": archive.pages,
        "entries": archive.entries,
    } });
    format!("{log:#}\n")
}

struct Archive {
    pages: Vec<Value>,
    entries: Vec<Value>,
}

impl Archive {
    fn add(&mut self, id: &str, title: &str, standing: &str, started: &str, evidence: &[Exchange]) {
        let Some(first) = evidence.first() else { return };
        // Pages need identifiers of their own: one finding may be both known and flaky.
        let page = format!("page_{}", self.pages.len());
        let started = if first.started_at.is_empty() {
            started
        } else {
            &first.started_at
        };
        self.pages.push(json!({
            "startedDateTime": started,
            "id": page,
            "title": format!("{standing}{id} {title}"),
            "pageTimings": {},
            "comment": id,
        }));
        self.entries
            .extend(evidence.iter().map(|exchange| entry(&page, id, exchange)));
    }
}

fn entry(page: &str, id: &str, exchange: &Exchange) -> Value {
    let elapsed = if exchange.elapsed_ms.is_finite() {
        exchange.elapsed_ms.max(0.0)
    } else {
        0.0
    };
    json!({
        "pageref": page,
        "startedDateTime": exchange.started_at,
        "time": elapsed,
        "request": request(&exchange.request),
        "response": response(exchange),
        "cache": {},
        "timings": { "send": 0, "wait": elapsed, "receive": 0 },
        "comment": format!("{} {id}", exchange.role),
    })
}

fn request(message: &Message) -> Value {
    let mut request = json!({
        "method": message.method,
        "url": message.url,
        "httpVersion": message.version,
        "cookies": [],
        "headers": fields(&message.headers),
        "queryString": query(&message.url),
        "headersSize": -1,
        "bodySize": message.body_length,
    });
    if let Some(body) = &message.body {
        request["postData"] = json!({
            "mimeType": field(&message.headers, "content-type"),
            "params": [],
            "text": body,
            "comment": cut_note(body, message.body_length),
        });
    }
    request
}

fn response(exchange: &Exchange) -> Value {
    let Some(answer) = &exchange.response else {
        return json!({
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": { "size": 0, "mimeType": "" },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_error": exchange.fault.as_deref().unwrap_or("no answer"),
        });
    };
    let mut response = answered(answer);
    // An answer may have come and have been broken off: a body that never ended, a reset.
    if let Some(fault) = &exchange.fault {
        response["_error"] = json!(fault);
    }
    response
}

fn answered(answer: &Answer) -> Value {
    json!({
        "status": answer.status,
        "statusText": "",
        "httpVersion": answer.version,
        "cookies": [],
        "headers": fields(&answer.headers),
        "content": {
            "size": answer.body_length,
            "mimeType": field(&answer.headers, "content-type"),
            "text": answer.body,
            "comment": cut_note(&answer.body, answer.body_length),
        },
        "redirectURL": field(&answer.headers, "location"),
        "headersSize": -1,
        "bodySize": answer.body_length,
    })
}

fn cut_note(body: &str, whole: u64) -> String {
    let shown = u64::try_from(body.len()).unwrap_or(u64::MAX);
    if shown < whole {
        format!("cut: {shown} of {whole} bytes")
    } else {
        String::new()
    }
}

fn fields(headers: &[(String, String)]) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

fn field<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value)
}

/// The query parameters of an address, as they were sent.
fn query(url: &str) -> Vec<Value> {
    let before_fragment = url.split('#').next().unwrap_or_default();
    let Some((_, query)) = before_fragment.split_once('?') else {
        return Vec::new();
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({ "name": name, "value": value })
        })
        .collect()
}
