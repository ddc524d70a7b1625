//! Generates a crate from document files: `crate NAME OUT FILE [OVERLAY…]`, for looking at the generator's output.

use std::path::Path;

use mecforge_codegen::emit::{Packaging, generate};
use mecforge_codegen::model::{Options, lower};
use mecforge_document::load::load_text;

#[allow(clippy::print_stderr, reason = "an example talks to its user")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [name, out, file, overlays @ ..] = arguments.as_slice() else {
        return Err("usage: crate NAME OUT FILE [OVERLAY…]".into());
    };
    let print = |diagnostics: Vec<mecforge_document::Diagnostic>| {
        diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
        "the document can't be used"
    };
    struct Files(std::path::PathBuf);
    impl mecforge_document::load::Source for Files {
        fn read(&self, path: &str) -> Result<String, String> {
            std::fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())
        }
    }
    let (folder, name_of_file) = file.rsplit_once('/').unwrap_or((".", file));
    let document = mecforge_document::load::load(&Files(folder.into()), name_of_file).map_err(print)?;
    let overlays = overlays
        .iter()
        .map(|path| load_text(path, &std::fs::read_to_string(path).unwrap_or_default()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(print)?;
    let (document, _findings) = mecforge_document::prepare(document, &overlays, false).map_err(print)?;
    let options = Options { crate_name: name.clone(), source: file.clone(), prose: false };
    let api = lower(&document, &options).map_err(print)?;
    for operation in &api.operations {
        eprintln!("{:7}{:60}{}", operation.method.as_str(), operation.path, operation.name);
    }
    for file in generate(&api, &Packaging::Workspace)? {
        let path = Path::new(out).join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, file.contents)?;
    }
    Ok(())
}
