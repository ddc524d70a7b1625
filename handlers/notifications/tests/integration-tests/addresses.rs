//! Which addresses are connected to: the policy at delivery, names that change, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mecforge_contracts::deliveries::Deliveries;
use mecforge_contracts::keys;
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_notifications::{Addresses, Lookup, Notifications, Options, Policy, PolicyMode};
use mecforge_store::{Embedded, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

use crate::support::{Bed, NO_CONTENT, Received, Receiver, eventually, quick, router};

/// Answers with one address after the other, the last again and again.
struct Changing {
    answers: Mutex<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Changing {
    fn new(answers: &[&str]) -> Arc<Self> {
        let answers = answers
            .iter()
            .rev()
            .map(|answer| answer.parse().unwrap())
            .collect();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Lookup for Changing {
    fn lookup(&self, name: &str) -> Addresses {
        assert_eq!(name, "app.example");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().copied()
        };
        Box::pin(async move { Ok(answer.into_iter().collect()) })
    }
}

fn bed_with(options: Options, lookup: Arc<dyn Lookup>) -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    let notifications = Notifications::with_lookup(store.clone(), options, lookup).unwrap();
    let running = Some(notifications.start());
    Bed {
        store,
        notifications,
        running,
        _directory: directory,
    }
}

/// Receivers at the same port of two addresses of this machine.
async fn two_receivers() -> (u16, [Arc<Mutex<Vec<Received>>>; 2]) {
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let received: [Arc<Mutex<Vec<Received>>>; 2] = Default::default();
    for (listener, received) in [first, second].into_iter().zip(&received) {
        let router = router(|_| NO_CONTENT, received.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    (port, received)
}

fn denying(network: &str) -> Options {
    Options {
        policy: Policy {
            deny: vec![network.parse().unwrap()],
            ..Policy::default()
        },
        attempts: 3,
        ..quick()
    }
}

#[tokio::test]
async fn a_name_that_changes_to_an_address_that_is_denied_is_not_followed() {
    let (port, [allowed, denied]) = two_receivers().await;
    let lookup = Changing::new(&["127.0.0.1", "127.0.0.2"]);
    let bed = bed_with(denying("127.0.0.2"), lookup.clone());
    let url = format!("http://app.example:{port}/");
    // When the subscription is made, nothing is wrong with the name.
    assert_eq!(bed.notifications.check(&url), Ok(()));
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &url, 1).await;
    bed.empty().await;
    assert_eq!(allowed.lock().unwrap().len(), 1);
    assert_eq!(
        lookup.asked.load(Ordering::Relaxed),
        1,
        "what was checked is what is connected to"
    );
    // The connection was closed: the next one asks again, and now the name leads to where it must not.
    bed.post(&subscription, &url, 2).await;
    bed.empty().await;
    assert_eq!(
        (allowed.lock().unwrap().len(), denied.lock().unwrap().len()),
        (1, 0)
    );
    let dead = bed.notifications.dead_letters("");
    assert_eq!(dead.len(), 1);
    let expected =
        "no answer could be had from the subscriber: app.example must not be called: 127.0.0.2 is denied";
    assert_eq!(dead[0].reason, expected);
    assert_eq!(lookup.asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn without_the_rule_the_second_address_would_have_been_called() {
    let (port, [first, second]) = two_receivers().await;
    let bed = bed_with(denying("127.0.0.3"), Changing::new(&["127.0.0.1", "127.0.0.2"]));
    let subscription = bed.subscribe("1").await;
    for number in 1..=2 {
        bed.post(&subscription, &format!("http://app.example:{port}/"), number)
            .await;
    }
    bed.empty().await;
    assert_eq!(
        (first.lock().unwrap().len(), second.lock().unwrap().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn addresses_and_ports_in_urls_are_judged_without_any_name() {
    let bed = Bed::new(Options {
        policy: Policy {
            mode: PolicyMode::PublicOnly,
            ..Policy::default()
        },
        ..quick()
    });
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let port = receiver.url.rsplit_once(':').unwrap().1;
    let subscription = bed.subscribe("1").await;
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://localhost:{port}/"),
    ];
    for (number, url) in (0..).zip(&urls) {
        assert!(bed.notifications.check(url).is_err(), "{url}");
        bed.post(&subscription, url, number).await;
    }
    bed.empty().await;
    assert!(receiver.numbers().is_empty());
    let dead = bed.notifications.dead_letters("");
    assert_eq!(dead.len(), urls.len());
    let refused = |dead: &mecforge_contracts::deliveries::DeadLetter| {
        dead.attempts == 1 && dead.reason.ends_with("is this machine, not a public address")
    };
    assert!(dead.iter().all(refused), "{dead:?}");
}

#[tokio::test]
async fn what_is_no_address_is_given_up_at_once() {
    let bed = Bed::new(quick());
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, "nonsense", 1).await;
    bed.post(&subscription, "http://user:secret@127.0.0.1/", 2).await;
    bed.empty().await;
    let dead = bed.notifications.dead_letters("");
    assert_eq!(dead.len(), 2);
    assert!(
        dead[1].reason.ends_with("it contains credentials"),
        "{}",
        dead[1].reason
    );
    assert_eq!(
        bed.notifications.check("nonsense"),
        Err("it is no absolute URL".to_owned())
    );
    for url in ["http:///host", "http:host", "http:\\\\host"] {
        assert_eq!(
            bed.notifications.check(url),
            Err("it names no host".to_owned()),
            "{url}"
        );
    }
}

/// Accepts TLS connections; what fails to shake hands is dropped.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A receiver with a certificate for a name; its port, its certificate in PEM, what it got.
async fn tls_receiver(name: &str) -> (u16, String, Arc<Mutex<Vec<Received>>>) {
    let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = TlsListener {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    };
    let received = Arc::default();
    let router = router(|_| NO_CONTENT, Arc::clone(&received));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, issued.cert.pem(), received)
}

#[tokio::test]
async fn certificates_are_verified_against_name_and_authority() {
    let (port, pem, received) = tls_receiver("app.example").await;
    let options = |root_certificates| Options {
        root_certificates,
        attempts: 1,
        ..quick()
    };
    let url = format!("https://app.example:{port}/");

    let trusting = bed_with(
        options(vec![pem.clone().into_bytes()]),
        Changing::new(&["127.0.0.1"]),
    );
    let subscription = trusting.subscribe("1").await;
    trusting.post(&subscription, &url, 1).await;
    trusting.empty().await;
    assert_eq!(received.lock().unwrap().len(), 1);
    // Trusted, but not for this name.
    trusting
        .post(&subscription, &format!("https://127.0.0.1:{port}/"), 2)
        .await;
    trusting.empty().await;

    let strict = bed_with(options(Vec::new()), Changing::new(&["127.0.0.1"]));
    let subscription = strict.subscribe("1").await;
    strict.post(&subscription, &url, 3).await;
    strict.empty().await;
    assert_eq!(received.lock().unwrap().len(), 1);
    for bed in [&trusting, &strict] {
        let dead = || bed.store.range(keys::DEAD_LETTERS, None, 10).entries.len();
        eventually(|| dead() == 1, || dead().to_string()).await;
        let reason = bed.notifications.dead_letters("")[0].reason.clone();
        assert!(reason.contains("certificate"), "{reason}");
    }

    let nonsense = Options {
        root_certificates: vec![b"nonsense".to_vec()],
        ..quick()
    };
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    assert!(Notifications::new(store, nonsense).is_err());
}
