//! `cargo xtask pull`: documents from the forge or a mirror into `etsi-specs/documents/`, verified against the lock.

mod accept;
mod forge;
mod gather;
mod origin;

use std::path::PathBuf;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use self::forge::Forge;
use self::gather::Gathered;
use self::origin::Origin;
use crate::files::Staged;
use crate::lock::Lock;
use crate::manifest::Manifest;
use crate::workspace::{DOCUMENTS, LOCK, Workspace};

/// Fetches ETSI's documents and verifies them against etsi-specs/lock.toml
///
/// They are written to etsi-specs/documents/, all of them or none.
/// Exit status: 0 where every file is what the lock pins, else 1.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Documents to fetch, `ID` or `ID@REF`; without any, the newest release of each
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Fetch the earlier releases that the manifest names, too
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Take the files from a directory laid out GROUP/PROJECT/REF/PATH instead of the forge
    #[arg(long, value_name = "DIR", conflicts_with_all = ["forge", "ca"])]
    from: Option<PathBuf>,
    /// Take changed bytes in: rewrite the lock, and the manifest's date, title and version
    #[arg(long, requires = "ids")]
    accept: bool,
    /// The forge's address, what stands before /api/v4 [default: the manifest's]
    #[arg(long, value_name = "URL")]
    forge: Option<String>,
    /// A PEM file of further certificate authorities to trust
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Arguments {
    /// `pull --all`, from the forge.
    pub(crate) fn everything() -> Self {
        Self {
            ids: Vec::new(),
            all: true,
            from: None,
            accept: false,
            forge: None,
            ca: None,
        }
    }
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let manifest = Manifest::load(workspace)?;
    let lock = Lock::load(workspace)?;
    let releases = if arguments.all {
        manifest.all()
    } else {
        manifest.select(&arguments.ids)?
    };
    let origin = match &arguments.from {
        Some(directory) => Origin::Directory(directory.clone()),
        None => {
            let base = arguments.forge.as_deref().unwrap_or(&manifest.forge.url);
            Origin::Forge(Forge::new(base, arguments.ca.as_deref())?)
        }
    };

    let progress = progress_bar();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the network runtime")?;
    let gathered = runtime.block_on(gather::gather(
        origin,
        &releases,
        &lock,
        arguments.accept,
        &progress,
    ));
    progress.finish_and_clear();
    let gathered = gathered?;

    if arguments.accept {
        accept::accept(workspace, &releases, &lock, &gathered)
    } else {
        let mut staged = Staged::default();
        let written = stage(workspace, &mut staged, &gathered)?;
        staged.commit()?;
        println!(
            "{} files in {DOCUMENTS} are what {LOCK} pins, {written} of them written now",
            gathered.files.len()
        );
        Ok(())
    }
}

/// Stages the fetched files; the number of those that differ from what is there.
fn stage(workspace: &Workspace, staged: &mut Staged, gathered: &Gathered) -> anyhow::Result<usize> {
    let directory = workspace.path(DOCUMENTS);
    let mut written = 0;
    for (path, bytes) in &gathered.files {
        written += usize::from(staged.stage(&directory.join(path), bytes)?);
    }
    Ok(written)
}

/// A bar on standard error, invisible where that is no terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
