//! The implementation conformance statement: which optional features a vendor claims, and which it says that it does not
//! offer. What is not offered is not held against a platform; what is claimed and missing is.

mod features;

use std::collections::BTreeMap;
use std::path::Path;

use mecforge_api::Api;
use serde::Deserialize;

pub use features::{Behaviour, Feature, Kind, features};

/// What a vendor says of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The feature, as `mec-conformance statement` prints it.
    pub id: String,
    /// Whether the platform offers it.
    pub supported: bool,
    /// Why not.
    #[serde(default)]
    pub reason: String,
}

/// What a vendor says of all features; of those that are not named it says nothing, and they are tested as without a
/// statement.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    claims: BTreeMap<String, Claim>,
    /// The behaviours of all APIs under test.
    behaviours: Vec<Feature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    feature: Vec<Claim>,
}

/// Why a statement can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It can't be read.
    #[error("{path}: {source}; check the path of --statement")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has something unknown.
    #[error("{path}: {message}")]
    Malformed {
        /// The file.
        path: String,
        /// Line, what is wrong.
        message: String,
    },
}

impl Statement {
    /// Reads a file for the APIs under test.
    ///
    /// # Errors
    /// A file that can't be read, has an unknown key, or names a feature twice or one that no API under test has.
    pub fn read<'api>(
        path: &Path,
        apis: impl Iterator<Item = &'api Api> + Clone,
    ) -> Result<Self, StatementError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| StatementError::Unreadable {
            path: name.clone(),
            source,
        })?;
        let malformed = |message: String| StatementError::Malformed {
            path: name.clone(),
            message,
        };
        let file: File = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text[..start].matches('\n').count() + 1;
            malformed(format!("line {line}: {}", error.message().trim_end()))
        })?;
        let features: Vec<_> = apis.flat_map(features).collect();
        let mut claims = BTreeMap::new();
        for claim in file.feature {
            let line = text
                .lines()
                .position(|line| line.contains(&claim.id))
                .unwrap_or(0)
                + 1;
            if !features.iter().any(|feature| feature.id == claim.id) {
                return Err(malformed(format!(
                    "line {line}: no API under test has the feature \"{}\"; `mec-conformance statement --profile …` prints them",
                    claim.id
                )));
            }
            if claims.contains_key(&claim.id) {
                return Err(malformed(format!(
                    "line {line}: the feature \"{}\" is there twice",
                    claim.id
                )));
            }
            claims.insert(claim.id.clone(), claim);
        }
        let behaviours = features
            .into_iter()
            .filter(|feature| matches!(feature.kind, Kind::Behaviour(_)))
            .collect();
        Ok(Statement { claims, behaviours })
    }

    /// What is said of a feature.
    pub fn claim(&self, id: &str) -> Option<&Claim> {
        self.claims.get(id)
    }

    /// The feature that a check at an operation belongs to: a behaviour that the check is about, else the operation.
    pub fn feature(&self, check: &str, api: &str, operation: Option<&str>) -> Option<String> {
        let own = self.behaviours.iter().find(|feature| {
            let Kind::Behaviour(behaviour) = &feature.kind else {
                return false;
            };
            feature.api == api && behaviour.is_about(check)
        });
        own.map(|feature| feature.id.clone())
            .or_else(|| operation.map(|key| format!("{api} {key}")))
    }

    /// Why a check at an operation does not apply: the statement says that the platform does not offer it.
    pub fn denial(&self, check: &str, api: &str, operation: Option<&str>) -> Option<String> {
        if check.starts_with("statement-") {
            return None;
        }
        let at_operation = operation.map(|key| format!("{api} {key}"));
        let behaviour = self.feature(check, api, None);
        let mut denied = behaviour
            .iter()
            .chain(&at_operation)
            .filter_map(|id| self.claims.get(id));
        let claim = denied.find(|claim| !claim.supported)?;
        let reason = match claim.reason.as_str() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        Some(format!(
            "the statement says that {} is not offered{reason}",
            claim.id
        ))
    }
}

/// A file that claims every feature of APIs, for a vendor to change.
pub fn template<'api>(apis: impl Iterator<Item = &'api Api>) -> String {
    let mut text = String::from(
        "# Implementation conformance statement for mec-conformance run --statement FILE.\n\
         # A feature with supported = false is not tested, and its requirements are not applicable; give the reason.\n\
         # One with supported = true has to be there. One that is left out is tested as without a statement.\n",
    );
    for api in apis {
        text.push_str(&format!("\n# {} {}\n", api.title, api.version));
        for feature in features(api) {
            text.push_str(&format!(
                "\n# {}\n[[feature]]\nid = {}\nsupported = true\n",
                feature.title,
                toml::Value::String(feature.id)
            ));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    #[test]
    fn the_template_of_every_profile_can_be_read() {
        for profile in crate::profile::profiles() {
            let apis = profile.apis().unwrap();
            let text = template(apis.iter().map(|(api, _)| api));
            let file: File = toml::from_str(&text).unwrap();
            let operations: usize = apis.iter().map(|(api, _)| api.operations.len()).sum();
            assert!(file.feature.len() >= operations, "{}", profile.id);
            assert!(file.feature.iter().all(|claim| claim.supported));
        }
    }
}
