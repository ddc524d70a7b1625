//! Time, trust and sources of one machine, together.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::files::Files;
use crate::kernel::{Kernel, KernelState, Linux};
use crate::sources::Sources;

/// How a machine's clock is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the machine's file system begins; `/` but for tests and containers that see the host's files elsewhere.
    pub root: PathBuf,
    /// The largest error that a clock may have and still count as locked to UTC. A daemon that asks its servers every
    /// 2,048 s lets the kernel's bound grow to about 1 s in between.
    pub largest_error: Duration,
    /// How long what was read of the daemons' configuration files is good.
    pub reread_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: "/".into(),
            largest_error: Duration::from_secs(2),
            reread_after: Duration::from_secs(10),
        }
    }
}

/// A time of day and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: u64,
    /// Nanoseconds of the second.
    pub nanoseconds: u32,
    /// Whether the clock is locked to UTC: the kernel says that something sets it, and its error is bounded.
    pub traceable: bool,
}

/// The clock of a machine.
pub struct Machine {
    options: Options,
    kernel: Box<dyn Kernel>,
    complained: AtomicBool,
    sources: Mutex<Option<(Instant, Arc<Sources>)>>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Machine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Machine {
    /// The clock of this machine.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self::with_kernel(options, Box::new(Linux))
    }

    /// A clock of which another kernel tells the state.
    #[must_use]
    pub fn with_kernel(options: Options, kernel: Box<dyn Kernel>) -> Self {
        Self {
            options,
            kernel,
            complained: AtomicBool::new(false),
            sources: Mutex::new(None),
        }
    }

    /// The time now; that of 1970-01-01 on a machine whose clock is before that.
    #[must_use]
    pub fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
            traceable: self.state().is_some_and(|state| self.trusts(&state)),
        }
    }

    /// The kernel's judgement of its clock; `None` where it must not be asked, which is logged once.
    #[must_use]
    pub fn state(&self) -> Option<KernelState> {
        match self.kernel.state() {
            Ok(state) => Some(state),
            Err(error) => {
                if !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the kernel does not tell the state of its clock; the time counts as not traceable");
                }
                None
            }
        }
    }

    fn trusts(&self, state: &KernelState) -> bool {
        state.synchronised && state.maximum_error <= self.options.largest_error
    }

    /// By which servers the machine's clock is to be set. Reads files, but for those read a short while ago.
    #[must_use]
    pub fn sources(&self) -> Arc<Sources> {
        let mut kept = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, sources)) = &*kept
            && read.elapsed() < self.options.reread_after
        {
            return sources.clone();
        }
        let sources = Arc::new(Sources::read(&Files::new(self.options.root.clone())));
        *kept = Some((Instant::now(), sources.clone()));
        sources
    }
}
