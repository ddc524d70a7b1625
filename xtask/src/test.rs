//! `cargo xtask test`: everything that the tests need, then the tests.

use std::process::Command;

use anyhow::{Context, bail};

use crate::documents;
use crate::manifest::Manifest;
use crate::pull;
use crate::workspace::Workspace;

/// Installs what the tests need, then runs all of them
///
/// Programs come through apt where this runs as root, else one line to run is printed. Documents come from
/// etsi-specs/documents, else from ../shared/etsi-forge, else from the forge.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Passed on to `cargo test`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    cargo: Vec<String>,
}

/// A program that tests run.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

/// The programs that tests run, beside cargo.
const TOOLS: [Tool; 8] = [
    Tool {
        program: "chromium",
        package: "chromium",
        purpose: "looks at the explorer and the console",
    },
    Tool {
        program: "dig",
        package: "bind9-dnsutils",
        purpose: "asks the name server",
    },
    Tool {
        program: "ip",
        package: "iproute2",
        purpose: "makes network namespaces",
    },
    Tool {
        program: "nft",
        package: "nftables",
        purpose: "puts traffic rules in the kernel",
    },
    Tool {
        program: "ping",
        package: "iputils-ping",
        purpose: "sends packets through network namespaces",
    },
    Tool {
        program: "nc",
        package: "netcat-openbsd",
        purpose: "sends packets through network namespaces",
    },
    Tool {
        program: "python3",
        package: "python3",
        purpose: "sends packets through network namespaces",
    },
    Tool {
        program: "setpriv",
        package: "util-linux",
        purpose: "takes privileges away from the data plane",
    },
];

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    install_tools()?;
    let releases = Manifest::load(workspace)?.all();
    if !documents::has_all(workspace, &releases) {
        eprintln!("some of ETSI's documents are not on this machine: pulling them");
        pull::run(workspace, &pull::Arguments::everything())?;
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["test", "--workspace", "--all-features"])
        .args(&arguments.cargo)
        .current_dir(workspace.root());
    run_to_end(&mut cargo)
}

fn install_tools() -> anyhow::Result<()> {
    let missing: Vec<_> = TOOLS.iter().filter(|tool| !is_installed(tool.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        eprintln!("{} is not installed; it {}", tool.program, tool.purpose);
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    if !is_root() || !is_installed("apt-get") {
        let packages = packages.join(" ");
        bail!("run this, then `cargo xtask test` again: sudo apt-get install --yes {packages}");
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
        apt
    };
    run_to_end(apt().arg("update"))?;
    run_to_end(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&packages),
    )
}

/// True where a directory of PATH has the program.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian keeps `ip` and `nft`, and where the PATH of others than root does not look.
    let system = ["/usr/sbin", "/sbin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .any(|directory| directory.join(program).is_file())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Runs a command whose output is the caller's; an error where it fails.
fn run_to_end(command: &mut Command) -> anyhow::Result<()> {
    let told = format!("{command:?}").replace('"', "");
    eprintln!("$ {told}");
    let status = command.status().with_context(|| format!("cannot run {told}"))?;
    anyhow::ensure!(status.success(), "{told} failed ({status})");
    Ok(())
}
