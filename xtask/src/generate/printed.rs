//! From a settled document to the files of a crate, through mecforge-codegen.

use mecforge_codegen::coverage::Row;
use mecforge_codegen::emit::{self, File, Packaging};
use mecforge_codegen::model::{self, Options};

use crate::problems::Problems;
use crate::stages::Subject;

/// A document's crate.
pub(super) struct Printed {
    /// The crate's files.
    pub(super) files: Vec<File>,
    /// What they have of what the document declares.
    pub(super) coverage: Row,
    /// How many places of the document were mended.
    pub(super) repairs: usize,
}

/// Generates a crate; the error has every fault of the document.
pub(super) fn print(
    subject: &Subject,
    crate_name: &str,
    packaging: &Packaging,
    prose: bool,
) -> Result<Printed, Problems> {
    let prepared = subject.prepare(true)?;
    let id = match &subject.release {
        Some(_) => subject.name.clone(),
        None => format!("--input {} --name {crate_name} --out DIR", subject.located.path),
    };
    let options = Options {
        id,
        crate_name: crate_name.to_owned(),
        source: subject.located.path.clone(),
        prose,
    };
    let api = model::lower(&prepared.document, &options).map_err(|faults| subject.problems(faults))?;
    let files = emit::generate(&api, packaging)
        .or_else(|fault| Problems::one(format!("{}: {fault}", subject.name)))?;
    let coverage = Row::new(
        &subject.name,
        &prepared.raw,
        &prepared.findings,
        &prepared.document,
        &api,
    );
    Ok(Printed {
        files,
        coverage,
        repairs: prepared.findings.len(),
    })
}
