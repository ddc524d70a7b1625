//! Two suites side by side: what they find of the same faults, how soon, how fast they ask, with how much memory.

use std::fmt::Write;
use std::time::Duration;

use crate::fault::Fault;
use crate::faults::find;
use crate::run::{Outcome, RunError, Settings, run};

/// What two suites found of one fault.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The first suite.
    pub ours: Outcome,
    /// The other one.
    pub theirs: Outcome,
}

/// Lets two suites run against the same faults, one after the other.
#[derive(Clone, Debug)]
pub struct Comparison {
    ours: Settings,
    theirs: Settings,
    pairs: Vec<Pair>,
}

impl Comparison {
    /// A comparison of two suites.
    #[must_use]
    pub fn new(ours: Settings, theirs: Settings) -> Self {
        Self {
            ours,
            theirs,
            pairs: Vec::new(),
        }
    }

    /// Runs both against one fault.
    ///
    /// # Errors
    /// [`RunError`] if platform, proxy or suite do not start.
    pub async fn run(&mut self, id: &str) -> Result<Pair, RunError> {
        let fault = || find(id).unwrap_or_else(Fault::none);
        let pair = Pair {
            ours: run(&self.ours, fault()).await?,
            theirs: run(&self.theirs, fault()).await?,
        };
        self.pairs.push(pair.clone());
        Ok(pair)
    }

    /// Runs both against a platform without fault that is some way off, and against a server that does nothing and is as
    /// far off; the rows of a table.
    ///
    /// # Errors
    /// [`RunError`] if platform, proxy or suite do not start.
    pub async fn speed(&self, delay: Duration) -> Result<String, RunError> {
        let mut text = String::from(
            "| against | suite | exit code | cases | seconds | cases a second | most memory, MiB |\n|---|---|---|---|---|---|---|\n",
        );
        let mut ratios = String::new();
        let targets = [
            ("the platform", Fault::distance as fn(Duration) -> Fault),
            ("a trivial server", Fault::trivial),
        ];
        for (target, fault) in targets {
            let mut rates = Vec::new();
            for (name, settings) in [("ours", &self.ours), ("the other", &self.theirs)] {
                let settings = Settings {
                    goes_on: true,
                    ..settings.clone()
                };
                let outcome = run(&settings, fault(delay)).await?;
                let cases = outcome.cases.or(outcome.requests).unwrap_or_default();
                let seconds = Duration::from_millis(outcome.elapsed_ms).as_secs_f64();
                let rate = float(cases) / seconds;
                let exit = outcome
                    .exit
                    .map_or_else(|| "stopped".to_owned(), |code| code.to_string());
                let memory = float(outcome.memory_kib.unwrap_or_default()) / 1024.0;
                rates.push(rate);
                // Writing into a string does not fail, here and below.
                let _ = writeln!(
                    text,
                    "| {target} | {name} | {exit} | {cases} | {seconds:.1} | {rate:.1} | {memory:.0} |"
                );
            }
            if let [ours, theirs] = rates[..] {
                let _ = writeln!(ratios, "\nRatio against {target}: {:.1}", ours / theirs);
            }
        }
        Ok(text + &ratios)
    }

    /// What was found, as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from("| fault | ours, ms | the other, ms |\n|---|---|---|\n");
        let time = |outcome: &Outcome| match outcome.killed {
            true => outcome.elapsed_ms.to_string(),
            false => "survived".to_owned(),
        };
        for Pair { ours, theirs } in &self.pairs {
            let _ = writeln!(text, "| `{}` | {} | {} |", ours.fault, time(ours), time(theirs));
        }
        let count = |killed: fn(&Pair) -> bool| self.pairs.iter().filter(|pair| killed(pair)).count();
        let _ = writeln!(
            text,
            "| all {} | {} found | {} found |",
            self.pairs.len(),
            count(|pair| pair.ours.killed),
            count(|pair| pair.theirs.killed)
        );
        let both = || {
            self.pairs
                .iter()
                .filter(|pair| pair.ours.killed && pair.theirs.killed)
        };
        let ours = median(both().map(|pair| pair.ours.elapsed_ms).collect());
        let theirs = median(both().map(|pair| pair.theirs.elapsed_ms).collect());
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            let _ = writeln!(text, "| middle of those that both found | {ours} | {theirs} |");
            let _ = writeln!(text, "\nRatio: {:.1}", float(theirs) / float(ours.max(1)));
        }
        text
    }
}

fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The middle one.
fn median(mut numbers: Vec<u64>) -> Option<u64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Pair};
    use crate::run::{Outcome, Settings, Suite};

    #[test]
    fn faults_that_both_found_say_who_was_sooner() {
        let settings = Settings {
            platform: "mep".into(),
            suite: Suite::Command("true".to_owned()),
            time: std::time::Duration::from_secs(1),
            seed: 1,
            goes_on: false,
        };
        let mut comparison = Comparison::new(settings.clone(), settings);
        let mut slow = Outcome::example("a/1", true);
        slow.elapsed_ms = 560;
        comparison.pairs = vec![
            Pair {
                ours: Outcome::example("a/1", true),
                theirs: slow,
            },
            Pair {
                ours: Outcome::example("a/2", true),
                theirs: Outcome::example("a/2", false),
            },
        ];
        let text = comparison.markdown();
        assert!(text.contains("| `a/2` | 56 | survived |"), "{text}");
        assert!(text.contains("| all 2 | 2 found | 1 found |"), "{text}");
        assert!(text.contains("Ratio: 10.0"), "{text}");
    }
}
