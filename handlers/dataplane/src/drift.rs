//! Looks after what is in force: what somebody else has changed is put back.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::plane::Inner;

/// The data plane is looked after as long as this lives. The rules stay in the kernel when it is gone.
#[derive(Debug)]
#[must_use = "dropping it ends the work"]
pub struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Running {
    pub(crate) fn start(plane: Arc<Inner>) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(plane.options.check_interval.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // A task of its own, because ending in the middle of a change would leave half of it.
                let plane = Arc::clone(&plane);
                let _ = tokio::spawn(async move { plane.look_after().await }).await;
            }
        }))
    }
}
