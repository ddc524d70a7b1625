//! Keys in the store that only Mm5 uses; those that others must know are in `mecforge_contracts::keys`.

use mecforge_contracts::keys::{decode, part};

/// Which task runs for an application instance: `mm5/running/<application instance>`.
pub(crate) const RUNNING: &str = "mm5/running/";
/// How far platform events have been told to managers.
pub(crate) const CURSOR: &str = "mm5/cursor";
/// The kind of the subscriptions of managers.
pub(crate) const EVENTS: &str = "platform-events";
/// Whose those subscriptions are, as nobody is authenticated yet.
pub(crate) const OWNER: &str = "manager";

/// Which task runs for an application instance.
pub(crate) fn running(app_instance_id: &str) -> String {
    format!("{RUNNING}{}", part(app_instance_id))
}

/// For which application instance the task at a key runs.
pub(crate) fn running_of(key: &str) -> Option<String> {
    decode(key.strip_prefix(RUNNING)?)
}

/// Which task a manager has begun under an `Idempotency-Key`.
pub(crate) fn idempotency(app_instance_id: &str, idempotency_key: &str) -> String {
    format!(
        "mm5/idempotency/{}/{}",
        part(app_instance_id),
        part(idempotency_key)
    )
}

/// The subscription of a manager.
pub(crate) fn subscription(subscription_id: &str) -> String {
    mecforge_contracts::keys::subscription(EVENTS, OWNER, subscription_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_what_they_were_made_of() {
        for app in ["a", "a/b", "a%2Fb", "ä\n"] {
            assert_eq!(running_of(&running(app)).as_deref(), Some(app));
            assert_eq!(idempotency(app, "k/l").matches('/').count(), 3);
        }
    }
}
