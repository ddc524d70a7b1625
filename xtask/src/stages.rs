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
    pub(crate) overlay: Option<PathBuf>,
}

/// A document that went through the stages.
#[derive(Debug)]
pub(crate) struct Prepared {
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
            Some(file) => Ok(vec![Subject::file(file, self.overlay.clone())?]),
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
        let overlay = workspace.near(&format!("{OVERLAYS}/{name}.yaml"));
        let overlay = overlay.is_file().then_some(overlay);
        Self {
            name,
            release: Some(release),
            located,
            overlay,
        }
    }

    fn file(file: &Path, overlay: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
            anyhow::bail!("--input {} names no file", file.display());
        };
        let root = file.parent().unwrap_or(Path::new("")).to_owned();
        let located = Located {
            root,
            path: name.to_owned(),
        };
        Ok(Self {
            name: file.display().to_string(),
            release: None,
            located,
            overlay,
        })
    }

    /// The file of a finding or diagnostic as the caller of the verb can open it.
    pub(crate) fn place(&self, file: &str) -> String {
        if file.is_empty()
            || self
                .overlay
                .as_deref()
                .is_some_and(|overlay| overlay == Path::new(file))
        {
            return file.to_owned();
        }
        self.located.root.join(file).display().to_string()
    }

    /// What to say where the document is not the pinned one.
    pub(crate) fn warning(&self, lock: &Lock) -> Option<String> {
        self.release
            .as_ref()
            .and_then(|_| documents::warning(&self.located, lock))
    }

    /// The document after all stages; without repair it is as it was written, but for its dialect.
    pub(crate) fn prepare(&self, repair: bool) -> Result<Prepared, Problems> {
        let document =
            load::load(&self.located, &self.located.path).map_err(|faults| self.problems(faults))?;
        let overlays = self
            .overlay
            .iter()
            .map(|path| self.load_overlay(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (document, findings) = mecforge_document::prepare(document, &overlays, !repair)
            .map_err(|faults| self.problems(faults))?;
        Ok(Prepared { document, findings })
    }

    fn load_overlay(&self, path: &Path) -> Result<Document, Problems> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => load::load_text(&name, &text).map_err(|faults| self.problems(faults)),
            Err(error) => Problems::one(format!("cannot read {name}: {error}")),
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
