//! From a document on this machine to a settled one, through the stages of mecforge-document.

use std::path::{Path, PathBuf};

use mecforge_document::{Diagnostic, Document, Finding, load};

use crate::documents::{self, Located};
use crate::lock::Lock;
use crate::manifest::{Manifest, Release};
use crate::problems::Problems;
use crate::workspace::Workspace;

/// Where the errata that need judgement lie, below the workspace's root.
const OVERLAYS: &str = "etsi-specs/overlays";

/// A document to work on.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The name to call it by: `ID`, `ID@REF`, or a file's.
    pub(crate) name: String,
    /// The release, where the manifest names it.
    pub(crate) release: Option<Release>,
    /// The document.
    pub(crate) located: Located,
    /// The overlay to apply.
    pub(crate) overlay: Option<Overlay>,
}

/// An overlay on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    /// What findings call it, on every machine.
    name: String,
    /// The file.
    path: PathBuf,
}

/// A document that went through the stages.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The document as it was loaded.
    pub(crate) raw: Document,
    /// The document, plain OpenAPI 3.1.
    pub(crate) document: Document,
    /// The defects that were found, in the order of the stages.
    pub(crate) findings: Vec<Finding>,
}

/// Which documents a verb works on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Selection {
    /// Documents, `ID` or `ID@REF`; without any, the newest release of each
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// A document of your own instead: OpenAPI 3.0 or 3.1, YAML or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    pub(crate) input: Option<PathBuf>,
    /// An OpenAPI Overlay 1.0 to apply to --input
    #[arg(long, value_name = "FILE", requires = "input")]
    pub(crate) overlay: Option<PathBuf>,
}

impl Selection {
    /// Finds the documents that were asked for.
    pub(crate) fn subjects(&self, workspace: &Workspace) -> anyhow::Result<Vec<Subject>> {
        match &self.input {
            Some(file) => Ok(vec![Subject::file(file, self.overlay.as_deref())?]),
            None => Ok(subjects(
                workspace,
                &Manifest::load(workspace)?.select(&self.ids)?,
            )?),
        }
    }
}

/// Finds releases on this machine.
pub(crate) fn subjects(workspace: &Workspace, releases: &[Release]) -> Result<Vec<Subject>, Problems> {
    let located = documents::locate_all(workspace, releases).or_else(Problems::one)?;
    let subjects = releases.iter().cloned().zip(located);
    Ok(subjects
        .map(|(release, located)| Subject::release(workspace, release, located))
        .collect())
}

impl Subject {
    fn release(workspace: &Workspace, release: Release, located: Located) -> Self {
        let name = release.name();
        let overlay = format!("{OVERLAYS}/{name}.yaml");
        let overlay = Overlay {
            path: workspace.near(&overlay),
            name: overlay,
        };
        let overlay = overlay.path.is_file().then_some(overlay);
        Self {
            name,
            release: Some(release),
            located,
            overlay,
        }
    }

    fn file(file: &Path, overlay: Option<&Path>) -> anyhow::Result<Self> {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
            anyhow::bail!("--input {} names no file", file.display());
        };
        let root = file.parent().unwrap_or(Path::new("")).to_owned();
        let located = Located {
            root,
            path: name.to_owned(),
        };
        let overlay = overlay.map(|path| Overlay {
            name: path.display().to_string(),
            path: path.to_owned(),
        });
        Ok(Self {
            name: file.display().to_string(),
            release: None,
            located,
            overlay,
        })
    }

    /// The file of a finding or diagnostic as the caller of the verb can open it.
    pub(crate) fn place(&self, file: &str) -> String {
        match &self.overlay {
            _ if file.is_empty() => String::new(),
            Some(overlay) if overlay.name == file => overlay.path.display().to_string(),
            _ => self.located.root.join(file).display().to_string(),
        }
    }

    /// What to say where the document is not the pinned one.
    pub(crate) fn warning(&self, lock: &Lock) -> Option<String> {
        self.release
            .as_ref()
            .and_then(|_| documents::warning(&self.located, lock))
    }

    /// The document after all stages; without repair it is as it was written, but for its dialect.
    pub(crate) fn prepare(&self, repair: bool) -> Result<Prepared, Problems> {
        let raw = load::load(&self.located, &self.located.path).map_err(|faults| self.problems(faults))?;
        let overlays = self
            .overlay
            .iter()
            .map(|it| self.load_overlay(it))
            .collect::<Result<Vec<_>, _>>()?;
        let (document, findings) = mecforge_document::prepare(raw.clone(), &overlays, !repair)
            .map_err(|faults| self.problems(faults))?;
        Ok(Prepared {
            raw,
            document,
            findings,
        })
    }

    fn load_overlay(&self, overlay: &Overlay) -> Result<Document, Problems> {
        match std::fs::read_to_string(&overlay.path) {
            Ok(text) => load::load_text(&overlay.name, &text).map_err(|faults| self.problems(faults)),
            Err(error) => Problems::one(format!("cannot read {}: {error}", overlay.path.display())),
        }
    }

    /// Faults as lines, with files that the caller can open.
    pub(crate) fn problems(&self, faults: Vec<Diagnostic>) -> Problems {
        let place = |fault: Diagnostic| Diagnostic {
            file: self.place(&fault.file),
            ..fault
        };
        faults.into_iter().map(|fault| place(fault).to_string()).collect()
    }
}
