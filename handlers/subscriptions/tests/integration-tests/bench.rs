//! A store, subscriptions on it, and short ways to fill them.

use std::sync::{Arc, Mutex};

use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::{Presence, keys};
use mecforge_runtime::callbacks::Notification;
use mecforge_runtime::server::{Caller, Principal, Problem};
use mecforge_runtime::{Decode, Invalid, Json};
use mecforge_store::{Embedded, Store, Transaction};
use mecforge_subscriptions::{Index, Limits, Subscription, Subscriptions};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) const KIND: &str = "weather";

/// Every address but those of `forbidden.example`.
struct Policy;

impl CallbackPolicy for Policy {
    fn check(&self, url: &str) -> Result<(), String> {
        match url.contains("forbidden.example") {
            true => Err("the host is not allowed".to_owned()),
            false => Ok(()),
        }
    }
}

/// What an index was told.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<String>>);

impl Index for Told {
    fn insert(&self, subscription: &Arc<Subscription>) {
        self.tell("came", subscription);
    }

    fn remove(&self, subscription: &Arc<Subscription>) {
        self.tell("went", subscription);
    }
}

impl Told {
    fn tell(&self, what: &str, subscription: &Subscription) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{what} {}", subscription.request.get()));
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A notification of ours.
#[derive(Debug, Serialize)]
pub(crate) struct Rain {
    pub(crate) text: String,
}

impl Decode for Rain {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let text = json.get("text").and_then(Json::as_str).unwrap_or_default();
        Ok(Self {
            text: text.to_owned(),
        })
    }
}

impl Notification for Rain {
    const NAME: &'static str = "Rain";
    const NOTIFICATION_TYPE: Option<&'static str> = None;
}

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) told: Arc<Told>,
    directory: Arc<tempfile::TempDir>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::limited(Limits::default())
    }

    pub(crate) fn limited(limits: Limits) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), limits)
    }

    fn open(directory: Arc<tempfile::TempDir>, limits: Limits) -> Self {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let told = Arc::new(Told::default());
        let policy = Arc::new(Policy);
        let subscriptions = Subscriptions::with_index(store.clone(), KIND, policy, limits, told.clone());
        Self {
            store,
            subscriptions: Arc::new(subscriptions),
            told,
            directory,
        }
    }

    /// The same after a restart.
    pub(crate) fn restarted(self) -> Self {
        let directory = self.directory.clone();
        drop(self);
        Self::open(directory, Limits::default())
    }

    pub(crate) async fn subscribe(&self, app: &str, request: Value) -> Result<Arc<Subscription>, Problem> {
        let caller = caller();
        self.subscriptions
            .create(
                Presence::Declared,
                app,
                "http://app.example/cb",
                &request,
                &caller,
            )
            .await
    }

    /// Puts notifications into outbox and dead letters as the change of something would.
    pub(crate) async fn notify(&self, subscription: &Subscription) {
        let rain = Rain {
            text: "soon".to_owned(),
        };
        let outgoing = subscription.outgoing(&rain).unwrap();
        let transaction = outgoing.post(Transaction::new()).unwrap();
        let transaction = transaction.put(keys::dead_letter(&subscription.key, "old"), "{}");
        self.store.commit(transaction).await.unwrap();
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let range = self.store.range(prefix, None, usize::MAX);
        range.entries.iter().map(|(key, _)| key.to_string()).collect()
    }
}

pub(crate) fn caller() -> Caller {
    Caller::local(Principal::Anonymous)
}

pub(crate) fn request(number: usize) -> Value {
    json!({"number": number})
}
