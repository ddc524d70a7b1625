//! DNS rules and traffic rules of all application instances, and what the data plane can do.

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_contracts::keys;
use mecforge_contracts::rules::{DataPlaneCapabilities, Kept};
use mecforge_runtime::server::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::resources::page::{Page, Paging};

/// A DNS rule and whose it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DnsRuleState {
    /// The application instance that it belongs to.
    app_instance_id: String,
    /// The change that last changed it.
    revision: u64,
    /// The rule, as `DnsRule` of MEC 011.
    #[schema(value_type = Object)]
    rule: DnsRule,
}

/// A traffic rule, whose it is, and what it has done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrafficRuleState {
    /// The application instance that it belongs to.
    app_instance_id: String,
    /// The change that last changed it.
    revision: u64,
    /// The rule, as `TrafficRule` of MEC 011.
    #[schema(value_type = Object)]
    rule: TrafficRule,
    /// What it has matched; absent if it is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched: Option<Matched>,
}

/// What a traffic rule has matched since it became active or the platform started.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Matched {
    /// Packets.
    packets: u64,
    /// Bytes of those packets.
    bytes: u64,
}

/// What the data plane can do on this machine.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPlane {
    /// The back end: `nftables` or `disabled`.
    backend: String,
    /// Whether active rules can be put in force at all.
    available: bool,
    /// Why not, or what is missing.
    remarks: Vec<String>,
    /// The actions that can be put in force.
    actions: Vec<String>,
    /// The tunnel types that can be put in force.
    tunnel_types: Vec<String>,
}

/// The DNS rules of all application instances.
#[utoipa::path(
    get,
    path = "/dns-rules",
    operation_id = "listDnsRules",
    tag = "rules",
    params(
        ("application" = Option<String>, Query, description = "Only those of this application instance."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of DNS rules.", body = Page<DnsRuleState>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn dns_rules(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["application", "limit", "after"])?;
    let prefix = call
        .query("application")
        .map_or_else(|| keys::DNS_RULES.to_owned(), keys::dns_rules_of);
    let platform = &inner.platform;
    let page = Paging::read(&call)?.of_store(&*platform.store, &prefix, |key, _| {
        let (application, id) = keys::dns_rule_at(key)?;
        let kept = platform.dns_rules.get(&application, &id)?;
        let Kept {
            app_instance_id,
            rule,
            modified,
        } = kept;
        Some(DnsRuleState {
            app_instance_id,
            revision: modified.0,
            rule,
        })
    });
    call::json(&page)
}

/// The traffic rules of all application instances, with what they have matched.
#[utoipa::path(
    get,
    path = "/traffic-rules",
    operation_id = "listTrafficRules",
    tag = "rules",
    params(
        ("application" = Option<String>, Query, description = "Only those of this application instance."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of traffic rules.", body = Page<TrafficRuleState>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn traffic_rules(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["application", "limit", "after"])?;
    let paging = Paging::read(&call)?;
    let prefix = call
        .query("application")
        .map_or_else(|| keys::TRAFFIC_RULES.to_owned(), keys::traffic_rules_of);
    let platform = &inner.platform;
    let counters: HashMap<(String, String), Matched> = platform
        .traffic_rules
        .counters()
        .await
        .into_iter()
        .map(|counted| {
            let matched = Matched {
                packets: counted.packets,
                bytes: counted.bytes,
            };
            ((counted.app_instance_id, counted.traffic_rule_id), matched)
        })
        .collect();
    let page = paging.of_store(&*platform.store, &prefix, |key, _| {
        let names = keys::traffic_rule_at(key)?;
        let kept = platform.traffic_rules.get(&names.0, &names.1)?;
        Some(TrafficRuleState {
            matched: counters.get(&names).copied(),
            app_instance_id: kept.app_instance_id,
            revision: kept.modified.0,
            rule: kept.rule,
        })
    });
    call::json(&page)
}

/// What the data plane can do on this machine.
#[utoipa::path(
    get,
    path = "/data-plane",
    operation_id = "getDataPlane",
    tag = "rules",
    responses(
        (status = 200, description = "What it can do.", body = DataPlane),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn data_plane(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&[])?;
    let DataPlaneCapabilities {
        backend,
        available,
        remarks,
        actions,
        tunnel_types,
    } = inner.platform.traffic_rules.capabilities();
    call::json(&DataPlane {
        backend,
        available,
        remarks,
        actions,
        tunnel_types,
    })
}
