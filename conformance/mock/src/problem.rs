//! What is answered when a request is refused: RFC 9457's problem details.

use axum::http::StatusCode;
use mecforge_api::{Content, Operation};
use serde_json::{Map, Value};

use crate::negotiate::essence;
use crate::plan::Plan;
use crate::shape;

/// A refusal, before it becomes a response.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The status.
    pub(crate) status: StatusCode,
    /// What is wrong, for a reader.
    detail: String,
    /// Further members: `pointer`, `parameter`, `rule`.
    members: Map<String, Value>,
    /// The value of `Allow`, for 405.
    pub(crate) allow: Option<String>,
    /// The media type under which the document declares such answers, where it is not RFC 9457's.
    pub(crate) media_type: Option<String>,
    /// The body in the form that the document declares, where that is not RFC 9457's.
    declared: Option<Box<Value>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            status,
            detail: detail.into(),
            members: Map::new(),
            allow: None,
            media_type: None,
            declared: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Takes the media type that an operation declares for this status, if it declares JSON and not a problem, and the
    /// form that it declares for the body.
    pub(crate) fn for_operation(mut self, plan: &Plan, operation: &Operation) -> Self {
        let declared = operation
            .response(self.status.as_u16())
            .map_or(&[][..], |response| &response.content);
        let problem = |content: &&Content| essence(&content.media_type) == "application/problem+json";
        if !declared.iter().any(|content| problem(&content)) {
            let json = declared.iter().find(|content| content.is_json());
            self.media_type = json.map(|content| content.media_type.clone());
        }
        let is_chosen = |content: &&Content| match &self.media_type {
            Some(media_type) => content.media_type == *media_type,
            None => problem(content),
        };
        let chosen = declared.iter().find(is_chosen);
        if let Some(schema) = chosen.and_then(|content| content.schema.as_deref()) {
            let usual = self.body("");
            if !plan.schemas.is_valid(schema, &usual) {
                let fitted = plan
                    .schemas
                    .fit(schema, &usual, &|name, schema| self.said(plan, name, schema));
                self.declared = fitted.map(Box::new);
            }
        }
        self
    }

    /// What a member of a document's own form of errors says of this one.
    fn said(&self, plan: &Plan, name: &str, schema: &str) -> Option<Value> {
        let status = self.status.as_u16();
        let candidates = [
            Value::from(self.detail.as_str()),
            status.into(),
            status.to_string().into(),
        ];
        let coded = ["code", "status", "errorcode"].contains(&shape::plain(name).as_str());
        let mut fitting: Vec<_> = candidates
            .into_iter()
            .filter(|value| plan.schemas.is_valid(schema, value))
            .collect();
        if coded {
            fitting.reverse();
        }
        fitting.into_iter().next()
    }

    /// The body; `instance` is the path of the request.
    pub(crate) fn body(&self, instance: &str) -> Value {
        if let Some(declared) = &self.declared {
            return Value::clone(declared);
        }
        let mut body = self.members.clone();
        let title = self.status.canonical_reason().unwrap_or("Error");
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), title.into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.clone().into());
        body.insert("instance".to_owned(), instance.into());
        Value::Object(body)
    }
}
