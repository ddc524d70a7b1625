//! Runs the name server alone, with rules for `h0.bench.example` and so on: `name_server ADDRESS NAMES [UPSTREAM]`.
//! `benches/against-unbound.sh` measures it beside another one.

use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use mec011_app_support::{DnsRule, DnsRuleIpAddressType, DnsRuleState};
use mecforge_contracts::rules::{DnsRules, RuleChange};
use mecforge_dns::{NameServer, Options};
use mecforge_store::{Embedded, Store, Transaction};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: name_server ADDRESS NAMES [UPSTREAM]";
    let address = arguments.next().ok_or(usage)?.parse()?;
    let names: u32 = arguments.next().ok_or(usage)?.parse()?;
    let options = Options {
        listen: vec![address],
        upstreams: arguments
            .next()
            .map(|upstream| upstream.parse())
            .transpose()?
            .into_iter()
            .collect(),
        ..Options::default()
    };
    let directory = tempfile::tempdir()?;
    let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path())?);
    let server = NameServer::new(&store, options);
    let running = server.bind().await?;
    let rules = (0..names).map(|number| {
        let name = format!("h{number}.bench.example");
        let address = Ipv4Addr::from(0x0A00_0000 + number).to_string();
        DnsRule::new(
            number.to_string(),
            name,
            DnsRuleIpAddressType::IpV4,
            address,
            DnsRuleState::Active,
        )
    });
    let change = RuleChange::ReplaceAll(rules.collect());
    let transaction = server.stage("bench", change, Transaction::new());
    let transaction = transaction.map_err(|problem| problem.to_string())?;
    store.commit(transaction).await?;
    writeln!(std::io::stdout(), "answering at {:?}", running.addresses())?;
    tokio::signal::ctrl_c().await?;
    writeln!(std::io::stdout(), "{:?}", server.status())?;
    Ok(())
}
