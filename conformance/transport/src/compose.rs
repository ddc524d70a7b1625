//! From a request as it is asked for to one that is sent: what is added, and what can't be sent.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, USER_AGENT,
};
use http::uri::PathAndQuery;

use crate::exchange::{Request, SentRequest};
use crate::fault::Fault;
use crate::perform::{Composed, header_lines};
use crate::secret::Secret;
use crate::target::TargetUrl;

const AGENT: &str = concat!("mec-conformance/", env!("CARGO_PKG_VERSION"));

/// Puts a request together.
///
/// # Errors
/// [`Fault::InvalidRequest`] for what no HTTP client may send: a target or a header with forbidden characters, a
/// `Content-Length` that is not the body's.
pub(crate) fn compose(
    target: &TargetUrl,
    configured: &[(String, Secret<String>)],
    request: &Request,
    authorization: &[(String, String)],
) -> Result<Composed, Fault> {
    let method = http::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| invalid(format!("{:?} is no method", request.method)))?;
    let uri = request_target(&request.target)?;
    let given = |name: &HeaderName| {
        request
            .headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name.as_str()))
    };
    let mut headers = http::HeaderMap::with_capacity(configured.len() + request.headers.len() + 6);
    if !given(&HOST) {
        append(&mut headers, "host", &target.authority())?;
    }
    if !given(&USER_AGENT) {
        headers.append(USER_AGENT, HeaderValue::from_static(AGENT));
    }
    for (name, value) in configured {
        if !request
            .headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            append(&mut headers, name, value.expose())?;
        }
    }
    for (name, value) in &request.headers {
        append(&mut headers, name, value)?;
    }
    if !given(&AUTHORIZATION) {
        for (name, value) in authorization {
            // A credential of our own replaces one that is configured for all requests.
            headers.remove(name.as_str());
            append(&mut headers, name, value)?;
        }
    }
    let body = request.body.clone().unwrap_or_default();
    frame(&mut headers, request, &body)?;
    Ok(Composed {
        method,
        uri,
        headers,
        body,
    })
}

/// Adds `Content-Length` where the request has a body, or where RFC 9110 clause 8.6 wants it without one.
fn frame(headers: &mut http::HeaderMap, request: &Request, body: &Bytes) -> Result<(), Fault> {
    if let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() {
        if headers.contains_key(CONTENT_LENGTH) || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            let text = "a Transfer-Encoding other than chunked, or one beside Content-Length";
            return Err(invalid(text.to_owned()));
        }
        return Ok(());
    }
    let length = body.len().to_string();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (Some(given), None) if given.as_bytes() == length.as_bytes() => Ok(()),
        (Some(_), _) => Err(invalid(format!(
            "Content-Length is not the {length} bytes of the body"
        ))),
        (None, _) => {
            let expected = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
            if request.body.is_some() || expected {
                append(headers, "content-length", &length)?;
            }
            Ok(())
        }
    }
}

/// The record of a composed request.
pub(crate) fn record(target: &TargetUrl, request: &Request, composed: &Composed) -> SentRequest {
    SentRequest {
        method: request.method.clone(),
        target: request.target.clone(),
        url: target.url(&request.target),
        headers: header_lines(&composed.headers),
        body: request.body.clone(),
    }
}

/// The record of a request that could not be composed.
pub(crate) fn record_unsent(target: &TargetUrl, request: &Request) -> SentRequest {
    SentRequest {
        method: request.method.clone(),
        target: request.target.clone(),
        url: target.url(&request.target),
        headers: request.headers.clone(),
        body: request.body.clone(),
    }
}

fn invalid(text: String) -> Fault {
    Fault::InvalidRequest(text)
}

fn append(headers: &mut http::HeaderMap, name: &str, value: &str) -> Result<(), Fault> {
    let (name, value) = header(name, value)
        .ok_or_else(|| invalid(format!("the header {name:?} has forbidden characters")))?;
    headers
        .try_append(name, value)
        .map(|_| ())
        .map_err(|_| invalid("it has more header lines than HTTP allows".to_owned()))
}

/// A header in hyper's terms; none where HTTP forbids its characters.
pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
    Some((name, value))
}

/// The target, only if it goes out byte for byte as it was given.
fn request_target(target: &str) -> Result<http::Uri, Fault> {
    let wrong = || {
        let text = "has characters that HTTP forbids in a request target (a blank, a control character, #)";
        invalid(format!("{target:?} {text}"))
    };
    if target.contains('#') {
        return Err(wrong());
    }
    if target.starts_with('/') {
        let path = PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes()));
        return Ok(http::Uri::from(path.map_err(|_| wrong())?));
    }
    let uri: http::Uri = target.parse().map_err(|_| wrong())?;
    // `Uri` itself compares without regard to case; what is asked for here is byte for byte.
    let sent = uri.to_string();
    if sent == target { Ok(uri) } else { Err(wrong()) }
}
