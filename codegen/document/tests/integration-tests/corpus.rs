//! ETSI's own documents, all that are there: each loads, and each becomes OpenAPI 3.1.

use std::path::{Path, PathBuf};

use mecforge_document::{Document, Node, Pointer, Value, load, upgrade};

use crate::load::list;

/// The directory that has ETSI's documents, in the layout of the forge.
pub(crate) fn directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("MECFORGE_ETSI_MIRROR").map(PathBuf::from);
    let candidates = [
        named,
        Some(workspace.join("etsi-specs/documents")),
        Some(workspace.join("../shared/etsi-forge")),
    ];
    let found = candidates
        .iter()
        .flatten()
        .find(|directory| directory.join("mec").is_dir());
    found.cloned().unwrap_or_else(|| {
        panic!(
            "ETSI's documents are not here: run `cargo xtask pull`, or set MECFORGE_ETSI_MIRROR to a directory \
             in the layout of the forge (looked into {candidates:?})"
        )
    })
}

/// The documents below `directory`: the YAML files that say so in a line of their own.
pub(crate) fn documents(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                if text
                    .lines()
                    .any(|line| line.starts_with("openapi:") || line.starts_with("swagger:"))
                {
                    let path = path.strip_prefix(directory).unwrap();
                    found.push(path.to_str().unwrap().replace('\\', "/"));
                }
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn load_document(directory: &Path, path: &str) -> Document {
    let source =
        |path: &str| std::fs::read_to_string(directory.join(path)).map_err(|error| error.to_string());
    load::load(&source, path).unwrap_or_else(|faults| panic!("{}", list(&faults)))
}

/// Shows `visit` every node, whatever it is.
fn every_node<'node>(node: &'node Node, pointer: &Pointer, visit: &mut dyn FnMut(&Pointer, &'node Node)) {
    visit(pointer, node);
    match &node.value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(key, member)| every_node(member, &pointer.child(key), visit));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| every_node(item, &pointer.index(index), visit));
        }
        _ => {}
    }
}

#[test]
fn every_document_loads_and_becomes_openapi_3_1() {
    let directory = directory();
    let documents = documents(&directory);
    assert!(
        documents.len() >= 17,
        "only {documents:?} in {}",
        directory.display()
    );
    for path in documents {
        let mut document = load_document(&directory, &path);
        let operations = count_operations(&document);
        assert!(operations > 0, "{path} has no operations");
        upgrade::upgrade(&mut document).unwrap_or_else(|faults| panic!("{}", list(&faults)));
        assert_eq!(document.root.str_at("openapi"), Some("3.1.0"), "{path}");
        assert_eq!(
            count_operations(&document),
            operations,
            "{path} has lost operations"
        );
        check_references(&document, &path);
    }
}

/// Every reference is to a component, and the component is there.
fn check_references(document: &Document, path: &str) {
    every_node(&document.root, &Pointer::root(), &mut |pointer, node| {
        let Some(target) = node.ref_target() else { return };
        assert!(target.starts_with("#/components/"), "{path}#{pointer}: {target}");
        let resolved = document
            .resolve(node)
            .unwrap_or_else(|| panic!("{path}#{pointer}: {target}"));
        assert!(resolved.as_object().is_some(), "{path}#{pointer}: {target}");
        assert_ne!(document.file_of(node.origin), "", "{path}#{pointer} has no place");
    });
}

fn count_operations(document: &Document) -> usize {
    let methods = [
        "get", "put", "post", "delete", "options", "head", "patch", "trace",
    ];
    let paths = document
        .root
        .get("paths")
        .and_then(Node::as_object)
        .into_iter()
        .flatten();
    paths
        .flat_map(|(_, item)| methods.iter().filter(|method| item.get(method).is_some()))
        .count()
}
