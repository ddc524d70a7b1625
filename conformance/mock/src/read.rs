//! The body of a request: bounded, of a declared media type, and valid.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mecforge_api::{Content, Operation};
use serde_json::Value;

use crate::json;
use crate::negotiate;
use crate::plan::Plan;
use crate::problem::Problem;

/// The longest body, in bytes.
const MAX_BODY: usize = 4 << 20;

/// What a client gave.
pub(crate) enum Given {
    /// Nothing, or something that the operation has no use for.
    Nothing,
    /// JSON, valid for the schema at the pointer.
    Json(Value, Option<String>),
    /// Anything else.
    Bytes(String, Bytes),
}

async fn bytes(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_long = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is longer than {MAX_BODY} bytes"),
        )
    };
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_long());
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
        Err(error) => Err(Problem::bad_request(format!(
            "the body could not be read: {error}"
        ))),
    }
}

/// Reads and judges the body.
///
/// # Errors
/// 400, 413, 415.
pub(crate) async fn body(
    plan: &Plan,
    operation: &Operation,
    headers: &HeaderMap,
    body: Body,
) -> Result<Given, Problem> {
    let bytes = bytes(headers, body).await?;
    let Some(declared) = &operation.body else {
        return Ok(Given::Nothing);
    };
    if bytes.is_empty() && !(declared.required && headers.contains_key(header::CONTENT_TYPE)) {
        return match declared.required {
            true => Err(Problem::bad_request("this operation needs a body").with("rule", "required")),
            false => Ok(Given::Nothing),
        };
    }
    let types: Vec<&str> = declared
        .content
        .iter()
        .map(|content| content.media_type.as_str())
        .collect();
    if let Some(detail) = negotiate::unsupported(headers, &types) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let field = headers
        .get(header::CONTENT_TYPE)
        .and_then(|field| field.to_str().ok())
        .unwrap_or_default();
    let essence = negotiate::essence(field);
    let is_it = |content: &&Content| negotiate::essence(&content.media_type) == essence;
    let content = declared
        .content
        .iter()
        .find(is_it)
        .or_else(|| declared.content.first());
    match content.filter(|content| content.is_json()) {
        Some(content) => judged(plan, content, &bytes),
        None => Ok(Given::Bytes(field.to_owned(), bytes)),
    }
}

fn judged(plan: &Plan, content: &Content, bytes: &[u8]) -> Result<Given, Problem> {
    let value =
        json::parse(bytes).map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    let Some(pointer) = &content.schema else {
        return Ok(Given::Json(value, None));
    };
    let breaches = plan
        .schemas
        .compile(pointer)
        .map(|schema| match schema.is_valid(&value) {
            true => Vec::new(),
            false => schema.errors(&value),
        });
    if let Some(breach) = breaches.unwrap_or_default().into_iter().next() {
        let place = if breach.instance_pointer.is_empty() {
            "the body"
        } else {
            &breach.instance_pointer
        };
        return Err(Problem::bad_request(format!("{place}: {}", breach.message))
            .with("pointer", breach.instance_pointer)
            .with("rule", breach.keyword));
    }
    Ok(Given::Json(value, Some(pointer.clone())))
}
