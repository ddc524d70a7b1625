//! The result of a run over faults: a table, the score by class, the survivors.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::faults::find;
use crate::run::Outcome;
use crate::survivors;

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
    /// Each fault that counts.
    pub outcomes: Vec<Outcome>,
    /// Each fault with which a platform is within its rights.
    pub permitted: Vec<Outcome>,
    /// All that count together.
    pub total: Share,
    /// By class.
    pub classes: BTreeMap<&'static str, Share>,
}

impl Score {
    /// Counts outcomes.
    #[must_use]
    pub fn of(outcomes: Vec<Outcome>) -> Self {
        let (permitted, outcomes) = outcomes
            .into_iter()
            .partition(|outcome| permission(outcome).is_some());
        let mut score = Self {
            outcomes,
            permitted,
            ..Self::default()
        };
        for outcome in &score.outcomes {
            for share in [&mut score.total, score.classes.entry(outcome.class).or_default()] {
                share.of += 1;
                share.killed += usize::from(outcome.killed);
            }
        }
        score
    }

    /// The result as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        [self.by_class(), self.survivors(), self.rights(), self.each()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What was found in all, in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let Share { killed, of } = self.total;
        let mut first: Vec<u64> = self
            .outcomes
            .iter()
            .filter_map(|outcome| outcome.first_ms)
            .collect();
        first.sort_unstable();
        let middle = first.get(first.len() / 2).copied().unwrap_or_default();
        format!(
            "Found: {killed} of {of} ({:.1} %), half of them within {middle} ms.",
            self.total.percent()
        )
    }

    fn by_class(&self) -> String {
        let mut text = String::from("## By class\n\n| class | killed | of | per cent |\n|---|---|---|---|\n");
        let classes = self.classes.iter().map(|(class, share)| (*class, *share));
        for (class, share) in classes.chain([("all", self.total)]) {
            let (killed, of, percent) = (share.killed, share.of, share.percent());
            // Writing into a string does not fail, here and below.
            let _ = writeln!(text, "| {class} | {killed} | {of} | {percent:.1} |");
        }
        text
    }

    fn survivors(&self) -> String {
        let mut text = String::new();
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.killed) {
            if text.is_empty() {
                text += "## Survivors\n\n| fault | what the platform does | why the suite says nothing |\n|---|---|---|\n";
            }
            let fault = find(outcome.fault);
            let what = fault.as_ref().map_or("", |fault| fault.what);
            let reason = survivors::reason(outcome.fault).unwrap_or("not known");
            let _ = writeln!(text, "| `{}` | {what} | {reason} |", outcome.fault);
        }
        text
    }

    fn rights(&self) -> String {
        let mut text = String::new();
        for outcome in &self.permitted {
            if text.is_empty() {
                text += "## Not counted\n\nWith these a platform is within its rights.\n\n\
                         | fault | what the platform does | what permits it | the suite |\n|---|---|---|---|\n";
            }
            let fault = find(outcome.fault);
            let what = fault.as_ref().map_or("", |fault| fault.what);
            let says = match (outcome.killed, outcome.warnings.is_empty()) {
                (true, _) => "blames it",
                (false, false) => "warns",
                (false, true) => "says nothing",
            };
            let reason = permission(outcome).unwrap_or_default();
            let _ = writeln!(text, "| `{}` | {what} | {reason} | {says} |", outcome.fault);
        }
        text
    }

    fn each(&self) -> String {
        let mut text =
            String::from("## Each fault\n\n| fault | killed by | first ms | requests |\n|---|---|---|---|\n");
        let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        for outcome in &self.outcomes {
            let by = match (outcome.killed, outcome.checks.is_empty()) {
                (false, _) => "**survived**".to_owned(),
                (true, true) => "exit code".to_owned(),
                (true, false) => outcome.checks.join(", "),
            };
            let (first, requests) = (number(outcome.first_ms), number(outcome.requests));
            let _ = writeln!(text, "| `{}` | {by} | {first} | {requests} |", outcome.fault);
        }
        text
    }
}

/// Why a platform with the fault of an outcome is within its rights.
fn permission(outcome: &Outcome) -> Option<&'static str> {
    find(outcome.fault).and_then(|fault| fault.permitted)
}

#[cfg(test)]
mod tests {
    use super::{Score, Share};
    use crate::run::Outcome;

    #[test]
    fn a_score_counts_by_class() {
        let score = Score::of(vec![
            Outcome::example("a/1", true),
            Outcome::example("a/2", false),
            Outcome::example("b/1", true),
        ]);
        assert_eq!(score.total, Share { killed: 2, of: 3 });
        assert_eq!(score.classes["a"], Share { killed: 1, of: 2 });
        assert_eq!(score.classes["b"].percent().round(), 100.0);
        let text = score.markdown();
        assert!(text.contains("| `a/1` | schema | 12 | 34 |"), "{text}");
        assert!(text.contains("| `a/2` | **survived** |  | 34 |"), "{text}");
        assert!(text.contains("| all | 2 | 3 | 66.7 |"), "{text}");
    }

    #[test]
    fn what_is_permitted_is_not_counted() {
        let score = Score::of(vec![
            Outcome::example("http/accept-ignored", false),
            Outcome::example("http/head-404", true),
        ]);
        assert_eq!(score.total, Share { killed: 1, of: 1 });
        let text = score.markdown();
        assert!(text.contains("## Not counted"), "{text}");
        assert!(!text.contains("## Survivors"), "{text}");
    }
}
