//! A Cargo manifest that stands by itself, from one that inherits from the workspace.

use anyhow::Context;
use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

/// The tables in which a manifest names what it is built with.
const DEPENDENCIES: [&str; 2] = ["dependencies", "build-dependencies"];

/// Replaces what `manifest` inherits by what `workspace` (the root manifest's text) has for it.
///
/// Dependencies named in `paths` become paths. What only the project's own tests and lints need is dropped.
pub(crate) fn manifest(manifest: &str, workspace: &str, paths: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut manifest: DocumentMut = manifest.parse().context("the crate's manifest is not TOML")?;
    let workspace: DocumentMut = workspace
        .parse()
        .context("the workspace's manifest is not TOML")?;
    let inherited = workspace
        .get("workspace")
        .context("the workspace's manifest has no [workspace]")?;
    for dropped in ["lints", "dev-dependencies", "test", "bench", "example"] {
        manifest.remove(dropped);
    }
    if let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) {
        inherit_package(package, inherited.get("package"))?;
    }
    for table in DEPENDENCIES {
        if let Some(table) = manifest.get_mut(table).and_then(Item::as_table_like_mut) {
            inherit_dependencies(table, inherited.get("dependencies"), paths)?;
        }
    }
    Ok(manifest.to_string())
}

fn inherits(item: &Item) -> bool {
    item.get("workspace").and_then(Item::as_bool) == Some(true)
}

fn inherit_package(package: &mut dyn TableLike, inherited: Option<&Item>) -> anyhow::Result<()> {
    for (key, item) in package.iter_mut() {
        if inherits(item) {
            let value = inherited.and_then(|inherited| inherited.get(key.get()));
            let value = value.with_context(|| format!("the workspace has no package.{}", key.get()))?;
            *item = value.clone();
        }
    }
    Ok(())
}

fn inherit_dependencies(
    dependencies: &mut dyn TableLike,
    inherited: Option<&Item>,
    paths: &[(&str, &str)],
) -> anyhow::Result<()> {
    for (key, item) in dependencies.iter_mut() {
        let name = key.get();
        let path = paths
            .iter()
            .find(|(dependency, _)| *dependency == name)
            .map(|(_, path)| *path);
        let own = specification(item);
        let mut merged = match path {
            Some(path) => InlineTable::from_iter([("path", path)]),
            None if inherits(item) => {
                let item = inherited.and_then(|inherited| inherited.get(name));
                specification(item.with_context(|| format!("the workspace has no dependency {name}"))?)
            }
            None => continue,
        };
        merge(&mut merged, &own);
        *item = Item::Value(Value::InlineTable(merged));
    }
    Ok(())
}

/// A dependency in its long form.
fn specification(item: &Item) -> InlineTable {
    match item.as_str() {
        Some(version) => InlineTable::from_iter([("version", version)]),
        None => item.as_table_like().map_or_else(InlineTable::new, |table| {
            table
                .iter()
                .filter_map(|(key, item)| Some((key, item.as_value()?.clone())))
                .collect()
        }),
    }
}

/// Adds a crate's own wishes to what the workspace has: features add up, the rest replaces.
fn merge(merged: &mut InlineTable, own: &InlineTable) {
    for (key, value) in own
        .iter()
        .filter(|(key, _)| !matches!(*key, "workspace" | "path" | "version"))
    {
        match merged.get_mut(key).and_then(Value::as_array_mut) {
            Some(features) => {
                for feature in value.as_array().into_iter().flatten() {
                    let present = features
                        .iter()
                        .any(|present| present.as_str() == feature.as_str());
                    if !present {
                        features.push_formatted(feature.clone());
                    }
                }
            }
            None => drop(merged.insert(key, value.clone())),
        }
    }
    merged.fmt();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    const WORKSPACE: &str = r#"
[workspace.package]
version = "0.1.0"
edition = "2024"

[workspace.dependencies]
runtime = { path = "codegen/runtime" }
serde = { version = "1", features = ["derive"] }
bytes = "1"
"#;

    #[test]
    fn resolves_what_is_inherited() {
        let manifest = r#"# A comment.
[package]
name = "x"
version.workspace = true
edition.workspace = true

[features]
server = ["runtime/server"]

[dependencies]
bytes.workspace = true
runtime = { workspace = true, features = ["a"] }
serde = { workspace = true, features = ["derive", "rc"], optional = true }
http = "1"

[dev-dependencies]
bytes.workspace = true

[lints]
workspace = true
"#;
        let expected = r#"# A comment.
[package]
name = "x"
version = "0.1.0"
edition = "2024"

[features]
server = ["runtime/server"]

[dependencies]
bytes = { version = "1" }
runtime = { path = "runtime", features = ["a"] }
serde = { version = "1", features = ["derive", "rc"], optional = true }
http = "1"
"#;
        let resolved = super::manifest(manifest, WORKSPACE, &[("runtime", "runtime")]).unwrap();
        assert_eq!(resolved, expected);
    }

    #[test]
    fn names_what_the_workspace_lacks() {
        let error = super::manifest("[dependencies]\nx.workspace = true\n", WORKSPACE, &[]).unwrap_err();
        assert_eq!(error.to_string(), "the workspace has no dependency x");
    }
}
