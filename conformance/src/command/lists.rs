//! `profiles`, `checks` and `explain`.

use anyhow::Context as _;

use super::{Exit, print};
use crate::{checks, profile};

/// Every profile with its APIs.
pub(super) fn profiles() -> anyhow::Result<Exit> {
    let lines: Vec<_> = profile::profiles()
        .iter()
        .map(|profile| {
            format!(
                "{:<16} {}",
                profile.id,
                profile.documents().collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    print(&lines.join("\n"))?;
    Ok(Exit::Conforms)
}

/// Every check in one line.
pub(super) fn checks() -> anyhow::Result<Exit> {
    let lines: Vec<_> = checks::all()
        .iter()
        .map(|check| {
            format!(
                "{:<26} {:<10} {:<8} {}",
                check.id,
                check.group.as_str(),
                check.severity.as_str(),
                check.title
            )
        })
        .collect();
    print(&lines.join("\n"))?;
    Ok(Exit::Conforms)
}

/// One check in full.
pub(super) fn explain(id: &str) -> anyhow::Result<Exit> {
    let check = checks::find(id)
        .with_context(|| format!("there is no check \"{id}\"; `mec-conformance checks` lists them"))?;
    let sources: Vec<_> = check
        .references()
        .iter()
        .map(|reference| {
            let url = reference
                .url
                .as_deref()
                .map(|url| format!(" <{url}>"))
                .unwrap_or_default();
            format!("  {} {}{url}", reference.document, reference.place)
                .trim_end()
                .to_owned()
        })
        .collect();
    print(&format!(
        "{} ({}, {})\n\n{}.\n\n{}\n\nRests on:\n{}",
        check.id,
        check.group.as_str(),
        check.severity.as_str(),
        check.title,
        check.explanation,
        sources.join("\n")
    ))?;
    Ok(Exit::Conforms)
}
