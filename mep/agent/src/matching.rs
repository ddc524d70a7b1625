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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;
    use serde_json::json;

    fn members(name: &str, version: &str, uri: &str) -> Value {
        json!({
            "serName": name, "version": version, "state": "ACTIVE", "serializer": "JSON",
            "transportInfo": {
                "id": "rest", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0",
                "endpoint": {"uris": [uri]}, "security": {},
            },
        })
    }

    fn wanted(name: &str, version: &str, uri: &str) -> ServiceInfoRequest {
        serde_json::from_str(&members(name, version, uri).to_string()).unwrap()
    }

    fn there(id: &str, name: &str, version: &str, uri: &str) -> ServiceInfo {
        let mut service = members(name, version, uri);
        service["serInstanceId"] = json!(id);
        service["_links"] = json!({"self": {"href": "/x"}});
        serde_json::from_str(&service.to_string()).unwrap()
    }

    #[test]
    fn services_are_found_by_what_they_have_in_common() {
        let there = [
            there("1", "a", "1", "http://one/"),
            there("2", "a", "1", "http://two/"),
            there("3", "b", "1", "http://one/"),
        ];
        for (what, wanted, held, owned, expected) in [
            (
                "transport",
                vec![wanted("a", "1", "http://two/")],
                vec![],
                vec![],
                vec![Some(1)],
            ),
            (
                "version",
                vec![wanted("b", "1", "http://new/")],
                vec![],
                vec![],
                vec![Some(2)],
            ),
            (
                "another's name",
                vec![wanted("b", "2", "http://one/")],
                vec![],
                vec![],
                vec![None],
            ),
            (
                "own name",
                vec![wanted("b", "2", "http://one/")],
                vec![],
                vec!["3"],
                vec![Some(2)],
            ),
            (
                "identifier",
                vec![wanted("c", "9", "http://c/")],
                vec![Some("3")],
                vec![],
                vec![Some(2)],
            ),
            (
                "each once, the closest first",
                vec![
                    wanted("a", "1", "http://three/"),
                    wanted("a", "1", "http://one/"),
                    wanted("a", "1", "http://four/"),
                ],
                vec![],
                vec![],
                vec![Some(1), Some(0), None],
            ),
        ] {
            let held: Vec<_> = held.into_iter().map(|id| id.map(str::to_owned)).collect();
            let owned = owned.into_iter().map(str::to_owned).collect();
            assert_eq!(pair(&wanted, &held, &there, &owned), expected, "{what}");
        }
    }

    #[test]
    fn a_suspended_service_differs_only_where_no_heartbeat_would_help() {
        let wanted = wanted("a", "1", "http://one/");
        let mut there = there("1", "a", "1", "http://one/");
        assert!(is_as_wanted(&wanted, &there));
        there.state = ServiceState::Suspended;
        assert!(!is_as_wanted(&wanted, &there));
        there.links.liveness = Some(mec011_service_management::LinkType::new("/x/liveness"));
        assert!(is_as_wanted(&wanted, &there));
        there.is_local = Some(true);
        assert!(
            is_as_wanted(&wanted, &there),
            "what is not wanted in any way may be anything"
        );
        there.version = "2".to_owned();
        assert!(!is_as_wanted(&wanted, &there));
    }
}
