//! Mailboxes: what came for one subscription, and how it is answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use mecforge_report::{Answer, Exchange, Message};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::State;

/// The most letters that a mailbox keeps.
const MOST: usize = 5_000;

/// How a mailbox answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// 204.
    Take,
    /// This status for the first ones, then 204.
    Fail {
        /// The status.
        status: u16,
        /// How many get it.
        times: usize,
    },
    /// Closes the connection without an answer for the first ones, then 204.
    Close {
        /// How many.
        times: usize,
    },
    /// No answer until the mailbox is closed.
    Hang,
    /// 307 to another address.
    Redirect(String),
}

/// Something that was delivered.
#[derive(Clone, Debug)]
pub struct Letter {
    /// When it had come as a whole.
    pub arrived: Instant,
    /// The same on the clock.
    pub time: SystemTime,
    /// The method.
    pub method: String,
    /// The whole address as it was asked for.
    pub url: String,
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The status it was answered with; 0: none.
    pub answered: u16,
    /// Whether it came over a WebSocket, where nothing is answered.
    pub by_socket: bool,
}

impl Letter {
    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter();
        fields
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text, at most some lines of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(1_000).collect()
    }

    /// As evidence of a report.
    pub fn record(&self) -> Exchange {
        let version = if self.by_socket { "WebSocket" } else { "HTTP/1.1" };
        let body = String::from_utf8_lossy(&self.body).into_owned();
        let response = (self.answered != 0).then(|| Answer {
            status: self.answered,
            version: "HTTP/1.1".to_owned(),
            headers: Vec::new(),
            body: String::new(),
            body_length: 0,
        });
        Exchange {
            role: "notification".to_owned(),
            started_at: crate::suite::time::rfc3339(self.time),
            elapsed_ms: 0.0,
            request: Message {
                method: self.method.clone(),
                url: self.url.clone(),
                version: version.to_owned(),
                headers: self.headers.clone(),
                body_length: self.body.len() as u64,
                body: Some(body.chars().take(16_384).collect()),
            },
            fault: (response.is_none() && !self.by_socket)
                .then(|| "the receiver gave no answer on purpose".to_owned()),
            response,
        }
    }
}

/// The side of a mailbox that connections see.
pub(super) struct Post {
    behaviour: Behaviour,
    letters: Mutex<Vec<Arc<Letter>>>,
    count: watch::Sender<usize>,
    open: watch::Sender<bool>,
    /// Whether something came that the receiver has no room for.
    refused: AtomicBool,
}

impl Post {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Post {
            behaviour,
            letters: Mutex::default(),
            count: watch::Sender::new(0),
            open: watch::Sender::new(true),
            refused: AtomicBool::new(false),
        }
    }

    /// Notes that something came for which there was no room.
    pub(super) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Keeps a letter, unless the mailbox is full or closed; the number of those before it, and whether it is kept.
    pub(super) fn put(&self, mut letter: Letter) -> (usize, bool, Behaviour) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let before = letters.len();
        letter.answered = match &self.behaviour {
            Behaviour::Fail { status, times } if before < *times => *status,
            Behaviour::Close { times } if before < *times => 0,
            Behaviour::Hang => 0,
            Behaviour::Redirect(_) => 307,
            _ => 204,
        };
        let kept = before < MOST && *self.open.borrow();
        match kept {
            true => letters.push(Arc::new(letter)),
            false => self.refuse(),
        }
        self.count.send_replace(letters.len());
        (before, kept, self.behaviour.clone())
    }

    /// Waits until the mailbox is closed.
    pub(super) async fn closed(&self) {
        let mut open = self.open.subscribe();
        // An error says that the mailbox is gone, which is what was waited for.
        let _ = open.wait_for(|open| !open).await;
    }
}

/// The mailbox of a subscription; closed when it is dropped.
pub struct Mailbox {
    post: Arc<Post>,
    /// What the subscription names as its callback.
    pub url: String,
    name: String,
    state: Arc<State>,
    task: Option<AbortHandle>,
}

impl Mailbox {
    pub(super) fn new(
        post: Arc<Post>,
        url: String,
        name: String,
        state: Arc<State>,
        task: Option<AbortHandle>,
    ) -> Self {
        Mailbox {
            post,
            url,
            name,
            state,
            task,
        }
    }

    /// What has come.
    pub fn letters(&self) -> Vec<Arc<Letter>> {
        self.post
            .letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether something came that the receiver could not take, so that what is missing may be that.
    pub fn has_refused(&self) -> bool {
        self.post.refused.load(Ordering::Relaxed)
    }

    /// Waits until more than `count` letters have come, or the time is over.
    pub async fn more_than(&self, count: usize, time: Duration) {
        let mut counts = self.post.count.subscribe();
        // Whether it was the time or a letter, the caller looks for itself.
        let _ = tokio::time::timeout(time, counts.wait_for(|now| *now > count)).await;
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let bytes: usize = {
            let letters = self.post.letters.lock().unwrap_or_else(PoisonError::into_inner);
            self.post.open.send_replace(false);
            letters.iter().map(|letter| letter.body.len()).sum()
        };
        self.state
            .mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
        self.state.kept.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
