//! Which web pages may change something here: those that this platform serves.
//!
//! A platform on a developer's own machine can be reached by every page in the developer's browser. Programs that are
//! no browsers send neither `Origin` nor `Sec-Fetch-Site`, and are not concerned.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mecforge_runtime::server::{Problem, PublicUrl};

use crate::call::Call;

/// `Sec-Fetch-Site` of the Fetch Metadata Request Headers.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests that a page of another origin has caused.
///
/// `hosts` are names (without a port) under which the platform is known, apart from its public URL, addresses and
/// `localhost`. Without that list a name that somebody else owns could be pointed at this machine ("DNS rebinding"),
/// and a page under that name would be of the same origin.
pub(crate) fn check(call: &Call, hosts: &[String]) -> Result<(), Problem> {
    let headers = call.headers();
    let site = headers.get(SEC_FETCH_SITE);
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(refusal(
            "the browser says that a page of another origin asks for it",
        ));
    }
    let Some(origin) = single(headers, &header::ORIGIN)? else {
        return Ok(());
    };
    let public = call.parts.extensions.get::<PublicUrl>().map(PublicUrl::as_str);
    if public.is_some_and(|public| origin_of(public) == origin_of(origin)) {
        return Ok(());
    }
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    let host = single(headers, &header::HOST)?;
    match (authority, host) {
        (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host) => {
            let name = name_of(host);
            if is_own(name) || hosts.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Ok(());
            }
            Err(refusal(&format!(
                "{name:?} is not known to be a name of this platform; set its public URL"
            )))
        }
        _ => Err(refusal(&format!("a page of {origin:?} asks for it"))),
    }
}

fn refusal(reason: &str) -> Problem {
    Problem::forbidden(format!("a web page must not change this platform: {reason}")).with_parameter("Origin")
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(
            Problem::bad_request(format!("there must be one {name} header, of ASCII characters"))
                .with_parameter(name.as_str()),
        ),
    }
}

/// Scheme and authority of a URL, in lower case.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}").to_ascii_lowercase())
}

/// A host without its port, and without the brackets of an IPv6 address.
fn name_of(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or(address);
    }
    host.split(':').next().unwrap_or(host)
}

/// Whether nobody else can own this name.
fn is_own(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}
