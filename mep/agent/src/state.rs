//! What the platform has assigned, kept in a file so that an agent that crashed finds its own again.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the platform has assigned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct State {
    /// The platform's address: what another platform has assigned means nothing here.
    pub(crate) url: String,
    /// The application instance.
    pub(crate) app_instance_id: Option<String>,
    /// The identifiers of services.
    pub(crate) services: Vec<String>,
    /// The identifiers of subscriptions.
    pub(crate) subscriptions: Vec<String>,
}

impl State {
    /// What is kept about a platform; nothing where there is no file, or one that can't be understood.
    pub(crate) fn read(path: Option<&Path>, url: &str) -> Self {
        let empty = || Self {
            url: url.to_owned(),
            ..Self::default()
        };
        let Some(path) = path else { return empty() };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return empty(),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the state file can't be read");
                return empty();
            }
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(state) if state.url == url => state,
            Ok(state) => {
                tracing::warn!(was = %state.url, now = url, "the state file is of another platform and not used");
                empty()
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the state file is damaged and not used");
                empty()
            }
        }
    }

    /// Writes the file so that after a crash there is either the old or the new one.
    pub(crate) fn write(&self, path: &Path) {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| std::fs::write(&beside, text))
            .and_then(|()| std::fs::rename(&beside, path));
        if let Err(error) = written {
            tracing::warn!(file = %path.display(), %error, "the state file can't be written: after a crash the agent may not find its own again");
        }
    }

    /// Removes the file: there is nothing left to find again.
    pub(crate) fn remove(path: &Path) {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(file = %path.display(), %error, "the state file can't be removed");
            }
            _ => {}
        }
    }
}
