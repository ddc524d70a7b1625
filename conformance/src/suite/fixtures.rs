//! The fixtures file: what exists at the target, as its operator says.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// What exists at the target.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixtures {
    /// Application instances that exist; those of `--app-instance-id` come before them.
    pub app_instance_ids: Vec<String>,
    /// Two applications with credentials of their own: the first is the main one.
    pub identity: Vec<Person>,
    /// Resources that exist: values of the path parameters, by path template.
    pub resources: BTreeMap<String, Vec<BTreeMap<String, String>>>,
    /// A token of the main application that has expired.
    pub expired_token: Option<String>,
    /// The environment variable that holds it.
    pub expired_token_env: Option<String>,
    /// A token that was issued for another audience than the target.
    pub foreign_audience_token: Option<String>,
    /// The environment variable that holds it.
    pub foreign_audience_token_env: Option<String>,
    /// What brings the target back to its first state.
    pub reset: Option<Action>,
    /// What lets the platform announce the termination of the main application instance.
    pub announce_termination: Option<Action>,
}

/// An application with its credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Its application instance.
    pub app_instance_id: String,
    /// A bearer token.
    pub token: Option<String>,
    /// The environment variable that holds it.
    pub token_env: Option<String>,
}

/// Something that the suite can let happen at the target.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// A command for the shell; exit status 0 means that it is done.
    Command(String),
    /// An HTTP request: method, address and JSON body. A 2xx means that it is done.
    Request {
        /// The method.
        method: String,
        /// The whole address.
        url: String,
        /// The body.
        body: Option<serde_json::Value>,
    },
}

impl Person {
    /// Its token, if there is one.
    pub fn token(&self) -> Option<String> {
        given(&self.token, &self.token_env)
    }
}

/// A secret, or what the environment variable has.
fn given(secret: &Option<String>, variable: &Option<String>) -> Option<String> {
    let from_environment = || std::env::var(variable.as_ref()?).ok();
    secret.clone().or_else(from_environment)
}

/// Why a fixtures file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FixturesError {
    /// It can't be read.
    #[error("{path} can't be read; check the path of --fixtures")]
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
    /// It names an environment variable that is not there.
    #[error(
        "{path} names the environment variable {variable}, which is not set; set it, or take the line out"
    )]
    Unset {
        /// The file.
        path: String,
        /// The variable.
        variable: String,
    },
}

impl Fixtures {
    /// The token that has expired, if there is one.
    pub fn expired_token(&self) -> Option<String> {
        given(&self.expired_token, &self.expired_token_env)
    }

    /// The token that is meant for another audience, if there is one.
    pub fn foreign_audience_token(&self) -> Option<String> {
        given(&self.foreign_audience_token, &self.foreign_audience_token_env)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that can't be read or has an unknown key or a wrong type (the message has the line), or names an
    /// environment variable that is not set.
    pub fn read(path: &Path) -> Result<Self, FixturesError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| FixturesError::Unreadable {
            path: name.clone(),
            source,
        })?;
        let fixtures: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text[..span.start.min(text.len())].matches('\n').count() + 1
            });
            FixturesError::Malformed {
                path: name.clone(),
                message: format!("line {line}: {}", error.message().trim_end()),
            }
        })?;
        let unset = |variable: &&String| std::env::var_os(variable).is_none();
        let missing = fixtures.variables().find(unset).cloned();
        match missing {
            Some(variable) => Err(FixturesError::Unset { path: name, variable }),
            None => Ok(fixtures),
        }
    }

    /// The environment variables that secrets are in.
    fn variables(&self) -> impl Iterator<Item = &String> {
        let own = [&self.expired_token_env, &self.foreign_audience_token_env];
        let people = self.identity.iter().map(|person| &person.token_env);
        people.chain(own).flatten()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/mep.toml");
        let fixtures = Fixtures::read(Path::new(path)).unwrap();
        assert_eq!(fixtures.app_instance_ids.len(), 2);
        assert!(fixtures.announce_termination.is_some());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[[identity]]\napp_instance_id = \"one\"\ntoken_env = \"NOBODY_SETS_THIS\"\n";
        std::fs::write(file.path(), text).unwrap();
        let error = Fixtures::read(file.path()).unwrap_err().to_string();
        assert!(error.contains("NOBODY_SETS_THIS, which is not set"), "{error}");
    }
}
