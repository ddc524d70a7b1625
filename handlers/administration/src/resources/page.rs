//! Lists in pages.

use mecforge_runtime::server::Problem;
use mecforge_store::{Entry, Store};
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::call::Call;

/// Items on a page where the request does not say how many.
const USUAL: usize = 100;
/// The most items on a page.
const MOST: usize = 1000;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on this page.
    pub(crate) items: Vec<T>,
    /// What `after` must be for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct Paging<'a> {
    pub(crate) limit: usize,
    pub(crate) after: Option<&'a str>,
}

impl<'a> Paging<'a> {
    pub(crate) fn read(call: &'a Call) -> Result<Self, Problem> {
        let limit = match call.query("limit") {
            None => USUAL,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=MOST).contains(&limit) => limit,
                parsed => {
                    let rule = match parsed {
                        Ok(0) => "minimum",
                        Ok(_) => "maximum",
                        Err(_) => "type",
                    };
                    let detail = format!("parameter limit must be an integer from 1 to {MOST}");
                    return Err(Problem::bad_request(detail)
                        .with_parameter("limit")
                        .with_rule(rule));
                }
            },
        };
        let after = call.query("after");
        Ok(Self { limit, after })
    }

    /// The page of a list that is sorted by a cursor.
    pub(crate) fn of<T>(
        &self,
        sorted: impl IntoIterator<Item = T>,
        cursor: impl Fn(&T) -> String,
    ) -> Page<T> {
        let mut items: Vec<T> = sorted
            .into_iter()
            .filter(|item| self.after.is_none_or(|after| cursor(item).as_str() > after))
            .take(self.limit + 1)
            .collect();
        let next = self.cut(&mut items, cursor);
        Page { items, next }
    }

    /// The page of what the store has below a prefix. Entries that `read` makes nothing of are left out.
    pub(crate) fn of_store<T>(
        &self,
        store: &dyn Store,
        prefix: &str,
        read: impl Fn(&str, &Entry) -> Option<T>,
    ) -> Page<T> {
        let mut entries = store.range(prefix, self.after, self.limit + 1).entries;
        let next = self.cut(&mut entries, |(key, _): &(Arc<str>, Entry)| key.to_string());
        let items = entries
            .iter()
            .filter_map(|(key, entry)| read(key, entry))
            .collect();
        Page { items, next }
    }

    fn cut<T>(&self, items: &mut Vec<T>, cursor: impl Fn(&T) -> String) -> Option<String> {
        if items.len() <= self.limit {
            return None;
        }
        items.truncate(self.limit);
        items.last().map(cursor)
    }
}

/// A value of the store as it is, if it is JSON.
pub(crate) fn raw(entry: &Entry) -> Option<Box<RawValue>> {
    serde_json::from_slice(&entry.value).ok()
}
