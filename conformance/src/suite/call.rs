//! Requests as checks write them, and what came of them.

use std::time::SystemTime;

use mecforge_api::segment;
use mecforge_transport::Fault;
use serde_json::Value;

/// On whose behalf a request is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The credentials of the command line.
    #[default]
    Main,
    /// The second application of the fixtures.
    Other,
    /// Nobody: no credentials at all.
    Nobody,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// It prepares what is judged.
    SetUp,
    /// It proves that the judgement means something.
    Control,
    /// It is judged.
    #[default]
    Judged,
    /// It removes what was made.
    CleanUp,
}

impl Role {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::SetUp => "set-up",
            Role::Control => "control",
            Role::Judged => "judged",
            Role::CleanUp => "clean-up",
        }
    }
}

/// Whether a request obeys the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// It obeys every rule.
    #[default]
    Valid,
    /// It breaks exactly one rule: the JSON pointer of the keyword or the parameter in the API's document.
    Breaks(String),
    /// It breaks a rule of HTTP, or something that no document says.
    Odd,
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Payload {
    /// None.
    #[default]
    None,
    /// JSON, with the operation's JSON media type unless `Content-Type` is among the headers.
    Json(Value),
    /// Bytes of a media type, sent as they are.
    Bytes(String, Vec<u8>),
}

/// A request, structured so that it can be made smaller and written as a command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// Index of the API in the suite.
    pub api: usize,
    /// Index of the operation in the API; none where the request fits none.
    pub operation: Option<usize>,
    /// The method.
    pub method: String,
    /// The path below the API's base path, percent-encoded as it is sent.
    pub path: String,
    /// Whether the path is the whole one at the target: a link may lead beyond the API's base path.
    pub rooted: bool,
    /// Pairs of the query, not yet percent-encoded.
    pub query: Vec<(String, String)>,
    /// A query that is sent as it is, instead of the pairs.
    pub raw_query: Option<String>,
    /// Header fields. `Accept`, `Content-Type` and credentials are added where they are missing.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload,
    /// On whose behalf.
    pub identity: Identity,
    /// What for.
    pub role: Role,
    /// Whether it obeys the document.
    pub intent: Intent,
    /// Whether it is sent over the other version of HTTP than the rest of the run.
    pub other_version: bool,
    /// Whether `Accept: application/json, application/problem+json` is left out where no `Accept` is given.
    pub no_accept: bool,
    /// Whether 429 is an answer like others; else the request is sent again later.
    pub impatient: bool,
}

impl Call {
    /// Another header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Another pair of the query.
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// With other pairs of one name in the query.
    pub fn query_instead(mut self, name: &str, pairs: Vec<(String, String)>) -> Self {
        self.query.retain(|(other, _)| other != name);
        self.query.extend(pairs);
        self
    }

    /// With a JSON body.
    pub fn json(mut self, body: Value) -> Self {
        self.payload = Payload::Json(body);
        self
    }

    /// With a body of bytes.
    pub fn bytes(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.payload = Payload::Bytes(media_type.to_owned(), body.into());
        self
    }

    /// With 429 taken as it comes, as the case judges it.
    pub fn impatient(mut self) -> Self {
        self.impatient = true;
        self
    }

    /// In another role.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// With another intent.
    pub fn intent(mut self, intent: Intent) -> Self {
        self.intent = intent;
        self
    }

    /// On behalf of somebody else.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// With another last segment of the path, as it is sent.
    pub fn with_last(mut self, segment: &str) -> Self {
        let parent = self.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.path = format!("{parent}/{segment}");
        self
    }

    /// Path and query as they stand in the request line.
    pub fn address(&self, base_path: &str) -> String {
        match self.rooted {
            true => self.target(),
            false => format!("{base_path}{}", self.target()),
        }
    }

    /// Path and query as they are sent, below the base path.
    pub fn target(&self) -> String {
        if let Some(query) = &self.raw_query {
            return format!("{}?{query}", self.path);
        }
        if self.query.is_empty() {
            return self.path.clone();
        }
        let pair = |(name, value): &(String, String)| format!("{}={}", segment(name), segment(value));
        let pairs: Vec<_> = self.query.iter().map(pair).collect();
        format!("{}?{}", self.path, pairs.join("&"))
    }
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub call: Call,
    /// When it was sent.
    pub started: SystemTime,
    /// Milliseconds until the answer was complete.
    pub elapsed_ms: f64,
    /// The answer, or what failed.
    pub outcome: Result<mecforge_transport::Response, Fault>,
    /// The same for the report, with secrets masked.
    pub record: mecforge_report::Exchange,
}

impl Exchange {
    /// The status; 0 where there is no answer.
    pub fn status(&self) -> u16 {
        self.outcome.as_ref().map_or(0, |response| response.status)
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// Whether the status is 4xx.
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status())
    }

    /// A header field's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.outcome.as_ref().ok()?.header(name)
    }

    /// The body as JSON; none where it is none.
    pub fn json(&self) -> Option<Value> {
        self.body().cloned()
    }

    /// As [`Exchange::json`], to be looked at where it is.
    pub fn body(&self) -> Option<&Value> {
        self.outcome.as_ref().ok()?.json().ok()
    }

    /// The answer in one line: status, and the start of the body; or what failed.
    pub fn summary(&self) -> String {
        match &self.outcome {
            Err(fault) => fault.to_string(),
            Ok(response) => {
                // Of the record, in which no secret is.
                let body = self.record.response.as_ref().map(|answer| answer.body.as_str());
                let text: String = body.unwrap_or_default().chars().take(200).collect();
                match text.trim().is_empty() {
                    true => format!("{}, no body", response.status),
                    false => format!("{}: {}", response.status, text.trim()),
                }
            }
        }
    }
}
