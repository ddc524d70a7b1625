//! A hundred thousand bad requests: every one is refused with 4xx and a place, none changes anything.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Uri};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::in_process::{InProcess, Reply, SERVICES, SUPPORT, registration, service};
use crate::process::Mep;

const COUNT: usize = 100_000;

/// A request that breaks a rule, and whether the refusal must say where.
#[derive(Clone, Debug)]
struct Bad {
    method: &'static str,
    target: String,
    content_type: &'static str,
    body: Bytes,
    /// `pointer` or `parameter`: what the refusal must have.
    names: Option<&'static str>,
}

/// Operations that take a body: method, target, a valid body.
fn operations() -> impl Strategy<Value = (&'static str, String, Value)> {
    prop_oneof![
        Just((
            "POST",
            format!("{SERVICES}/applications/app/services"),
            service("bad")
        )),
        Just((
            "PUT",
            format!("{SERVICES}/applications/app/services/ID"),
            service("bad")
        )),
        Just(("POST", format!("{SUPPORT}/registrations"), registration("other"))),
        Just(("PUT", format!("{SUPPORT}/registrations/app"), registration("app"))),
    ]
}

fn bad((method, target): (&'static str, String), body: impl Into<Bytes>, names: Option<&'static str>) -> Bad {
    Bad {
        method,
        target,
        content_type: "application/json",
        body: body.into(),
        names,
    }
}

/// A value that is of the wrong type wherever it stands (every property of these bodies is a text, an object or a
/// boolean).
fn wrong() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        any::<f64>()
            .prop_filter("JSON", |number| number.is_finite())
            .prop_map(|number| json!(number)),
        Just(Value::Null),
        Just(json!([])),
        Just(json!([[[{}]]])),
    ]
}

/// Bodies that are no JSON.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let cut = (operations(), any::<prop::sample::Index>()).prop_map(|((_, _, body), index)| {
        let text = body.to_string().into_bytes();
        text[..index.index(text.len() - 1) + 1].to_vec()
    });
    let cut = cut.prop_filter("no JSON", |text| serde_json::from_slice::<Value>(text).is_err());
    let bytes = proptest::collection::vec(any::<u8>(), 1..200);
    let bytes = bytes.prop_filter("no JSON", |bytes| serde_json::from_slice::<Value>(bytes).is_err());
    let invalid_utf8 =
        any::<u8>().prop_map(|byte| [b"{\"serName\":\"".as_slice(), &[0xC0 | byte, 0xFF], b"\"}"].concat());
    let nested = (65usize..4000).prop_map(|depth| [vec![b'['; depth], vec![b']'; depth]].concat());
    let nested_object = (200usize..2000).prop_map(|depth| {
        ["{\"serName\":".repeat(depth), "1".into(), "}".repeat(depth)]
            .concat()
            .into_bytes()
    });
    let twice = Just(br#"{"serName":"a","serName":"b"}"#.to_vec());
    prop_oneof![3 => cut, 2 => bytes, 1 => invalid_utf8, 1 => nested, 1 => nested_object, 1 => twice]
}

fn requests() -> impl Strategy<Value = Bad> {
    let broken = (operations(), broken())
        .prop_map(|((method, target, _), body)| bad((method, target), body, Some("pointer")));
    let required = (operations(), any::<prop::sample::Index>(), wrong()).prop_map(
        |((method, target, mut body), index, wrong)| {
            let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
            body[&names[index.index(names.len())]] = wrong;
            bad((method, target), body.to_string(), Some("pointer"))
        },
    );
    let removed =
        (operations(), any::<prop::sample::Index>()).prop_map(|((method, target, mut body), index)| {
            let names: Vec<String> = body
                .as_object()
                .unwrap()
                .keys()
                .filter(|name| *name != "appInstanceId")
                .cloned()
                .collect();
            body.as_object_mut()
                .unwrap()
                .remove(&names[index.index(names.len())]);
            bad((method, target), body.to_string(), Some("pointer"))
        });
    let whole = (operations(), wrong())
        .prop_map(|((method, target, _), body)| bad((method, target), body.to_string(), Some("pointer")));
    let unknown_value =
        (operations(), "[a-zA-Z\u{0}\u{1F600}]{0,40}").prop_map(|((method, target, mut body), text)| {
            let name = if body.get("state").is_some() {
                "state"
            } else {
                "endpoint"
            };
            body[name] = json!(text);
            bad((method, target), body.to_string(), Some("pointer"))
        });
    let media_type = (
        operations(),
        prop::sample::select(vec!["text/plain", "application/xml", "nonsense", ""]),
    )
        .prop_map(|((method, target, body), content_type)| Bad {
            content_type,
            ..bad((method, target), body.to_string(), None)
        });
    let empty = operations().prop_map(|(method, target, _)| bad((method, target), "", None));
    let oversized =
        operations().prop_map(|(method, target, _)| bad((method, target), vec![b' '; 1024 * 1024 + 1], None));
    let get = |target: String, names| Bad {
        content_type: "",
        ..bad(("GET", target), "", names)
    };
    let query = ("[a-z_]{1,30}", "[ -~&&[^#&%]]{0,40}").prop_map(move |(name, value)| {
        let value = value
            .replace(' ', "+")
            .replace(['"', '<', '>', '`', '{', '}', '\\', '^', '|'], "");
        get(
            format!("{SERVICES}/services?undeclared_{name}={value}"),
            Some("parameter"),
        )
    });
    let value = prop::sample::select(vec![
        "is_local=maybe",
        "is_local=",
        "is_local=true&is_local=true",
        "consumed_local_only=1",
        "scope_of_locality=zone",
        "ser_name=%FF",
        "ser_name=%00",
        "ser_name=a&ser_category_id=b",
        "ser_category_id=a&ser_category_id=b",
    ])
    .prop_map(move |query| get(format!("{SERVICES}/services?{query}"), Some("parameter")));
    let long = (1000usize..8000).prop_map(move |length| {
        get(
            format!("{SERVICES}/services/{}", "x".repeat(length)),
            Some("parameter"),
        )
    });
    let encoded = prop::sample::select(vec!["%FF", "%00", "a%00b", "%C3%28", "%2F%2E%2E", "..%2f"])
        .prop_map(move |id| get(format!("{SERVICES}/services/{id}"), None));
    let unknown = "[a-z/]{0,40}".prop_map(move |path| get(format!("{SERVICES}/nowhere/{path}"), None));
    let method = prop::sample::select(vec!["PATCH", "DELETE", "PUT", "TRACE", "BREW"])
        .prop_map(|method| bad((method, format!("{SERVICES}/transports")), "", None));
    prop_oneof![
        20 => broken, 20 => required, 10 => removed, 5 => whole, 5 => unknown_value, 4 => media_type, 2 => empty,
        1 => oversized, 8 => query, 5 => value, 3 => long, 3 => encoded, 3 => unknown, 3 => method,
    ]
}

/// What is wrong with a reply to a bad request, if anything.
fn complaint(bad: &Bad, reply: &Reply) -> Option<&'static str> {
    if !(400..500).contains(&reply.status) {
        return Some("is not refused with 4xx");
    }
    if reply.header("content-type") != "application/problem+json" || reply.body["status"] != reply.status {
        return Some("is refused without a problem");
    }
    let names = bad.names.filter(|_| reply.status == 400);
    names
        .is_some_and(|names| !reply.body[names].is_string())
        .then_some("is refused without saying where")
}

fn request(bad: &Bad, id: &str) -> Request<Body> {
    let target: Uri = bad.target.replace("ID", id).parse().unwrap();
    let mut request = Request::builder()
        .method(bad.method)
        .uri(target)
        .header("host", "mep.test");
    if !bad.content_type.is_empty() {
        request = request.header("content-type", bad.content_type);
    }
    request.body(Body::from(bad.body.clone())).unwrap()
}

#[test]
fn a_hundred_thousand_bad_requests_change_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let platform = InProcess::with_application().await;
        let created = platform
            .json(
                "POST",
                &format!("{SERVICES}/applications/app/services"),
                service("good"),
            )
            .await
            .expect(201);
        let id = created.body["serInstanceId"].as_str().unwrap().to_owned();
        let before = platform.store.range("", None, usize::MAX);
        // Generated once and then varied: making a strategy's value costs more than answering it.
        let mut runner = TestRunner::default();
        let strategy = requests();
        for number in 0..COUNT {
            let bad = strategy.new_tree(&mut runner).unwrap().current();
            let reply = platform.send(request(&bad, &id)).await;
            if let Some(complaint) = complaint(&bad, &reply) {
                panic!("request {number} {complaint}: {bad:?}\n{reply:?}");
            }
        }
        assert_eq!(platform.store.range("", None, usize::MAX), before);
        assert_eq!(
            platform
                .get(&format!("{SERVICES}/services/{id}"))
                .await
                .expect(200)
                .body,
            created.body
        );
    });
}

#[test]
fn bad_requests_over_sockets_are_refused_too() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::configured(
        directory.path(),
        "[log]\naccess = false\n[[applications]]\napp_instance_id = \"app\"\napp_name = \"a\"\n",
    );
    let mut runner = TestRunner::default();
    let strategy = requests();
    for _ in 0..2000 {
        let bad = strategy.new_tree(&mut runner).unwrap().current();
        let headers: &[(&str, &str)] = if bad.content_type.is_empty() {
            &[]
        } else {
            &[("Content-Type", bad.content_type)]
        };
        let answer = mep.connect().request(
            bad.method,
            &bad.target.replace("ID", "unknown"),
            headers,
            &bad.body,
        );
        // With a body that is too long, the platform may answer and hang up while it is still being sent.
        let Some(answer) = answer else {
            assert!(bad.body.len() > 1024 * 1024, "no answer to {bad:?}");
            continue;
        };
        assert!(
            (400..500).contains(&answer.status),
            "{} to {bad:?}",
            answer.status
        );
    }
    for rubbish in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nNo Colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ] {
        let mut connection = mep.connect();
        connection.send(rubbish).unwrap();
        connection.send(b"\r\n\r\n").ok();
        assert!(
            connection
                .answer(false)
                .is_none_or(|answer| (400..500).contains(&answer.status))
        );
    }
    assert_eq!(mep.get("/readyz").status, 200);
    assert_eq!(mep.get(&format!("{SERVICES}/services")).text(), "[]");
}
