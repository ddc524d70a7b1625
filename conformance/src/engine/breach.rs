//! One case and its breaches: each is tried again before it is believed, and made as small as it can be.

use std::sync::PoisonError;

use mecforge_report::{Exchange, Finding, Reference, Severity};

use super::Engine;
use super::ledger::{Filed, Ledger, file};
use super::turns::Turn;
use crate::profile;
use crate::suite::{self, ApiState, Case, Context, Failure, Group, Mode, Reported, Stop};

/// How the evidence of a finding shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// By its last request; whether that was made as small as it can be.
    Alone(bool),
    /// By all of it, which is no more than is needed.
    Together,
}

impl Engine {
    /// Runs one case, and again what it found.
    pub(super) async fn judge(&self, case: &Case) {
        let turn = self.turn(case, Mode::First).await;
        let (reported, mut context) = self.once(case, Mode::First).await;
        let mut unknown = Vec::new();
        for reported in reported {
            let filed = file(&self.suite, case, &reported.failure);
            if !self.suite.options.selects(
                filed.check.id,
                &self.suite.apis[filed.place.1].api.id,
                filed.operation.as_deref(),
            ) {
                continue;
            }
            let known = self.with(|ledger| ledger.known(&filed.id));
            if !known && !unknown.iter().any(|(id, _): &(String, Reported)| *id == filed.id) {
                unknown.push((filed.id, reported));
            }
        }
        if unknown.is_empty() {
            self.unsteady();
            context.clean_up().await;
            return;
        }
        // The first breach of a case is its cause more often than the others; each is confirmed by itself.
        let first_trace = std::mem::take(&mut context.trace);
        context.clean_up().await;
        drop(turn);
        let mut left = case.repeats.max(1);
        while left > 0 && !unknown.is_empty() {
            let apart = self.suite.places.come_again();
            // What is made to find a smaller request must not be in the way of a case that is alone.
            let _turn = self.turn(case, Mode::Again).await;
            let (again, mut context) = self.once(case, Mode::Again).await;
            if !apart && self.suite.places.come_again() {
                // Others may have been given what this case had removed: once more, and apart from them.
                context.clean_up().await;
                continue;
            }
            left -= 1;
            for reported in again {
                let id = file(&self.suite, case, &reported.failure).id;
                let Some(at) = unknown.iter().position(|(other, _)| *other == id) else {
                    continue;
                };
                unknown.remove(at);
                self.confirm(case, &reported, &mut context).await;
            }
            context.clean_up().await;
        }
        for (_, reported) in unknown {
            let until = reported.until.min(first_trace.len());
            let evidence = first_trace[reported.from.min(until)..until].to_vec();
            self.enter(case, &reported.failure, evidence, Shown::Alone(false), true);
        }
        self.unsteady();
    }

    /// Sees whether what did not repeat has come too often to be an accident.
    fn unsteady(&self) {
        if self.with(Ledger::now_and_then) && self.suite.options.stop_at_first_error {
            self.suite.end();
        }
    }

    /// Waits until a case may run.
    async fn turn(&self, case: &Case, mode: Mode) -> Turn<'_> {
        self.turns.take(&self.suite, case, mode).await
    }

    /// Runs a case once, and counts what it judged.
    async fn once(&self, case: &Case, mode: Mode) -> (Vec<Reported>, Context) {
        let mut context = Context::new(&self.suite, case, mode);
        let outcome = (case.run)(&mut context).await;
        let own = (case.check.id, case.api, case.operation);
        let mut judged = std::mem::take(&mut context.judged);
        judged.retain(|place| self.selects(*place));
        let selected = self.selects(own);
        self.with(|ledger| {
            for place in judged {
                ledger.tally(place).cases += 1;
            }
            if selected {
                ledger.tally(own).count(&outcome);
            }
            if case.check.group == Group::TestPurposes {
                ledger
                    .purposes
                    .entry(case.id.clone())
                    .or_default()
                    .count(&outcome);
            }
        });
        match outcome {
            Err(Stop::Fail(failure)) => context.report(*failure),
            Err(Stop::Gone(reason)) => {
                *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                self.suite.end();
            }
            _ => {}
        }
        (std::mem::take(&mut context.reported), context)
    }

    /// A breach has repeated: makes its request smaller and enters the finding.
    async fn confirm(&self, case: &Case, reported: &Reported, context: &mut Context) {
        let before = context.trace.len();
        let smaller = match reported.failure.minimal {
            true => None,
            false => suite::minimise(context, &reported.failure).await,
        };
        let until = reported.until.min(before);
        let mut evidence = context.trace[reported.from.min(until)..until].to_vec();
        if smaller.is_some() {
            evidence.extend(context.trace.get(before).cloned());
        }
        let mut shown = Shown::Alone(smaller.is_some());
        if let Some(own) = self.with_own(case, &reported.failure, context).await {
            (evidence, shown) = (own, Shown::Together);
        }
        self.enter(case, &reported.failure, evidence, shown, false);
        let error = file(&self.suite, case, &reported.failure).check.severity == Severity::Error;
        if self.suite.options.stop_at_first_error && error {
            self.suite.end();
        }
    }

    /// What is wrong with a list may be seen at what other cases have made meanwhile, and whoever repeats it has nothing
    /// of that: once more with something of its own in the list. What was sent, if that shows the same.
    async fn with_own(&self, case: &Case, failure: &Failure, context: &mut Context) -> Option<Vec<Exchange>> {
        let call = failure.call.as_deref().filter(|call| call.method == "GET")?;
        let filed = file(&self.suite, case, failure);
        let api = &self.suite.apis[call.api].api;
        let listed = &api.operations[call.operation?].path;
        let items = api.resource(listed.text())?.items.as_deref()?;
        let maker = api.resource(items)?.maker;
        if filed.check.group != Group::Responses {
            return None;
        }
        let values = listed.matches(&call.path)?;
        let (before, said) = (context.trace.len(), context.reported.len());
        match maker {
            Some(maker) => drop(context.make(call.api, maker, &values, None).await.ok()?),
            // A view of what is made elsewhere.
            None => drop(suite::twin(context, call.api, items).await.ok()??),
        }
        context.send(call.clone()).await.ok()?;
        let mut again = context.reported.drain(said..);
        let same = again.any(|other| file(&self.suite, case, &other.failure).id == filed.id);
        drop(again);
        same.then(|| context.trace[before..].to_vec())
    }

    fn enter(&self, case: &Case, failure: &Failure, evidence: Vec<Exchange>, shown: Shown, flaky: bool) {
        let filed = file(&self.suite, case, failure);
        let state = &self.suite.apis[filed.place.1];
        let references = references(state, &filed, failure);
        let needed = suite::needed(self.suite.preparation(), &evidence, shown == Shown::Alone(true));
        let operation = filed
            .place
            .2
            .map(|index| state.api.operations[index].pointer.as_str());
        let places: Vec<_> = operation.into_iter().chain(failure.pointer.as_deref()).collect();
        let errata = profile::errata(&state.api.id, &state.api.version, &places);
        let name = filed.id.to_lowercase().replace('-', "_");
        let mut curl = suite::curl(&needed);
        let mut rust_test = suite::rust_test(&self.suite.origin(), &name, &failure.expected, &needed);
        if filed.check.group == Group::Concurrency {
            let how = "several clients sent these at the same time; one after the other they may not show it, but replay of the finding does";
            curl = format!("# {how}\n{curl}");
            rust_test = format!("// {how}\n{rust_test}");
        }
        let finding = Finding {
            id: filed.id.clone(),
            case: case.id.clone(),
            check: filed.check.id.to_owned(),
            severity: filed.check.severity,
            api: state.api.id.clone(),
            operation: filed.operation.clone(),
            title: failure.title.clone(),
            expected: failure.expected.clone(),
            actual: failure.actual.clone(),
            references,
            errata,
            occurrences: 1,
            first_seen_ms: self.suite.elapsed_ms(),
            minimised: shown != Shown::Alone(false) || failure.minimal,
            curl,
            rust_test,
            evidence,
        };
        self.with(|ledger| match flaky {
            true => ledger.once(filed.place, finding),
            false => {
                let tally = ledger.tally(filed.place);
                tally.findings.push(filed.id.clone());
                ledger.findings.insert(filed.id, finding);
            }
        });
    }
}

/// What a breach rests on: what its check does, and the place in the document.
fn references(state: &ApiState, filed: &Filed, failure: &Failure) -> Vec<Reference> {
    let mut references = filed.check.references();
    if let Some(operation) = filed.place.2.map(|index| &state.api.operations[index]) {
        let document = format!("{} {}", state.api.title, state.api.version);
        let pointer = failure.pointer.as_ref().unwrap_or(&operation.pointer);
        let clause = operation
            .clause
            .clone()
            .or_else(|| crate::profile::clause(&state.api.id, &operation.method, operation.path.text()));
        references.push(Reference {
            document,
            place: match clause {
                Some(clause) => format!("clause {clause}, {pointer}"),
                None => pointer.clone(),
            },
            url: None,
        });
    }
    references
}
