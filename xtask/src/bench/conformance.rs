//! The conformance suite beside Schemathesis: cases a second, memory, what each finds of known faults and how soon.

use std::process::Command;

use super::{cargo, measure, target};
use crate::mutants;
use crate::workspace::Workspace;

/// Takes the figures and prints them.
pub(super) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    measure::run_to_end(mutants::programs(&mut cargo(workspace)))?;
    let programs = target(workspace).join("release");
    let other = workspace.path("conformance/mutants/schemathesis.sh");
    println!("## Conformance\n");
    measure::run_to_end(
        Command::new(programs.join("mutants"))
            .args(["compare", "--sample", "30", "--time", "60s", "--mep"])
            .arg(programs.join("mep"))
            .arg("--suite")
            .arg(programs.join("mec-conformance"))
            .arg("--other")
            .arg(format!("{} {{target}} {{directory}} 60", other.display())),
    )
}
