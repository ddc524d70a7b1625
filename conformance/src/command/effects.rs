//! Where the effects of rules can be seen.

use std::net::{IpAddr, SocketAddr};

use clap::Args;

/// Where the effects of rules can be seen.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct EffectArguments {
    /// The platform's name server (port 53 unless it is given): look whether DNS rules resolve while they are active
    #[arg(long, value_name = "ADDR", value_parser = server)]
    pub(super) dns: Option<SocketAddr>,
    /// A command that sees what a traffic rule does: gets the rule as JSON on standard input and `active` or `inactive`
    /// as last argument; exit status 0 its effect is seen, 1 it is not, others it can't tell
    #[arg(long, value_name = "COMMAND")]
    pub(super) probe: Option<String>,
}

pub(super) fn server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    bare.or_else(|_| text.parse())
        .map_err(|_| "it has the form 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53".to_owned())
}
