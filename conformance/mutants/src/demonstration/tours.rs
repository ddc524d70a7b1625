//! Tours of single requests: services, what is valid and what is not, queries, HTTP's rules.

use bytes::Bytes;
use serde_json::{Value, json};

use super::session::Session;

pub(super) const OWN: &str = "/mec_service_mgmt/v1/applications/mutant-1/services";
pub(super) const ALL: &str = "/mec_service_mgmt/v1/services";
pub(super) const SUBSCRIPTIONS: &str = "/mec_service_mgmt/v1/applications/mutant-1/subscriptions";
pub(super) const SUPPORT: &str = "/mec_app_support/v1";

/// A service with every optional property; the second argument is put over it.
pub(super) fn service(name: &str, over: Value) -> Value {
    let mut body = json!({
        "serName": name, "version": "2.5", "state": "ACTIVE", "serializer": "XML", "transportId": "transportId",
        "serCategory": {"href": "/c", "id": "c1", "name": "cars", "version": "1"}, "scopeOfLocality": "ZONE",
        "consumedLocalOnly": false, "isLocal": false, "livenessInterval": 90,
    });
    put_over(&mut body, over);
    body
}

/// The smallest service.
pub(super) fn small(name: &str) -> Value {
    json!({"serName": name, "version": "1.0", "state": "INACTIVE", "serializer": "JSON", "transportId": "transportId"})
}

/// Replaces members; null takes them away.
fn put_over(body: &mut Value, over: Value) {
    let (Value::Object(body), Value::Object(over)) = (body, over) else {
        return;
    };
    for (name, value) in over {
        match value {
            Value::Null => drop(body.remove(&name)),
            value => drop(body.insert(name, value)),
        }
    }
}

/// The life of services.
pub(super) async fn services(session: &mut Session) {
    session.ask("GET", OWN, None).await;
    session.ask("GET", SUBSCRIPTIONS, None).await;
    session.ask("GET", "/mec_service_mgmt/v1/transports", None).await;
    let first = session.make(OWN, &service("first", json!({}))).await;
    let public = first.replace("/applications/mutant-1", "");
    read(session, &first, &public).await;
    let second = session.make(OWN, &small("second")).await;
    read(session, &first, &public).await;
    session.ask("GET", &second, None).await;
    for over in [
        json!({"state": "INACTIVE", "version": "3"}),
        json!({"serCategory": null, "scopeOfLocality": null}),
        json!({"isLocal": true}),
    ] {
        let body = service("first", over);
        session.ask("PUT", &first, Some(&body)).await;
        read(session, &first, &public).await;
        session.ask("PUT", &first, Some(&body)).await;
        read(session, &first, &public).await;
    }
    session.ask("GET", &format!("{first}/liveness"), None).await;
    conditions(session, &first).await;
    session.ask("PUT", &first, Some(&json!({"serName": 1}))).await;
    session.ask("POST", OWN, Some(&json!({}))).await;
    read(session, &first, &public).await;
    identifiers(session, &first).await;
    session.ask("DELETE", &first, None).await;
    session.ask("DELETE", &first, None).await;
    session.ask("PUT", &first, Some(&small("again"))).await;
    read(session, &first, &public).await;
    session.ask("GET", &format!("{first}/liveness"), None).await;
    let third = session.make(OWN, &small("third")).await;
    session.ask("GET", &third, None).await;
    session.ask("GET", OWN, None).await;
    session.ask("HEAD", &third, None).await;
    session.ask("GET", &third, None).await;
}

async fn read(session: &mut Session, own: &str, public: &str) {
    for path in [own, public, OWN, ALL] {
        session.ask("GET", path, None).await;
    }
}

/// Parts and other spellings of an identifier.
async fn identifiers(session: &mut Session, first: &str) {
    let (list, id) = first.rsplit_once('/').unwrap_or_default();
    for other in [
        id.to_uppercase(),
        id.chars().take(12).collect(),
        id.replace('-', "%2D"),
        id.replace('-', "%252D"),
    ] {
        let answer = session.client.json("GET", &format!("{list}/{other}"), None).await;
        session.transcript.note(&format!(
            "another spelling: {:?}",
            answer.map(|answer| answer.status())
        ));
    }
}

async fn conditions(session: &mut Session, path: &str) {
    let tag = session
        .ask("GET", path, None)
        .await
        .and_then(|answer| answer.header("etag").map(str::to_owned));
    let mut tag = tag.unwrap_or_default();
    let body = Bytes::from(service("first", json!({"version": "conditional"})).to_string());
    for form in ["W/TAG", "\"other\"", "*", "\"other\", TAG"] {
        let condition = form.replace("TAG", &tag);
        let call = crate::client::Call {
            method: "PUT",
            path,
            headers: &[("if-match", &condition)],
            body: body.clone(),
        };
        let answer = session.client.send(call).await;
        session.transcript.answer("conditional PUT", answer.as_ref());
        let now = session
            .ask("GET", path, None)
            .await
            .and_then(|answer| answer.header("etag").map(str::to_owned));
        let now = now.unwrap_or_default();
        for headers in [
            &[("if-none-match", now.as_str())][..],
            &[("if-none-match", "\"other\"")],
            &[("if-match", "\"other\"")],
            &[("if-match", "\"other\""), ("if-none-match", now.as_str())],
        ] {
            let call = crate::client::Call {
                method: "GET",
                path,
                headers,
                body: Bytes::new(),
            };
            let answer = session.client.send(call).await;
            session.transcript.answer("conditional GET", answer.as_ref());
        }
        let headers = [("if-match", now.as_str())];
        let call = crate::client::Call {
            method: "PUT",
            path,
            headers: &headers,
            body: body.clone(),
        };
        let answer = session.client.send(call).await;
        session
            .transcript
            .answer("PUT with the present tag", answer.as_ref());
        let etag = answer.as_ref().and_then(|answer| answer.header("etag"));
        tag = etag.unwrap_or_default().to_owned();
    }
    let call = crate::client::Call {
        method: "DELETE",
        path,
        headers: &[("if-match", "\"other\"")],
        body: Bytes::new(),
    };
    let answer = session.client.send(call).await;
    session.transcript.answer("conditional DELETE", answer.as_ref());
    session.ask("PUT", path, Some(&service("first", json!({})))).await;
}

fn transport(over: Value) -> Value {
    let mut info = json!({
        "id": "t", "name": "t", "type": "MB_ROUTING", "protocol": "AMQP", "version": "1",
        "endpoint": {"uris": ["http://a.invalid/"]}, "security": {},
    });
    put_over(&mut info, over);
    json!({"transportId": null, "transportInfo": info})
}

fn grants(count: usize) -> Value {
    let all = [
        "OAUTH2_AUTHORIZATION_CODE",
        "OAUTH2_IMPLICIT_GRANT",
        "OAUTH2_RESOURCE_OWNER",
        "OAUTH2_CLIENT_CREDENTIALS",
    ];
    let list: Vec<&str> = all.into_iter().cycle().take(count).collect();
    transport(json!({"security": {"oAuth2Info": {"grantTypes": list, "tokenEndpoint": "http://a.invalid/"}}}))
}

/// What must be taken.
pub(super) async fn variants(session: &mut Session) {
    let addresses = |port: i64| transport(json!({"endpoint": {"addresses": [{"host": "h", "port": port}]}}));
    let mut bodies = vec![
        small("small"),
        service("", json!({})),
        service("state", json!({"state": "SUSPENDED"})),
        service("with blank", json!({})),
        service("json", json!({"serializer": "JSON"})),
        service("zones", json!({"scopeOfLocality": "ZONE_GROUP"})),
        service("liveness", json!({"livenessInterval": 0})),
        service("many", json!({"livenessInterval": 5_000_000_000_u64})),
        service(
            "known",
            json!({"serInstanceId": "mine", "_links": {"self": {"href": "/mine"}}}),
        ),
        service("extra", json!({"vendor": {"x": [1, 2]}})),
        service("local", json!({"consumedLocalOnly": true})),
    ];
    for info in [
        transport(json!({})),
        transport(json!({"endpoint": {"fqdn": ["a.invalid"]}})),
        transport(json!({"endpoint": {"alternative": {}}})),
        addresses(65535),
        addresses(0),
        addresses(80),
        grants(4),
        grants(1),
    ] {
        bodies.push(service("transport", info));
    }
    let long = "x".repeat(1200);
    for name in [
        "\u{fc}ber",
        "\u{1f600}",
        "a\u{308}e\u{301}",
        " trim ",
        "a&<b>\"c'",
        "nul\u{0}nul",
        "UPPER",
        "${7*7}{{7*7}}",
        "tab\t",
        "'",
        long.as_str(),
    ] {
        bodies.push(service(
            name,
            json!({"version": "1.5-with-more-than-32-characters-in-it"}),
        ));
    }
    bodies.push(service("large", json!({"filler": "y".repeat(5000)})));
    for body in &bodies {
        let path = session.make(OWN, body).await;
        session.ask("GET", &path, None).await;
        session.ask("PUT", &path, Some(body)).await;
        session.ask("GET", &path, None).await;
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20), "]".repeat(20));
    session.send("POST", OWN, &[], Bytes::from(deep)).await;
    let typed = [("content-type", "application/json; charset=utf-8")];
    session
        .send("POST", OWN, &typed, Bytes::from(small("typed").to_string()))
        .await;
}

/// What must be refused.
pub(super) async fn refusals(session: &mut Session) {
    let path = session.make(OWN, &service("target", json!({}))).await;
    let addresses =
        |port: Value| transport(json!({"endpoint": {"addresses": [{"host": "h", "port": port}]}}));
    let mut overs = vec![
        json!({"serName": null}),
        json!({"version": null}),
        json!({"state": null}),
        json!({"serializer": null}),
        json!({"transportId": null}),
        json!({"transportInfo": transport(json!({}))["transportInfo"]}),
        json!({"serName": 1}),
        json!({"version": 1}),
        json!({"state": "UP"}),
        json!({"state": "active"}),
        json!({"serializer": 1}),
        json!({"scopeOfLocality": "EVERYWHERE"}),
        json!({"consumedLocalOnly": "yes"}),
        json!({"isLocal": "yes"}),
        json!({"livenessInterval": -1}),
        json!({"livenessInterval": "60"}),
        json!({"serCategory": {"id": "x"}}),
        json!({"serCategory": "x"}),
        transport(json!({"type": null})),
        transport(json!({"endpoint": {}})),
        grants(5),
        grants(0),
        transport(json!({"endpoint": {"uris": [], "fqdn": []}})),
        transport(json!({"endpoint": {"uris": "http://a.invalid/"}})),
        transport(json!({"endpoint": {"addresses": [{"host": "h"}]}})),
        addresses(json!(65536)),
        addresses(json!(-1)),
        transport(json!({"security": {"oAuth2Info": {"grantTypes": ["NONE"]}}})),
        transport(json!({"security": {"oAuth2Info": {}}})),
    ];
    overs.push(json!({"transportId": "unknown"}));
    let mut bodies: Vec<Value> = overs.into_iter().map(|over| service("refused", over)).collect();
    let mut null = small("null");
    null["serName"] = Value::Null;
    bodies.extend([null, json!({}), json!([small("in a list")])]);
    for body in &bodies {
        let made = session.make(OWN, body).await;
        session.ask("GET", &made, None).await;
        session.ask("PUT", &path, Some(body)).await;
        session.ask("GET", &path, None).await;
    }
    for text in ["{\"serName\": ", "nothing", ""] {
        session
            .send(
                "POST",
                OWN,
                &[("content-type", "application/json")],
                Bytes::from(text),
            )
            .await;
        session
            .send(
                "POST",
                SUBSCRIPTIONS,
                &[("content-type", "application/json")],
                Bytes::from(text),
            )
            .await;
    }
    session.ask("GET", OWN, None).await;
}

/// Query parameters.
pub(super) async fn filters(session: &mut Session) {
    let mut ids = Vec::new();
    for (name, over) in [
        ("alpha", json!({})),
        (
            "Alpha",
            json!({"serCategory": {"href": "/c", "id": "c2", "name": "c1", "version": "1"}}),
        ),
        (
            "alphabet",
            json!({"scopeOfLocality": null, "isLocal": true, "serCategory": null}),
        ),
        (
            "beta",
            json!({"consumedLocalOnly": true, "scopeOfLocality": "MEC_HOST"}),
        ),
        ("an alpha", json!({"consumedLocalOnly": null, "isLocal": null})),
    ] {
        let path = session.make(OWN, &service(name, over)).await;
        ids.push(
            path.rsplit_once('/')
                .map(|(_, id)| id.to_owned())
                .unwrap_or_default(),
        );
    }
    let queries = [
        "ser_name=alpha",
        "ser_name=alpha&ser_name=beta",
        "ser_name=alpha,beta",
        "ser_name=nobody",
        "ser_name=an%20alpha",
        "ser_name=an%2Balpha",
        "ser_category_id=c1",
        "ser_category_id=c3",
        "scope_of_locality=ZONE",
        "scope_of_locality=MEC_HOST",
        "consumed_local_only=true",
        "consumed_local_only=false",
        "is_local=true",
        "is_local=false",
        "is_local=maybe",
        "consumed_local_only=1",
        "scope_of_locality=HERE",
        "unknown=1",
        "ser_name=alpha&ser_category_id=c1",
        "SER_NAME=alpha",
        "ser_name=alpha&consumed_local_only=true",
        "scope_of_locality=ZONE&consumed_local_only=false",
        "",
        "ser_name=%C3%BC",
    ];
    for list in [ALL, OWN] {
        for query in queries {
            session.ask("GET", &format!("{list}?{query}"), None).await;
        }
        for query in [
            format!("ser_instance_id={}", ids[0]),
            format!("ser_instance_id={}&ser_instance_id={}", ids[0], ids[1]),
        ] {
            session.ask("GET", &format!("{list}?{query}"), None).await;
        }
    }
}

/// Methods, negotiation and paths.
pub(super) async fn http_rules(session: &mut Session) {
    let path = session
        .make(OWN, &service("h\u{fc}", json!({"serName": "h\u{fc}"})))
        .await;
    let other = session.make(OWN, &small("other")).await;
    for (method, at) in [
        ("DELETE", ALL),
        ("PATCH", OWN),
        ("POST", path.as_str()),
        ("FROB", ALL),
        ("TRACE", ALL),
        ("OPTIONS", OWN),
        ("OPTIONS", ALL),
        ("HEAD", ALL),
        ("HEAD", path.as_str()),
        ("GET", "/mec_service_mgmt/v1/nothing"),
        ("GET", "/mec_service_mgmt/v1/SERVICES"),
        ("GET", "/mec_service_mgmt/v1/services/"),
        ("GET", "/mec_service_mgmt/v1/servi%63es"),
        ("GET", "/mec_service_mgmt/v1/servi%2563es"),
        ("GET", "/mec_service_mgmt/v1/transports"),
        ("GET", "/mec_service_mgmt/v1%2Ftransports"),
    ] {
        session.ask(method, at, None).await;
    }
    let slashed = session.make(OWN, &small("slashed")).await;
    session.ask("DELETE", &format!("{slashed}/"), None).await;
    session.ask("GET", &slashed, None).await;
    let head = session
        .client
        .json("HEAD", &other, None)
        .await
        .and_then(|answer| answer.header("content-length").map(str::to_owned));
    let get = session
        .client
        .json("GET", &other, None)
        .await
        .and_then(|answer| answer.header("content-length").map(str::to_owned));
    session
        .transcript
        .note(&format!("HEAD tells the length of GET: {}", head == get));
    let body = Bytes::from(small("negotiated").to_string());
    for header in [
        ("content-type", "text/plain"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-encoding", "gzip"),
        ("accept", "text/html"),
        ("x-http-method-override", "DELETE"),
    ] {
        session.send("POST", OWN, &[header], body.clone()).await;
    }
    for header in [
        ("accept", "*/*"),
        ("accept", "image/png"),
        ("origin", "http://evil.invalid"),
        ("x-http-method-override", "DELETE"),
    ] {
        session.send("GET", &other, &[header], Bytes::new()).await;
    }
    let long = format!("{ALL}/{}", "x".repeat(300));
    session.ask("GET", &long, None).await;
    let filler = "z".repeat(40_000);
    session
        .send("GET", ALL, &[("x-filler", &filler)], Bytes::new())
        .await;
    session
        .send(
            "POST",
            OWN,
            &[],
            Bytes::from(json!({"filler": "z".repeat(1_100_000)}).to_string()),
        )
        .await;
    session
        .ask("POST", "/mec_app_support/v1/registrations", Some(&json!({})))
        .await;
    session.ask("DELETE", OWN, None).await;
    session.ask("GET", OWN, None).await;
}

/// Enough requests for what happens sometimes, and lists of more than ten.
pub(super) async fn many(session: &mut Session) {
    for number in 0..12 {
        session.make(OWN, &small(&format!("number {number}"))).await;
    }
    session.ask("GET", OWN, None).await;
    for _ in 0..300 {
        session.ask("GET", "/mec_service_mgmt/v1/transports", None).await;
    }
}
