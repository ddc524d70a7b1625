//! Requests as bytes, for what no HTTP client would send, and answers as they came.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use mecforge_report::{Answer, Message};
use mecforge_transport::{RawAnswer, Request};

use super::context::Context;
use super::outcome::Stop;
use super::{Call, Identity, Role, Suite};

/// What stands for the version of HTTP where a request is bytes.
pub(super) const VERSION: &str = "raw";

/// The most bytes of an answer that are read.
const MOST: usize = 1 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is asked whether the run has ended, and how long an answer may still be on its way then.
const GLANCE: Duration = Duration::from_millis(50);
const LEFT: Duration = Duration::from_millis(500);

/// Comes back when the run was ended before its time, and nothing that has been asked is likely to be answered any more:
/// what half a message makes of a server is no reason to wait.
async fn ended(suite: &Suite) {
    while !suite.is_over_altogether() {
        tokio::time::sleep(GLANCE).await;
    }
    tokio::time::sleep(LEFT).await;
}

/// A request that is put together by hand.
#[derive(Clone, Debug)]
pub struct RawCall {
    /// Index of the API in the suite.
    pub api: usize,
    /// The method.
    pub method: String,
    /// The target as it stands in the request line.
    pub target: String,
    /// The version in the request line.
    pub version: &'static str,
    /// Whether `Host` is there, as the first field.
    pub host: bool,
    /// Header fields, each without its line break.
    pub fields: Vec<String>,
    /// What follows the head, framing included.
    pub body: Vec<u8>,
    /// Whether credentials are added, as the run has them.
    pub authenticate: bool,
}

impl RawCall {
    /// A well-formed request without body, for a path below the API's base path.
    pub fn new(context: &Context, api: usize, method: &str, path: &str) -> Self {
        RawCall {
            api,
            method: method.to_owned(),
            target: format!("{}{path}", context.suite.apis[api].base_path),
            version: "HTTP/1.1",
            host: true,
            fields: vec!["Accept: application/json, application/problem+json".to_owned()],
            body: Vec::new(),
            authenticate: true,
        }
    }

    /// A request as bytes, with its header fields and without its body.
    pub fn of(context: &Context, call: &Call) -> Self {
        let mut own = RawCall::new(context, call.api, &call.method, &call.target());
        let fields = context.headers(call);
        own.fields = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        own
    }

    /// Another header field.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.fields.push(field.into());
        self
    }

    /// With a JSON body of a known length.
    pub fn json(self, body: &serde_json::Value) -> Self {
        let body = body.to_string();
        let mut call = self
            .field("Content-Type: application/json")
            .field(format!("Content-Length: {}", body.len()));
        call.body = body.into_bytes();
        call
    }

    /// The last request on its connection.
    pub fn close(self) -> Self {
        self.field("Connection: close")
    }
}

impl Context {
    /// The bytes of a request, credentials included.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] if no credentials can be had.
    pub async fn raw_bytes(&self, call: &RawCall) -> Result<Vec<u8>, Stop> {
        let client = &self.suite.clients.main;
        let mut lines = vec![format!("{} {} {}", call.method, call.target, call.version)];
        if call.host {
            lines.push(format!("Host: {}", client.target().authority()));
        }
        lines.push(concat!("User-Agent: mec-conformance/", env!("CARGO_PKG_VERSION")).to_owned());
        if call.authenticate {
            let request = Request::new(call.method.clone(), call.target.clone());
            let own = client.own_headers(&request).await;
            let own = own.map_err(|fault| Stop::Inconclusive(fault.to_string()))?;
            lines.extend(own.into_iter().map(|(name, value)| format!("{name}: {value}")));
        }
        lines.extend(call.fields.iter().cloned());
        let mut bytes = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&call.body);
        Ok(bytes)
    }

    /// Sends one request as bytes on a connection of its own.
    ///
    /// # Errors
    /// [`Stop::Gone`] if there is nobody to talk to, [`Stop::Over`] if the run is over.
    pub async fn raw(&mut self, call: &RawCall) -> Result<RawAnswer, Stop> {
        let bytes = self.raw_bytes(call).await?;
        self.raw_sent(call.api, &call.method, &bytes, Role::Judged).await
    }

    /// Sends bytes, possibly of several requests, on a connection of their own.
    ///
    /// # Errors
    /// [`Stop::Gone`] if there is nobody to talk to, [`Stop::Over`] if the run is over.
    pub async fn raw_sent(
        &mut self,
        api: usize,
        method: &str,
        bytes: &[u8],
        role: Role,
    ) -> Result<RawAnswer, Stop> {
        let suite = Arc::clone(&self.suite);
        if suite.is_over() {
            return Err(Stop::Over);
        }
        if suite.options.read_only && !matches!(method, "GET" | "HEAD" | "OPTIONS") {
            let reason = "--read-only sends safe methods only";
            return Err(Stop::NotApplicable(reason.to_owned()));
        }
        suite.requests.fetch_add(1, Ordering::Relaxed);
        suite.judged.fetch_add(1, Ordering::Relaxed);
        let started = SystemTime::now();
        let answer = tokio::select! {
            answer = suite.clients.main.raw(bytes, MOST, PATIENCE) => answer,
            () = ended(&suite) => return Err(Stop::Over),
        };
        let answer = answer.map_err(|fault| match fault.is_unreachable() {
            true => Stop::Gone(fault.to_string()),
            false => Stop::Inconclusive(fault.to_string()),
        })?;
        let found = answer.responses().responses;
        for response in found.iter().filter(|response| response.status == 201) {
            let location = response.headers.iter().find(|(name, _)| name == "location");
            let path = location.and_then(|(_, value)| super::path_below(&suite, api, value));
            self.made.extend(path.map(|path| (api, path, Identity::Main)));
        }
        self.trace
            .push(record(&suite, method, bytes, role, started, &answer));
        Ok(answer)
    }
}

fn record(
    suite: &super::Suite,
    method: &str,
    bytes: &[u8],
    role: Role,
    started: SystemTime,
    answer: &RawAnswer,
) -> mecforge_report::Exchange {
    let masker = suite.clients.main.masker();
    let masked = |bytes: &[u8]| masker.text(&super::record::text(bytes));
    let found = answer.responses().responses;
    let last = found.iter().rfind(|response| response.status >= 200);
    mecforge_report::Exchange {
        role: role.as_str().to_owned(),
        started_at: crate::suite::time::rfc3339(started),
        elapsed_ms: (answer.elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0,
        request: Message {
            method: method.to_owned(),
            url: format!("{}/", suite.target),
            version: VERSION.to_owned(),
            headers: Vec::new(),
            body: Some(masked(bytes)),
            body_length: bytes.len() as u64,
        },
        response: last.map(|response| Answer {
            status: response.status,
            version: "HTTP/1.1".to_owned(),
            headers: response.headers.clone(),
            body: masked(&response.body),
            body_length: response.body.len() as u64,
        }),
        fault: last.is_none().then(|| {
            format!(
                "no complete answer ({:?} after {} bytes)",
                answer.end,
                answer.bytes.len()
            )
        }),
    }
}
