//! `mepctl traffic`.

use mec011_app_support::{TrafficFilter, TrafficRule, TrafficRuleState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dns::is_late;
use super::{ATTEMPTS, Owned, typed};
use crate::arguments::{Rule, Traffic};
use crate::failure::Failure;
use crate::platform::{ADMINISTRATION, Platform};
use crate::show::{Output, or_dash};

/// A rule as administration shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    app_instance_id: String,
    rule: TrafficRule,
    matched: Option<Matched>,
}

#[derive(Deserialize)]
struct Matched {
    packets: u64,
    bytes: u64,
}

/// What a rule in force has matched.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counters {
    app_instance_id: String,
    traffic_rule_id: String,
    packets: u64,
    bytes: u64,
}

pub(crate) async fn run(
    command: Traffic,
    platform: &Platform,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Traffic::List { app } => {
            let rules = list(platform, app).await?;
            let header = ["APP", "RULE", "PRIORITY", "ACTION", "FILTERS", "STATE"];
            output.list(&rules, header, |owned| {
                [
                    owned.app_instance_id.clone(),
                    owned.rule.traffic_rule_id.clone(),
                    owned.rule.priority.to_string(),
                    owned.rule.action.to_string(),
                    filters(&owned.rule.traffic_filter),
                    owned.rule.state.to_string(),
                ]
            })
        }
        Traffic::Get(Rule { app, rule }) => {
            let rule = platform
                .support
                .get_application_traffic_rule(&app, &rule)
                .await?
                .body;
            output.one(
                &rule,
                &[
                    ("Identifier", Some(rule.traffic_rule_id.clone())),
                    ("Priority", Some(rule.priority.to_string())),
                    ("Judged by", Some(rule.filter_type.to_string())),
                    ("Filters", Some(filters(&rule.traffic_filter))),
                    ("Action", Some(rule.action.to_string())),
                    ("Destination", rule.dst_interface.as_ref().map(members)),
                    ("State", Some(rule.state.to_string())),
                ],
            )
        }
        Traffic::Activate(rule) => change(platform, &rule, TrafficRuleState::Active, output).await,
        Traffic::Deactivate(rule) => change(platform, &rule, TrafficRuleState::Inactive, output).await,
        Traffic::Counters { app } => {
            let counters = counters(platform, app).await?;
            output.list(&counters, ["APP", "RULE", "PACKETS", "BYTES"], |counters| {
                [
                    counters.app_instance_id.clone(),
                    counters.traffic_rule_id.clone(),
                    counters.packets.to_string(),
                    counters.bytes.to_string(),
                ]
            })
        }
    }
}

async fn kept(platform: &Platform, app: Option<&str>) -> Result<Vec<Kept>, Failure> {
    let query: Vec<_> = app.map(|app| ("application", app)).into_iter().collect();
    let rules = platform
        .list(&format!("{ADMINISTRATION}/traffic-rules"), &query)
        .await?;
    typed(rules, "traffic rules")
}

async fn list(platform: &Platform, app: Option<String>) -> Result<Vec<Owned<TrafficRule>>, Failure> {
    let Some(app) = app else {
        let rules = kept(platform, None).await?.into_iter().map(|kept| Owned {
            app_instance_id: kept.app_instance_id,
            rule: kept.rule,
        });
        return Ok(rules.collect());
    };
    let rules = platform.support.list_application_traffic_rules(&app).await?.body;
    let owned = rules.into_iter().map(|rule| Owned {
        app_instance_id: app.clone(),
        rule,
    });
    Ok(owned.collect())
}

async fn counters(platform: &Platform, app: Option<String>) -> Result<Vec<Counters>, Failure> {
    let rules = kept(platform, app.as_deref()).await?;
    let counters = rules.into_iter().filter_map(|kept| {
        let matched = kept.matched?;
        Some(Counters {
            app_instance_id: kept.app_instance_id,
            traffic_rule_id: kept.rule.traffic_rule_id,
            packets: matched.packets,
            bytes: matched.bytes,
        })
    });
    Ok(counters.collect())
}

/// Changes a rule's state only, and only if nobody else changes the rule meanwhile.
async fn change(
    platform: &Platform,
    Rule { app, rule: id }: &Rule,
    state: TrafficRuleState,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        let found = platform.support.get_application_traffic_rule(app, id).await?;
        let mut rule = found.body;
        let sentence = format!("traffic rule {id} is {state}");
        if rule.state == state {
            return output.done(&sentence, &rule);
        }
        rule.state = state;
        let mut request = platform.support.replace_application_traffic_rule(app, id, &rule);
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

/// Filters in one line: `or` between filters, a comma between what all must hold.
fn filters(filters: &[TrafficFilter]) -> String {
    filters.iter().map(members).collect::<Vec<_>>().join(" or ")
}

/// The members of an object in one line.
fn members(value: &impl Serialize) -> String {
    fn line(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("{name} {}", line(value)));
                members.collect::<Vec<_>>().join(", ")
            }
            Value::Array(items) => items.iter().map(line).collect::<Vec<_>>().join("|"),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
    match serde_json::to_value(value).map(|value| line(&value)) {
        Ok(text) if text.is_empty() => "everything".to_owned(),
        text => or_dash(text.ok()),
    }
}
