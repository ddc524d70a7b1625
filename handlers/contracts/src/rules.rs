//! DNS rules and traffic rules: what those who keep them and put them in force offer to other handlers.
//!
//! A rule exists because a manager has configured it (Mm5); the application may activate and deactivate it (Mp1). A
//! change of rules is one transaction with whatever else the caller changes, and it is not acknowledged before it is
//! in force.

use std::future::Future;
use std::pin::Pin;

use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Revision, Transaction};
use serde::Serialize;

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A rule as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<R> {
    /// The application instance that it belongs to.
    pub app_instance_id: String,
    /// The rule.
    pub rule: R,
    /// The revision that last changed it.
    pub modified: Revision,
}

/// What becomes of the rules of one kind of one application instance.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleChange<R> {
    /// This rule takes the place of the one with the same identifier, or is added.
    Set(R),
    /// These are all its rules.
    ReplaceAll(Vec<R>),
    /// It has no rules any more.
    RemoveAll,
}

/// Why rules are not changed.
#[derive(Debug)]
pub enum RuleError {
    /// They cannot be put in force; nothing has changed. Where one of several traffic rules is at fault, the problem
    /// names it by a member `trafficRuleId`, and its `pointer` is a place in that rule.
    Refused(Problem),
    /// They could be, but the transaction was not committed; nothing has changed. A conflict is worth a new attempt
    /// with a new transaction.
    Commit(CommitError),
}

/// DNS rules of application instances, answered by a name server.
pub trait DnsRules: Send + Sync + 'static {
    /// The rules of an application instance, in the order of their identifiers.
    fn list(&self, app_instance_id: &str) -> Vec<Kept<DnsRule>>;

    /// One rule.
    fn get(&self, app_instance_id: &str, dns_rule_id: &str) -> Option<Kept<DnsRule>>;

    /// Adds a change to a transaction. Once that is committed, the name server answers accordingly.
    ///
    /// The transaction is refused with a conflict if rules that matter have changed when it is committed; the caller
    /// then starts again.
    ///
    /// # Errors
    /// `400` or `422` for a rule that no name server could answer by; `409` for one whose name an active rule of
    /// another application instance has, which the problem names; `503` for active rules where there is no name
    /// server.
    fn stage(
        &self,
        app_instance_id: &str,
        change: RuleChange<DnsRule>,
        transaction: Transaction,
    ) -> Result<Transaction, Problem>;

    /// Where the name server listens, for example `127.0.0.1:5300`; empty if it is off.
    fn listens_on(&self) -> Vec<std::net::SocketAddr>;
}

/// Traffic rules of application instances, put in force by a data plane.
pub trait TrafficRules: Send + Sync + 'static {
    /// The rules of an application instance, in the order of their identifiers.
    fn list(&self, app_instance_id: &str) -> Vec<Kept<TrafficRule>>;

    /// One rule.
    fn get(&self, app_instance_id: &str, traffic_rule_id: &str) -> Option<Kept<TrafficRule>>;

    /// Judges a rule by itself, before anything is stored.
    ///
    /// # Errors
    /// `400` for an address, port or the like that is none; `422` for what this machine's data plane cannot do, with
    /// the reason; `503` for an active rule where there is no data plane.
    fn check(&self, rule: &TrafficRule) -> Result<(), Problem>;

    /// Puts the rules that result from a change in force, and commits the transaction together with the change.
    ///
    /// Effect comes first: when this returns a revision, the rules are in the kernel. When it does not, the kernel has
    /// the old rules. That also holds of a change to what the rules are already: it changes no revision of theirs, but
    /// makes sure that they are in force.
    fn commit(
        &self,
        app_instance_id: &str,
        change: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>>;

    /// What the data plane can do.
    fn capabilities(&self) -> DataPlaneCapabilities;

    /// What active rules have matched so far.
    fn counters(&self) -> Later<'_, Vec<RuleCounters>>;
}

/// What a data plane can do on this machine, found out when the platform started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlaneCapabilities {
    /// The back end: `nftables` or `disabled`.
    pub backend: String,
    /// Whether active rules can be put in force at all.
    pub available: bool,
    /// Why not, or what is missing; empty if all is well.
    pub remarks: Vec<String>,
    /// The actions that can be put in force, as `TrafficRule.action` names them.
    pub actions: Vec<String>,
    /// The tunnel types that can be put in force, as `TunnelInfo.tunnelType` names them.
    pub tunnel_types: Vec<String>,
}

/// What an active traffic rule has matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleCounters {
    /// Whose rule it is.
    pub app_instance_id: String,
    /// The rule.
    pub traffic_rule_id: String,
    /// Packets since the rule became active or the platform started.
    pub packets: u64,
    /// Bytes of those packets.
    pub bytes: u64,
}
