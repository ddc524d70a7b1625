//! WebSockets instead of callbacks (MEC 009, 6.12a): who asks for one, gives no callback address and finds a
//! `websocketUri` in the answer opens it, and gets each notification as a text frame with its JSON.
//!
//! What is notified before a client has come waits for it. One client at a time is served; a further one waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

use crate::mock::Mock;
use crate::plan::{Family, Plan};
use crate::represent::{inner, inner_mut};
use crate::schemas::lock;
use crate::store::Scope;

/// The member of a subscription that says what is wanted and offered.
const CONFIG: &str = "websockNotifConfig";
/// The last segment of a WebSocket's path, below that of its subscription.
const SEGMENT: &str = "/websocket";
/// How many notifications wait for a client; further ones are lost.
const QUEUE: usize = 1_024;
/// How many subscriptions may have one.
const SOCKETS: usize = 4_096;
/// What a client may send at once, in bytes; nothing of it is looked at.
const HEARD: usize = 64 << 10;
/// How long a client may take to let itself be sent a notification.
const PATIENCE: Duration = Duration::from_secs(5);

/// The notifications that wait for a client.
type Waiting = Arc<AsyncMutex<mpsc::Receiver<String>>>;

/// The WebSockets of all subscriptions, by their paths.
#[derive(Default)]
pub(crate) struct WebSockets {
    all: Mutex<BTreeMap<String, (mpsc::Sender<String>, Waiting)>>,
}

impl WebSockets {
    /// Both ends of a subscription's queue, which is made where there is none.
    fn queue(&self, subscription: &str) -> Option<(mpsc::Sender<String>, Waiting)> {
        let mut all = lock(&self.all);
        if all.len() >= SOCKETS && !all.contains_key(subscription) {
            return None;
        }
        let queue = all.entry(subscription.to_owned()).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            (sender, Arc::new(AsyncMutex::new(receiver)))
        });
        Some(queue.clone())
    }

    /// Lets a subscription's client know.
    pub(crate) fn send(&self, subscription: &str, body: &Value) {
        let sent = self
            .queue(subscription)
            .is_some_and(|(sender, _)| sender.try_send(body.to_string()).is_ok());
        if !sent {
            tracing::warn!(subscription, "nobody opens a WebSocket, a notification is lost");
        }
    }

    /// Nothing is sent for a subscription any more; its WebSocket is closed.
    pub(crate) fn forget(&self, subscription: &str) {
        lock(&self.all).remove(subscription);
    }
}

/// Whether a subscription asks for a WebSocket.
fn asks(members: &Map<String, Value>) -> bool {
    let wish = members
        .get(CONFIG)
        .and_then(|config| config.get("requestWebsocketUri"));
    wish == Some(&Value::Bool(true))
}

/// Whether a subscription has been offered one.
pub(crate) fn offers(members: &Map<String, Value>) -> bool {
    members
        .get(CONFIG)
        .is_some_and(|config| config.get("websocketUri").is_some())
}

/// Chooses how a subscription is served: by its callback address if it has one, else by a WebSocket if it asks for one.
/// Only the way that was chosen is in the answer. `href` is the subscription's own address.
pub(crate) fn choose(plan: &Plan, family: &Family, value: &mut Value, href: &str) {
    let mut chosen = value.clone();
    let members = inner_mut(family, &mut chosen);
    let Some(members) = members.filter(|members| asks(members)) else {
        return;
    };
    let rest = href.strip_prefix("http").filter(|rest| rest.contains("://"));
    match (crate::notify::address(members).is_some(), rest) {
        (true, _) => drop(members.remove(CONFIG)),
        (false, Some(rest)) => {
            if let Some(config) = members.get_mut(CONFIG).and_then(Value::as_object_mut) {
                config.insert("websocketUri".to_owned(), format!("ws{rest}{SEGMENT}").into());
            }
        }
        (false, None) => return,
    }
    if plan.schemas.is_valid(&family.schema, &chosen) {
        *value = chosen;
    }
}

impl Mock {
    /// Opens the WebSocket that a request asks for; none where the path is not that of one.
    pub(crate) async fn websocket(&self, parts: &mut Parts) -> Option<Response> {
        let subscription = parts.uri.path().strip_suffix(SEGMENT)?.to_owned();
        if !self.options.callbacks || !self.is_offered(&subscription) {
            return None;
        }
        let (_, waiting) = self.notifier.websockets.queue(&subscription)?;
        Some(match WebSocketUpgrade::from_request_parts(parts, &()).await {
            Ok(upgrade) => upgrade
                .max_message_size(HEARD)
                .on_upgrade(|socket| serve(socket, waiting)),
            Err(refusal) => refusal.into_response(),
        })
    }

    /// Whether a subscription exists to which a WebSocket was offered.
    fn is_offered(&self, path: &str) -> bool {
        let store = lock(&self.store);
        let everybody = Scope::new();
        self.plans.iter().enumerate().any(|(at, plan)| {
            plan.families.iter().enumerate().any(|(index, family)| {
                let mut all = store.list((at, index), &everybody);
                all.any(|object| object.path == path && offers(&inner(family, &object.value)))
            })
        })
    }
}

/// Sends what comes until the client or the subscription goes.
async fn serve(mut socket: WebSocket, waiting: Waiting) {
    let mut queue = tokio::select! {
        queue = waiting.lock() => queue,
        () = gone(&mut socket) => return,
    };
    loop {
        let text = tokio::select! {
            text = queue.recv() => text,
            () = gone(&mut socket) => return,
        };
        let over = text.is_none();
        let message = text.map_or(Message::Close(None), |text| Message::Text(text.into()));
        let sent = tokio::time::timeout(PATIENCE, socket.send(message)).await;
        if over || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// Hears the client out until it has gone.
async fn gone(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}
