//! Where notifications are received, and how long is waited for them and for what ends with time.

use std::time::Duration;

use anyhow::bail;
use clap::Args;

use crate::suite::{Clock, Options, Suite};

/// Where notifications are received, and how long things may take.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ReceiverArguments {
    /// Where notifications are received, host:port [default: a free port where the target reaches this machine]
    #[arg(long, value_name = "ADDR")]
    callback_listen: Option<String>,
    /// How the target sees --callback-listen, for example http://suite.example:9000
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// How long a notification may take [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    patience: Option<Duration>,
    /// How long one case waits for what ends with time, such as heartbeats and deadlines [default: 20s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    clock: Option<Duration>,
}

impl ReceiverArguments {
    /// As options; the others have their defaults.
    pub(super) fn options(&self) -> Options {
        let standard = Clock::default();
        Options {
            clock: Clock {
                notification: self.patience.unwrap_or(standard.notification),
                expiry: self.clock.unwrap_or(standard.expiry),
            },
            callback_listen: self.callback_listen.clone(),
            callback_url: self.callback_url.clone(),
            ..Options::default()
        }
    }

    /// Opens the receiver. Where the user has said nothing, one that can't be opened is no error.
    pub(super) async fn listen(&self, suite: &Suite) -> anyhow::Result<()> {
        if suite.options.read_only {
            return Ok(());
        }
        match suite.listen().await {
            Err(reason) if self.callback_listen.is_some() || self.callback_url.is_some() => bail!("{reason}"),
            _ => Ok(()),
        }
    }
}
