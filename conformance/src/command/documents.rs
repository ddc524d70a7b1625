//! The APIs of profiles and of documents that somebody brings, and what is said of documents that can't be used.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mecforge_api::{Api, Diagnostic, ReadError};
use mecforge_instances::Schema;

use crate::profile::{self, Knowledge};

/// The longest document that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// How many directories around a document may have files that it refers to.
const LEVELS: usize = 6;

/// How many schemas that can't be used are named.
const NAMED: usize = 3;

/// The APIs of profiles and documents.
pub(super) fn apis(
    profiles: &[String],
    documents: &[PathBuf],
    repair: bool,
) -> anyhow::Result<Vec<(Api, Knowledge)>> {
    let mut apis = Vec::new();
    for name in profiles {
        apis.extend(profile::find(name)?);
    }
    for path in documents {
        let shown = path.display();
        let api = document(path, repair).with_context(|| format!("--document {shown} can't be used"))?;
        let knowledge = Knowledge::of(&api.id);
        apis.push((api, knowledge));
    }
    Ok(apis)
}

fn document(path: &Path, repair: bool) -> anyhow::Result<Api> {
    look(path)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.context("its name is not UTF-8; call it otherwise")?;
    let id = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (api, findings) = read(id, path, repair)?;
    if repair && findings > 0 {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("{}: {} defects mended\n", path.display(), findings),
        );
    }
    let unusable = unusable(&api);
    if !unusable.is_empty() {
        let more = match unusable.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let first = unusable.iter().take(NAMED).cloned().collect::<Vec<_>>();
        bail!("{name}: {}{more}", first.join("; "));
    }
    Ok(api)
}

/// Reads a document whose references stay below its directory, or below one of those around it.
fn read(id: &str, path: &Path, repair: bool) -> anyhow::Result<(Api, usize)> {
    let whole = path.canonicalize().context("check the path")?;
    let mut roots = whole.ancestors().skip(1).take(LEVELS).peekable();
    while let Some(root) = roots.next() {
        let below = |name: &str| std::fs::read_to_string(root.join(name)).map_err(|error| error.to_string());
        let name = whole.strip_prefix(root).ok().and_then(Path::to_str);
        let name = name.context("its path is not UTF-8; put it elsewhere")?;
        match Api::read(id, &below, name, &[], repair) {
            Err(ReadError::Faults(faults)) if roots.peek().is_some() && faults.iter().any(leads_out) => {}
            other => {
                let (api, findings) = other?;
                return Ok((api, findings.len()));
            }
        }
    }
    bail!("its path has no directory")
}

/// Whether a fault is that a reference leads out of the directory that counts as the document's.
fn leads_out(fault: &Diagnostic) -> bool {
    fault.message.contains("leads out of the root directory")
}

/// Refuses files that are no documents, before anybody reads them as one.
fn look(path: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(path).context("check the path")?;
    if found.is_dir() {
        bail!("it is a directory; give the path of an OpenAPI document");
    }
    if found.len() > LONGEST {
        bail!(
            "it has {} bytes, and at most {LONGEST} are read; give a document with less in it",
            found.len()
        );
    }
    let text = std::fs::read(path).context("check the permissions")?;
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'<') {
        bail!("line 1: it is HTML or XML, no OpenAPI document in YAML or JSON");
    }
    Ok(())
}

/// What is wrong with schemas that nothing can be judged by, each once.
fn unusable(api: &Api) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for operation in &api.operations {
        let parameters = operation.parameters.iter().map(|parameter| &parameter.schema);
        let body = operation.body.iter().flat_map(|body| &body.content);
        let answers = operation.responses.iter().flat_map(|response| &response.content);
        let json = body.chain(answers).filter(|content| content.is_json());
        for pointer in parameters.chain(json.filter_map(|content| content.schema.as_ref())) {
            if let Err(unsupported) = Schema::new(&api.document, pointer) {
                let said = format!("{}: {unsupported}", operation.key);
                if !found
                    .iter()
                    .any(|other| other.ends_with(&unsupported.to_string()))
                {
                    found.push(said);
                }
            }
        }
    }
    found
}
