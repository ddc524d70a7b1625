//! Emits `Cargo.toml` and ETSI's licence notice.

use super::Packaging;
use super::types::standard;
use crate::model::Api;

/// ETSI's notice (SPDX BSD-3-Clause), which the repaired document must carry because it derives from ETSI's.
pub(super) const ETSI_LICENSE: &str = include_str!("etsi_license.txt");

/// The manifest of the crate.
pub(super) fn manifest(api: &Api, packaging: &Packaging) -> String {
    let description = standard(api).replace('\\', "").replace('"', "'");
    let banner = super::source::banner(api).replacen("//", "#", 1);
    let license = match api.is_etsi {
        true => "Apache-2.0 AND BSD-3-Clause",
        false => "Apache-2.0",
    };
    let (package, runtime, serde, lints) = match packaging {
        Packaging::Workspace => (
            "version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\nrepository.workspace = true\npublish.workspace = true\n".to_owned(),
            "mecforge-runtime.workspace = true".to_owned(),
            "serde.workspace = true".to_owned(),
            "\n[lints]\nworkspace = true\n".to_owned(),
        ),
        Packaging::Standalone { runtime } => (
            "version = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\n".to_owned(),
            format!("mecforge-runtime = {{ path = {runtime:?} }}"),
            "serde = { version = \"1\", features = [\"derive\"] }".to_owned(),
            "\n[workspace]\n".to_owned(),
        ),
    };
    let features = ["server", "client", "callbacks", "arbitrary"];
    let features = features
        .map(|feature| format!("{feature} = [\"mecforge-runtime/{feature}\"]"))
        .join("\n");
    format!(
        r#"{banner}[package]
name = "{name}"
description = "{description}: types, server, client and callbacks"
license = "{license}"
{package}
[features]
default = []
{features}

[dependencies]
{runtime}
{serde}
{lints}"#,
        name = api.crate_name
    )
}
