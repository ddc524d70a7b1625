//! Every refusal is a problem that names what is wrong, and pages of other sites change nothing.

use axum::body::Body;
use http::{HeaderValue, Method};
use mecforge_administration::Options;
use mecforge_contracts::keys;
use mecforge_runtime::server::PublicUrl;

use crate::asking::request;
use crate::world::World;

const LETTER: &str = "/dead-letters/subscriptions%2Fservice-availability%2Fa%2F1/n1";

async fn world_with(options: Options) -> World {
    let world = World::new(options);
    let subscription = keys::subscription("service-availability", "a", "1");
    world.give_up(&subscription, "n1", 1_800_000_000_000).await;
    world
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let world = World::with_defaults();
    for (path, parameter, rule) in [
        ("/services?limit=0", "limit", Some("minimum")),
        ("/services?limit=1001", "limit", Some("maximum")),
        ("/dead-letters?limit=-1", "limit", Some("type")),
        ("/applications?limit=", "limit", Some("type")),
        ("/deliveries?limit=1&limit=2", "limit", None),
        ("/deliveries?subscription=1", "subscription", None),
        ("/platform?verbose", "verbose", None),
        ("/data-plane?verbose", "verbose", None),
        ("/deliveries/x?limit=1", "limit", None),
        ("/dead-letters/x/y?limit=1", "limit", None),
        ("/events?kinds=service,cat", "kinds", Some("enum")),
        ("/events?kinds=", "kinds", Some("enum")),
    ] {
        let problem = world
            .refusal(request(Method::GET, path).body(Body::empty()).unwrap(), 400)
            .await;
        assert_eq!(problem["parameter"], parameter, "{path}");
        assert_eq!(problem.get("rule").and_then(|rule| rule.as_str()), rule, "{path}");
    }
    for path in ["/deliveries/%FF", "/services?application=%FF%"] {
        let response = world
            .send(request(Method::GET, path).body(Body::empty()).unwrap())
            .await;
        assert!(
            response.status() == 400 || response.status() == 200,
            "{path}: {}",
            response.status()
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::with_defaults();
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/platform/more"),
        (Method::GET, "/deliveries/subscriptions%2Fx%2Fy%2Fz"),
        (Method::GET, LETTER),
        (Method::DELETE, LETTER),
    ] {
        world
            .refusal(request(method, path).body(Body::empty()).unwrap(), 404)
            .await;
    }
    let replay = request(Method::POST, &format!("{LETTER}/replay"))
        .header("content-type", "application/json")
        .body(Body::empty());
    world.refusal(replay.unwrap(), 404).await;
}

#[tokio::test]
async fn a_query_that_is_no_text_is_refused() {
    let world = World::with_defaults();
    let asked = request(Method::GET, "/applications?after=%ff").body(Body::empty());
    world.refusal(asked.unwrap(), 400).await;
}

#[tokio::test]
async fn methods_that_a_path_does_not_have_are_refused_with_those_it_has() {
    let world = World::with_defaults();
    for (method, path, allow) in [
        (Method::POST, "/platform", "GET,HEAD"),
        (Method::PUT, "/dead-letters", "GET,HEAD,DELETE"),
        (Method::PATCH, "/dead-letters/replay", "POST"),
    ] {
        let ask = || request(method.clone(), path).body(Body::empty()).unwrap();
        world.refusal(ask(), 405).await;
        assert_eq!(world.send(ask()).await.headers()["allow"], allow, "{path}");
        let options = request(Method::OPTIONS, path).body(Body::empty()).unwrap();
        let options = world.send(options).await;
        assert_eq!(
            (options.status().as_u16(), &options.headers()["allow"]),
            (204, &HeaderValue::from_static(allow))
        );
    }
}

#[tokio::test]
async fn changes_need_json_that_says_nothing_else() {
    let world = world_with(Options::default()).await;
    let path = format!("{LETTER}/replay");
    for (media_type, body, status, pointer) in [
        (None, "", 415, None),
        (Some("text/plain"), "{}", 415, None),
        (Some("application/x-www-form-urlencoded"), "", 415, None),
        (Some("application/json"), "{\"all\": true}", 400, Some("/all")),
        (Some("application/json"), "[]", 400, Some("")),
        (Some("application/json"), "{", 400, None),
    ] {
        let mut replay = request(Method::POST, &path);
        if let Some(media_type) = media_type {
            replay = replay.header("content-type", media_type);
        }
        let problem = world
            .refusal(replay.body(Body::from(body)).unwrap(), status)
            .await;
        assert_eq!(
            problem.get("pointer").and_then(|pointer| pointer.as_str()),
            pointer,
            "{body}"
        );
    }
    for path in ["/dead-letters/replay", "/dead-letters/x/replay"] {
        let replay = request(Method::POST, path).header("content-type", "application/json");
        world.refusal(replay.body(Body::from("[]")).unwrap(), 400).await;
    }
    for path in [
        "/dead-letters?all",
        "/dead-letters/x?all",
        "/dead-letters/x/y?all",
    ] {
        let discard = request(Method::DELETE, path).body(Body::empty()).unwrap();
        assert_eq!(world.refusal(discard, 400).await["parameter"], "all");
    }
    let long = request(Method::POST, &path)
        .header("content-type", "application/json")
        .body(Body::from(" ".repeat(5000)));
    world.refusal(long.unwrap(), 413).await;
    assert_eq!(world.get("/platform").await["counts"]["deadLetters"], 1);
    world.change(Method::POST, &path).await;
}

/// The status of a discard with these headers.
async fn discard(world: &World, headers: &[(&str, &str)], public: Option<&str>) -> u16 {
    let mut discard = http::Request::builder()
        .method(Method::DELETE)
        .uri(format!("{}{LETTER}", mecforge_administration::BASE_PATH));
    for (name, value) in headers {
        discard = discard.header(*name, *value);
    }
    let mut discard = discard.body(Body::empty()).unwrap();
    if let Some(public) = public {
        discard.extensions_mut().insert(PublicUrl::new(public));
    }
    world.send(discard).await.status().as_u16()
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let local = ("host", "127.0.0.1:8080");
    for headers in [
        [local, ("origin", "https://evil.example")].as_slice(),
        &[local, ("origin", "null")],
        // Another port of the same machine is another origin.
        &[local, ("origin", "http://127.0.0.1:3000")],
        &[local, ("sec-fetch-site", "cross-site")],
        &[
            local,
            ("sec-fetch-site", "same-site"),
            ("origin", "http://127.0.0.1:8080"),
        ],
        // A name of somebody else that is pointed at this machine.
        &[
            ("host", "evil.example:8080"),
            ("origin", "http://evil.example:8080"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        let world = world_with(Options::default()).await;
        assert_eq!(discard(&world, headers, None).await, 403, "{headers:?}");
        assert_eq!(world.get("/platform").await["counts"]["deadLetters"], 1);
    }
}

#[tokio::test]
async fn the_platforms_own_pages_and_programs_may_change_it() {
    let own = Options {
        hosts: vec!["mep.lab".to_owned()],
        ..Options::default()
    };
    for (headers, public) in [
        ([("host", "127.0.0.1:8080")].as_slice(), None),
        (
            &[
                ("host", "127.0.0.1:8080"),
                ("origin", "http://127.0.0.1:8080"),
                ("sec-fetch-site", "same-origin"),
            ],
            None,
        ),
        (&[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")], None),
        (
            &[("host", "localhost:8080"), ("origin", "http://localhost:8080")],
            None,
        ),
        (&[("host", "mep.lab"), ("origin", "http://mep.lab")], None),
        (
            &[("host", "10.0.0.1:8080"), ("origin", "https://mep.example.com")],
            Some("https://mep.example.com/edge"),
        ),
    ] {
        let world = world_with(own.clone()).await;
        assert_eq!(discard(&world, headers, public).await, 200, "{headers:?}");
    }
}
