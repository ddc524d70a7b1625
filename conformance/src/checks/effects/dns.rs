//! DNS rules: what a name server says while they are active, and when they are not.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Rule, Rules};
use crate::suite::{Context, DnsAnswer, Failure, Outcome, Stop, ask};

/// How often the name server is asked while something is awaited.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) async fn resolves(context: &mut Context, rules: Rules, server: SocketAddr) -> Outcome {
    let all = rules.all(context).await?;
    let (mut judged, mut reason) = (false, None);
    for rule in &all {
        let outcome = one(context, rules, rule, server).await;
        // The rule is as it was, whatever came of it.
        let restored = rules.put(context, rule, rule.body.clone()).await;
        match outcome {
            Ok(()) => judged = true,
            Err(Stop::Inconclusive(why)) => reason = Some(why),
            Err(other) => return Err(other),
        }
        restored?;
    }
    match reason.filter(|_| !judged) {
        Some(reason) => Err(Stop::Inconclusive(reason)),
        None => Ok(()),
    }
}

/// A question about the name of a rule.
struct Question<'rule> {
    server: SocketAddr,
    name: &'rule str,
    address: IpAddr,
}

impl Question<'_> {
    async fn ask(&self, context: &mut Context) -> Result<DnsAnswer, Stop> {
        let id = context.rng.u16(..);
        let answer = ask(self.server, self.name, self.address.is_ipv6(), id).await;
        answer.map_err(|reason| {
            Stop::Inconclusive(format!("{reason}; give the platform's name server with --dns"))
        })
    }

    /// Asks until the address is there (or gone), or the time is over; gives the last answer.
    async fn until(&self, context: &mut Context, there: bool) -> Result<DnsAnswer, Stop> {
        let end = Instant::now() + context.suite.options.clock.notification;
        loop {
            let answer = self.ask(context).await?;
            if answer.record(self.address).is_some() == there || Instant::now() >= end {
                return Ok(answer);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn one(context: &mut Context, rules: Rules, rule: &Rule, server: SocketAddr) -> Outcome {
    let Ok(address) = rule.text("ipAddress").parse::<IpAddr>() else {
        return Err(Stop::Inconclusive(
            "the rule's ipAddress is no address".to_owned(),
        ));
    };
    let question = Question {
        server,
        name: rule.text("domainName"),
        address,
    };
    rules.set(context, rule, "INACTIVE").await?;
    let before = question.until(context, false).await?;
    gone(&before, &question)?;
    rules.set(context, rule, "ACTIVE").await?;
    let active = question.until(context, true).await?;
    let Some(record) = active.record(address) else {
        let expected = format!("{} has {address}", question.name);
        let title = "an active DNS rule does not resolve to its address";
        return Err(Failure::new(title, expected, active.summary()).stop());
    };
    // Values above 2^31 - 1 can't stand in a record (RFC 2181, 8).
    let ttl = rule.body.get("ttl").and_then(Value::as_u64);
    if let Some(ttl) = ttl.filter(|ttl| *ttl <= 0x7fff_ffff && u64::from(record.ttl) > *ttl) {
        let title = "the record of a DNS rule may be kept longer than its ttl says";
        context.report(Failure::new(title, format!("TTL {ttl}"), active.summary()));
    }
    moved(context, rules, rule, &question).await?;
    rules.set(context, rule, "INACTIVE").await?;
    let after = question.until(context, false).await?;
    gone(&after, &question)
}

/// An address that must not be there any more.
fn gone(answer: &DnsAnswer, question: &Question<'_>) -> Outcome {
    if answer.record(question.address).is_none() {
        return Ok(());
    }
    if !answer.authoritative {
        return Err(Stop::Inconclusive(
            "the name server of --dns may answer from a cache; give the platform's own".to_owned(),
        ));
    }
    let title = "an inactive DNS rule resolves to its address";
    let expected = format!("{} without {}", question.name, question.address);
    Err(Failure::new(title, expected, answer.summary()).stop())
}

/// Changes the address, where the platform lets an application do so.
async fn moved(context: &mut Context, rules: Rules, rule: &Rule, question: &Question<'_>) -> Outcome {
    let other: IpAddr = match question.address {
        IpAddr::V4(_) => IpAddr::from([192, 0, 2, 201]),
        IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xc9]),
    };
    let mut body = rule.in_state("ACTIVE");
    body["ipAddress"] = json!(other.to_string());
    let written = rules.put(context, rule, body).await?;
    let told = written.json().unwrap_or_default();
    let changed = told.get("ipAddress").and_then(Value::as_str) == Some(other.to_string().as_str());
    if other == question.address || !written.is_success() || !changed {
        return Ok(()); // The address is the manager's to change.
    }
    let question = Question {
        address: other,
        ..*question
    };
    let answer = question.until(context, true).await?;
    if answer.record(other).is_some() || !answer.authoritative {
        return Ok(());
    }
    let title = "a changed address of an active DNS rule does not take effect";
    let expected = format!("{} has {other}", question.name);
    Err(Failure::new(title, expected, answer.summary()).stop())
}
