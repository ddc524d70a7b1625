//! Strong entity tags that a case has seen: the same one for another representation is a breach, wherever that is seen.

use std::collections::BTreeMap;

use super::call::{Exchange, Identity, Intent, Payload};
use super::{Suite, seed};

/// The latest tag and a hash of what came with it, by API, address and who asked.
#[derive(Debug, Default)]
pub(super) struct Tags(BTreeMap<(usize, String, Identity), (String, u64)>);

impl Tags {
    /// Notes what a GET was answered; the tag, if it was that of another representation before.
    pub(super) fn stale(&mut self, suite: &Suite, exchange: &Exchange) -> Option<String> {
        let call = &exchange.call;
        let plain = call.method == "GET" && call.intent == Intent::Valid && call.headers.is_empty();
        let bare = matches!(call.payload, Payload::None) && !call.rooted;
        if !plain || !bare || exchange.status() != 200 {
            return None;
        }
        if suite.apis[call.api].knowledge.changes_by_itself(&call.path) {
            return None;
        }
        let tag = exchange.header("etag").filter(|tag| tag.starts_with('"'))?;
        let body = exchange.body()?;
        // Not byte by byte: members in another order mislead nobody.
        let content = seed::hash(0, &[&body.to_string()]);
        let place = (call.api, call.target(), call.identity);
        let before = self.0.insert(place, (tag.to_owned(), content))?;
        (before.0 == tag && before.1 != content).then_some(before.0)
    }
}
