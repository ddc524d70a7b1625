//! The body of a request: which media types are taken, how long it may be, and reading it.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;

use super::{Caller, Problem};
use crate::media_type::{MediaType, essence_of};
use crate::operation::RequestBody;

/// Request extension: the longest body that is read, in bytes. Without it, it is [`BodyLimit::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl BodyLimit {
    /// 1 MiB.
    pub const DEFAULT: Self = Self(1024 * 1024);
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A body that has been read, with the declared media type that it is of.
#[derive(Debug, Default)]
pub(super) struct ReadBody {
    pub(super) bytes: Bytes,
    /// Index into the operation's media types; `None` where there is no body.
    pub(super) content: Option<usize>,
    /// The media type as the request has it.
    pub(super) media_type: Option<MediaType>,
}

/// Reads the body that an operation declares; a body that it does not declare is left alone.
///
/// # Errors
/// `400` for a body that is missing or breaks off, `413` for one that is too long, `415` for one of another type.
pub(super) async fn read(declared: RequestBody, caller: &Caller, body: Body) -> Result<ReadBody, Problem> {
    let (media_types, required) = match declared {
        RequestBody::None => return Ok(ReadBody::default()),
        RequestBody::Optional(media_types) => (media_types, false),
        RequestBody::Required(media_types) => (media_types, true),
    };
    let headers = caller.headers();
    let limit = caller.extension::<BodyLimit>().copied().unwrap_or_default().0;
    refuse_expectations(headers)?;
    let length = content_length(headers);
    if length.is_some_and(|length| length > limit as u64) {
        return Err(Problem::content_too_large(limit));
    }
    if length != Some(0) && headers.contains_key(header::CONTENT_TYPE) {
        // Refused before it is read, so that a client that waits for `100 Continue` is not asked for it.
        content_of(media_types, headers)?;
    }
    let bytes = collect(body, limit, length).await?;
    if bytes.is_empty() {
        return match required {
            true => Err(Problem::bad_request(format!(
                "the body is missing; it must be {}",
                alternatives(media_types)
            ))
            .with_pointer("")
            .with_rule("required")),
            false => Ok(ReadBody::default()),
        };
    }
    let (content, media_type) = content_of(media_types, headers)?;
    Ok(ReadBody {
        bytes,
        content: Some(content),
        media_type: Some(media_type),
    })
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The declared media type that the request's body is of.
fn content_of(media_types: &[&str], headers: &HeaderMap) -> Result<(usize, MediaType), Problem> {
    let refuse = |what: String| {
        let detail = format!("{what}; this operation takes {}", alternatives(media_types));
        Problem::unsupported_media_type(detail).with_header(header::ACCEPT, &media_types.join(", "))
    };
    if let Some(coding) = headers.get(header::CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let detail = format!("content coding {coding:?} is not supported; send the body as it is");
        return Err(Problem::unsupported_media_type(detail).with_header(header::ACCEPT_ENCODING, "identity"));
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else {
        return Err(refuse("the body has no Content-Type".to_owned()));
    };
    let text = value.to_str().unwrap_or_default();
    let media_type = MediaType::parse(text).filter(|_| values.next().is_none());
    let Some(media_type) = media_type else {
        return Err(refuse("Content-Type is not a media type".to_owned()));
    };
    let declared = media_types.iter().position(|declared| {
        MediaType::parse(declared).is_some_and(|declared| declared.includes(media_type.essence()))
    });
    let Some(declared) = declared else {
        return Err(refuse(format!(
            "a body of {} is not supported",
            media_type.essence()
        )));
    };
    let is_text = media_type.is_json() || media_type.essence().starts_with("text/");
    if is_text && !media_type.is_utf8() {
        let charset = media_type.parameter("charset").unwrap_or_default();
        return Err(refuse(format!(
            "charset {charset:?} is not supported, only utf-8"
        )));
    }
    Ok((declared, media_type))
}

fn alternatives(media_types: &[&str]) -> String {
    media_types
        .iter()
        .map(|media_type| essence_of(media_type))
        .collect::<Vec<_>>()
        .join(" or ")
}

/// Refuses expectations other than `100-continue` (RFC 9110 section 10.1.1).
fn refuse_expectations(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::EXPECT) {
        Some(expectation) if !expectation.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(Problem::new(
                http::StatusCode::EXPECTATION_FAILED,
                format!("expectation {expectation:?} can't be met, only 100-continue"),
            ))
        }
        _ => Ok(()),
    }
}

async fn collect(mut body: Body, limit: usize, length: Option<u64>) -> Result<Bytes, Problem> {
    let broken =
        |error| Problem::bad_request("the body broke off before its end").with_cause(Box::new(error));
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        if all.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > limit {
            return Err(Problem::content_too_large(limit));
        }
        if first.is_none() && all.is_empty() {
            // Most bodies come as one piece, which needs no copy.
            if length == Some(data.len() as u64) {
                return Ok(data);
            }
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}
