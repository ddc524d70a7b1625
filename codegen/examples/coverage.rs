//! tmp
use mecforge_codegen::{coverage, model::{Options, lower}};
fn main() {
    let root = std::path::PathBuf::from("/work/shared/etsi-forge");
    let manifest = std::fs::read_to_string("/work/main/etsi-specs/manifest.toml").unwrap();
    let _ = manifest;
    let mut rows = vec![];
    for line in std::fs::read_to_string("/tmp/coverage-docs.txt").unwrap().lines() {
        let (id, path) = line.split_once(' ').unwrap();
        let source = |path: &str| std::fs::read_to_string(root.join(path)).map_err(|error| error.to_string());
        let raw = mecforge_document::load::load(&source, path).unwrap();
        let o = format!("/work/main/etsi-specs/overlays/{id}.yaml");
        let overlays = vec![mecforge_document::load::load_text(&o, &std::fs::read_to_string(&o).unwrap()).unwrap()];
        let (settled, findings) = mecforge_document::prepare(raw.clone(), &overlays, false).unwrap();
        let api = lower(&settled, &Options { id: id.into(), crate_name: id.into(), source: path.into(), prose: false }).unwrap();
        rows.push(coverage::Row::new(id, &raw, &findings, &settled, &api));
    }
    print!("{}", coverage::markdown(&rows));
}
