//! Every key that a configuration may have: what unknown keys are told from, and how each is spelt as an
//! environment variable.

/// What may stand at a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Text,
    Number,
    Boolean,
    /// A list of texts.
    Texts,
    Table(&'static [(&'static str, Known)]),
    /// `[[name]]`: any number of tables.
    Tables(&'static [(&'static str, Known)]),
    /// Whatever the standard leaves open.
    Open,
}

use Known::{Boolean, Number, Open, Table, Tables, Text, Texts};

/// The keys of a configuration file.
pub(super) const KEYS: &[(&str, Known)] = &[
    ("listen", Text),
    ("data_dir", Text),
    ("public_url", Text),
    (
        "log",
        Table(&[("format", Text), ("filter", Text), ("access", Boolean)]),
    ),
    (
        "limits",
        Table(&[
            ("body_bytes", Number),
            ("header_bytes", Number),
            ("connections", Number),
            ("header_seconds", Number),
            ("request_seconds", Number),
            ("shutdown_seconds", Number),
            ("services_per_application", Number),
            ("subscriptions_per_application", Number),
        ]),
    ),
    (
        "liveness",
        Table(&[
            ("shortest_seconds", Number),
            ("longest_seconds", Number),
            ("default_seconds", Number),
            ("required", Boolean),
            ("tolerance_percent", Number),
            ("grace_seconds", Number),
        ]),
    ),
    ("notifications", Table(NOTIFICATIONS)),
    (
        "dns",
        Table(&[
            ("listen", Text),
            ("zones", Texts),
            ("upstreams", Text),
            ("service_zone", Text),
            ("ttl_seconds", Number),
        ]),
    ),
    (
        "dataplane",
        Table(&[
            ("backend", Text),
            ("forward", Text),
            ("interfaces", Texts),
            ("table", Text),
            ("network_namespace", Text),
            ("check_seconds", Number),
        ]),
    ),
    (
        "management",
        Table(&[
            ("traffic_rules_per_application", Number),
            ("dns_rules_per_application", Number),
            ("grace_seconds", Number),
        ]),
    ),
    (
        "applications",
        Tables(&[("app_instance_id", Text), ("app_name", Text)]),
    ),
    ("transports", Tables(TRANSPORT)),
];

const NOTIFICATIONS: &[(&str, Known)] = &[
    ("targets", Text),
    ("allow_http", Boolean),
    ("allow", Texts),
    ("deny", Texts),
    ("root_certificates", Text),
    ("timeout_seconds", Number),
    ("attempts", Number),
    ("longest_age_seconds", Number),
    ("queued_per_subscription", Number),
    ("queued_bytes", Number),
    ("dead_letters_per_subscription", Number),
];

/// The names of the standard's TransportInfo (MEC 011 clause 8.1.2.3).
const TRANSPORT: &[(&str, Known)] = &[
    ("id", Text),
    ("name", Text),
    ("description", Text),
    ("type", Text),
    ("protocol", Text),
    ("version", Text),
    (
        "endpoint",
        Table(&[
            ("uris", Texts),
            ("fqdn", Texts),
            ("addresses", Tables(&[("host", Text), ("port", Number)])),
            ("alternative", Open),
        ]),
    ),
    (
        "security",
        Table(&[(
            "oAuth2Info",
            Table(&[("grantTypes", Texts), ("tokenEndpoint", Text)]),
        )]),
    ),
    ("implSpecificInfo", Open),
];

/// The key among `keys` that is most like `unknown`, if any is like it at all.
pub(super) fn nearest<'a>(unknown: &str, keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rated = keys.map(|key| (distance(&unknown.to_lowercase(), &key.to_lowercase()), key));
    let (distance, key) = rated.min_by_key(|(distance, _)| *distance)?;
    (distance <= unknown.chars().count().max(3) / 2 + 1).then_some(key)
}

/// How many characters must be added, removed or replaced to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, character) in left.chars().enumerate() {
        let mut diagonal = number;
        row[0] = number + 1;
        for (index, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        let keys = || KEYS.iter().map(|(key, _)| *key);
        for (unknown, meant) in [
            ("lisen", Some("listen")),
            ("data-dir", Some("data_dir")),
            ("publicUrl", Some("public_url")),
            ("logs", Some("log")),
            ("application", Some("applications")),
            ("zzzzzzzzzzzzzzzzzzzz", None),
        ] {
            assert_eq!(nearest(unknown, keys()), meant, "{unknown}");
        }
    }
}
