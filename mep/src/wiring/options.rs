//! From settings to the options of each handler.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use mecforge_dns::HostName;
use mecforge_notifications::{Policy, PolicyMode, Rule};
use mecforge_registry::{Liveness, Transports};

use crate::config::{
    CallbackTargets, DataPlaneBackend, DataPlaneSettings, DnsSettings, Forward, LivenessSettings,
    ManagementSettings, NotificationSettings, Settings,
};

/// Zero stands for no limit.
fn limit(number: usize) -> Option<usize> {
    Some(number).filter(|number| *number > 0)
}

pub(super) fn registry(settings: &Settings) -> mecforge_registry::Options {
    mecforge_registry::Options {
        services_per_application: limit(settings.limits.services_per_application),
        subscriptions_per_application: limit(settings.limits.subscriptions_per_application),
        liveness: liveness(&settings.liveness),
    }
}

fn liveness(settings: &LivenessSettings) -> Liveness {
    Liveness {
        shortest_seconds: settings.shortest_seconds.into(),
        longest_seconds: settings.longest_seconds.into(),
        default_seconds: settings.default_seconds.into(),
        required: settings.required,
        tolerance_percent: settings.tolerance_percent,
        grace: Duration::from_secs(settings.grace_seconds.into()),
    }
}

pub(super) fn subscriptions(settings: &Settings) -> mecforge_subscriptions::Limits {
    mecforge_subscriptions::Limits {
        per_application: limit(settings.limits.subscriptions_per_application),
    }
}

pub(super) fn notifications(settings: &NotificationSettings) -> Result<mecforge_notifications::Options> {
    let rules = |key: &str, texts: &[String]| -> Result<Vec<Rule>> {
        let parsed = texts.iter().map(|text| text.parse::<Rule>());
        parsed
            .collect::<Result<_, _>>()
            .with_context(|| format!("notifications.{key}"))
    };
    let mut policy = Policy {
        mode: match settings.targets {
            CallbackTargets::Any => PolicyMode::Open,
            CallbackTargets::Public => PolicyMode::PublicOnly,
            CallbackTargets::Listed => PolicyMode::Listed,
        },
        plain_http: settings.allow_http,
        allow: rules("allow", &settings.allow)?,
        ..Policy::default()
    };
    policy.deny.extend(rules("deny", &settings.deny)?);
    let certificates = settings.root_certificates.as_ref().map(|path| {
        std::fs::read(path)
            .with_context(|| format!("notifications.root_certificates: cannot read {}", path.display()))
    });
    Ok(mecforge_notifications::Options {
        timeout: Duration::from_secs(settings.timeout_seconds),
        attempts: settings.attempts,
        longest_age: Duration::from_secs(settings.longest_age_seconds),
        queue_length: settings.queued_per_subscription,
        queue_bytes: settings.queued_bytes,
        dead_letters_per_subscription: settings.dead_letters_per_subscription,
        policy,
        root_certificates: certificates.transpose()?.into_iter().collect(),
        ..Default::default()
    })
}

pub(super) fn dns(settings: &DnsSettings) -> Result<mecforge_dns::Options> {
    let zone = |key: &str, text: &str| -> Result<HostName> {
        text.parse()
            .with_context(|| format!("dns.{key}: {text:?} is not the name of a zone"))
    };
    let listen = settings.addresses()?;
    let zones = settings.zones.iter().map(|text| zone("zones", text));
    let upstreams = settings
        .upstreams()?
        .unwrap_or_else(|| mecforge_dns::system_upstreams(&listen));
    Ok(mecforge_dns::Options {
        zones: zones.collect::<Result<_>>()?,
        service_zone: settings
            .service_zone
            .as_deref()
            .map(|text| zone("service_zone", text))
            .transpose()?,
        default_ttl: settings.ttl_seconds,
        upstreams,
        listen,
        ..Default::default()
    })
}

pub(super) fn data_plane(
    settings: &DataPlaneSettings,
) -> (mecforge_dataplane::Kind, mecforge_dataplane::Options) {
    let kind = match settings.backend {
        DataPlaneBackend::Nftables => mecforge_dataplane::Kind::Nftables,
        DataPlaneBackend::Disabled => mecforge_dataplane::Kind::Disabled,
    };
    let options = mecforge_dataplane::Options {
        table: settings.table.clone(),
        interfaces: settings.interfaces.clone(),
        network_namespace: settings.network_namespace.clone(),
        forward_address: match settings.forward {
            Forward::Rewrite => mecforge_dataplane::ForwardAddress::Rewrite,
            Forward::NextHop => mecforge_dataplane::ForwardAddress::NextHop,
        },
        check_interval: Duration::from_secs(settings.check_seconds.max(1)),
        ..Default::default()
    };
    (kind, options)
}

pub(super) fn mm5(settings: &ManagementSettings, transports: Vec<String>) -> mecforge_mm5::Options {
    mecforge_mm5::Options {
        dns_rules: settings.dns_rules_per_application,
        traffic_rules: settings.traffic_rules_per_application,
        grace: Duration::from_secs(settings.grace_seconds),
        transports,
        ..Default::default()
    }
}

pub(super) fn administration(settings: &Settings, address: SocketAddr) -> mecforge_administration::Options {
    let declared = settings.applications.iter();
    mecforge_administration::Options {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        declared: declared
            .map(|application| application.app_instance_id.clone())
            .collect(),
        listeners: vec![mecforge_administration::Listener {
            name: "HTTP".to_owned(),
            address,
        }],
        ..Default::default()
    }
}

pub(super) fn transports(settings: &Settings, address: SocketAddr) -> Result<Transports> {
    match &settings.transports {
        Some(transports) => Ok(Transports::configured(transports)?),
        None => {
            let own = settings
                .public_url
                .clone()
                .unwrap_or_else(|| format!("http://{address}"));
            Ok(Transports::standard(&own))
        }
    }
}
