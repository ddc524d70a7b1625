//! Rules over HTTP (MEC 011 clauses 7.2.7 to 7.2.10): an application reads the rules that a manager has given it, and
//! activates and deactivates them.

use std::sync::Arc;

use mec011_app_support::{
    DnsRule, DnsRuleState, GetApplicationDnsRule, GetApplicationTrafficRule, ReplaceApplicationDnsRule,
    ReplaceApplicationTrafficRule, TrafficRule, TrafficRuleState,
};
use mecforge_contracts::rules::{Kept, RuleChange};
use mecforge_contracts::{Presence, access, keys, outcome};
use mecforge_runtime::EntityTag;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{Expected, Revision, Transaction};

use crate::compare::{dns_difference, traffic_difference};
use crate::core::{Core, Step};

/// A rule and its entity tag.
pub(crate) type Tagged<R> = (EntityTag, R);

impl Core {
    pub(crate) fn list_dns_rules(&self, app: &str, caller: &Caller) -> Result<Vec<DnsRule>, Problem> {
        self.existing(caller, app)?;
        let rules = self.parts.dns_rules.list(app);
        Ok(rules.into_iter().map(|kept| kept.rule).collect())
    }

    pub(crate) fn dns_rule(
        &self,
        request: &GetApplicationDnsRule,
        caller: &Caller,
    ) -> Result<Tagged<DnsRule>, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let kept = self.kept_dns_rule(&request.app_instance_id, &request.dns_rule_id)?;
        Ok((outcome::entity_tag(kept.modified), kept.rule))
    }

    fn kept_dns_rule(&self, app: &str, id: &str) -> Result<Kept<DnsRule>, Problem> {
        let kept = self.parts.dns_rules.get(app, id);
        kept.ok_or_else(|| unknown("DNS rule", "dnsRuleId", id))
    }

    pub(crate) async fn replace_dns_rule(
        self: &Arc<Self>,
        request: ReplaceApplicationDnsRule,
        caller: &Caller,
    ) -> Result<Tagged<DnsRule>, Problem> {
        let app = request.app_instance_id.clone();
        self.existing(caller, &app)?;
        let plan = move |core: &Self| {
            let app = &request.app_instance_id;
            let presence = core.still_existing(app)?;
            let kept = core.kept_dns_rule(app, &request.dns_rule_id)?;
            request
                .preconditions
                .check(Some(&outcome::entity_tag(kept.modified)))?;
            let wanted = &request.dns_rule;
            same_identifier("/dnsRuleId", &kept.rule.dns_rule_id, &wanted.dns_rule_id)?;
            only_the_state(dns_difference(&kept.rule, wanted)?)?;
            if kept.rule.state == wanted.state {
                return Ok(Step::Done((outcome::entity_tag(kept.modified), kept.rule)));
            }
            let rule = DnsRule {
                state: wanted.state,
                ..kept.rule
            };
            let key = keys::dns_rule(app, &rule.dns_rule_id);
            let transaction = guarded(presence, app, key, kept.modified);
            let dns = &core.parts.dns_rules;
            Ok(Step::Commit {
                transaction: dns.stage(app, RuleChange::Set(rule.clone()), transaction)?,
                traffic: None,
                answer: Box::new(|revision| (outcome::entity_tag(revision), rule)),
            })
        };
        let (tag, rule) = self.change(&app, plan).await?;
        let active = rule.state == DnsRuleState::Active;
        tracing::debug!(
            application = app,
            rule = rule.dns_rule_id,
            active,
            "a DNS rule is set"
        );
        Ok((tag, rule))
    }

    pub(crate) fn list_traffic_rules(&self, app: &str, caller: &Caller) -> Result<Vec<TrafficRule>, Problem> {
        self.existing(caller, app)?;
        let rules = self.parts.traffic_rules.list(app);
        Ok(rules.into_iter().map(|kept| kept.rule).collect())
    }

    pub(crate) fn traffic_rule(
        &self,
        request: &GetApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<Tagged<TrafficRule>, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let kept = self.kept_traffic_rule(&request.app_instance_id, &request.traffic_rule_id)?;
        Ok((outcome::entity_tag(kept.modified), kept.rule))
    }

    fn kept_traffic_rule(&self, app: &str, id: &str) -> Result<Kept<TrafficRule>, Problem> {
        let kept = self.parts.traffic_rules.get(app, id);
        kept.ok_or_else(|| unknown("traffic rule", "trafficRuleId", id))
    }

    pub(crate) async fn replace_traffic_rule(
        self: &Arc<Self>,
        request: ReplaceApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<Tagged<TrafficRule>, Problem> {
        let app = request.app_instance_id.clone();
        self.existing(caller, &app)?;
        let plan = move |core: &Self| {
            let app = &request.app_instance_id;
            let presence = core.still_existing(app)?;
            let kept = core.kept_traffic_rule(app, &request.traffic_rule_id)?;
            request
                .preconditions
                .check(Some(&outcome::entity_tag(kept.modified)))?;
            let wanted = &request.traffic_rule;
            same_identifier(
                "/trafficRuleId",
                &kept.rule.traffic_rule_id,
                &wanted.traffic_rule_id,
            )?;
            only_the_state(traffic_difference(&kept.rule, wanted)?)?;
            let key = keys::traffic_rule(app, &kept.rule.traffic_rule_id);
            if kept.rule.state == wanted.state {
                let answer = (outcome::entity_tag(kept.modified), kept.rule.clone());
                if kept.rule.state == TrafficRuleState::Inactive {
                    return Ok(Step::Done(answer));
                }
                // The answer says that the rule is in force: the data plane makes sure of it.
                return Ok(Step::Commit {
                    transaction: guarded(presence, app, key, kept.modified),
                    traffic: Some(Box::new(RuleChange::Set(kept.rule))),
                    answer: Box::new(|_| answer),
                });
            }
            let rule = TrafficRule {
                state: wanted.state,
                ..kept.rule
            };
            if rule.state == TrafficRuleState::Active {
                core.parts.traffic_rules.check(&rule)?;
            }
            Ok(Step::Commit {
                transaction: guarded(presence, app, key, kept.modified),
                traffic: Some(Box::new(RuleChange::Set(rule.clone()))),
                answer: Box::new(|revision| (outcome::entity_tag(revision), rule)),
            })
        };
        let (tag, rule) = self.change(&app, plan).await?;
        let active = rule.state == TrafficRuleState::Active;
        tracing::debug!(
            application = app,
            rule = rule.traffic_rule_id,
            active,
            "a traffic rule is set"
        );
        Ok((tag, rule))
    }

    /// How an application instance that existed exists now; the caller's right was judged before.
    fn still_existing(&self, app: &str) -> Result<Presence, Problem> {
        match self.presence(app) {
            Presence::Absent => Err(access::unknown(app)),
            presence => Ok(presence),
        }
    }
}

/// A transaction that holds as long as the application instance and the rule are as they were found.
fn guarded(presence: Presence, app: &str, key: String, modified: Revision) -> Transaction {
    let transaction = Transaction::new().expect(key, Expected::Revision(modified));
    presence.guard(transaction, app)
}

fn unknown(what: &str, parameter: &str, id: &str) -> Problem {
    let shown: String = id.chars().take(access::LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("the application instance has no {what} {shown:?}")).with_parameter(parameter)
}

fn same_identifier(pointer: &str, path: &str, body: &str) -> Result<(), Problem> {
    if path == body {
        return Ok(());
    }
    let detail = format!("{pointer} must be the identifier in the path: a rule keeps its own");
    Err(Problem::bad_request(detail)
        .with_pointer(pointer)
        .with_rule("const"))
}

/// The state is all that an application may change of a rule (7.1.2.2, 7.1.2.3).
fn only_the_state(difference: Option<String>) -> Result<(), Problem> {
    match difference {
        None => Ok(()),
        Some(pointer) => {
            let detail = format!(
                "{pointer} must stay as it is: an application may change the state of its rules only"
            );
            Err(Problem::forbidden(detail)
                .with_pointer(pointer)
                .with_rule("readOnly"))
        }
    }
}
