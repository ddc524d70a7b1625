//! What puts rules in force.

use std::collections::{BTreeMap, BTreeSet};

use mecforge_contracts::rules::{DataPlaneCapabilities, Later};
use mecforge_runtime::server::Problem;

use crate::intent::{Intent, RuleName};

/// Packets and bytes that a rule has matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The rules that could not be put in force, and why.
    pub left_out: BTreeMap<RuleName, String>,
    /// What somebody else had changed since the last time, in words for people. It is mended.
    pub found: Option<String>,
}

/// Why rules were not put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// A rule asks for what this machine does not have now, such as an interface.
    #[error("{reason}")]
    Refused {
        /// The rule.
        name: RuleName,
        /// Where in it, as a JSON pointer.
        pointer: String,
        /// Why.
        reason: String,
    },
    /// The machine does not do it.
    #[error("{0}")]
    Failed(String),
}

/// A back end. Its calls never overlap, but for [`Backend::capabilities`], [`Backend::check`] and
/// [`Backend::counters`].
pub trait Backend: Send + Sync + 'static {
    /// What it can do.
    fn capabilities(&self) -> DataPlaneCapabilities;

    /// Judges a rule by what this machine can do at all.
    ///
    /// # Errors
    /// `422` with the reason.
    fn check(&self, intent: &Intent) -> Result<(), Problem>;

    /// Puts these rules in force in place of all others, in one step that no packet sees half done.
    ///
    /// A rule of `required` that cannot be put in force is an error; another is left out.
    ///
    /// # Errors
    /// Why nothing has changed. If that is not sure, the next [`Backend::apply`] makes it so.
    fn apply<'a>(
        &'a self,
        intents: &'a [Intent],
        required: &'a BTreeSet<RuleName>,
    ) -> Later<'a, Result<Applied, BackendError>>;

    /// Whether what was last put in force still is; `Some` says what is not.
    ///
    /// # Errors
    /// Why that cannot be found out.
    fn drift(&self) -> Later<'_, Result<Option<String>, BackendError>>;

    /// What the rules in force have matched.
    ///
    /// # Errors
    /// Why that cannot be found out.
    fn counters(&self) -> Later<'_, Result<BTreeMap<RuleName, Tally>, BackendError>>;
}

/// The back end that puts nothing in force.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disabled;

impl Backend for Disabled {
    fn capabilities(&self) -> DataPlaneCapabilities {
        DataPlaneCapabilities {
            backend: "disabled".to_owned(),
            available: false,
            remarks: vec!["the data plane is disabled in the platform's configuration".to_owned()],
            ..DataPlaneCapabilities::default()
        }
    }

    fn check(&self, _: &Intent) -> Result<(), Problem> {
        Ok(())
    }

    fn apply<'a>(
        &'a self,
        intents: &'a [Intent],
        _: &'a BTreeSet<RuleName>,
    ) -> Later<'a, Result<Applied, BackendError>> {
        let outcome = match intents {
            [] => Ok(Applied::default()),
            _ => Err(BackendError::Failed("the data plane is disabled".to_owned())),
        };
        Box::pin(std::future::ready(outcome))
    }

    fn drift(&self) -> Later<'_, Result<Option<String>, BackendError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn counters(&self) -> Later<'_, Result<BTreeMap<RuleName, Tally>, BackendError>> {
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }
}
