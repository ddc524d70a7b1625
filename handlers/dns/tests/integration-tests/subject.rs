//! A name server under test, on a store of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use mec011_app_support::{DnsRule, DnsRuleIpAddressType, DnsRuleState};
use mecforge_contracts::rules::{DnsRules, RuleChange};
use mecforge_dns::{NameServer, Options, Running};
use mecforge_store::{Embedded, Revision, Store, Transaction};

use crate::dig::{Answer, dig};

/// A running name server.
pub(crate) struct Subject {
    pub(crate) server: Arc<NameServer>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) running: Option<Running>,
    pub(crate) directory: Arc<tempfile::TempDir>,
}

/// Options for tests: any port of 127.0.0.1.
pub(crate) fn options() -> Options {
    Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Options::default()
    }
}

/// Options for tests that need a port again: any port of an address that nothing else uses, so that no other test,
/// and no client's port, is in the way.
pub(crate) fn options_apart(last: u8) -> Options {
    Options {
        listen: vec![SocketAddr::from(([127, 0, 53, last], 0))],
        ..options()
    }
}

impl Subject {
    pub(crate) async fn start() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), options).await
    }

    pub(crate) async fn on(directory: Arc<tempfile::TempDir>, options: Options) -> Self {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let server = NameServer::new(&store, options);
        let running = server.bind().await.unwrap();
        Self {
            server,
            store,
            running: Some(running),
            directory,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().addresses()[0]
    }

    /// Asks with `dig`: `question` is what follows the server and the port on its command line.
    #[track_caller]
    pub(crate) fn dig(&self, question: &str) -> Answer {
        dig(self.address(), question)
    }

    /// Changes rules, as a handler that has nothing else to change.
    pub(crate) async fn change(&self, application: &str, change: RuleChange<DnsRule>) -> Revision {
        let transaction = self
            .server
            .stage(application, change, Transaction::new())
            .unwrap();
        self.store.commit(transaction).await.unwrap()
    }

    /// Sets an active rule.
    pub(crate) async fn activate(&self, application: &str, id: &str, name: &str, address: &str, ttl: u64) {
        let rule = rule(id, name, address).ttl(ttl);
        self.change(application, RuleChange::Set(rule)).await;
    }
}

/// An active rule without TTL, for an address of either family.
pub(crate) fn rule(id: &str, name: &str, address: &str) -> DnsRule {
    let family = match address.contains(':') {
        true => DnsRuleIpAddressType::IpV6,
        false => DnsRuleIpAddressType::IpV4,
    };
    DnsRule::new(id, name, family, address, DnsRuleState::Active)
}
