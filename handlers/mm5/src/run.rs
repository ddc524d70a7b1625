//! Carrying out tasks: each to its end, or to a failure that has changed nothing.

use std::time::Duration;

use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_contracts::lifecycle::EndAction;
use mecforge_contracts::rules::{RuleChange, RuleError};
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Expected, Revision, Transaction};
use tokio::time::Instant;

use crate::configuration::Configuration;
use crate::keys as own_keys;
use crate::manager::{Kept, Mm5, TRIES};
use crate::task::{Record, RuleKind, RuleOperation, RuleOutcome, RuleProgress, Wanted};

/// Why a task is not finished now.
#[derive(Debug)]
pub(crate) enum Interrupted {
    /// It has failed for good.
    Failed(Problem),
    /// The store does not take changes; the task is begun anew later.
    Store(CommitError),
}

impl From<Problem> for Interrupted {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl Mm5 {
    /// Carries out a task and writes down how it has ended.
    ///
    /// # Errors
    /// What the store says, if that cannot be written down.
    pub(crate) async fn run(&self, task_id: &str) -> Result<(), CommitError> {
        let Ok((mut record, _)) = self.record(task_id) else {
            return Ok(());
        };
        let (running, attempts) = (
            own_keys::running(&record.task.app_instance_id),
            record.task.attempts,
        );
        if record.task.state.is_final() {
            let transaction = Transaction::new().delete(running);
            return self.store.commit(transaction).await.map(drop);
        }
        record.begin();
        let ended = match self.put_record(&record, Transaction::new()) {
            Ok(transaction) => {
                self.store.commit(transaction).await?;
                match record.wanted.clone() {
                    _ if attempts >= self.options.attempts => Err(too_often(attempts).into()),
                    Some(Wanted::Configuration { configuration, found }) => {
                        self.configure(&mut record, &configuration, found.map(Revision))
                            .await
                    }
                    Some(Wanted::End { action, grace }) => {
                        self.end(&mut record, action, Duration::from_secs(grace)).await
                    }
                    None => Err(Problem::internal("a task does not say what is wanted").into()),
                }
            }
            Err(problem) => Err(problem.into()),
        };
        match ended {
            Ok(()) => Ok(()),
            Err(Interrupted::Store(error)) => Err(error),
            Err(Interrupted::Failed(problem)) => self.fail(record, &problem).await,
        }
    }

    /// Writes down that a task has failed.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn fail(&self, mut record: Record, problem: &Problem) -> Result<(), CommitError> {
        record.finish(Err(problem));
        let task = &record.task;
        let (task_id, app_instance_id) = (&task.task_id, &task.app_instance_id);
        if problem.status().is_server_error() {
            tracing::warn!(%task_id, %app_instance_id, %problem, "a task has failed");
        } else {
            // What a manager has got wrong is no trouble of the platform.
            tracing::info!(%task_id, %app_instance_id, %problem, "a task is refused");
        }
        match self.put_finished(&record, Transaction::new()) {
            Ok(transaction) => self.store.commit(transaction).await.map(drop),
            Err(problem) => Err(CommitError::Failed(problem.to_string())),
        }
    }

    /// Puts a configuration into effect, in one transaction with the end of its task.
    async fn configure(
        &self,
        record: &mut Record,
        wanted: &Configuration,
        found: Option<Revision>,
    ) -> Result<(), Interrupted> {
        let _alone = self.committing.lock().await;
        for _ in 0..TRIES {
            let revision = self.store.revision();
            let app_instance_id = &record.task.app_instance_id;
            let kept = self.kept(app_instance_id)?;
            let touched = kept.as_ref().map_or(Revision(0), |kept| kept.touched);
            if found.is_some_and(|found| found != touched) {
                let detail = "the configuration was changed by something else before this task began";
                return Err(Problem::precondition_failed(detail).into());
            }
            self.check_name(app_instance_id, wanted)?;
            let guarded = Transaction::new()
                .expect(own_keys::running(app_instance_id), Expected::Present)
                .expect(keys::configuration(app_instance_id), expected(kept.as_ref()));
            let sorted = wanted.clone().sorted();
            let present = self.rules_of(app_instance_id);
            record.task.rules = plan(&present, wanted);
            let applied = if kept.is_some_and(|kept| kept.configuration == sorted) {
                self.keep(record, wanted, guarded).await
            } else {
                let guarded = guarded.expect_none_newer(keys::CONFIGURATIONS, revision);
                self.apply(record, wanted, &sorted, &present, guarded).await
            };
            match applied {
                Ok(_) => return Ok(()),
                Err(RuleError::Refused(problem)) => return Err(problem.into()),
                Err(RuleError::Commit(CommitError::Conflict { .. })) => {}
                Err(RuleError::Commit(error @ CommitError::TooLarge { .. })) => {
                    return Err(outcome::problem(error).into());
                }
                Err(RuleError::Commit(error)) => return Err(Interrupted::Store(error)),
            }
        }
        Err(Problem::conflict("others changed the same things at the same time, too often").into())
    }

    /// Makes sure that a configuration which stays as it is has its effect, and stores the end of its task.
    async fn keep(
        &self,
        record: &mut Record,
        wanted: &Configuration,
        transaction: Transaction,
    ) -> Result<Revision, RuleError> {
        let mut finished = record.clone();
        finished.finish(Ok(false));
        let transaction = self
            .put_finished(&finished, transaction)
            .map_err(RuleError::Refused)?;
        self.commit_traffic(record, wanted, transaction).await
    }

    /// Puts traffic rules in force, and commits a transaction with them.
    async fn commit_traffic(
        &self,
        record: &mut Record,
        wanted: &Configuration,
        transaction: Transaction,
    ) -> Result<Revision, RuleError> {
        let change = RuleChange::ReplaceAll(wanted.traffic_rules.clone());
        let committed = self
            .traffic
            .commit(&record.task.app_instance_id, change, transaction)
            .await;
        committed.map_err(|error| match error {
            RuleError::Refused(problem) => {
                let named = problem.details().extension("trafficRuleId");
                let id = named.unwrap_or_default().to_owned();
                let mut rules = wanted.traffic_rules.iter();
                RuleError::Refused(match rules.position(|rule| rule.traffic_rule_id == id) {
                    Some(index) => blame(record, RuleKind::Traffic, &id, index, problem),
                    None => at(problem, "/trafficRules"),
                })
            }
            error => error,
        })
    }

    /// Puts rules in force and stores the configuration and the end of its task, all or nothing.
    async fn apply(
        &self,
        record: &mut Record,
        wanted: &Configuration,
        sorted: &Configuration,
        present: &Configuration,
        transaction: Transaction,
    ) -> Result<Revision, RuleError> {
        let app_instance_id = record.task.app_instance_id.clone();
        for (index, rule) in wanted.traffic_rules.iter().enumerate() {
            if let Err(problem) = self.traffic.check(rule) {
                let id = &rule.traffic_rule_id;
                return Err(RuleError::Refused(blame(
                    record,
                    RuleKind::Traffic,
                    id,
                    index,
                    problem,
                )));
            }
        }
        let internal = |error: serde_json::Error| RuleError::Refused(Problem::internal(error));
        let stored = serde_json::to_vec(&wanted.without_rules()).map_err(internal)?;
        let mut finished = record.clone();
        finished.finish(Ok(true));
        let transaction = transaction.put(keys::configuration(&app_instance_id), stored);
        let mut transaction = self
            .put_finished(&finished, transaction)
            .map_err(RuleError::Refused)?;
        if present.dns_rules != sorted.dns_rules {
            transaction = self
                .stage(record, wanted, transaction)
                .map_err(RuleError::Refused)?;
        }
        if present.traffic_rules.is_empty() && wanted.traffic_rules.is_empty() {
            return self.store.commit(transaction).await.map_err(RuleError::Commit);
        }
        self.commit_traffic(record, wanted, transaction).await
    }

    /// The rules that an application instance has, in the order of their identifiers.
    fn rules_of(&self, app_instance_id: &str) -> Configuration {
        let dns = self.dns.list(app_instance_id).into_iter().map(|kept| kept.rule);
        let traffic = self
            .traffic
            .list(app_instance_id)
            .into_iter()
            .map(|kept| kept.rule);
        let rules = Configuration {
            dns_rules: dns.collect(),
            traffic_rules: traffic.collect(),
            ..Configuration::default()
        };
        rules.sorted()
    }

    /// Adds the DNS rules to a transaction. If they are refused, the problem names the first that is to blame.
    fn stage(
        &self,
        record: &mut Record,
        wanted: &Configuration,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let app_instance_id = record.task.app_instance_id.clone();
        let rules = &wanted.dns_rules;
        let stage = |count: usize, transaction| {
            let change = RuleChange::ReplaceAll(rules.iter().take(count).cloned().collect());
            self.dns.stage(&app_instance_id, change, transaction)
        };
        let refused = match stage(rules.len(), transaction) {
            Ok(staged) => return Ok(staged),
            Err(refused) => refused,
        };
        for (index, rule) in rules.iter().enumerate() {
            if let Err(problem) = stage(index + 1, Transaction::new()) {
                return Err(blame(record, RuleKind::Dns, &rule.dns_rule_id, index, problem));
            }
        }
        Err(at(refused, "/dnsRules"))
    }

    /// Writes down that a task has succeeded.
    async fn succeed(
        &self,
        mut record: Record,
        changed: bool,
        transaction: Transaction,
    ) -> Result<(), Interrupted> {
        record.finish(Ok(changed));
        let transaction = self.put_finished(&record, transaction)?;
        match self.store.commit(transaction).await {
            Ok(_) => Ok(()),
            Err(error @ CommitError::Conflict { .. }) => Err(outcome::problem(error).into()),
            Err(error) => Err(Interrupted::Store(error)),
        }
    }

    /// Ends an application instance. The task is finished when the instance is gone, or, where it only stops or is
    /// declared by the platform's configuration, when no end is pending any more.
    async fn end(&self, record: &mut Record, action: EndAction, grace: Duration) -> Result<(), Interrupted> {
        let app_instance_id = record.task.app_instance_id.clone();
        let at_once = grace.is_zero() && action == EndAction::Terminating;
        if !at_once {
            let announced = self.lifecycle.end(&app_instance_id, action, grace).await;
            if !is_gone(&announced) {
                announced?;
            }
            let longest = grace.saturating_add(self.options.patience);
            let ended = self.wait_for_end(&app_instance_id, action, longest).await;
            if !ended && action == EndAction::Stopping {
                return Err(not_ended().into());
            }
        }
        if at_once || action == EndAction::Terminating && self.is_there(&app_instance_id) {
            let removed = self.lifecycle.remove(&app_instance_id).await;
            if !is_gone(&removed) {
                removed?;
            }
        }
        self.succeed(record.clone(), true, Transaction::new()).await
    }

    /// Whether anything of an application instance is left that ends with it.
    fn is_there(&self, app_instance_id: &str) -> bool {
        self.lifecycle.life(app_instance_id).pending.is_some()
            || self.store.get(&keys::configuration(app_instance_id)).is_some()
            || self.store.get(&keys::application(app_instance_id)).is_some()
    }

    /// Waits until an announced end has come, for so long at most. Whether it has.
    async fn wait_for_end(&self, app_instance_id: &str, action: EndAction, longest: Duration) -> bool {
        let deadline = Instant::now() + longest;
        // What is announced is in the instance's life until it has come.
        let life = keys::life(app_instance_id);
        let mut watched = self.store.watch(&life, self.store.revision()).ok();
        loop {
            let pending = self.lifecycle.life(app_instance_id).pending.is_some();
            let ended = match action {
                EndAction::Stopping => !pending,
                EndAction::Terminating => !self.is_there(app_instance_id),
            };
            if ended || Instant::now() >= deadline {
                return ended;
            }
            let Some(watch) = &mut watched else {
                // Without a feed, look now and then.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match tokio::time::timeout_at(deadline, watch.next()).await {
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(_)) => watched = self.store.watch(&life, self.store.revision()).ok(),
            }
        }
    }
}

/// Whether an application instance is gone because somebody else was quicker.
fn is_gone(result: &Result<(), Problem>) -> bool {
    matches!(result, Err(problem) if problem.status() == http::StatusCode::NOT_FOUND)
}

/// What is expected of the configuration that was found.
fn expected(kept: Option<&Kept>) -> Expected {
    kept.map_or(Expected::Absent, |kept| Expected::Revision(kept.modified))
}

fn not_ended() -> Problem {
    Problem::new(
        http::StatusCode::GATEWAY_TIMEOUT,
        "the time of grace is over, and the end of the application instance is still pending",
    )
}

fn too_often(attempts: u32) -> Problem {
    Problem::new(
        http::StatusCode::INTERNAL_SERVER_ERROR,
        format!("the platform stopped in the middle of this task {attempts} times; it is not tried again"),
    )
}

/// What a task does with each rule: with those that are there, and those that are wanted.
fn plan(present: &Configuration, wanted: &Configuration) -> Vec<RuleProgress> {
    let dns = |rule: &DnsRule| rule.dns_rule_id.clone();
    let traffic = |rule: &TrafficRule| rule.traffic_rule_id.clone();
    let mut rules = plan_of(RuleKind::Dns, &present.dns_rules, &wanted.dns_rules, dns);
    rules.extend(plan_of(
        RuleKind::Traffic,
        &present.traffic_rules,
        &wanted.traffic_rules,
        traffic,
    ));
    rules
}

fn plan_of<R: PartialEq>(
    kind: RuleKind,
    present: &[R],
    wanted: &[R],
    id: fn(&R) -> String,
) -> Vec<RuleProgress> {
    let progress = |rule: &R, operation| RuleProgress {
        kind,
        id: id(rule),
        operation,
        outcome: RuleOutcome::Pending,
    };
    let kept = wanted.iter().map(|rule| {
        let operation = match present.iter().find(|present| id(present) == id(rule)) {
            None => RuleOperation::Add,
            Some(present) if present == rule => RuleOperation::Keep,
            Some(_) => RuleOperation::Replace,
        };
        progress(rule, operation)
    });
    let gone = present
        .iter()
        .filter(|present| !wanted.iter().any(|rule| id(rule) == id(present)));
    kept.chain(gone.map(|rule| progress(rule, RuleOperation::Remove)))
        .collect()
}

/// Marks the rule that a task fails at, and says in the problem where in the configuration it is.
fn blame(record: &mut Record, kind: RuleKind, id: &str, index: usize, problem: Problem) -> Problem {
    let rule = record
        .task
        .rules
        .iter_mut()
        .find(|rule| rule.kind == kind && rule.id == id && rule.operation != RuleOperation::Remove);
    if let Some(rule) = rule {
        rule.outcome = RuleOutcome::Failed;
    }
    let list = match kind {
        RuleKind::Dns => "dnsRules",
        RuleKind::Traffic => "trafficRules",
    };
    at(problem, &format!("/{list}/{index}"))
}

/// The same problem, seen from the whole configuration: what it says of a place is within a rule or a list of rules.
fn at(problem: Problem, place: &str) -> Problem {
    let within = problem.details().extension("pointer").unwrap_or_default();
    if is_within(within, place) {
        return problem;
    }
    // Who judges a list names the place in the list.
    let (list, index) = place.rsplit_once('/').unwrap_or_default();
    let own = format!("/{index}");
    let within = match !list.is_empty() && is_within(within, &own) {
        true => within.strip_prefix(&own).unwrap_or_default(),
        false => within,
    };
    let pointer = format!("{place}{within}");
    problem.with_pointer(pointer)
}

/// Whether a JSON pointer names a place or something within it.
fn is_within(pointer: &str, place: &str) -> bool {
    pointer
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_seen_from_the_whole_configuration() {
        for (pointer, place, expected) in [
            ("", "/dnsRules/1", "/dnsRules/1"),
            ("/ttl", "/dnsRules/1", "/dnsRules/1/ttl"),
            ("/1/ttl", "/dnsRules/1", "/dnsRules/1/ttl"),
            ("/1", "/dnsRules/1", "/dnsRules/1"),
            ("/10/ttl", "/dnsRules/1", "/dnsRules/1/10/ttl"),
            ("/dnsRules/1/ttl", "/dnsRules/1", "/dnsRules/1/ttl"),
            ("/3/state", "/trafficRules", "/trafficRules/3/state"),
            ("/trafficRules/3", "/trafficRules", "/trafficRules/3"),
        ] {
            let problem = at(Problem::bad_request("no").with_pointer(pointer), place);
            assert_eq!(
                problem.details().extension("pointer"),
                Some(expected),
                "{pointer} {place}"
            );
        }
        let problem = at(Problem::bad_request("no"), "/trafficRules");
        assert_eq!(problem.details().extension("pointer"), Some("/trafficRules"));
    }
}
