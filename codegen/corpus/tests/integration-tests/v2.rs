//! MEC 011 by its other witness: bodies that our v3.1.1 crates write, judged by ETSI's v2.1.1 documents, and the other
//! way round. A wrong repair of v3.1.1 can't hide here, because v2.1.1 is written by hand and only upgraded.
//!
//! Every fault that a judge finds is a difference that [`DIFFERENCES`] lists and explains; every entry is met.

use std::collections::{BTreeMap, BTreeSet};

use mecforge_document::upgrade;
use mecforge_runtime::strategy::Case;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::documents;

/// Values drawn for each body and direction.
const VALUES: usize = 120;

/// Which release's values are judged by the other's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// Values of v3.1.1, judged by v2.1.1.
    Back,
    /// Values of v2.1.1, judged by v3.1.1.
    Forth,
}

/// A known difference between the releases.
struct Difference {
    way: Way,
    /// The schemas of the bodies, as the release that the values are drawn from calls them.
    bodies: &'static [&'static str],
    /// Places in the value, `*` for indices.
    places: &'static [&'static str],
    keyword: &'static str,
    /// Why the releases differ, and which clause of v3.1.1 says so.
    reason: &'static str,
}

const SERVICES: &[&str] = &["ServiceInfo", "ServiceInfoRequest"];
const AVAILABILITY: &[&str] = &[
    "SerAvailabilityNotificationSubscription",
    "SerAvailabilityNotificationSubscriptionRequest",
];
const SUBSCRIPTIONS: &[&str] = &[
    "AppTerminationNotificationSubscription",
    "AppTerminationNotificationSubscriptionRequest",
    "SerAvailabilityNotificationSubscription",
    "SerAvailabilityNotificationSubscriptionRequest",
];
const SENT_SUBSCRIPTIONS: &[&str] = &[
    "AppTerminationNotificationSubscription",
    "SerAvailabilityNotificationSubscription",
];
const EARLIER_LISTS: &[&str] = &[
    "MecAppSuptApiSubscriptionLinkList",
    "MecServiceMgmtApiSubscriptionLinkList",
];

const DIFFERENCES: &[Difference] = &[
    Difference {
        way: Way::Back,
        bodies: SUBSCRIPTIONS,
        places: &[""],
        keyword: "required",
        reason: "v2.1.1 requires _links in requests and answers; in v3.1.1 a request has none, an answer may (7.1.3.2, 8.1.3.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["ServiceInfoRequest"],
        places: &[""],
        keyword: "required",
        reason: "PUT takes the answer's type in v2.1.1, which requires _links; they are the platform's (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SENT_SUBSCRIPTIONS,
        places: &["/_links/self/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (6.3.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["SubscriptionLinkList"],
        places: &["/_links/self/href", "/_links/subscriptions/*/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (6.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: AVAILABILITY,
        places: &["/filteringCriteria/serCategories/*/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &[
            "/serCategory/href",
            "/transportInfo/security/oAuth2Info/tokenEndpoint",
        ],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.2, 8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/security/oAuth2Info/tokenEndpoint"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: AVAILABILITY,
        places: &["/filteringCriteria/states/*"],
        keyword: "enum",
        reason: "v2.1.1 does not know SUSPENDED (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/state"],
        keyword: "enum",
        reason: "v2.1.1 does not know SUSPENDED (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/serializer", "/transportInfo/type"],
        keyword: "enum",
        reason: "the standard lets both lists grow, v2.1.1's document closes them (8.1.2.2, 8.1.2.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/type"],
        keyword: "enum",
        reason: "the standard lets the list grow, v2.1.1's document closes it (8.1.2.3)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/transportInfo/endpoint"],
        keyword: "oneOf",
        reason: "v2.1.1 does not know fqdn (8.1.5.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/endpoint"],
        keyword: "oneOf",
        reason: "v2.1.1 does not know fqdn (8.1.5.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["ServiceInfoRequest"],
        places: &["/transportInfo/security/oAuth2Info"],
        keyword: "required",
        reason: "v2.1.1 requires tokenEndpoint always, v3.1.1 not where all grants are implicit (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/security/oAuth2Info"],
        keyword: "required",
        reason: "v2.1.1 requires tokenEndpoint always, v3.1.1 not where all grants are implicit (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["SubscriptionLinkList"],
        places: &["/_links/subscriptions/*"],
        keyword: "required",
        reason: "links are told apart by rel in v2.1.1, by subscriptionType in v3.1.1 (6.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TimingCaps"],
        places: &["/ntpServers/*"],
        keyword: "required",
        reason: "v2.1.1 requires authenticationKeyNum, which occurs at most once (7.1.2.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TrafficRule"],
        places: &["/dstInterface"],
        keyword: "type",
        reason: "a duplicated packet has two destinations, for which v2.1.1 has no list (7.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TrafficRule"],
        places: &[
            "/dstInterface/interfaceType",
            "/dstInterface/tunnelInfo/tunnelType",
        ],
        keyword: "enum",
        reason: "the standard lets both lists grow, v2.1.1's document closes them (7.1.5.3, 7.1.5.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: SUBSCRIPTIONS,
        places: &["/subscriptionType"],
        keyword: "const",
        reason: "v2.1.1 names the type's only value in words alone (7.1.3.2, 8.1.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: SENT_SUBSCRIPTIONS,
        places: &["/_links/self"],
        keyword: "required",
        reason: "a link without href is none, though v2.1.1 does not require it (6.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: EARLIER_LISTS,
        places: &["/_links/self"],
        keyword: "required",
        reason: "a link without href is none, though v2.1.1 does not require it (6.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: EARLIER_LISTS,
        places: &["/_links/subscriptions/*"],
        keyword: "required",
        reason: "links are told apart by rel in v2.1.1, by subscriptionType in v3.1.1 (6.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["ServiceInfo"],
        places: &[""],
        keyword: "required",
        reason: "an answer names the instance that the platform made, which v2.1.1 leaves open (8.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["ServiceInfo", "ServiceInfo.Post", "ServiceInfoRequest"],
        places: &["/transportInfo/endpoint/addresses/*/port"],
        keyword: "maximum",
        reason: "a port has 16 bits, which v2.1.1 does not say (8.1.5.3)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TransportInfo"],
        places: &["/endpoint/addresses/*/port"],
        keyword: "maximum",
        reason: "a port has 16 bits, which v2.1.1 does not say (8.1.5.3)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TimingCaps"],
        places: &[
            "/ntpServers/*/minPollingInterval",
            "/ntpServers/*/maxPollingInterval",
        ],
        keyword: "minimum",
        reason: "polling intervals are exponents from 3 to 17, which v2.1.1 says in words alone (7.1.2.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TimingCaps"],
        places: &[
            "/ntpServers/*/minPollingInterval",
            "/ntpServers/*/maxPollingInterval",
        ],
        keyword: "maximum",
        reason: "polling intervals are exponents from 3 to 17, which v2.1.1 says in words alone (7.1.2.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &[""],
        keyword: "required",
        reason: "a rule that passes packets on names where to, which v2.1.1 has in words alone (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &[""],
        keyword: "not",
        reason: "a rule that drops packets has no destination, which v2.1.1 has in words alone (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &["/priority"],
        keyword: "maximum",
        reason: "priorities go from 0 to 255, which v2.1.1 does not say (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &["/trafficFilter"],
        keyword: "minItems",
        reason: "a rule has at least one filter, which v2.1.1 does not say (7.1.2.2)",
    },
];

/// An API of MEC 011 in both releases.
struct Pair {
    newest: Value,
    newest_cases: Vec<Case>,
    /// ETSI's document, upgraded and otherwise as it was written.
    earlier: Value,
    /// Our crate of it, only for drawing values.
    earlier_repaired: Value,
    earlier_cases: Vec<Case>,
}

fn pairs() -> Vec<Pair> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    vec![
        Pair {
            newest: parse(mec011_service_management::DOCUMENT),
            newest_cases: mec011_service_management::strategies::cases(),
            earlier: upgraded("mec011-service-management@v2.1.1"),
            earlier_repaired: parse(mec011_service_management_v2_1_1::DOCUMENT),
            earlier_cases: mec011_service_management_v2_1_1::strategies::cases(),
        },
        Pair {
            newest: parse(mec011_app_support::DOCUMENT),
            newest_cases: mec011_app_support::strategies::cases(),
            earlier: upgraded("mec011-app-support@v2.1.1"),
            earlier_repaired: parse(mec011_app_support_v2_1_1::DOCUMENT),
            earlier_cases: mec011_app_support_v2_1_1::strategies::cases(),
        },
    ]
}

fn upgraded(name: &str) -> Value {
    let mut document = documents::load(name);
    upgrade::upgrade(&mut document).unwrap();
    document.root.to_json()
}

/// The JSON schema of each body, by method, path and `request` or status.
fn bodies(document: &Value) -> BTreeMap<String, Value> {
    let mut bodies = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| *key != "parameters")
        {
            let mut insert = |name: &str, holder: &Value| {
                let schema = &resolved(document, holder)["content"]["application/json"]["schema"];
                if !schema.is_null() {
                    bodies.insert(format!("{method} {path} {name}"), schema.clone());
                }
            };
            insert("request", &operation["requestBody"]);
            for (status, response) in operation["responses"].as_object().unwrap() {
                insert(status, response);
            }
        }
    }
    bodies
}

fn resolved<'document>(document: &'document Value, node: &'document Value) -> &'document Value {
    match node["$ref"].as_str() {
        Some(target) => resolved(
            document,
            document.pointer(target.trim_start_matches('#')).unwrap(),
        ),
        None => node,
    }
}

/// The name of the schema that a body is, or is a list of; and whether it is a list.
fn named(schema: &Value) -> Option<(&str, bool)> {
    let name = |schema: &'_ Value| {
        schema["$ref"]
            .as_str()
            .and_then(|target| target.rsplit_once('/').map(|(start, _)| start.len() + 1))
    };
    match (name(schema), name(&schema["items"])) {
        (Some(start), _) => Some((&schema["$ref"].as_str()?[start..], false)),
        (None, Some(start)) => Some((&schema["items"]["$ref"].as_str()?[start..], true)),
        (None, None) => None,
    }
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    options.should_validate_formats(true).build(&schema).unwrap()
}

/// The places, with `*` for indices, and keywords of all faults.
fn faults(validator: &jsonschema::Validator, value: &Value) -> BTreeSet<(String, String)> {
    let pattern = |place: String| {
        let tokens = place.split('/').map(|token| {
            if token.parse::<usize>().is_ok() {
                "*"
            } else {
                token
            }
        });
        tokens.collect::<Vec<_>>().join("/")
    };
    let keyword = |path: String| {
        let mut tokens = path.rsplit('/').filter(|token| token.parse::<usize>().is_err());
        tokens.next().unwrap_or_default().to_owned()
    };
    let faults = validator.iter_errors(value);
    faults
        .map(|fault| {
            (
                pattern(fault.instance_path().to_string()),
                keyword(fault.schema_path().to_string()),
            )
        })
        .collect()
}

/// Draws values of a body of one release and judges them by the other; the faults with an example of each.
fn differences(way: Way) -> BTreeMap<(String, String, String), String> {
    let mut found = BTreeMap::new();
    let mut compared = 0;
    for pair in pairs() {
        let (drawn_from, cases, judge) = match way {
            Way::Back => (&pair.newest, &pair.newest_cases, &pair.earlier),
            Way::Forth => (&pair.earlier_repaired, &pair.earlier_cases, &pair.newest),
        };
        let (drawn, judged) = (bodies(drawn_from), bodies(judge));
        for (body, schema) in &drawn {
            let (Some(other), Some((name, is_list))) = (judged.get(body), named(schema)) else {
                continue;
            };
            let case = cases.iter().find(|case| case.name == name).unwrap();
            let validator = validator(judge, other);
            compared += 1;
            let mut runner = TestRunner::new_with_rng(
                Config {
                    max_local_rejects: 1_000_000,
                    ..Config::default()
                },
                TestRng::deterministic_rng(RngAlgorithm::ChaCha),
            );
            let strategy = (case.values)();
            for _ in 0..VALUES {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let value = if is_list { json!([value]) } else { value };
                for (place, keyword) in faults(&validator, &value) {
                    let place = if is_list {
                        place.trim_start_matches("/*").to_owned()
                    } else {
                        place
                    };
                    found
                        .entry((name.to_owned(), place, keyword))
                        .or_insert_with(|| format!("{body}: {value}"));
                }
            }
        }
    }
    assert!(compared > 20, "only {compared} bodies are in both releases");
    found
}

/// The two lists are equal: no difference without a reason, no reason without a difference.
#[track_caller]
fn check(way: Way) {
    let mut explained = BTreeMap::new();
    for entry in DIFFERENCES.iter().filter(|entry| entry.way == way) {
        for body in entry.bodies {
            for place in entry.places {
                let key = ((*body).to_owned(), (*place).to_owned(), entry.keyword.to_owned());
                assert!(
                    explained.insert(key, entry.reason).is_none(),
                    "{body} {place} {} is listed twice",
                    entry.keyword
                );
            }
        }
    }
    let found = differences(way);
    let unexplained = found.iter().filter(|(key, _)| !explained.contains_key(*key));
    let unexplained = unexplained.map(|(key, example)| format!("no reason for {key:?}: {example}"));
    let stale = explained.iter().filter(|(key, _)| !found.contains_key(*key));
    let stale = stale.map(|(key, reason)| format!("no difference {key:?}: {reason}"));
    let lines = unexplained.chain(stale).collect::<Vec<_>>();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn what_v3_sends_is_valid_for_v2_but_for_known_differences() {
    check(Way::Back);
}

#[test]
fn what_v2_sends_is_valid_for_v3_but_for_known_differences() {
    check(Way::Forth);
}

/// A registration as a client of v2.1.1 writes it by hand, in both documents.
#[test]
fn a_registration_written_for_v2_is_one_for_v3() {
    let pairs = pairs();
    let body = "post /applications/{appInstanceId}/services request";
    let registration = json!({
        "serName": "weather", "version": "1.0", "state": "ACTIVE", "serializer": "JSON",
        "serCategory": {"href": "http://catalogue.example/1", "id": "1", "name": "Weather", "version": "1"},
        "transportInfo": {
            "id": "t1", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0",
            "endpoint": {"uris": ["http://weather.example/"]},
            "security": {"oAuth2Info": {"grantTypes": ["OAUTH2_CLIENT_CREDENTIALS"], "tokenEndpoint": "http://mep.example/token"}},
        },
        "scopeOfLocality": "MEC_HOST", "consumedLocalOnly": true, "isLocal": true,
    });
    let without_name = {
        let mut registration = registration.clone();
        registration.as_object_mut().unwrap().remove("serName");
        registration
    };
    for document in [&pairs[0].newest, &pairs[0].earlier] {
        let validator = validator(document, &bodies(document)[body]);
        assert_eq!(faults(&validator, &registration), BTreeSet::new());
        assert_eq!(
            faults(&validator, &without_name),
            BTreeSet::from([(String::new(), "required".to_owned())])
        );
    }
}
