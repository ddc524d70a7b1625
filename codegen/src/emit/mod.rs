//! Stage `emit`: the model of an API becomes the files of a crate. Pure printing: no document is read here.

pub mod callbacks;
pub mod client;
mod manifest;
pub mod operations;
mod root;
pub mod server;
pub mod source;
mod strategies;
pub mod types;

use crate::model::Api;

/// A file of a generated crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path in the crate, with `/`.
    pub path: String,
    /// What the file holds.
    pub contents: String,
}

/// How the crate reaches the hand-written runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packaging {
    /// A member of our workspace: versions and lints are the workspace's.
    Workspace,
    /// A crate by itself, with the runtime at this path.
    Standalone {
        /// Path of the runtime crate, relative to the generated crate or absolute.
        runtime: String,
    },
}

/// Prints a whole crate.
///
/// # Errors
/// A sentence that names the pointer of what has no Rust form yet, or a fault of the generator itself (source
/// that does not parse).
pub fn generate(api: &Api, packaging: &Packaging) -> Result<Vec<File>, String> {
    let mut files = vec![
        File {
            path: "Cargo.toml".to_owned(),
            contents: manifest::manifest(api, packaging),
        },
        File {
            path: "openapi.json".to_owned(),
            contents: api.document.clone(),
        },
        root::root(api)?,
    ];
    if api.is_etsi {
        files.push(File {
            path: "LICENSE-ETSI".to_owned(),
            contents: manifest::ETSI_LICENSE.to_owned(),
        });
    }
    files.extend(types::files(api)?);
    files.extend(strategies::files(api)?);
    files.extend(operations::files(api)?);
    files.extend(server::files(api)?);
    files.extend(client::files(api)?);
    files.extend(callbacks::files(api)?);
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}
