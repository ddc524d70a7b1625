//! The predecessor's `appd_configuration`, in both directions.
//!
//! Its programs are written in Go: what is absent they send as `null`, `""`, `0` or `[]`, and names may come in any
//! case. All of that is read as absence here, where the standard gives these values no meaning.

use mec011_app_support::{TrafficRule, TrafficRuleAction, TrafficRuleDstInterface};
use mecforge_runtime::server::Problem;
use mecforge_runtime::{Decode, Invalid, Json};
use serde_json::{Map, Value, json};

use crate::configuration::Configuration;

/// What the predecessor and the standard call the same lists.
const LISTS: [(&str, &str); 2] = [("appTrafficRule", "trafficRules"), ("appDNSRule", "dnsRules")];
/// What the predecessor and the standard call the same actions.
const ACTIONS: [(&str, &str); 2] = [
    ("FORWARD_AS_IS", "FORWARD_ENCAPSULATED"),
    ("DUPLICATE_AS_IS", "DUPLICATE_ENCAPSULATED"),
];
/// What the predecessor and the standard call the same types of addresses.
const ADDRESS_TYPES: [(&str, &str); 2] = [("IPv4", "IP_V4"), ("IPv6", "IP_V6")];

/// The configuration that a body of the predecessor's manager means.
///
/// # Errors
/// `400` with the place in that body and the rule.
pub(super) fn to_configuration(bytes: &[u8]) -> Result<Configuration, Problem> {
    let body = Json::parse(bytes).map_err(Problem::from)?.to_value();
    let translated = configuration(&body).map_err(Problem::from)?;
    let bytes = serde_json::to_vec(&translated).map_err(Problem::internal)?;
    let json = Json::parse(&bytes).map_err(Problem::from)?;
    Configuration::decode(&json).map_err(|invalid| in_its_words(invalid.into()))
}

/// The same problem, with the predecessor's name for the place.
pub(super) fn in_its_words(problem: Problem) -> Problem {
    let details = problem.details();
    let Some(pointer) = details.extension("pointer").map(str::to_owned) else {
        return problem;
    };
    let detail = details.detail.clone().unwrap_or_default();
    for (its, ours) in LISTS {
        let Some(rest) = pointer.strip_prefix(&format!("/{ours}")) else {
            continue;
        };
        let place = format!("/{its}{rest}");
        let detail = detail.replacen(&pointer, &place, 1);
        let same = Problem::new(problem.status(), detail);
        let extensions = details.extensions.clone().into_iter();
        let same = extensions.fold(same, |same, (name, value)| same.with_extension(&name, value));
        return same.with_pointer(place);
    }
    problem
}

fn object(value: &Value) -> Result<&Map<String, Value>, Invalid> {
    value
        .as_object()
        .ok_or_else(|| Invalid::new("type", "must be an object"))
}

/// A member by its name, in whatever case, unless it says nothing.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = object.get(name);
    let any = || {
        object
            .iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    };
    exact.or_else(any).filter(|value| !says_nothing(value))
}

/// Whether a value is what Go writes for absence.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(says_nothing),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) => false,
    }
}

/// The members that say something, by the names that the standard gives them.
fn pick(from: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let named = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), member(from, name)?.clone())));
    named.collect()
}

/// Replaces a text by what the other side calls the same.
fn rename(object: &mut Map<String, Value>, name: &str, words: &[(&str, &str)]) {
    if let Some(Value::String(text)) = object.get_mut(name)
        && let Some((_, ours)) = words.iter().find(|(its, _)| its == text)
    {
        *text = (*ours).to_owned();
    }
}

fn each(
    body: &Map<String, Value>,
    list: &str,
    translate: fn(&Value) -> Result<Value, Invalid>,
) -> Result<Value, Invalid> {
    let items = match member(body, list) {
        None => return Ok(json!([])),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(Invalid::new("type", "must be an array").within(list)),
    };
    let translated = items
        .iter()
        .enumerate()
        .map(|(index, item)| translate(item).map_err(|invalid| invalid.at_index(index).within(list)));
    translated.collect()
}

fn configuration(body: &Value) -> Result<Value, Invalid> {
    let body = object(body)?;
    let mut configuration = pick(body, &["appName"]);
    if let Some(Value::Bool(supports)) = member(body, "appSupportMp1") {
        configuration.insert("appSupportMp1".to_owned(), json!(supports));
    }
    configuration.insert("dnsRules".to_owned(), each(body, "appDNSRule", dns_rule)?);
    configuration.insert(
        "trafficRules".to_owned(),
        each(body, "appTrafficRule", traffic_rule)?,
    );
    Ok(configuration.into())
}

fn dns_rule(rule: &Value) -> Result<Value, Invalid> {
    let names = [
        "dnsRuleId",
        "domainName",
        "ipAddressType",
        "ipAddress",
        "ttl",
        "state",
    ];
    let mut rule = pick(object(rule)?, &names);
    rename(&mut rule, "ipAddressType", &ADDRESS_TYPES);
    rule.entry("state").or_insert(json!("ACTIVE"));
    Ok(rule.into())
}

fn traffic_rule(rule: &Value) -> Result<Value, Invalid> {
    let names = ["trafficRuleId", "filterType", "priority", "action", "state"];
    let from = object(rule)?;
    let mut rule = pick(from, &names);
    if !rule.contains_key("priority") {
        return Err(Invalid::new("minimum", "must be at least 1").within("priority"));
    }
    rename(&mut rule, "action", &ACTIONS);
    rule.entry("state").or_insert(json!("ACTIVE"));
    rule.insert(
        "trafficFilter".to_owned(),
        each(from, "trafficFilter", traffic_filter)?,
    );
    let action = rule
        .get("action")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let Value::Array(mut interfaces) = each(from, "dstInterface", interface)? else {
        return Ok(rule.into());
    };
    interfaces.retain(|interface| !says_nothing(interface));
    let most = if action.starts_with("DUPLICATE") { 2 } else { 1 };
    if interfaces.len() > most {
        let message = format!("must have at most {most} elements when action is {action:?}");
        return Err(Invalid::new("maxItems", message).within("dstInterface"));
    }
    let interfaces = match (action.as_str(), interfaces.len()) {
        // The standard has none here; the predecessor's forms fill one in.
        ("DROP", _) => None,
        // The standard always has one here, although nothing is sent anywhere else.
        ("PASSTHROUGH", 0) => Some(nowhere()),
        (_, 0) => None,
        (_, 1) => interfaces.pop(),
        _ => Some(interfaces.into()),
    };
    rule.extend(interfaces.map(|interfaces| ("dstInterface".to_owned(), interfaces)));
    Ok(rule.into())
}

/// The interface of a rule that lets packets go where they go.
fn nowhere() -> Value {
    json!({"interfaceType": "IP"})
}

fn traffic_filter(filter: &Value) -> Result<Value, Invalid> {
    let names = [
        "srcAddress",
        "dstAddress",
        "srcPort",
        "dstPort",
        "protocol",
        "tag",
        "srcTunnelAddress",
        "tgtTunnelAddress",
        "srcTunnelPort",
        "dstTunnelPort",
        "qCI",
        "dSCP",
        "tC",
    ];
    let from = object(filter)?;
    let mut filter = pick(from, &names);
    // The rule manager has another name for what the platform and the standard call `tgtTunnelAddress`.
    if let Some(address) = member(from, "dstTunnelAddress") {
        filter.entry("tgtTunnelAddress").or_insert(address.clone());
    }
    Ok(filter.into())
}

fn interface(interface: &Value) -> Result<Value, Invalid> {
    let names = ["interfaceType", "srcMacAddress", "dstMacAddress", "dstIpAddress"];
    let from = object(interface)?;
    let mut interface = pick(from, &names);
    if let Some(tunnel) = member(from, "tunnelInfo") {
        let names = ["tunnelType", "tunnelDstAddress", "tunnelSrcAddress"];
        let tunnel = object(tunnel).map_err(|invalid| invalid.within("tunnelInfo"))?;
        interface.insert("tunnelInfo".to_owned(), pick(tunnel, &names).into());
    }
    Ok(interface.into())
}

/// The body that the predecessor's manager expects for a configuration.
///
/// # Errors
/// Those of writing JSON, which do not occur.
pub(super) fn from_configuration(configuration: &Configuration) -> Result<Value, Problem> {
    let traffic: Result<Vec<Value>, Problem> = configuration.traffic_rules.iter().map(shown).collect();
    Ok(json!({
        "appName": configuration.app_name,
        "appSupportMp1": configuration.app_support_mp1.unwrap_or_default(),
        "appTrafficRule": traffic?,
        "appDNSRule": configuration.dns_rules,
    }))
}

fn shown(rule: &TrafficRule) -> Result<Value, Problem> {
    let interfaces = match &rule.dst_interface {
        None => Vec::new(),
        Some(TrafficRuleDstInterface::DestinationInterface(one)) => vec![one.clone()],
        Some(TrafficRuleDstInterface::Array(several)) => several.clone(),
    };
    let mut interfaces = serde_json::to_value(interfaces).map_err(Problem::internal)?;
    if rule.action == TrafficRuleAction::Passthrough && interfaces == json!([nowhere()]) {
        interfaces = json!([]);
    }
    let mut shown = serde_json::to_value(rule).map_err(Problem::internal)?;
    shown["dstInterface"] = interfaces;
    if let Value::Object(members) = &mut shown {
        let back = ACTIONS.map(|(its, ours)| (ours, its));
        rename(members, "action", &back);
    }
    Ok(shown)
}
