//! Notifications as they are stored: what waits, and what was given up.

use std::sync::Arc;

use bytes::Bytes;
use mecforge_contracts::deliveries::DeadLetter;
use mecforge_contracts::outbox::Target;
use mecforge_contracts::time::unix_milliseconds;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A notification that waits: what [`mecforge_contracts::outbox::Outgoing`] writes, and when it was put back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter<'a> {
    pub(crate) subscription: Arc<str>,
    pub(crate) target: Target,
    pub(crate) notification: Arc<str>,
    pub(crate) happened: u64,
    /// When it was put back into the queue, in milliseconds since 1970-01-01 UTC; its age counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replayed: Option<u64>,
    #[serde(borrow)]
    pub(crate) body: &'a RawValue,
}

/// 2020-01-01 UTC, in milliseconds since 1970-01-01: no clock that is set shows less.
const CLOCK_IS_SET: u64 = 1_577_836_800_000;

/// What the queue has to know of a [`Letter`].
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) target: Target,
    /// Since when it waits, in milliseconds since 1970-01-01 UTC.
    pub(crate) since: u64,
}

impl<'a> Letter<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(value)
    }

    /// What the queue has to know. A machine whose clock had not been set when it happened has its age count from now.
    pub(crate) fn head(&self) -> Head {
        let since = self.replayed.unwrap_or(self.happened);
        Head {
            target: self.target.clone(),
            since: if since < CLOCK_IS_SET {
                unix_milliseconds()
            } else {
                since
            },
        }
    }

    /// The body, which shares the bytes of the value that the letter was read from.
    pub(crate) fn body_in(&self, value: &Bytes) -> Bytes {
        value.slice_ref(self.body.get().as_bytes())
    }

    /// What is kept of it when it is given up.
    pub(crate) fn into_dead(
        self,
        id: String,
        subscription: &str,
        attempts: u32,
        reason: String,
    ) -> DeadLetter {
        DeadLetter {
            id,
            subscription: subscription.to_owned(),
            target: self.target,
            notification: self.notification.to_string(),
            happened: self.happened,
            given_up: unix_milliseconds(),
            attempts,
            reason,
            body: self.body.to_owned(),
        }
    }

    /// What is put back into the queue.
    pub(crate) fn replayed(dead: &'a DeadLetter) -> Self {
        Self {
            subscription: dead.subscription.as_str().into(),
            target: dead.target.clone(),
            notification: dead.notification.as_str().into(),
            happened: dead.happened,
            replayed: Some(unix_milliseconds()),
            body: &dead.body,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use mecforge_contracts::outbox::Outgoing;

    use super::*;

    fn outgoing() -> Outgoing {
        Outgoing {
            subscription: "subscriptions/kind/app/1".into(),
            target: Target::Callback("http://127.0.0.1/".into()),
            notification: "TestNotification".into(),
            happened: 1_700_000_000_000,
            body: RawValue::from_string(r#"{"a": 1}"#.to_owned()).unwrap(),
        }
    }

    #[test]
    fn what_handlers_write_is_read_and_the_other_way_round() {
        let value = Bytes::from(serde_json::to_vec(&outgoing()).unwrap());
        let letter = Letter::parse(&value).unwrap();
        assert_eq!(letter.head().since, 1_700_000_000_000);
        assert_eq!(letter.head().target, outgoing().target);
        assert_eq!(&letter.body_in(&value)[..], br#"{"a": 1}"#);

        let dead = letter.into_dead(
            "id".to_owned(),
            "subscriptions/kind/app/1",
            3,
            "because".to_owned(),
        );
        let again = serde_json::to_vec(&Letter::replayed(&dead)).unwrap();
        let back: Outgoing = serde_json::from_slice(&again).unwrap();
        assert_eq!(
            serde_json::to_value(&back).unwrap(),
            serde_json::to_value(outgoing()).unwrap()
        );
        assert!(Letter::parse(&again).unwrap().head().since > 1_700_000_000_000);
    }

    #[test]
    fn an_age_does_not_count_from_a_clock_that_was_not_set() {
        let value = serde_json::to_vec(&Outgoing {
            happened: 30_000,
            ..outgoing()
        });
        let value = value.unwrap();
        let letter = Letter::parse(&value).unwrap();
        assert_eq!(letter.happened, 30_000);
        assert!(letter.head().since > CLOCK_IS_SET);
    }
}
