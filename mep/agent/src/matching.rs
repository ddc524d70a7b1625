//! Which of the platform's services are which of the configuration's, and whether they differ.

use std::collections::HashSet;

use mec011_service_management::{ServiceInfo, ServiceInfoRequest, ServiceState};
use serde::Serialize;
use serde_json::Value;

/// For each wanted service the index of the one that the platform has for it.
///
/// `held` are the identifiers that are known from before, in the order of `wanted`. What is not known is found by
/// name, version and transport, then by name and version, last by name among `owned`, the identifiers that the
/// agent itself had been given. Each of the platform's services is taken once.
pub(crate) fn pair(
    wanted: &[ServiceInfoRequest],
    held: &[Option<String>],
    there: &[ServiceInfo],
    owned: &HashSet<String>,
) -> Vec<Option<usize>> {
    let mut taken = vec![false; there.len()];
    let mut pairs = vec![None; wanted.len()];
    let mut pass = |fits: &dyn Fn(usize, &ServiceInfo) -> bool| {
        for (index, pair) in pairs.iter_mut().enumerate() {
            if pair.is_some() {
                continue;
            }
            let found = (0..there.len()).find(|other| !taken[*other] && fits(index, &there[*other]));
            if let Some(other) = found {
                taken[other] = true;
                *pair = Some(other);
            }
        }
    };
    let same_name = |index: usize, service: &ServiceInfo| wanted[index].ser_name == service.ser_name;
    let same_version = |index: usize, service: &ServiceInfo| {
        same_name(index, service) && wanted[index].version == service.version
    };
    pass(&|index, service| held.get(index).and_then(Option::as_ref) == Some(&service.ser_instance_id));
    pass(&|index, service| same_version(index, service) && same_transport(&wanted[index], service));
    pass(&same_version);
    pass(&|index, service| same_name(index, service) && owned.contains(&service.ser_instance_id));
    pairs
}

fn same_transport(wanted: &ServiceInfoRequest, there: &ServiceInfo) -> bool {
    match (&wanted.transport_id, &wanted.transport_info) {
        (Some(id), _) => *id == there.transport_info.id,
        (None, Some(info)) => *info == there.transport_info,
        (None, None) => true,
    }
}

/// Whether the platform's service is what the configuration wants.
///
/// The heartbeat interval is the platform's to grant, and `SUSPENDED` is what it makes of an `ACTIVE` service
/// that misses heartbeats: neither is a difference.
pub(crate) fn is_as_wanted(wanted: &ServiceInfoRequest, there: &ServiceInfo) -> bool {
    let state = match there.state {
        ServiceState::Suspended if there.links.liveness.is_some() => ServiceState::Active,
        state => state,
    };
    wanted.state == state
        && same_transport(wanted, there)
        && wanted.ser_name == there.ser_name
        && wanted.version == there.version
        && wanted.serializer == there.serializer
        && agrees(&wanted.ser_category, &there.ser_category)
        && agrees(&wanted.scope_of_locality, &there.scope_of_locality)
        && agrees(&wanted.consumed_local_only, &there.consumed_local_only)
        && agrees(&wanted.is_local, &there.is_local)
}

/// An absent value agrees with anything: the platform may fill in a default.
fn agrees<T: PartialEq>(wanted: &Option<T>, there: &Option<T>) -> bool {
    wanted.is_none() || wanted == there
}

/// Whether all that `wanted` says is in `there`, which may say more.
pub(crate) fn contains(there: &impl Serialize, wanted: &impl Serialize) -> bool {
    match (serde_json::to_value(there), serde_json::to_value(wanted)) {
        (Ok(there), Ok(wanted)) => covers(&there, &wanted),
        _ => false,
    }
}

fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| there.get(name).is_some_and(|there| covers(there, value))),
        _ => there == wanted,
    }
}
