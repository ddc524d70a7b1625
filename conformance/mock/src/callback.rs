//! Where subscribers want to be told: addresses that this server would never call are refused at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::Uri;
use serde_json::Value;

use crate::problem::Problem;

/// The members that are callback addresses, as MEC's documents call them, in lower case.
const NAMES: [&str; 4] = [
    "callbackreference",
    "callbackuri",
    "callbackurl",
    "notificationuri",
];

/// Addresses at which clouds tell machines their secrets, beside the link-local ones.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Judges the callback addresses of a body, also inside of a wrapper.
///
/// # Errors
/// 400.
pub(crate) fn judge(value: &Value) -> Result<(), Problem> {
    look(value, "", 1)
}

fn look(value: &Value, at: &str, depth: u8) -> Result<(), Problem> {
    for (name, member) in value.as_object().into_iter().flatten() {
        let pointer = format!("{at}/{name}");
        match member {
            Value::String(address) if NAMES.contains(&name.to_ascii_lowercase().as_str()) => {
                if let Some(why) = refused(address) {
                    return Err(Problem::bad_request(format!("{name} {why}")).with("pointer", pointer));
                }
            }
            Value::Object(_) if depth > 0 => look(member, &pointer, depth - 1)?,
            _ => {}
        }
    }
    Ok(())
}

/// Why an address is refused; none if it may be one.
fn refused(address: &str) -> Option<&'static str> {
    let (scheme, _) = address.split_once(':')?;
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Some("is neither http nor https");
    }
    let uri: Uri = address.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']);
    let inner = match host.parse::<IpAddr>().ok()? {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    };
    let link_local = match inner {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    (link_local || METADATA.contains(&inner)).then_some("is an address that no receiver can have")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refuses_what_is_never_called() {
        let cases = [
            ("http://127.0.0.1:9/x", true),
            ("HTTPS://receiver.example/x", true),
            ("relative/reference", true),
            ("file:///etc/passwd", false),
            ("javascript:void(0)", false),
            ("http://169.254.169.254/latest", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://100.100.100.200/", false),
        ];
        for (address, fine) in cases {
            let plain = json!({"callbackReference": address});
            let wrapped = json!({"userTrackingSubscription": {"callbackReference": address}});
            assert_eq!(judge(&plain).is_ok(), fine, "{address}");
            assert_eq!(judge(&wrapped).is_ok(), fine, "{address}");
        }
    }
}
