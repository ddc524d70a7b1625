//! The background work: tasks that were accepted, also before a restart, and the feed of platform events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mecforge_runtime::server::Problem;
use mecforge_store::CommitError;
use tokio::task::{AbortHandle, Id, JoinSet};

use crate::keys as own_keys;
use crate::manager::Mm5;

/// How long a task waits before it is begun anew when the store has refused its result.
const PAUSE: Duration = Duration::from_secs(1);

/// The background work of [`Mm5`]. It stops when this is dropped; tasks that are cut off go on at the next start.
#[derive(Debug)]
#[must_use = "the work stops when this is dropped"]
pub struct Running {
    handles: Vec<AbortHandle>,
}

impl Drop for Running {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.abort();
        }
    }
}

impl Mm5 {
    /// Begins the background work: carries out all unfinished tasks and all that come, and tells managers of
    /// platform events. To be called once, within a Tokio runtime.
    pub fn start(self: &Arc<Self>) -> Running {
        let tasks = tokio::spawn(self.clone().carry_out());
        let events = tokio::spawn(self.clone().feed());
        Running {
            handles: vec![tasks.abort_handle(), events.abort_handle()],
        }
    }

    async fn carry_out(self: Arc<Self>) {
        let mut set: JoinSet<Result<(), CommitError>> = JoinSet::new();
        // Which application instance has a task that runs now, or waits to be begun anew.
        let mut active: HashMap<String, Id> = HashMap::new();
        loop {
            let unfinished = self.store.range(own_keys::RUNNING, None, usize::MAX).entries;
            for (key, entry) in unfinished {
                let Some(app_instance_id) = own_keys::running_of(&key) else {
                    continue;
                };
                if active.contains_key(&app_instance_id) {
                    continue;
                }
                let task_id = String::from_utf8_lossy(&entry.value).into_owned();
                let handle = set.spawn(self.clone().run_guarded(task_id));
                active.insert(app_instance_id, handle.id());
            }
            tokio::select! {
                () = self.bell.notified() => {}
                Some(joined) = set.join_next_with_id() => {
                    let id = match &joined {
                        Ok((id, _)) => *id,
                        Err(error) => error.id(),
                    };
                    active.retain(|_, active| *active != id);
                }
            }
        }
    }

    /// Carries out a task. One that cannot be written down waits, one that panics fails.
    async fn run_guarded(self: Arc<Self>, task_id: String) -> Result<(), CommitError> {
        let this = self.clone();
        let id = task_id.clone();
        let inner = AbortOnDrop(tokio::spawn(async move { this.run(&id).await }));
        let result = match inner.joined().await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%task_id, %error, "a task has panicked");
                match self.record(&task_id) {
                    Ok((record, _)) => self.fail(record, &Problem::internal(error)).await,
                    Err(_) => Ok(()),
                }
            }
        };
        if let Err(error) = &result {
            tracing::error!(%task_id, %error, "the result of a task cannot be stored; it is begun anew");
            tokio::time::sleep(PAUSE).await;
        }
        result
    }
}

/// A spawned task that ends with whoever waits for it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn joined(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
