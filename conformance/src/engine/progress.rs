//! What a run is up to, for whoever shows it.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Engine;

/// What a run is up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Cases that are done.
    pub done: u64,
    /// Cases that are known to come, with those that are done; never less than `done`.
    pub planned: u64,
    /// Requests that were judged.
    pub judged: u64,
    /// Findings so far.
    pub findings: u64,
    /// The case that began last, as `check at METHOD /path`; empty before the first.
    pub what: String,
    /// How long it has run.
    pub elapsed: Duration,
    /// How long it will still take, as far as it can be told: what `--time` or `--cases` leave, else by the cases.
    pub left: Option<Duration>,
}

impl Engine {
    /// What the run is up to.
    pub fn progress(&self) -> Progress {
        let done = self.done.load(Ordering::Relaxed);
        let planned = self.planned.load(Ordering::Relaxed).max(done);
        let (judged, elapsed) = (self.suite.judged(), self.suite.started.elapsed());
        let options = &self.suite.options;
        let by_share = |done: u64, all: u64| {
            let rest = all.saturating_sub(done) as f64 / done.max(1) as f64;
            (done > 0).then(|| elapsed.mul_f64(rest))
        };
        let left = match (options.time, options.cases) {
            (Some(time), _) => Some(time.saturating_sub(elapsed)),
            (None, Some(cases)) => by_share(judged, cases),
            (None, None) => by_share(done, planned),
        };
        Progress {
            done,
            planned,
            judged,
            findings: self.with(|ledger| ledger.findings.len() as u64),
            what: self.what.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            elapsed,
            left,
        }
    }
}

/// One line: what, how many, found so far, time left.
impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress {
            done,
            planned,
            judged,
            findings,
            ..
        } = self;
        write!(
            formatter,
            "{done} of {planned} cases, {judged} requests, {findings} findings"
        )?;
        if let Some(left) = self.left {
            let left = Duration::from_secs(left.as_secs());
            write!(formatter, ", about {} left", humantime::format_duration(left))?;
        }
        match self.what.as_str() {
            "" => Ok(()),
            what => write!(formatter, "; {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Progress;

    #[test]
    fn is_one_line() {
        let mut progress = Progress {
            done: 3,
            planned: 9,
            judged: 40,
            findings: 1,
            what: "location at POST /things".to_owned(),
            elapsed: Duration::from_secs(5),
            left: Some(Duration::from_millis(61_900)),
        };
        assert_eq!(
            progress.to_string(),
            "3 of 9 cases, 40 requests, 1 findings, about 1m 1s left; location at POST /things"
        );
        progress.left = None;
        progress.what.clear();
        assert_eq!(progress.to_string(), "3 of 9 cases, 40 requests, 1 findings");
    }
}
