//! The web console in a real browser, over this API.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use axum::extract::Request;
use http::StatusCode;
use mecforge_administration::{BASE_PATH, Options};
use mecforge_contracts::keys;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::chrome::Chrome;
use crate::files;
use crate::world::{World, dns_rule, service, traffic_rule};

const SUBSCRIPTION: &str = "subscriptions/service-availability/a/1";
/// Markup, and a character that turns what follows around.
const HOSTILE: &str = "<img src=x onerror='document.title=`hacked`'>\u{202e}gnp";

/// A world that is served with its console, until it is told to stop.
struct Served {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Served {
    fn start(world: &World, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let files = async |request: Request| {
            files::find(request.uri().path(), request.headers()).ok_or(StatusCode::NOT_FOUND)
        };
        let router = axum::Router::new()
            .nest(BASE_PATH, world.administration.router())
            .fallback(files);
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self {
            runtime: Some(runtime),
            address,
        }
    }

    fn url(&self, view: &str) -> String {
        format!("http://{}/console/#{view}", self.address)
    }
}

impl Drop for Served {
    /// Ends as a process that is killed: with its connections.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn world() -> World {
    filled(World::with_defaults()).await
}

async fn filled(world: World) -> World {
    world
        .put(&keys::application("a"), json!({"appName": HOSTILE}))
        .await;
    world
        .put(&keys::service("a", HOSTILE), service(HOSTILE, "ACTIVE"))
        .await;
    world
        .put(
            &keys::service("a", "s2"),
            service(&"long".repeat(50), "SUSPENDED"),
        )
        .await;
    world
        .put(
            &keys::dns_rule("a", "d"),
            dns_rule("d", "video.example.com", "ACTIVE"),
        )
        .await;
    world
        .put(&keys::traffic_rule("a", "t"), traffic_rule("t", 1, "ACTIVE"))
        .await;
    let request =
        json!({"callbackReference": "http://192.0.2.7/x", "filteringCriteria": {"serNames": [HOSTILE]}});
    world.put(SUBSCRIPTION, json!({"request": request})).await;
    world.queue(SUBSCRIPTION, "n1").await;
    world.give_up(SUBSCRIPTION, "n2", 1_700_000_000_000).await;
    world.give_up(SUBSCRIPTION, "n3", 1_700_000_000_001).await;
    world
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// An expression that is true when the page shows a text.
fn shows(text: &str) -> String {
    format!("document.body.innerText.includes({})", json!(text))
}

const LIVE: &str = "document.getElementById('connection').textContent === 'live'";
const LOST: &str = "document.body.classList.contains('lost')";

#[tokio::test(flavor = "multi_thread")]
async fn every_view_shows_what_there_is_on_phones_tablets_and_screens() {
    let world = world().await;
    let served = Served::start(&world, anywhere());
    let mut chrome = Chrome::start().await;
    for (width, height) in [(360, 780), (800, 1100), (1280, 900)] {
        chrome.size(width, height).await;
        for (view, texts) in [
            (
                "overview",
                ["2\nServices", "2 notifications were given up"].as_slice(),
            ),
            (
                "services",
                &[
                    "<img src=x onerror='document.title=`hacked`'>‹U+202E›gnp",
                    "SUSPENDED",
                    "REST_HTTP",
                ],
            ),
            ("applications", &["<img src=x", "registered", "declared"]),
            (
                "rules",
                &[
                    "video.example.com",
                    "has no GTP-U",
                    "1,234,567 packets",
                    "to port 8080",
                ],
            ),
            (
                "subscriptions",
                &["service-availability", "http://192.0.2.7/x", "serNames"],
            ),
            (
                "deliveries",
                &["2 given up", "the subscriber answered 404", "token=<b>&x", "n3"],
            ),
        ] {
            chrome.open("about:blank").await;
            chrome.open(&served.url(view)).await;
            chrome.wait_for(LIVE).await;
            for text in texts {
                chrome.wait_for(&shows(text)).await;
            }
            let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(chrome.value(wide).await, 0, "{view} is cut off at {width} pixels");
            assert_eq!(
                chrome.value("document.querySelectorAll('main img').length").await,
                0
            );
            assert_eq!(
                chrome
                    .value("document.querySelectorAll('[aria-current]').length")
                    .await,
                1
            );
            assert_ne!(chrome.value("document.title").await, "hacked");
        }
    }
    // A page that has been left holds no stream: browsers allow six connections to one platform.
    let mut clients = Value::Null;
    for _ in 0..100 {
        clients = world.get("/platform").await["eventClients"].clone();
        if clients == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(clients, 1, "clients of events");
    assert_eq!(chrome.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_shown_as_it_changes() {
    let world = world().await;
    let served = Served::start(&world, anywhere());
    let mut chrome = Chrome::start().await;
    chrome.open(&served.url("services")).await;
    chrome.wait_for(LIVE).await;
    chrome
        .wait_for("document.querySelectorAll('tbody tr').length === 2")
        .await;
    world
        .put(&keys::service("b", "new"), service("newcomer", "ACTIVE"))
        .await;
    chrome.wait_for(&shows("newcomer")).await;
    world
        .put(&keys::service("b", "new"), service("newcomer", "INACTIVE"))
        .await;
    chrome.wait_for(&shows("INACTIVE")).await;
    world.delete(&keys::service("b", "new")).await;
    chrome
        .wait_for("document.querySelectorAll('tbody tr').length === 2")
        .await;
    chrome.value("location.hash = '#overview'").await;
    chrome.wait_for(&shows("service new of b removed")).await;
    assert_eq!(chrome.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_replayed_and_discarded_by_keyboard() {
    let world = world().await;
    let served = Served::start(&world, anywhere());
    let mut chrome = Chrome::start().await;
    chrome.open(&served.url("deliveries")).await;
    chrome.wait_for(&shows("n3")).await;
    let focus = |label: &str| format!("document.querySelector('[aria-label$=\"{label}\"]').focus()");
    let counts = async |queued: u64, dead: u64| {
        let counts: Value = world.get("/platform").await["counts"].clone();
        assert_eq!(
            (&counts["queued"], &counts["deadLetters"]),
            (&json!(queued), &json!(dead))
        );
    };
    chrome
        .value(&focus("Replay ServiceAvailabilityNotification n2").replace("$=", "="))
        .await;
    chrome.press("Enter", 13, "\r").await;
    chrome
        .wait_for(&shows("1 notification put back into the queue."))
        .await;
    counts(2, 1).await;
    // The button that had the focus has gone with its row; who uses the keyboard goes on in the table.
    chrome
        .wait_for("document.activeElement.tagName === 'TABLE'")
        .await;
    // Discarding asks first, and what is offered first is not to do it.
    let open = "document.getElementById('question').open";
    chrome
        .value(&focus("Discard ServiceAvailabilityNotification n3"))
        .await;
    chrome.press("Enter", 13, "\r").await;
    chrome.wait_for(open).await;
    chrome.press("Enter", 13, "\r").await;
    chrome.wait_for(&format!("!{open}")).await;
    counts(2, 1).await;
    chrome.press("Enter", 13, "\r").await;
    chrome.wait_for(open).await;
    chrome.press("Tab", 9, "").await;
    chrome.press("Enter", 13, "\r").await;
    chrome.wait_for(&shows("1 notification discarded.")).await;
    counts(2, 0).await;
    chrome
        .wait_for(&shows("No notification has been given up."))
        .await;
    chrome.wait_for("document.activeElement.id === 'view'").await;
    assert_eq!(chrome.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_shown_and_found_again() {
    let world = world().await;
    let served = Served::start(&world, anywhere());
    let address = served.address;
    let mut chrome = Chrome::start().await;
    chrome.open(&served.url("services")).await;
    chrome.wait_for(LIVE).await;
    drop(served);
    chrome.wait_for(LOST).await;
    chrome.wait_for(&shows("connection lost, trying again")).await;
    world
        .put(&keys::service("b", "meanwhile"), service("meanwhile", "ACTIVE"))
        .await;
    let _served = Served::start(&world, address);
    chrome.wait_for(LIVE).await;
    chrome.wait_for(&shows("meanwhile")).await;
    assert_eq!(chrome.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_which_there_is_no_place_waits_for_one() {
    let world = World::new(Options {
        event_clients: 1,
        ..Options::default()
    });
    let world = filled(world).await;
    let served = Served::start(&world, anywhere());
    let mut taken = TcpStream::connect(served.address).unwrap();
    let request = format!(
        "GET {BASE_PATH}/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        served.address
    );
    taken.write_all(request.as_bytes()).unwrap();
    // The place is taken once the answer has begun.
    taken.read_exact(&mut [0; 12]).unwrap();
    let mut chrome = Chrome::start().await;
    chrome.open(&served.url("services")).await;
    chrome.wait_for(LOST).await;
    // What can be read without events is shown.
    chrome.wait_for(&shows("SUSPENDED")).await;
    drop(taken);
    world
        .put(&keys::service("b", "new"), service("newcomer", "ACTIVE"))
        .await;
    chrome.wait_for(LIVE).await;
    chrome.wait_for(&shows("newcomer")).await;
}
