//! Lists in pages: `limit`, `after`, and a link to the next page.

use mecforge_runtime::decode;
use mecforge_runtime::operation::Operation;
use mecforge_runtime::rules::IntegerRules;
use mecforge_runtime::server::{Call, Problem, Reply};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::JSON;

/// How many items a page has where the client does not say.
const USUAL: u64 = 100;
/// The most items of a page.
const MOST: i128 = 1000;

/// Which page is asked for.
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) after: Option<String>,
}

impl Page {
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        let limit = call.query("limit", |json| {
            decode::unsigned(json, &IntegerRules::range(1, MOST))
        })?;
        Ok(Self {
            limit: usize::try_from(limit.unwrap_or(USUAL)).unwrap_or(usize::MAX),
            after: call.query("after", decode::string)?,
        })
    }

    /// The part of a whole list that is this page, and whether there are more behind it. The list is empty behind an
    /// item that is not there (any more).
    pub(super) fn cut<T>(&self, items: Vec<T>, id: fn(&T) -> &str) -> (Vec<T>, bool) {
        let start = match &self.after {
            Some(after) => items
                .iter()
                .position(|item| id(item) == after)
                .map_or(items.len(), |index| index + 1),
            None => 0,
        };
        let more = items.len() > start + self.limit;
        (items.into_iter().skip(start).take(self.limit).collect(), more)
    }
}

/// A page, with a link to the next one (RFC 8288) that repeats all parameters of the query but `after`.
pub(super) fn reply<T: Serialize>(
    call: &Call,
    operation: &Operation,
    items: &[T],
    next_after: Option<&str>,
) -> Reply {
    let reply = Reply::json(200, JSON, items);
    let Some(next_after) = next_after else {
        return reply;
    };
    let query = call.caller().uri().query().unwrap_or_default();
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("after"))
        .map(str::to_owned)
        .collect();
    pairs.push(format!(
        "after={}",
        utf8_percent_encode(next_after, NON_ALPHANUMERIC)
    ));
    let url = call
        .caller()
        .url(&format!("{}?{}", operation.path, pairs.join("&")));
    reply.header("link", &format!("<{url}>; rel=\"next\""))
}
