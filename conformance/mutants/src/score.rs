//! The result of a run over faults: a table, the score by class, the survivors.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::run::Outcome;

/// Killed and all faults of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many the suite noticed.
    pub killed: usize,
    /// How many there are.
    pub of: usize,
}

impl Share {
    /// In per cent; 100 of none.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.of == 0 {
            return 100.0;
        }
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        100.0 * count(self.killed) / count(self.of)
    }
}

/// What a suite found of all faults.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Score {
    /// Each fault.
    pub outcomes: Vec<Outcome>,
    /// All together.
    pub total: Share,
    /// By class.
    pub classes: BTreeMap<&'static str, Share>,
}

impl Score {
    /// Counts outcomes.
    #[must_use]
    pub fn of(outcomes: Vec<Outcome>) -> Self {
        let mut score = Self::default();
        for outcome in &outcomes {
            for share in [&mut score.total, score.classes.entry(outcome.class).or_default()] {
                share.of += 1;
                share.killed += usize::from(outcome.killed);
            }
        }
        score.outcomes = outcomes;
        score
    }

    /// The result as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from("| fault | killed by | first ms | requests |\n|---|---|---|---|\n");
        let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        for outcome in &self.outcomes {
            let by = match (outcome.killed, outcome.checks.is_empty()) {
                (false, _) => "**survived**".to_owned(),
                (true, true) => "exit code".to_owned(),
                (true, false) => outcome.checks.join(", "),
            };
            // Writing into a string does not fail.
            let _ = writeln!(
                text,
                "| `{}` | {by} | {} | {} |",
                outcome.fault,
                number(outcome.first_ms),
                number(outcome.requests)
            );
        }
        text += "\n| class | killed | of | per cent |\n|---|---|---|---|\n";
        let classes = self.classes.iter().map(|(class, share)| (*class, *share));
        for (class, share) in classes.chain([("all", self.total)]) {
            let _ = writeln!(
                text,
                "| {class} | {} | {} | {:.1} |",
                share.killed,
                share.of,
                share.percent()
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Score, Share};
    use crate::run::Outcome;

    fn outcome(fault: &'static str, killed: bool) -> Outcome {
        let (class, _) = fault.split_once('/').unwrap_or((fault, ""));
        Outcome {
            fault,
            class,
            killed,
            checks: vec!["schema".to_owned()],
            first_ms: killed.then_some(12),
            requests: Some(34),
            cases: None,
            elapsed_ms: 56,
            exit: Some(i32::from(killed)),
        }
    }

    #[test]
    fn a_score_counts_by_class() {
        let score = Score::of(vec![
            outcome("a/1", true),
            outcome("a/2", false),
            outcome("b/1", true),
        ]);
        assert_eq!(score.total, Share { killed: 2, of: 3 });
        assert_eq!(score.classes["a"], Share { killed: 1, of: 2 });
        assert_eq!(score.classes["b"].percent().round(), 100.0);
        let text = score.markdown();
        assert!(text.contains("| `a/1` | schema | 12 | 34 |"), "{text}");
        assert!(text.contains("| `a/2` | **survived** |  | 34 |"), "{text}");
        assert!(text.contains("| all | 2 | 3 | 66.7 |"), "{text}");
    }
}
