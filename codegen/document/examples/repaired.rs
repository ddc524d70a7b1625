//! Prints a document as the stages leave it: JSON on stdout, findings and diagnostics on stderr.
//!
//! `cargo run -p mecforge-document --example repaired -- [--raw] [--root DIR] FILE [OVERLAY…]`; `--raw` stops after
//! `repair`, which shows the document that an overlay's targets address; `--root` is the directory that `FILE` is
//! below, and all files that it refers to (by default the file's own).

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use mecforge_document::{Diagnostic, Document, Finding, Pointer, load, prepare, repair, upgrade};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let raw = arguments.iter().position(|argument| argument == "--raw");
    if let Some(index) = raw {
        arguments.remove(index);
    }
    let root = arguments.iter().position(|argument| argument == "--root");
    let root = root.filter(|index| index + 1 < arguments.len()).map(|index| {
        arguments.remove(index);
        arguments.remove(index)
    });
    let mut err = std::io::stderr();
    let Some((file, overlays)) = arguments.split_first() else {
        let _ = writeln!(err, "usage: repaired [--raw] [--root DIR] FILE [OVERLAY…]");
        return ExitCode::from(2);
    };
    match run(root.as_deref(), file, overlays, raw.is_some()) {
        Ok((document, findings)) => {
            for finding in findings {
                let _ = writeln!(err, "{}{finding}", if finding.widened { "widened: " } else { "" });
            }
            let json = serde_json::to_string_pretty(&document.root).unwrap_or_default();
            let _ = writeln!(std::io::stdout(), "{json}");
            ExitCode::SUCCESS
        }
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                let _ = writeln!(err, "error: {diagnostic}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(
    root: Option<&str>,
    file: &str,
    overlays: &[String],
    raw: bool,
) -> Result<(Document, Vec<Finding>), Vec<Diagnostic>> {
    let path = Path::new(file);
    let directory = root.map(Path::new).or(path.parent()).unwrap_or(Path::new(""));
    let source = |relative: &str| text(&directory.join(relative));
    let own = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = if root.is_some() { file.to_owned() } else { own };
    let mut document = load::load(&source, &name)?;
    if raw {
        let mut findings = upgrade::upgrade(&mut document)?;
        findings.append(&mut repair::repair(&mut document));
        return Ok((document, findings));
    }
    let overlays: Vec<Document> = overlays
        .iter()
        .map(|name| overlay(name))
        .collect::<Result<_, _>>()?;
    prepare(document, &overlays, false)
}

fn overlay(name: &str) -> Result<Document, Vec<Diagnostic>> {
    match text(Path::new(name)) {
        Ok(text) => load::load_text(name, &text),
        Err(message) => Err(vec![Diagnostic {
            file: name.to_owned(),
            line: 0,
            column: 0,
            pointer: Pointer::root(),
            message,
            help: String::new(),
        }]),
    }
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}
