//! Notifications: the test notification of any subscription, the one before it ends, and MEC 011's of the availability of
//! services (8.1.4.2).
//!
//! Each subscription has a queue and a task of its own, so that a receiver that hangs delays nobody else. Only `http`
//! addresses are called; an answer is awaited for some seconds, read no further than its head, and a redirection is
//! not followed.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{Request, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::mock::Mock;
use crate::plan::Family;
use crate::represent::{inner, timestamp};
use crate::schemas::lock;
use crate::store::{Object, Scope, Store};
use crate::websocket::{WebSockets, offers};

/// How many notifications wait for one receiver; further ones are lost.
const QUEUE: usize = 1_024;
/// How many receivers are served at a time.
const RECEIVERS: usize = 4_096;
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long is waited before each further attempt.
const AGAIN: [u64; 3] = [200, 500, 1_000];
/// How long before its end a subscription is told of it.
const NOTICE: Duration = Duration::from_secs(10);
/// The type of that notification, where a document has it.
const EXPIRY: &str = "/components/schemas/ExpiryNotification";

/// One notification on its way.
struct Letter {
    address: Uri,
    body: Bytes,
}

/// Who is told.
#[derive(Default)]
pub(crate) struct Notifier {
    queues: Mutex<BTreeMap<String, (mpsc::Sender<Letter>, AbortHandle)>>,
    pub(crate) websockets: WebSockets,
}

impl Notifier {
    /// Lets a subscriber know, in the way that was chosen.
    fn tell(&self, subscription: &str, members: &Map<String, Value>, body: &Value) {
        match address(members) {
            Some(address) => self.send(subscription, address, body),
            None if offers(members) => self.websockets.send(subscription, body),
            None => {}
        }
    }

    /// Lets a subscription's receiver know.
    fn send(&self, subscription: &str, address: &str, body: &Value) {
        let Ok(address) = address.parse::<Uri>() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let mut queues = lock(&self.queues);
        if queues.len() >= RECEIVERS && !queues.contains_key(subscription) {
            return;
        }
        let (queue, _) = queues.entry(subscription.to_owned()).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            (sender, runtime.spawn(deliver(receiver)).abort_handle())
        });
        let body = Bytes::from(body.to_string());
        if queue.try_send(Letter { address, body }).is_err() {
            tracing::warn!(subscription, "a receiver is too slow, a notification is lost");
        }
    }

    /// Nothing is sent for a subscription any more, not even what waits.
    pub(crate) fn forget(&self, subscription: &str) {
        self.websockets.forget(subscription);
        if let Some((_, task)) = lock(&self.queues).remove(subscription) {
            task.abort();
        }
    }
}

async fn deliver(mut letters: mpsc::Receiver<Letter>) {
    while let Some(letter) = letters.recv().await {
        for wait in [0].into_iter().chain(AGAIN) {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            match tokio::time::timeout(PATIENCE, post(&letter)).await {
                Ok(Ok(true)) => break,
                Ok(Ok(false)) => tracing::debug!(address = %letter.address, "a receiver refused"),
                Ok(Err(error)) => tracing::debug!(address = %letter.address, error, "a receiver failed"),
                Err(_) => tracing::debug!(address = %letter.address, "a receiver hangs"),
            }
        }
    }
}

/// Sends once; whether the receiver took it.
async fn post(letter: &Letter) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let authority = letter.address.authority().ok_or("an address needs a host")?;
    if letter.address.scheme_str() != Some("http") {
        return Err("only http addresses are called".into());
    }
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let path = letter.address.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(letter.body.clone()))?;
    let taken = sender
        .send_request(request)
        .await
        .map(|response| response.status().is_success());
    connection.abort();
    Ok(taken?)
}

/// Whether a service passes the criteria of a subscription (MEC 011, 8.1.3.2).
fn passes(criteria: Option<&Value>, before: Option<&Value>, after: Option<&Value>) -> bool {
    let Some(criteria) = criteria else {
        return true;
    };
    let list = |name: &str| {
        criteria
            .get(name)
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
    };
    let views = || [before, after].into_iter().flatten();
    let named = |name: &str, pointer: &str, key: Option<&str>| {
        list(name).is_none_or(|list| {
            let wanted = |value: &Value| {
                list.iter()
                    .any(|one| key.map_or(Some(one), |key| one.get(key)) == Some(value))
            };
            views().any(|view| view.pointer(pointer).is_some_and(wanted))
        })
    };
    let latest = after.or(before);
    let state = latest.and_then(|view| view.get("state"));
    let states = list("states").is_none_or(|list| state.is_some_and(|state| list.contains(state)));
    let only_local = criteria.get("isLocal") == Some(&Value::Bool(true));
    let local = !only_local || views().any(|view| view.get("isLocal") != Some(&Value::Bool(false)));
    named("serInstanceIds", "/serInstanceId", None)
        && named("serNames", "/serName", None)
        && named("serCategories", "/serCategory/id", Some("id"))
        && states
        && local
}

fn change(before: Option<&Value>, after: Option<&Value>) -> Option<&'static str> {
    match (before, after) {
        (None, _) => Some("ADDED"),
        (_, None) => Some("REMOVED"),
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) => {
            let mut same_state = before.clone();
            if let (Some(old), Some(new)) = (same_state.get_mut("state"), after.get("state")) {
                *old = new.clone();
            }
            Some(if same_state == *after {
                "STATE_CHANGED"
            } else {
                "ATTRIBUTES_CHANGED"
            })
        }
    }
}

/// The subscriber's address in a subscription.
pub(crate) fn address(members: &Map<String, Value>) -> Option<&str> {
    let names = ["callbackReference", "callbackUri"];
    names.iter().find_map(|name| members.get(*name)?.as_str())
}

impl Mock {
    /// A thing was made or replaced; if it is a subscription that asks for it, its receiver is tried.
    pub(crate) fn subscribed(&self, at: usize, object: &Object) {
        if !self.options.callbacks {
            return;
        }
        let plan = &self.plans[at];
        for family in &plan.families {
            let members = inner(family, &object.value);
            let wanted = members.get("requestTestNotification") == Some(&Value::Bool(true));
            if wanted {
                let links = json!({"subscription": {"href": self_of(&members, object)}});
                let body = json!({"notificationType": "TestNotification", "_links": links});
                self.notifier.tell(&object.path, &members, &body);
                return;
            }
        }
    }

    /// A subscription was changed; if it is served in another way now, nothing is sent in the old one any more.
    pub(crate) fn moved(&self, family: &Family, before: &Object, after: &Object) {
        let (before, now) = (inner(family, &before.value), inner(family, &after.value));
        if address(&before) != address(&now) || offers(&before) != offers(&now) {
            self.notifier.forget(&after.path);
        }
    }

    /// Tells subscribers that their subscriptions end, where the document has a notification of that.
    pub(crate) fn announce(&self, store: &mut Store, now: Duration) {
        for ((at, index), object) in store.ending(now.saturating_add(NOTICE)) {
            let plan = &self.plans[at];
            if !self.options.callbacks || plan.api.document.pointer(EXPIRY).is_none() {
                continue;
            }
            let members = inner(&plan.families[index], &object.value);
            let whole = json!({
                "notificationType": "ExpiryNotification",
                "timeStamp": timestamp(now),
                "_links": {"subscription": {"href": self_of(&members, &object)}},
                "expiryDeadline": members.get("expiryDeadline"),
            });
            let body = plan.schemas.fit(EXPIRY, &whole, &|_, _| None);
            if let Some(body) = body.filter(|body| plan.schemas.is_valid(EXPIRY, body)) {
                self.notifier.tell(&object.path, &members, &body);
            }
        }
    }

    /// A thing came, went or changed; who subscribed to services is told if it is one.
    pub(crate) fn changed(
        &self,
        at: usize,
        store: &Store,
        before: Option<&Value>,
        after: Option<&Value>,
        object: &Object,
    ) {
        if !self.options.callbacks {
            return;
        }
        if after.is_none() {
            self.notifier.forget(&object.path);
        }
        let Some(latest) = after.or(before).filter(|value| value.get("serName").is_some()) else {
            return;
        };
        let Some(change) = change(before, after) else {
            return;
        };
        let everybody = Scope::new();
        let families =
            (0..self.plans[at].families.len()).flat_map(|family| store.list((at, family), &everybody));
        for subscription in families {
            let Some(members) = subscription.value.as_object() else {
                continue;
            };
            let kind = members.get("subscriptionType").and_then(Value::as_str);
            if kind != Some("SerAvailabilityNotificationSubscription")
                || !passes(members.get("filteringCriteria"), before, after)
            {
                continue;
            }
            let own = self_of(members, subscription);
            let origin = own.strip_suffix(subscription.path.as_str()).unwrap_or_default();
            let mut reference = json!({
                "serName": latest["serName"],
                "serInstanceId": object.id,
                "state": latest["state"],
                "changeType": change,
            });
            if change != "REMOVED" {
                let base = &self.plans[at].api.base_path;
                let id = mecforge_api::segment(&object.id);
                reference["link"] = json!({"href": format!("{origin}{base}/services/{id}")});
            }
            let body = json!({
                "notificationType": "SerAvailabilityNotification",
                "serviceReferences": [reference],
                "_links": {"subscription": {"href": own}},
            });
            self.notifier.tell(&subscription.path, members, &body);
        }
    }
}

/// The address that a subscription says it has.
fn self_of(members: &Map<String, Value>, object: &Object) -> String {
    let links = members
        .get("_links")
        .and_then(|links| links.pointer("/self/href"));
    links
        .and_then(Value::as_str)
        .map_or_else(|| object.path.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_narrow() {
        let service =
            json!({"serInstanceId": "1", "serName": "a", "state": "ACTIVE", "serCategory": {"id": "c"}});
        let one = |criteria: Value| passes(Some(&criteria), None, Some(&service));
        assert!(one(json!({})));
        assert!(one(json!({"serNames": []})));
        assert!(one(
            json!({"serNames": ["b", "a"], "states": ["ACTIVE"], "isLocal": true})
        ));
        assert!(one(json!({"serCategories": [{"id": "c", "name": "n"}]})));
        assert!(!one(json!({"serNames": ["b"]})));
        assert!(!one(json!({"serNames": ["a"], "states": ["INACTIVE"]})));
        assert!(!one(json!({"serCategories": [{"id": "d"}]})));
    }

    #[test]
    fn changes_have_kinds() {
        let one = json!({"state": "ACTIVE", "version": "1"});
        assert_eq!(change(None, Some(&one)), Some("ADDED"));
        assert_eq!(change(Some(&one), None), Some("REMOVED"));
        assert_eq!(change(Some(&one), Some(&one)), None);
        let suspended = json!({"state": "SUSPENDED", "version": "1"});
        assert_eq!(change(Some(&one), Some(&suspended)), Some("STATE_CHANGED"));
        let other = json!({"state": "SUSPENDED", "version": "2"});
        assert_eq!(change(Some(&one), Some(&other)), Some("ATTRIBUTES_CHANGED"));
    }
}
