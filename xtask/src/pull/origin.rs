//! Where files are pulled from: the forge, or a directory of the mirror's layout.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::forge::Forge;

/// A file of a project at one of its refs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName {
    /// The group on the forge.
    pub(crate) group: String,
    /// The project on the forge.
    pub(crate) project: String,
    /// The tag, or `HEAD`.
    pub(crate) reference: String,
    /// The path inside the project.
    pub(crate) path: String,
}

/// The path in the mirror's layout.
impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}/{}",
            self.group, self.project, self.reference, self.path
        )
    }
}

/// Why a file could not be had.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// The connection failed, or broke off.
    #[error(
        "{forge} cannot be reached: {reason}; try again later, or take the documents from a directory with --from DIR"
    )]
    Unreachable {
        /// The forge's address.
        forge: String,
        /// The innermost cause.
        reason: String,
    },
    /// The origin has no such file.
    #[error("{origin} has no {file}; correct its entry in etsi-specs/manifest.toml if ETSI has renamed it")]
    Missing {
        /// The forge's address or the directory.
        origin: String,
        /// The file in the mirror's layout.
        file: String,
    },
    /// A web page came instead of a document.
    #[error(
        "{origin} answered with a web page (HTML) instead of {file}; it may ask for a login, or be down for maintenance"
    )]
    Html {
        /// The forge's address or the directory.
        origin: String,
        /// The file in the mirror's layout.
        file: String,
    },
    /// Any other answer but 200.
    #[error("{forge} answered {status} when asked for {file}; try again later")]
    Status {
        /// The forge's address.
        forge: String,
        /// The file in the mirror's layout.
        file: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer does not end.
    #[error("{0} is longer than {1} bytes, which no OpenAPI document is")]
    TooLong(String, usize),
    /// A directory's file cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
}

/// Where files are pulled from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// ETSI's forge.
    Forge(Forge),
    /// A directory of the mirror's layout, `GROUP/PROJECT/REF/PATH`.
    Directory(PathBuf),
}

impl Origin {
    /// The bytes of a file.
    pub(crate) async fn fetch(&self, file: &FileName) -> Result<Vec<u8>, FetchError> {
        let (origin, bytes) = match self {
            Self::Forge(forge) => ("the forge".to_owned(), forge.fetch(file).await?),
            Self::Directory(directory) => (directory.display().to_string(), read(directory, file)?),
        };
        if looks_like_html(&bytes) {
            return Err(FetchError::Html {
                origin,
                file: file.to_string(),
            });
        }
        Ok(bytes)
    }
}

fn read(directory: &Path, file: &FileName) -> Result<Vec<u8>, FetchError> {
    let path = directory.join(file.to_string());
    std::fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => FetchError::Missing {
            origin: directory.display().to_string(),
            file: file.to_string(),
        },
        _ => FetchError::Unreadable(path, error),
    })
}

/// True where the text opens as a web page does: no YAML or JSON document begins with a tag.
fn looks_like_html(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let opens_with = |tag: &str| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    opens_with("<!doctype") || opens_with("<html")
}
