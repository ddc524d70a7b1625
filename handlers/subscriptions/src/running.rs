//! Background work that ends with its owner.

use tokio::task::JoinHandle;

/// Tasks in the background; dropping this stops them.
#[derive(Debug)]
#[must_use = "the work stops when this is dropped"]
pub struct Running(Vec<JoinHandle<()>>);

impl Running {
    /// Takes charge of tasks.
    pub fn new(tasks: impl IntoIterator<Item = JoinHandle<()>>) -> Self {
        Self(tasks.into_iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
