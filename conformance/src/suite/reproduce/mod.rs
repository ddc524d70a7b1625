//! A finding as commands that repeat it: curl for everybody, a Rust test for users of the generated clients.

mod bytes;
mod needed;
mod rust_test;
mod shell;

pub use needed::needed;
pub use rust_test::{Origin, OriginApi, rust_test};
pub use shell::curl;

use std::collections::BTreeMap;

use mecforge_report::Exchange;

/// Header fields that are left out, as curl or the HTTP client adds them by itself.
const OWN: [&str; 4] = ["host", "user-agent", "content-length", "connection"];

/// Values that answers gave and later requests use: the name of the variable by the value.
#[derive(Default)]
struct Variables(BTreeMap<String, String>);

/// The first value of a header field of the answer.
fn field<'exchange>(exchange: &'exchange Exchange, name: &str) -> Option<&'exchange str> {
    let headers = &exchange.response.as_ref()?.headers;
    let found = headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The identifier that the platform gave to what an exchange made: the last segment of its `Location`. Shorter ones are
/// taken for words, as they may be in a request by chance.
fn identifier(exchange: &Exchange) -> Option<&str> {
    let location = field(exchange, "location")?;
    let last = location.trim_end_matches('/').rsplit('/').next()?;
    (last.len() >= 4).then_some(last)
}

/// Whether a request has a text in its address, its header fields or its body.
fn mentions(exchange: &Exchange, text: &str) -> bool {
    let request = &exchange.request;
    request.url.contains(text)
        || request.headers.iter().any(|(_, value)| value.contains(text))
        || request.body.as_deref().is_some_and(|body| body.contains(text))
}
