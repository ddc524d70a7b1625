//! How a run is made: what the command line says.

use std::collections::BTreeMap;
use std::time::Duration;

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of everything random.
    pub seed: u64,
    /// How many requests are judged at most; none: every planned case and some random ones.
    pub cases: Option<u64>,
    /// How long it may take.
    pub time: Option<Duration>,
    /// How many cases run beside each other.
    pub jobs: usize,
    /// Only safe methods.
    pub read_only: bool,
    /// Which cases run: each entry is `(kind, value)` with kind `api`, `check` or `op`; none: all.
    pub only: Vec<(String, String)>,
    /// Which cases don't run.
    pub skip: Vec<(String, String)>,
    /// Base paths by API id, where they differ from the documents'.
    pub base_paths: BTreeMap<String, String>,
    /// Application instances that exist at the target; the first is the main one.
    pub app_instance_ids: Vec<String>,
    /// Ends the run at the first finding of severity error.
    pub stop_at_first_error: bool,
    /// ETSI's test purposes to run: these; all of the APIs under test if the list is empty; none without one.
    pub test_purposes: Option<Vec<String>>,
    /// How long checks wait for what takes time.
    pub clock: Clock,
    /// Where notifications are received, `host:port`; none: a free port where the target reaches this machine.
    pub callback_listen: Option<String>,
    /// How the target sees that address, where it differs.
    pub callback_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 0,
            cases: None,
            time: None,
            jobs: 8,
            read_only: false,
            only: Vec::new(),
            skip: Vec::new(),
            base_paths: BTreeMap::new(),
            app_instance_ids: Vec::new(),
            stop_at_first_error: false,
            test_purposes: None,
            clock: Clock::default(),
            callback_listen: None,
            callback_url: None,
        }
    }
}

/// How long checks wait for what takes time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// For a notification to arrive, or to be sure that none comes.
    pub notification: Duration,
    /// For something to expire, in all.
    pub expiry: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            notification: Duration::from_secs(5),
            expiry: Duration::from_secs(20),
        }
    }
}

impl Options {
    /// Whether `--only` and `--skip` let a check at an operation run.
    pub fn selects(&self, check: &str, api: &str, operation: Option<&str>) -> bool {
        let matches = |(kind, value): &(String, String)| match kind.as_str() {
            "api" => value == api,
            "check" => value == check,
            _ => Some(value.as_str()) == operation,
        };
        // Entries of one kind are alternatives, those of different kinds narrow each other.
        let wanted = ["api", "check", "op"].iter().all(|kind| {
            let mut of_kind = self.only.iter().filter(|(name, _)| name == kind).peekable();
            of_kind.peek().is_none() || of_kind.any(matches)
        });
        wanted && !self.skip.iter().any(matches)
    }
}
