//! What is known so far: verdicts by requirement, and findings, each once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mecforge_report::{Finding, Requirement, Verdict, finding_id};

use crate::suite::{Case, Check, Failure, Outcome, Stop, Suite};

/// A check at an operation (or at a whole API).
pub(super) type Place = (&'static str, usize, Option<usize>);

/// How often a requirement was judged and why it was not.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) inconclusive: Option<String>,
    pub(super) not_applicable: Option<String>,
    pub(super) findings: Vec<String>,
    pub(super) flaky: bool,
}

impl Tally {
    /// Counts how a case ended.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Ok(()) | Err(Stop::Fail(_)) => self.cases += 1,
            Err(Stop::Inconclusive(reason)) => self.inconclusive = Some(reason.clone()),
            Err(Stop::NotApplicable(reason)) => self.not_applicable = Some(reason.clone()),
            Err(Stop::Gone(_) | Stop::Over) => {}
        }
    }
}

/// What is known so far.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) tallies: BTreeMap<Place, Tally>,
    pub(super) findings: BTreeMap<String, Finding>,
    pub(super) flaky: BTreeMap<String, Finding>,
    /// What became of the cases of test purposes, by their ids.
    pub(super) purposes: BTreeMap<String, Tally>,
    /// Where the flaky ones are filed.
    places: BTreeMap<String, Place>,
    /// How often breaches of a check came that did not repeat, and when the last one did.
    moments: BTreeMap<String, (u64, Instant)>,
}

/// Checks whose breach is none of the request's: many that did not repeat are a platform that fails now and then.
const UNSTEADY: [&str; 3] = ["answers-completely", "no-server-error", "response-schema"];

/// Why nothing is known of a requirement whose cases never began.
pub(super) const NOT_REACHED: &str = "the run ended before it";

/// How many breaches that did not repeat are no accident any more.
const MANY: u64 = 5;

/// What stalls once leaves all requests of that time unanswered: those within so long of each other are one.
const STALL: Duration = Duration::from_secs(1);

/// Where and under which id a breach is filed.
pub(super) struct Filed {
    pub(super) id: String,
    pub(super) place: Place,
    pub(super) check: &'static Check,
    pub(super) operation: Option<String>,
}

/// The place of a breach: of its own check and operation, where it names them.
pub(super) fn file(suite: &Suite, case: &Case, failure: &Failure) -> Filed {
    let api = failure.call.as_ref().map_or(case.api, |call| call.api);
    let document = &suite.apis[api].api;
    let check = failure.check.and_then(crate::checks::find).unwrap_or(case.check);
    let own = case
        .operation
        .map(|index| suite.apis[case.api].api.operations[index].key.clone());
    let operation = failure.operation.clone().or(own);
    let index = operation
        .as_deref()
        .and_then(|key| document.operation_by_key(key))
        .map(|operation| operation.index);
    let id = finding_id(check.id, &document.id, operation.as_deref(), &failure.signature);
    Filed {
        id,
        place: (check.id, api, index),
        check,
        operation,
    }
}

impl Ledger {
    pub(super) fn tally(&mut self, place: Place) -> &mut Tally {
        self.tallies.entry(place).or_default()
    }

    /// Counts a breach that is known already; says whether it is.
    pub(super) fn known(&mut self, id: &str) -> bool {
        if let Some(finding) = self.findings.get_mut(id) {
            finding.occurrences += 1;
            return true;
        }
        let Some(finding) = self.flaky.get_mut(id) else {
            return false;
        };
        finding.occurrences += 1;
        let check = finding.check.clone();
        self.moment(check);
        true
    }

    /// Counts a breach that did not repeat.
    fn moment(&mut self, check: String) {
        let (now, stalls) = (Instant::now(), check == "answers-completely");
        match self.moments.get_mut(&check) {
            Some((_, last)) if stalls && now.duration_since(*last) < STALL => *last = now,
            Some((count, last)) => (*count, *last) = (*count + 1, now),
            None => drop(self.moments.insert(check, (1, now))),
        }
    }

    /// Files a finding that did not repeat.
    pub(super) fn once(&mut self, place: Place, finding: Finding) {
        self.tally(place).flaky = true;
        self.moment(finding.check.clone());
        self.places.insert(finding.id.clone(), place);
        self.flaky.insert(finding.id.clone(), finding);
    }

    /// Where a platform fails now and then, none of its failures repeats, and yet each is one: takes them for findings
    /// when there are many. Says whether there are new ones.
    pub(super) fn now_and_then(&mut self) -> bool {
        let mut new = false;
        for check in UNSTEADY {
            let of_check = |finding: &&Finding| finding.check == check;
            if self.moments.get(check).is_none_or(|(count, _)| *count < MANY) {
                continue;
            }
            let ids: Vec<_> = self
                .flaky
                .values()
                .filter(of_check)
                .map(|each| each.id.clone())
                .collect();
            for id in ids {
                let (Some(mut finding), Some(place)) = (self.flaky.remove(&id), self.places.remove(&id))
                else {
                    continue;
                };
                finding.title += " now and then";
                self.tally(place).findings.push(id.clone());
                self.findings.insert(id, finding);
                new = true;
            }
        }
        new
    }

    /// The verdicts.
    pub(super) fn requirements(&self, suite: &Suite) -> Vec<Requirement> {
        let verdict = |tally: &Tally| match tally {
            Tally { findings, .. } if !findings.is_empty() => {
                (Verdict::Fail, Some("see the findings".to_owned()))
            }
            Tally { flaky: true, .. } => (
                Verdict::Inconclusive,
                Some("a breach was seen and did not repeat".to_owned()),
            ),
            Tally {
                cases: 0,
                inconclusive: Some(reason),
                ..
            } => (Verdict::Inconclusive, Some(reason.clone())),
            Tally {
                cases: 0,
                not_applicable: Some(reason),
                ..
            } => (Verdict::NotApplicable, Some(reason.clone())),
            Tally { cases: 0, .. } => (Verdict::Inconclusive, Some(NOT_REACHED.to_owned())),
            _ => (Verdict::Pass, None),
        };
        let requirement = |((check, api, operation), tally): (&Place, &Tally)| {
            let document = &suite.apis[*api].api;
            let (verdict, reason) = verdict(tally);
            Requirement {
                check: (*check).to_owned(),
                api: document.id.clone(),
                operation: operation.map(|index| document.operations[index].key.clone()),
                feature: suite.options.statement.as_ref().and_then(|statement| {
                    let key = operation.map(|index| document.operations[index].key.as_str());
                    statement.feature(check, &document.id, key)
                }),
                verdict,
                reason,
                cases: tally.cases,
                findings: tally.findings.clone(),
            }
        };
        self.tallies.iter().map(requirement).collect()
    }
}
