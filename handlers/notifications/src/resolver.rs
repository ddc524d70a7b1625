//! Names become addresses once, the policy judges these, and no others are connected to: a name that has another
//! address a moment later (DNS rebinding) leads nowhere.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::policy::Policy;

/// The addresses of a name, when they are known.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of names.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, name: &str) -> Addresses;
}

/// Asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> Addresses {
        let name = name.to_owned();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// The ports at which hosts are being called: a resolver is told names only, but rules may tell ports apart.
#[derive(Debug, Default)]
pub(crate) struct Ports(Mutex<HashMap<String, HashMap<u16, usize>>>);

/// Says that a host is being called, as long as it lives.
#[derive(Debug)]
pub(crate) struct Calling {
    ports: Arc<Ports>,
    host: String,
    port: u16,
}

impl Ports {
    pub(crate) fn calling(self: &Arc<Self>, host: &str, port: u16) -> Calling {
        let host = host.to_ascii_lowercase();
        *self
            .lock()
            .entry(host.clone())
            .or_default()
            .entry(port)
            .or_default() += 1;
        Calling {
            ports: self.clone(),
            host,
            port,
        }
    }

    fn of(&self, host: &str) -> Vec<u16> {
        let ports = self.lock();
        ports
            .get(host)
            .map(|ports| ports.keys().copied().collect())
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashMap<u16, usize>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        let mut hosts = self.ports.lock();
        let Some(ports) = hosts.get_mut(&self.host) else {
            return;
        };
        if let Some(count) = ports.get_mut(&self.port) {
            *count -= 1;
            if *count == 0 {
                ports.remove(&self.port);
            }
        }
        if ports.is_empty() {
            hosts.remove(&self.host);
        }
    }
}

/// None of the addresses of a name may be called.
#[derive(Debug, thiserror::Error)]
#[error("{name} must not be called: {reason}")]
struct Refused {
    name: String,
    reason: String,
}

/// Gives the HTTP client only addresses that the policy allows, at every port at which the host is being called.
pub(crate) struct CheckedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) ports: Arc<Ports>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let addresses = self.lookup.lookup(&name);
        let ports = self.ports.of(&name);
        let policy = self.policy.clone();
        Box::pin(async move {
            let addresses = addresses.await?;
            let mut reason = "it has no address".to_owned();
            let mut allowed = Vec::new();
            for address in addresses {
                match judge(&policy, &name, address, &ports) {
                    Ok(()) => allowed.push(SocketAddr::new(address, 0)),
                    Err(why) => reason = why,
                }
            }
            if allowed.is_empty() {
                return Err(Refused { name, reason }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn judge(policy: &Policy, name: &str, address: IpAddr, ports: &[u16]) -> Result<(), String> {
    if ports.is_empty() {
        return Err("nobody calls it any more".to_owned());
    }
    ports
        .iter()
        .try_for_each(|port| policy.check_address(Some(name), address, *port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    struct Fixed(&'static [&'static str]);

    impl Lookup for Fixed {
        fn lookup(&self, _: &str) -> Addresses {
            let addresses = self.0.iter().map(|address| address.parse().unwrap()).collect();
            Box::pin(async move { Ok(addresses) })
        }
    }

    #[tokio::test]
    async fn only_addresses_that_are_allowed_at_every_port_are_given() {
        let ports = Arc::new(Ports::default());
        let resolver = CheckedResolver {
            lookup: Arc::new(Fixed(&["10.0.0.1", "10.0.0.2"])),
            policy: Arc::new(Policy {
                deny: vec!["10.0.0.1:22".parse().unwrap(), "10.0.0.2:23".parse().unwrap()],
                ..Policy::default()
            }),
            ports: ports.clone(),
        };
        let resolve = || async {
            match resolver.resolve("Name".parse().unwrap()).await {
                Ok(addresses) => Ok(addresses
                    .map(|address| address.ip().to_string())
                    .collect::<Vec<_>>()),
                Err(error) => Err(error.to_string()),
            }
        };
        let nobody = "name must not be called: nobody calls it any more".to_owned();
        assert_eq!(resolve().await, Err(nobody.clone()));
        let web = ports.calling("NAME", 80);
        assert_eq!(resolve().await.unwrap(), ["10.0.0.1", "10.0.0.2"]);
        let shell = ports.calling("name", 22);
        assert_eq!(resolve().await.unwrap(), ["10.0.0.2"]);
        let telnet = ports.calling("name", 23);
        assert_eq!(
            resolve().await,
            Err("name must not be called: 10.0.0.2 is denied".to_owned())
        );
        drop((shell, telnet));
        assert_eq!(resolve().await.unwrap().len(), 2);
        drop(web);
        assert_eq!(resolve().await, Err(nobody));
    }
}
