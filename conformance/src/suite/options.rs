//! How a run is made: what the command line says.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::statement::Statement;

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
    /// Whether requests of uncertain end are sent.
    pub smuggling: bool,
    /// Ends the run at the first finding of severity error.
    pub stop_at_first_error: bool,
    /// ETSI's test purposes to run: these; all of the APIs under test if the list is empty; none without one.
    pub test_purposes: Option<Vec<String>>,
    /// What the vendor says that the platform offers.
    pub statement: Option<Statement>,
    /// How long checks wait for what takes time.
    pub clock: Clock,
    /// Where notifications are received, `host:port`; none: a free port where the target reaches this machine.
    pub callback_listen: Option<String>,
    /// How the target sees that address, where it differs.
    pub callback_url: Option<String>,
    /// The platform's name server, to see what DNS rules do.
    pub dns: Option<std::net::SocketAddr>,
    /// A command of the operator's that sees what traffic rules do.
    pub probe: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 0,
            cases: None,
            time: None,
            jobs: 16,
            read_only: false,
            only: Vec::new(),
            skip: Vec::new(),
            base_paths: BTreeMap::new(),
            app_instance_ids: Vec::new(),
            smuggling: false,
            stop_at_first_error: false,
            test_purposes: None,
            statement: None,
            clock: Clock::default(),
            callback_listen: None,
            callback_url: None,
            dns: None,
            probe: None,
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
    /// Whether `--only`, `--skip` and the vendor's statement let a check at an operation run.
    pub fn selects(&self, check: &str, api: &str, operation: Option<&str>) -> bool {
        self.selects_by(&["api", "check", "op"], check, api, operation)
    }

    /// The same, whichever checks `--only` names: for cases in which those may be judged on the way.
    pub fn selects_place(&self, check: &str, api: &str, operation: Option<&str>) -> bool {
        self.selects_by(&["api", "op"], check, api, operation)
    }

    fn selects_by(&self, kinds: &[&str], check: &str, api: &str, operation: Option<&str>) -> bool {
        let matches = |(kind, value): &(String, String)| match kind.as_str() {
            "api" => value == api,
            "check" => value == check,
            _ => Some(value.as_str()) == operation,
        };
        // Entries of one kind are alternatives, those of different kinds narrow each other.
        let wanted = kinds.iter().all(|kind| {
            let mut of_kind = self.only.iter().filter(|(name, _)| name == kind).peekable();
            of_kind.peek().is_none() || of_kind.any(matches)
        });
        wanted && !self.skip.iter().any(matches) && self.denial(check, api, operation).is_none()
    }

    /// Why a check at an operation does not apply, where the vendor's statement says so.
    pub fn denial(&self, check: &str, api: &str, operation: Option<&str>) -> Option<String> {
        self.statement.as_ref()?.denial(check, api, operation)
    }
}
