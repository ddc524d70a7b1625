//! Judges every answer: status, media type, body, header fields, problem documents.

mod checks;

use mecforge_api::Status;
use mecforge_instances::Schema;
use serde_json::Value;

use super::call::{Call, Exchange, Intent, Payload, Role};
use super::outcome::Failure;
use super::state::Suite;
use super::syntax;

pub use checks::CHECKS;

type Judged = (&'static str, usize, Option<usize>);

/// Judges one exchange: which checks were judged, and what they found.
pub(super) fn judge(suite: &Suite, exchange: &Exchange) -> (Vec<Judged>, Vec<Failure>) {
    let call = &exchange.call;
    let mut judge = Judge {
        suite,
        exchange,
        judged: Vec::new(),
        failures: Vec::new(),
    };
    judge.completeness();
    if exchange.outcome.is_ok() {
        judge.server_error();
        judge.internals();
        judge.challenges();
        judge.no_body();
        judge.syntax();
        if call.operation.is_some() && call.role != Role::CleanUp {
            judge.declared();
        }
    }
    (judge.judged, judge.failures)
}

struct Judge<'run> {
    suite: &'run Suite,
    exchange: &'run Exchange,
    judged: Vec<Judged>,
    failures: Vec<Failure>,
}

impl Judge<'_> {
    fn call(&self) -> &Call {
        &self.exchange.call
    }

    fn note(&mut self, check: &'static str) {
        self.judged.push((check, self.call().api, self.call().operation));
    }

    fn fail(&mut self, check: &'static str, failure: Failure) {
        let api = &self.suite.apis[self.call().api].api;
        let failure = match self.call().operation {
            Some(index) => failure.at(api.operations[index].key.clone()),
            None => failure,
        };
        self.failures.push(failure.of(check));
    }

    fn completeness(&mut self) {
        self.note("answers-completely");
        if let Err(fault) = &self.exchange.outcome {
            let failure = Failure::new(
                "a request is not answered completely",
                "one complete HTTP message",
                fault.to_string(),
            );
            self.fail("answers-completely", failure.signature(fault.code()));
        }
    }

    fn server_error(&mut self) {
        self.note("no-server-error");
        let status = self.exchange.status();
        let busy = status == 503 && self.exchange.header("retry-after").is_some();
        let foreign = status == 501 && self.call().operation.is_none();
        if status >= 500 && !busy && !foreign {
            let what = match &self.call().intent {
                Intent::Valid => "a valid request",
                Intent::Breaks(_) => "an invalid request",
                Intent::Odd => "an unusual request",
            };
            let title = format!("{what} is answered {status}");
            let failure = Failure::new(
                title.clone(),
                "success, or a 4xx that says what is wrong",
                self.exchange.summary(),
            );
            self.fail("no-server-error", failure.signature(title));
        }
    }

    fn internals(&mut self) {
        if self.exchange.status() < 400 {
            return;
        }
        self.note("no-internals");
        let Ok(response) = &self.exchange.outcome else {
            return;
        };
        let text = String::from_utf8_lossy(&response.body);
        const TELLTALES: [&str; 21] = [
            "Traceback (most recent call last)",
            "goroutine ",
            "syntax error at or near",
            "You have an error in your SQL syntax",
            "sqlite3.OperationalError",
            "SQLITE_ERROR",
            "org.hibernate.",
            "MongoServerError",
            "/var/lib/",
            "/usr/local/",
            "/go/src/",
            "panicked at ",
            "java.lang.",
            "\n\tat ",
            "at Object.<anonymous>",
            "System.NullReferenceException",
            "SQLSTATE[",
            "ORA-0",
            "File \"/usr/",
            "node_modules/",
            "runtime error: ",
        ];
        let mut found: Vec<&str> = TELLTALES.to_vec();
        found.retain(|telltale| text.contains(telltale));
        if !found.is_empty() {
            // What the request itself contained comes back in good messages.
            let asked = asked(self.call());
            found.retain(|telltale| !asked.contains(telltale));
        }
        if let Some(found) = found.first() {
            let failure = Failure::new(
                "a refusal tells the platform's insides",
                "a message for the client",
                self.exchange.summary(),
            );
            self.fail("no-internals", failure.signature(*found));
        }
    }

    fn challenges(&mut self) {
        let wanted = match self.exchange.status() {
            401 => "www-authenticate",
            405 => "allow",
            _ => return,
        };
        self.note("challenges");
        if self.exchange.header(wanted).is_none() {
            let status = self.exchange.status();
            let failure = Failure::new(
                format!("{status} lacks the header field {wanted}"),
                format!("{wanted}: …"),
                self.exchange.summary(),
            );
            self.fail("challenges", failure);
        }
    }

    fn no_body(&mut self) {
        if !matches!(self.exchange.status(), 204 | 304) {
            return;
        }
        self.note("no-body-where-none-is");
        let Ok(response) = &self.exchange.outcome else {
            return;
        };
        let declared = self
            .exchange
            .header("content-length")
            .is_some_and(|length| length.trim() != "0");
        if !response.body.is_empty() || (declared && response.status == 204) {
            let failure = Failure::new("a 204 or 304 has a body", "no body", self.exchange.summary());
            self.fail("no-body-where-none-is", failure);
        }
    }

    fn syntax(&mut self) {
        for (check, failure) in syntax::judge(self.exchange) {
            self.note(check.id);
            if let Some(failure) = failure {
                self.fail(check.id, failure);
            }
        }
    }

    /// What the document says of the answer.
    fn declared(&mut self) {
        let state = &self.suite.apis[self.call().api];
        let Some(operation) = self.call().operation.map(|index| &state.api.operations[index]) else {
            return;
        };
        let status = self.exchange.status();
        self.note("response-status");
        let Some(response) = operation.response(status) else {
            if !is_of_http(status, self.call()) {
                let declared: Vec<_> = operation
                    .responses
                    .iter()
                    .map(|response| response.status.to_string())
                    .collect();
                let failure = Failure::new(
                    format!("the status {status} is not declared"),
                    format!("one of {}", declared.join(", ")),
                    self.exchange.summary(),
                );
                self.fail(
                    "response-status",
                    failure.pointer(format!("{}/responses", operation.pointer)),
                );
            }
            return;
        };
        self.headers(response);
        if matches!(response.status, Status::Code(_)) || !is_of_transport(status, self.call()) {
            self.body(response);
        }
    }

    fn headers(&mut self, response: &mecforge_api::Response) {
        for header in &response.headers {
            self.note("response-headers");
            let value = self.exchange.header(&header.name);
            // HTTP lets a server leave Location out (RFC 9110, 15.3.2); ETSI does not (GS MEC 009).
            let etsi = self.suite.apis[self.call().api].knowledge.is_of_etsi();
            let demanded = header.required
                || (etsi
                    && response.status == Status::Code(201)
                    && header.name.eq_ignore_ascii_case("location"));
            if value.is_none() && demanded {
                let failure = Failure::new(
                    format!(
                        "{} lacks the header field {}",
                        self.exchange.status(),
                        header.name
                    ),
                    format!("{}: …", header.name),
                    self.exchange.summary(),
                );
                self.fail("response-headers", failure.pointer(response.pointer.clone()));
            }
            let state = &self.suite.apis[self.call().api];
            let schema = header.schema.as_deref().and_then(|at| state.schema(at));
            if let (Some(value), Some(schema)) = (value, schema)
                && !syntax::obeys(&schema, value)
            {
                let title = format!("the header field {} does not obey its schema", header.name);
                let failure = Failure::new(title, "as the document says", value.to_owned());
                self.fail("response-headers", failure.pointer(response.pointer.clone()));
            }
        }
    }

    fn body(&mut self, response: &mecforge_api::Response) {
        let Ok(answer) = &self.exchange.outcome else {
            return;
        };
        if self.call().method == "HEAD" || response.content.is_empty() {
            return;
        }
        let status = self.exchange.status();
        self.note("response-media-type");
        let given = self.exchange.header("content-type").unwrap_or_default();
        let essence = |text: &str| {
            text.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        };
        let content = response
            .content
            .iter()
            .find(|content| essence(&content.media_type) == essence(given));
        let declared: Vec<_> = response
            .content
            .iter()
            .map(|content| content.media_type.as_str())
            .collect();
        let problem = status >= 400
            && declared
                .iter()
                .any(|media_type| media_type.contains("problem+json"));
        let Some(content) = content else {
            let check = if problem {
                "problem-details"
            } else {
                "response-media-type"
            };
            let what = match (answer.body.is_empty(), given.is_empty()) {
                (true, _) => format!("the body of {status} is missing"),
                (false, true) => format!("the body of {status} has no Content-Type"),
                (false, false) => format!("the body of {status} has an undeclared media type"),
            };
            self.note(check);
            let failure = Failure::new(
                what,
                format!("a body of {}", declared.join(" or ")),
                format!("Content-Type: {given}; {}", self.exchange.summary()),
            );
            self.fail(check, failure.pointer(response.pointer.clone()));
            return;
        };
        if content.is_json() {
            self.json(content, problem);
        }
    }

    /// Whether the answer of this operation may lack what a rule demands.
    fn may_lack(&self, rule: &str) -> bool {
        let state = &self.suite.apis[self.call().api];
        let operation = self.call().operation.map(|index| &state.api.operations[index]);
        operation.is_some_and(|operation| {
            state
                .knowledge
                .may_lack(&operation.key, &state.api.document, rule)
        })
    }

    fn json(&mut self, content: &mecforge_api::Content, problem: bool) {
        let status = self.exchange.status();
        let Ok(answer) = &self.exchange.outcome else {
            return;
        };
        self.note("response-schema");
        let body = match answer.json() {
            Ok(body) => body,
            // Numbers that no f64 holds and halves of surrogate pairs are JSON by its grammar (RFC 8259, 6 and 8.2).
            Err(_) if is_json(&answer.body) => return,
            Err(error) => {
                let failure = Failure::new(
                    format!("the body of {status} is no JSON"),
                    "JSON, as Content-Type says",
                    format!("{error}; {}", self.exchange.summary()),
                );
                self.fail("response-schema", failure);
                return;
            }
        };
        let state = &self.suite.apis[self.call().api];
        let schema = content
            .schema
            .as_deref()
            .and_then(|pointer| state.schema(pointer));
        let breaches = schema.as_ref().map(|schema| schema.errors(body));
        let wrapper = schema.as_ref().and_then(|schema| wrapper(schema, body));
        if let Some(name) = wrapper.filter(|_| breaches.as_ref().is_some_and(|all| !all.is_empty())) {
            let failure = Failure::new(
                format!("the body of {status} is wrapped in a member {name}"),
                format!(
                    "the value of {name} itself: some of ETSI's documents print a body in a member that is named as its \
                     type, which the standard's tables do not have"
                ),
                self.exchange.summary(),
            );
            let pointer = content.schema.clone().unwrap_or_default();
            self.fail("response-schema", failure.pointer(pointer));
            return;
        }
        let breaches: Vec<_> = breaches
            .unwrap_or_default()
            .into_iter()
            .filter(|breach| !state.knowledge.is_open(&breach.schema_pointer))
            .filter(|breach| !self.may_lack(&breach.schema_pointer))
            .take(4)
            .collect();
        for breach in breaches {
            let place = general(&breach.instance_pointer);
            let title = format!(
                "the body of {status} breaks {} at {}",
                breach.keyword,
                if place.is_empty() { "its root" } else { &place }
            );
            let failure = Failure::new(
                title,
                format!("a body that obeys {}", breach.schema_pointer),
                format!("{}; {}", breach.message, self.exchange.summary()),
            );
            let signature = format!("{status} {place} {}", breach.schema_pointer);
            self.fail(
                "response-schema",
                failure.signature(signature).pointer(breach.schema_pointer),
            );
        }
        if problem {
            self.note("problem-details");
            if let Some(said) = body
                .get("status")
                .filter(|said| said.as_u64() != Some(u64::from(status)))
            {
                let failure = Failure::new(
                    "a problem document names another status than the answer has",
                    format!("\"status\": {status}"),
                    format!("\"status\": {said}"),
                );
                self.fail("problem-details", failure);
            }
        }
    }
}

/// All text of a request, as it may come back.
fn asked(call: &Call) -> String {
    let path = call
        .path
        .replace("%2F", "/")
        .replace("%2f", "/")
        .replace("%20", " ");
    let query: Vec<_> = call
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let headers: Vec<_> = call.headers.iter().map(|(_, value)| value.as_str()).collect();
    let body = match &call.payload {
        Payload::None => String::new(),
        Payload::Json(body) => body.to_string(),
        Payload::Bytes(_, bytes) => String::from_utf8_lossy(bytes).into_owned(),
    };
    [path, query.join("&"), headers.join("\n"), body].join("\n")
}

/// A pointer with `*` for indices, so that the same fault at several elements is one.
fn general(pointer: &str) -> String {
    let tokens = pointer.split('/').map(|token| match token.parse::<usize>() {
        Ok(_) => "*",
        Err(_) => token,
    });
    tokens.collect::<Vec<_>>().join("/")
}

/// Whether a status is what a server says before the operation is asked, of what is odd in a message: a document that
/// names it only by `default` or a range describes the operation's own answers.
fn is_of_transport(status: u16, call: &Call) -> bool {
    match status {
        405 | 406 | 408 | 411 | 413..=415 | 417 | 421 | 426 | 431 | 500..=599 => true,
        400 | 404 => call.intent == Intent::Odd,
        _ => false,
    }
}

/// Whether HTTP itself defines a status for what a request may be, so that no document need declare it.
fn is_of_http(status: u16, call: &Call) -> bool {
    let conditional = call
        .headers
        .iter()
        .any(|(name, _)| name.to_ascii_lowercase().starts_with("if-"));
    match status {
        304 => conditional,
        412 | 428 => conditional || status == 428,
        400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 410 | 411 | 413 | 414 | 415 | 417 | 421 | 422
        | 426 | 429 | 431 | 451 => true,
        // Judged by `no-server-error`.
        500..=599 => true,
        _ => false,
    }
}

/// The name of the only member of a body whose value is what the whole body should be.
fn wrapper<'body>(schema: &Schema, body: &'body Value) -> Option<&'body str> {
    let members = body.as_object().filter(|members| members.len() == 1)?;
    let (name, inner) = members.iter().next()?;
    let whole = inner.is_object() || inner.is_array();
    (whole && schema.is_valid(inner)).then_some(name)
}

/// Whether bytes are JSON by its grammar, whatever can be made of them.
fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn json_by_its_grammar() {
        for text in ["{\"a\": 1e400}", "[\"\\ud800\"]", "null"] {
            assert!(is_json(text.as_bytes()), "{text}");
        }
        for bytes in [&b"{\"a\": 1e}"[..], b"{", b"\"\xff\"", b"Infinity"] {
            assert!(!is_json(bytes), "{bytes:?}");
        }
    }
}
