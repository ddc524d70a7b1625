//! Limits that are off by one, or are where there is none.

use serde_json::{Value, json};

use crate::behaviour::{accepts, bodies, refuses};
use crate::fault::{Class, Fault, fault};
use crate::place::{Place, scopes};

pub(super) fn faults() -> Vec<Fault> {
    let refused = |id, clause, operations, what, scope, found: fn(&Value) -> bool| {
        fault(Class::Limit, id, clause, operations, what, refuses(scope, found))
    };
    let accepted = |id, clause, operations, what, scope, mend: fn(&mut Value)| {
        fault(
            Class::Limit,
            id,
            clause,
            operations,
            what,
            accepts(scope, move |body, _| mend(body)),
        )
    };
    vec![
        refused(
            "limit/livenessInterval-0-refused",
            "8.1.2.2",
            "POST, PUT services",
            "A livenessInterval of 0 is refused",
            scopes::SERVICE_WRITES,
            |body| body["livenessInterval"] == 0,
        ),
        refused(
            "limit/port-65535-refused",
            "8.1.5.3",
            "POST, PUT services",
            "The last port, 65535, is refused",
            scopes::SERVICE_WRITES,
            |body| ports(body).any(|port| port == 65535),
        ),
        refused(
            "limit/port-0-refused",
            "8.1.5.3",
            "POST, PUT services",
            "Port 0, which the document allows, is refused",
            scopes::SERVICE_WRITES,
            |body| ports(body).any(|port| port == 0),
        ),
        accepted(
            "limit/port-65536-accepted",
            "8.1.5.3",
            "POST, PUT services",
            "Port 65536 is taken",
            scopes::SERVICE_WRITES,
            |body| mend_port(body, 65536),
        ),
        accepted(
            "limit/port-minus-1-accepted",
            "8.1.5.3",
            "POST, PUT services",
            "Port -1 is taken",
            scopes::SERVICE_WRITES,
            |body| mend_port(body, -1),
        ),
        accepted(
            "limit/livenessInterval-minus-1-accepted",
            "8.1.2.2",
            "POST, PUT services",
            "A livenessInterval of -1 is taken",
            scopes::SERVICE_WRITES,
            |body| {
                if body["livenessInterval"] == -1 {
                    body["livenessInterval"] = json!(1);
                }
            },
        ),
        refused(
            "limit/four-grantTypes-refused",
            "8.1.5.4",
            "POST, PUT services",
            "Four grant types are refused though there may be four",
            scopes::SERVICE_WRITES,
            |body| grants(body) == Some(4),
        ),
        accepted(
            "limit/five-grantTypes-accepted",
            "8.1.5.4",
            "POST, PUT services",
            "Five grant types are taken though there may be four",
            scopes::SERVICE_WRITES,
            |body| {
                if grants(body) == Some(5) {
                    body["transportInfo"]["security"]["oAuth2Info"]["grantTypes"] =
                        json!(["OAUTH2_IMPLICIT_GRANT"]);
                }
            },
        ),
        accepted(
            "limit/no-grantTypes-accepted",
            "8.1.5.4",
            "POST, PUT services",
            "An empty list of grant types is taken",
            scopes::SERVICE_WRITES,
            |body| {
                if grants(body) == Some(0) {
                    body["transportInfo"]["security"]["oAuth2Info"]["grantTypes"] =
                        json!(["OAUTH2_IMPLICIT_GRANT"]);
                }
            },
        ),
        refused(
            "limit/priority-255-refused",
            "7.1.2.2",
            "PUT traffic_rule",
            "The last priority, 255, is refused as wrong",
            &[("PUT", Place::TrafficRule)],
            |body| body["priority"] == 255,
        ),
        refused(
            "limit/priority-0-refused",
            "7.1.2.2",
            "PUT traffic_rule",
            "The first priority, 0, is refused as wrong",
            &[("PUT", Place::TrafficRule)],
            |body| body["priority"] == 0,
        ),
        accepted(
            "limit/priority-256-accepted",
            "7.1.2.2",
            "PUT traffic_rule",
            "Priority 256 is taken",
            &[("PUT", Place::TrafficRule)],
            |body| {
                if body["priority"] == 256 {
                    body["priority"] = json!(1);
                }
            },
        ),
        refused(
            "limit/ttl-largest-refused",
            "7.1.2.3",
            "PUT dns_rule",
            "The largest ttl, 4294967295, is refused as wrong",
            &[("PUT", Place::DnsRule)],
            |body| body["ttl"] == 4_294_967_295_u64,
        ),
        accepted(
            "limit/ttl-minus-1-accepted",
            "7.1.2.3",
            "PUT dns_rule",
            "A ttl of -1 is taken",
            &[("PUT", Place::DnsRule)],
            |body| {
                if body["ttl"] == -1 {
                    body["ttl"] = json!(60);
                }
            },
        ),
        refused(
            "limit/serName-64-characters",
            "8.1.2.2",
            "POST, PUT services",
            "Names of more than 64 characters are refused though there is no limit",
            scopes::SERVICE_WRITES,
            |body| longer(&body["serName"], 64),
        ),
        refused(
            "limit/version-32-characters",
            "8.1.2.2",
            "POST, PUT services",
            "Versions of more than 32 characters are refused though there is no limit",
            scopes::SERVICE_WRITES,
            |body| longer(&body["version"], 32),
        ),
        refused(
            "limit/empty-serName-refused",
            "8.1.2.2",
            "POST, PUT services",
            "An empty serName, which the document allows, is refused",
            scopes::SERVICE_WRITES,
            |body| body["serName"] == "",
        ),
        fault(
            Class::Limit,
            "limit/list-cut-at-10",
            "8.2.3.3.1",
            "GET lists of services",
            "Lists end after ten services, without a word",
            bodies(scopes::SERVICE_LISTS, |body, _| {
                if let Value::Array(list) = body {
                    list.truncate(10);
                }
            }),
        ),
        fault(
            Class::Limit,
            "limit/list-lacks-last",
            "8.2.3.3.1",
            "GET lists of services",
            "Lists of more than one service lack the last one",
            bodies(scopes::SERVICE_LISTS, |body, _| {
                if let Value::Array(list) = body
                    && list.len() > 1
                {
                    list.pop();
                }
            }),
        ),
    ]
}

/// The ports of a service's endpoint.
fn ports(body: &Value) -> impl Iterator<Item = i64> {
    let addresses = body
        .pointer("/transportInfo/endpoint/addresses")
        .and_then(Value::as_array);
    addresses
        .into_iter()
        .flatten()
        .filter_map(|address| address["port"].as_i64())
}

fn mend_port(body: &mut Value, wrong: i64) {
    if let Some(Value::Array(addresses)) = body.pointer_mut("/transportInfo/endpoint/addresses") {
        for address in addresses.iter_mut().filter(|address| address["port"] == wrong) {
            address["port"] = json!(80);
        }
    }
}

fn grants(body: &Value) -> Option<usize> {
    let list = body.pointer("/transportInfo/security/oAuth2Info/grantTypes")?;
    list.as_array().map(Vec::len)
}

fn longer(value: &Value, than: usize) -> bool {
    value.as_str().is_some_and(|text| text.chars().count() > than)
}
