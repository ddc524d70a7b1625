//! The arguments of the `mep-agent` program.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Parser;

/// Registers services with a MEC platform for an application that can't be changed, and keeps them registered
#[derive(Debug, Parser)]
#[command(
    name = "mep-agent",
    version,
    after_help = "SIGHUP reads the file again; SIGTERM and SIGINT remove what was registered and end.\n\
                  The file and the environment variables of EdgeGallery's mep-agent work as well: APPINSTID, \
                  MEP_IP, MEP_APIGW_PORT; AK and SK have no use until the platform asks for tokens.\n\
                  Exit codes: 0 stopped, 1 failed, 2 the arguments or the file are wrong."
)]
pub(crate) struct Arguments {
    /// The file: TOML if its name ends in .toml, else YAML [default: mep-agent.yaml, mep-agent.toml or
    /// conf/app_instance_info.yaml, whichever is there]
    #[arg(long, short, value_name = "FILE", env = "MEP_AGENT_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The platform's address, instead of the file's
    #[arg(long, value_name = "URL", env = "MEP_URL")]
    pub(crate) url: Option<String>,
    /// Where the application is answered, or off, instead of the file's
    #[arg(long, value_name = "ADDRESS", env = "MEP_AGENT_LISTEN")]
    pub(crate) listen: Option<String>,
    /// Only say whether the file is in order
    #[arg(long)]
    pub(crate) check: bool,
    /// What is logged, for example debug or mep_agent=debug
    #[arg(long, value_name = "FILTER", env = "MEP_AGENT_LOG", default_value = "info")]
    pub(crate) log: String,
    /// Log one JSON object a line
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// The file that is read unless one is named.
pub(crate) fn default_file() -> Result<PathBuf> {
    let names = ["mep-agent.yaml", "mep-agent.toml", "conf/app_instance_info.yaml"];
    match names.iter().map(Path::new).find(|path| path.exists()) {
        Some(path) => Ok(path.to_owned()),
        None => bail!("there is none of {}: name a file with --config", names.join(", ")),
    }
}
