//! From a settled document to the files of a crate, through mecforge-codegen.

use mecforge_codegen::emit::{self, File, Packaging};
use mecforge_codegen::model::{self, Api, Options};
use mecforge_document::Finding;

use crate::problems::Problems;
use crate::stages::Subject;

/// A document's crate.
pub(super) struct Printed {
    /// The model that the files are printed from.
    pub(super) api: Api,
    /// The defects that were found on the way.
    pub(super) findings: Vec<Finding>,
    /// The crate's files.
    pub(super) files: Vec<File>,
}

/// Generates a crate; the error has every fault of the document.
pub(super) fn print(
    subject: &Subject,
    crate_name: &str,
    packaging: &Packaging,
    prose: bool,
) -> Result<Printed, Problems> {
    let prepared = subject.prepare(true)?;
    let options = Options {
        crate_name: crate_name.to_owned(),
        source: subject.located.path.clone(),
        prose,
    };
    let api = model::lower(&prepared.document, &options).map_err(|faults| subject.problems(faults))?;
    match emit::generate(&api, packaging) {
        Ok(files) => Ok(Printed {
            api,
            findings: prepared.findings,
            files,
        }),
        Err(fault) => Problems::one(format!("{}: {fault}", subject.name)),
    }
}
