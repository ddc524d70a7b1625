//! `mepctl services watch`: what changes, as it changes.
//!
//! The platform's events say that something has happened to a service; what it is follows from looking again.
//! Without events (another platform, or administration not offered) it is looked every few seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use mec011_service_management::ServiceInfo;
use serde::Serialize;

use super::services::{endpoint, list};
use crate::arguments::ServiceFilter;
use crate::events::Events;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::show::Output;

/// How long further events are waited for before it is looked again.
const TOGETHER: Duration = Duration::from_millis(50);

/// What has happened to a service, in the words of `ServiceAvailabilityNotification`, and `PRESENT` for what was
/// there at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Change {
    Present,
    Added,
    Removed,
    StateChanged,
    AttributesChanged,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    change: Change,
    service: &'a ServiceInfo,
}

type Seen = BTreeMap<String, ServiceInfo>;

pub(crate) async fn run(
    platform: &Platform,
    filter: &ServiceFilter,
    interval: u64,
    most: Option<u64>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let interval = Duration::from_secs(interval);
    // Followed before it is looked, so that nothing falls between the two.
    let mut events = Events::follow(platform, "service").await.ok();
    let mut seen = look(platform, filter).await?;
    for service in seen.values() {
        show(Change::Present, service, output)?;
    }
    let mut count = 0;
    loop {
        wait(&mut events, interval).await;
        let now = match look(platform, filter).await {
            Ok(now) => now,
            // A platform that restarts is waited for.
            Err(Failure::Failed(_)) => {
                events = None;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if events.is_none() {
            events = Events::follow(platform, "service").await.ok();
        }
        for (change, service) in differences(&seen, &now) {
            show(change, service, output)?;
            count += 1;
            if most.is_some_and(|most| count >= most) {
                return Ok(());
            }
        }
        seen = now;
    }
}

/// Waits until something may have happened.
async fn wait(events: &mut Option<Events>, interval: Duration) {
    if let Some(stream) = events {
        let told = matches!(stream.next().await, Ok(Some(()))) && stream.skip(TOGETHER).await.is_ok();
        if told {
            return;
        }
        *events = None;
    }
    tokio::time::sleep(interval).await;
}

async fn look(platform: &Platform, filter: &ServiceFilter) -> Result<Seen, Failure> {
    let services = list(platform, filter).await?;
    Ok(services
        .into_iter()
        .map(|service| (service.ser_instance_id.clone(), service))
        .collect())
}

fn differences<'a>(before: &'a Seen, now: &'a Seen) -> Vec<(Change, &'a ServiceInfo)> {
    let mut differences = Vec::new();
    for (id, service) in before {
        if !now.contains_key(id) {
            differences.push((Change::Removed, service));
        }
    }
    for (id, service) in now {
        match before.get(id) {
            None => differences.push((Change::Added, service)),
            Some(old) if old == service => {}
            Some(old) if old.state != service.state => differences.push((Change::StateChanged, service)),
            Some(_) => differences.push((Change::AttributesChanged, service)),
        }
    }
    differences
}

fn show(change: Change, service: &ServiceInfo, output: &mut Output<'_>) -> Result<(), Failure> {
    let word = match change {
        Change::Present => "PRESENT",
        Change::Added => "ADDED",
        Change::Removed => "REMOVED",
        Change::StateChanged => "STATE_CHANGED",
        Change::AttributesChanged => "ATTRIBUTES_CHANGED",
    };
    let line = format!(
        "{word:<18}  {:<10}  {}  {} {}  {}",
        service.state.to_string(),
        service.ser_instance_id,
        service.ser_name,
        service.version,
        endpoint(&service.transport_info.endpoint)
    );
    output.event(&Changed { change, service }, &line)
}
