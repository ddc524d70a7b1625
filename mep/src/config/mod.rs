//! The configuration: flags over environment over file over defaults.

mod environment;
mod file;
mod keys;
mod sections;
mod settings;

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;

pub use sections::{
    CallbackTargets, DataPlaneBackend, DataPlaneSettings, DnsSettings, Forward, LivenessSettings,
    ManagementSettings, NotificationSettings,
};
pub use settings::{DeclaredApplication, Limits, LogFormat, LogSettings, Settings};

/// A MEC platform on this machine: Mp1 over HTTP, with everything in one data directory.
///
/// Every key of the configuration file can also be set by an environment variable: MEP_ and the key in capitals, with
/// _ between its parts (MEP_LOG_FORMAT=json). Flags win over variables, variables over the file.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "mep", version, max_term_width = 100)]
pub struct Arguments {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Directory of the store, created if need be [default: ./mep-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Addresses and ports of the name server, separated by commas, or `off` [default: 127.0.0.1:5300]
    #[arg(long, value_name = "ADDR")]
    pub dns_listen: Option<String>,
    /// What puts traffic rules in force [default: nftables]
    #[arg(long, value_name = "BACKEND")]
    pub dataplane: Option<DataPlaneBackend>,
    /// Configuration file (TOML) [also: MEP_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Settings {
    /// Puts the settings together from all sources.
    ///
    /// # Errors
    /// One sentence that names the source (with file and line) and, for an unknown key, the nearest known one.
    pub fn load(arguments: &Arguments, variables: &BTreeMap<String, String>) -> Result<Self> {
        let path = arguments
            .config
            .clone()
            .or_else(|| variables.get("MEP_CONFIG").map(PathBuf::from));
        let mut table = path.as_deref().map(file::read).transpose()?.unwrap_or_default();
        environment::apply(&mut table, variables)?;
        let mut settings: Self = table.try_into().context("the environment variables do not fit")?;
        if let Some(listen) = &arguments.listen {
            settings.listen.clone_from(listen);
        }
        if let Some(data_dir) = &arguments.data_dir {
            settings.data_dir.clone_from(data_dir);
        }
        if let Some(listen) = &arguments.dns_listen {
            settings.dns.listen.clone_from(listen);
        }
        if let Some(backend) = arguments.dataplane {
            settings.dataplane.backend = backend;
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        if let Some(url) = &self.public_url {
            check_public_url(url)?;
        }
        if self.limits.header_bytes < 8 * 1024 {
            bail!(
                "limits.header_bytes must be at least 8192, which is {} now",
                self.limits.header_bytes
            );
        }
        for (name, value) in [
            ("body_bytes", self.limits.body_bytes as u64),
            ("connections", self.limits.connections as u64),
            ("header_seconds", self.limits.header_seconds),
            ("request_seconds", self.limits.request_seconds),
        ] {
            if value == 0 {
                bail!("limits.{name} must be at least 1");
            }
        }
        self.liveness.check()?;
        self.dns.addresses()?;
        self.dns.upstreams()?;
        let mut identifiers = std::collections::BTreeSet::new();
        for application in &self.applications {
            if application.app_instance_id.is_empty() || application.app_name.is_empty() {
                bail!("an application in the configuration needs both app_instance_id and app_name");
            }
            if !identifiers.insert(&application.app_instance_id) {
                bail!(
                    "the application instance {:?} is declared twice",
                    application.app_instance_id
                );
            }
        }
        Ok(())
    }

    /// The address to listen on, if it is one that only this machine reaches.
    ///
    /// # Errors
    /// Why the address cannot be used.
    pub fn address(&self) -> Result<SocketAddr> {
        let found = self.listen.to_socket_addrs();
        let addresses: Vec<_> = found.with_context(|| not_an_address(&self.listen))?.collect();
        let Some(first) = addresses.first() else {
            bail!(not_an_address(&self.listen))
        };
        if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback()) {
            bail!(
                "{open} can be reached from other machines, and this platform has neither TLS nor authentication yet: \
                 whoever reaches it could register and delete services of any application; listen on a loopback \
                 address (127.0.0.1 or [::1]) and put a reverse proxy that authenticates in front of it"
            );
        }
        Ok(*first)
    }
}

fn not_an_address(listen: &str) -> String {
    format!("cannot listen on {listen:?}: not an address and port such as 127.0.0.1:8080")
}

fn check_public_url(url: &str) -> Result<()> {
    let uri: http::Uri = url
        .parse()
        .with_context(|| format!("public_url {url:?} is not a URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https"))
        || uri.authority().is_none()
        || uri.query().is_some()
    {
        bail!("public_url {url:?} must be http:// or https:// with a host, and no query");
    }
    Ok(())
}
