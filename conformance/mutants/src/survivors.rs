//! Faults that are known to survive `mec-conformance` in a minute, each with the reason.
//!
//! The list is held against every campaign: who survives without being on it, or is on it and was found, makes the
//! campaign fail.

use crate::run::Outcome;
use crate::score::Score;

/// Ids with their reasons.
const SURVIVORS: &[(&str, &str)] = &[
    (
        "links/location-wrong-host",
        "behind a gateway a platform may know itself by another name than the suite does, and the suite asks no other host",
    ),
    (
        "status/204-for-confirm_termination-without-end",
        "whether a platform has decided on an end, and waits for its confirmation, nobody but the platform knows",
    ),
    (
        "refusal/ready-twice",
        "whether a platform still waits for the application to be ready, nobody but the platform knows",
    ),
    (
        "limit/four-grantTypes-refused",
        "one of ETSI's documents has grantTypes as a text, another as a list, so that the refusal of a body with them is a warning",
    ),
    (
        "registration/own-identifier-ignored",
        "the identifier of an application that the platform has not made is the platform's to give (7.1.2.6), and the suite has none that the platform has made and that is not registered yet",
    ),
];

/// A result that the list of survivors does not foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexpected {
    /// It survived, and no reason is known.
    Survived(&'static str),
    /// It was found, though the list says that it survives.
    Killed(&'static str),
}

impl std::fmt::Display for Unexpected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Survived(id) => write!(
                formatter,
                "{id} survived and is not in conformance/mutants/src/survivors.rs: mend the suite, or say why there"
            ),
            Self::Killed(id) => write!(
                formatter,
                "{id} was found: take it from the list in conformance/mutants/src/survivors.rs"
            ),
        }
    }
}

/// Why a fault survives, if it is known to.
#[must_use]
pub(crate) fn reason(id: &str) -> Option<&'static str> {
    let found = SURVIVORS.iter().find(|(survivor, _)| *survivor == id);
    found.map(|(_, reason)| *reason)
}

/// What the list does not foresee.
#[must_use]
pub fn unexpected(score: &Score) -> Vec<Unexpected> {
    let judge = |outcome: &Outcome| match (outcome.killed, reason(outcome.fault).is_some()) {
        (false, false) => Some(Unexpected::Survived(outcome.fault)),
        (true, true) => Some(Unexpected::Killed(outcome.fault)),
        _ => None,
    };
    score.outcomes.iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SURVIVORS, Unexpected, unexpected};
    use crate::faults::find;
    use crate::run::Outcome;
    use crate::score::Score;

    #[test]
    fn survivors_are_counted_faults_of_the_catalogue() {
        let mut seen = BTreeSet::new();
        for (id, reason) in SURVIVORS {
            assert!(find(id).is_some_and(|fault| fault.permitted.is_none()), "{id}");
            assert!(seen.insert(id) && reason.len() > 20, "{id}");
        }
    }

    #[test]
    fn a_survivor_without_reason_is_unexpected() {
        let outcome = Outcome::example("filter/or-for-and", false);
        let score = Score::of(vec![outcome, Outcome::example("storage/update-lost", true)]);
        assert_eq!(unexpected(&score), [Unexpected::Survived("filter/or-for-and")]);
    }
}
