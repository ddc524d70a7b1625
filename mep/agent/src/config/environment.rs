//! The environment variables that the agent heeds, its own and those of EdgeGallery's mep-agent.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// Environment variables, by name.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process that the agent heeds.
    #[must_use]
    pub fn of_process() -> Self {
        let names = ["MEP_URL", "MEP_IP", "MEP_APIGW_PORT", "APPINSTID"];
        let values = names
            .into_iter()
            .filter_map(|name| Some((name, std::env::var(name).ok()?)));
        values.collect()
    }

    /// Sets a variable, for example from the command line.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// The identifier of the application instance: `APPINSTID`.
    pub(super) fn app_instance_id(&self) -> Option<String> {
        self.get("APPINSTID").map(str::to_owned)
    }

    /// The platform's address: `MEP_URL`, or `http://MEP_IP:MEP_APIGW_PORT`.
    pub(super) fn url(&self) -> Result<Option<String>> {
        if let Some(url) = self.get("MEP_URL") {
            return Ok(Some(url.to_owned()));
        }
        match (self.get("MEP_IP"), self.get("MEP_APIGW_PORT")) {
            (Some(host), Some(port)) => address(host, port).map(Some),
            (Some(_), None) => bail!("MEP_IP is set, but MEP_APIGW_PORT is not"),
            (None, Some(_)) => bail!("MEP_APIGW_PORT is set, but MEP_IP is not"),
            (None, None) => Ok(None),
        }
    }
}

impl FromIterator<(&'static str, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (&'static str, String)>>(variables: T) -> Self {
        let variables = variables.into_iter();
        Self(variables.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// The address of a host and port, the host being a name or an IP address.
pub(super) fn address(host: &str, port: &str) -> Result<String> {
    let Ok(number) = port.parse::<u16>() else {
        bail!("{port:?} is no port: 1 to 65535");
    };
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => Ok(format!("http://[{address}]:{number}")),
        Err(_) => Ok(format!("http://{host}:{number}")),
    }
}
