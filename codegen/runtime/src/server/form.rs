//! Forms as bodies: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578), read into the JSON objects
//! that their schemas describe.
//!
//! A field that is given several times is a list. The generator refuses documents whose parts are binary.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::Invalid;
use crate::json::Json;
use crate::media_type::{MediaType, split_outside_quotes, unquote};
use crate::operation::Kind;
use crate::parameter::{owned, scalar};

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// [`Invalid`] where a field is not UTF-8 or no value of its kind.
pub(super) fn urlencoded(text: &str, kind: Kind) -> Result<Json<'static>, Invalid> {
    let mut members = Vec::new();
    for pair in text.trim_end().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            let decoded = percent_decode(spaced.as_bytes())
                .decode_utf8()
                .map(Cow::into_owned);
            decoded.map_err(|_| Invalid::new("utf-8", "is not UTF-8"))
        };
        let name = decode(name)?;
        let value = decode(value).map_err(|invalid| invalid.within(&name))?;
        push(
            &mut members,
            name,
            Part {
                text: value,
                is_json: false,
            },
            kind,
        )?;
    }
    Ok(Json::Object(members))
}

/// One field before it is a value.
struct Part {
    text: String,
    /// Whether the part says that it is JSON.
    is_json: bool,
}

/// Reads `multipart/form-data`.
///
/// # Errors
/// [`Invalid`] with the rule `multipart` for a body that is none, or where a part is no value of its kind.
pub(super) fn multipart(body: &[u8], boundary: &str, kind: Kind) -> Result<Json<'static>, Invalid> {
    let broken = |message: &str| Invalid::new("multipart", message.to_owned());
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line break before it where there is no preamble.
    let body = [b"\r\n", body].concat();
    let start = find(&body, delimiter.as_bytes()).ok_or_else(|| broken("does not contain its boundary"))?;
    let mut rest = &body[start + delimiter.len()..];
    let mut members = Vec::new();
    while !rest.starts_with(b"--") {
        let line_end = find(rest, b"\r\n").ok_or_else(|| broken("breaks off after a boundary"))?;
        rest = &rest[line_end..];
        let end = find(rest, delimiter.as_bytes()).ok_or_else(|| broken("breaks off within a part"))?;
        let (name, part) = read_part(&rest[..end])?;
        push(&mut members, name, part, kind)?;
        rest = &rest[end + delimiter.len()..];
    }
    Ok(Json::Object(members))
}

/// Reads one part: `part` starts with the line break before its headers.
fn read_part(part: &[u8]) -> Result<(String, Part), Invalid> {
    let broken = |message: &str| Invalid::new("multipart", message.to_owned());
    let end = find(part, b"\r\n\r\n").ok_or_else(|| broken("has a part without headers"))?;
    let headers = std::str::from_utf8(&part[..end]).map_err(|_| broken("has headers that are not UTF-8"))?;
    let header = |wanted: &str| {
        let lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
        lines
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim())
            .next()
    };
    let disposition = header("Content-Disposition").unwrap_or_default();
    let name = split_outside_quotes(disposition, ';').filter_map(|part| part.trim().split_once('='));
    let name = name
        .filter(|(key, _)| key.eq_ignore_ascii_case("name"))
        .find_map(|(_, value)| unquote(value));
    let name = name.ok_or_else(|| broken("has a part without a name"))?;
    let is_json = header("Content-Type")
        .and_then(MediaType::parse)
        .is_some_and(|media_type| media_type.is_json());
    let text = String::from_utf8(part[end + 4..].to_vec())
        .map_err(|_| Invalid::new("utf-8", "is not UTF-8").within(&name))?;
    Ok((name, Part { text, is_json }))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Adds a field to an object; one that is a list, or of no declared kind, may be given again.
fn push(
    members: &mut Vec<(Cow<'static, str>, Json<'static>)>,
    name: String,
    part: Part,
    kind: Kind,
) -> Result<(), Invalid> {
    let declared = match kind {
        Kind::Object(properties) => properties
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind),
        _ => None,
    };
    let kind = declared.unwrap_or(Kind::Any);
    let is_json = part.is_json || matches!(kind, Kind::Object(_));
    let read = |kind: Kind| match is_json {
        true => Json::parse(part.text.as_bytes()).map(owned),
        false => scalar(Cow::Owned(part.text.clone()), kind),
    };
    let known = members
        .iter_mut()
        .find(|(known, _)| *known == name.as_str())
        .map(|(_, value)| value);
    match (kind, known) {
        (Kind::List(item), Some(Json::Array(items))) => {
            items.push(read(*item).map_err(|invalid| invalid.at_index(items.len()).within(&name))?);
        }
        (_, Some(_)) => return Err(Invalid::new("type", "is given twice").within(&name)),
        (Kind::List(item), None) => {
            let value = match read(*item).map_err(|invalid| invalid.at_index(0).within(&name))? {
                // A part of JSON may hold the whole list.
                Json::Array(items) if part.is_json => Json::Array(items),
                one => Json::Array(vec![one]),
            };
            members.push((Cow::Owned(name), value));
        }
        (kind, None) => {
            let value = read(kind).map_err(|invalid| invalid.within(&name))?;
            members.push((Cow::Owned(name), value));
        }
    }
    Ok(())
}
