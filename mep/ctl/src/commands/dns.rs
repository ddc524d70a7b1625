//! `mepctl dns`.

use mec011_app_support::{DnsRule, DnsRuleState};
use mecforge_runtime::client::Error;
use serde::Deserialize;

use super::{ATTEMPTS, Owned, typed};
use crate::arguments::{Dns, Rule};
use crate::failure::Failure;
use crate::platform::{ADMINISTRATION, Platform};
use crate::show::{Output, or_dash};

/// A rule as administration shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    app_instance_id: String,
    rule: DnsRule,
}

pub(crate) async fn run(command: Dns, platform: &Platform, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Dns::List { app } => {
            let rules = list(platform, app).await?;
            output.list(
                &rules,
                ["APP", "RULE", "NAME", "ADDRESS", "TTL", "STATE"],
                |owned| {
                    [
                        owned.app_instance_id.clone(),
                        owned.rule.dns_rule_id.clone(),
                        owned.rule.domain_name.clone(),
                        owned.rule.ip_address.clone(),
                        or_dash(owned.rule.ttl),
                        owned.rule.state.to_string(),
                    ]
                },
            )
        }
        Dns::Get(Rule { app, rule }) => {
            let rule = platform.support.get_application_dns_rule(&app, &rule).await?.body;
            output.one(
                &rule,
                &[
                    ("Identifier", Some(rule.dns_rule_id.clone())),
                    ("Name", Some(rule.domain_name.clone())),
                    ("Address", Some(rule.ip_address.clone())),
                    ("TTL", rule.ttl.map(|seconds| format!("{seconds} s"))),
                    ("State", Some(rule.state.to_string())),
                ],
            )
        }
        Dns::Activate(rule) => change(platform, &rule, DnsRuleState::Active, output).await,
        Dns::Deactivate(rule) => change(platform, &rule, DnsRuleState::Inactive, output).await,
    }
}

async fn list(platform: &Platform, app: Option<String>) -> Result<Vec<Owned<DnsRule>>, Failure> {
    let Some(app) = app else {
        let rules = platform.list(&format!("{ADMINISTRATION}/dns-rules"), &[]).await?;
        let rules: Vec<Kept> = typed(rules, "DNS rules")?;
        let owned = rules.into_iter().map(|kept| Owned {
            app_instance_id: kept.app_instance_id,
            rule: kept.rule,
        });
        return Ok(owned.collect());
    };
    let rules = platform.support.list_application_dns_rules(&app).await?.body;
    let owned = rules.into_iter().map(|rule| Owned {
        app_instance_id: app.clone(),
        rule,
    });
    Ok(owned.collect())
}

/// Changes a rule's state only, and only if nobody else changes the rule meanwhile.
async fn change(
    platform: &Platform,
    Rule { app, rule: id }: &Rule,
    state: DnsRuleState,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        let found = platform.support.get_application_dns_rule(app, id).await?;
        let mut rule = found.body;
        let sentence = format!("DNS rule {id} is {state}");
        if rule.state == state {
            return output.done(&sentence, &rule);
        }
        rule.state = state;
        let mut request = platform.support.replace_application_dns_rule(app, id, &rule);
        if let Some(tag) = &found.etag {
            request = request.if_match(tag);
        }
        match request.await {
            Ok(changed) => return output.done(&sentence, &changed.body),
            Err(error) if is_late(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether somebody else was quicker.
pub(super) fn is_late<R>(error: &Error<R>) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 412)
}
