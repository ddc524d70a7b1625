//! The commands, a module for each noun.

pub(crate) mod apps;
pub(crate) mod dns;
pub(crate) mod notifications;
pub(crate) mod services;
pub(crate) mod subscriptions;
pub(crate) mod time;
pub(crate) mod traffic;
mod watch;

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// How often a change is tried when others change the same thing at the same time.
const ATTEMPTS: usize = 5;

/// A rule and whose it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Owned<R> {
    app_instance_id: String,
    rule: R,
}

/// An item of a list of the platform's own APIs as a type.
fn typed<T: serde::de::DeserializeOwned>(items: Vec<Value>, what: &str) -> Result<Vec<T>, Failure> {
    let typed = items.into_iter().map(serde_json::from_value);
    typed
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::Failed(format!("the platform's {what} can't be understood: {error}")))
}
