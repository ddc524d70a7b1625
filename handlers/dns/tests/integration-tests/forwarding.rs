//! Names that are none of ours: two name servers in a row, and upstreams that misbehave.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mecforge_dns::Options;

use crate::subject::{Subject, options, rule};
use mecforge_contracts::rules::RuleChange;

/// Options without zones, so that everything is forwarded.
fn forwarding(upstreams: &[SocketAddr]) -> Options {
    Options {
        zones: Vec::new(),
        upstreams: upstreams.to_vec(),
        ..options()
    }
}

fn count(subject: &Subject, outcome: &str) -> u64 {
    subject.server.status().queries[outcome]
}

/// An upstream that treats each packet as a function says; the counter grows with each.
fn upstream(reply: impl Fn(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        let mut packet = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut packet) {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            for packet in reply(number, &packet[..length]) {
                let _ = socket.send_to(&packet, client);
            }
        }
    });
    (address, asked)
}

/// A well-formed answer to a question: one address, with a TTL in seconds.
fn answer(question: &[u8], address: [u8; 4], ttl: u8) -> Vec<u8> {
    let name = question[12..].iter().position(|byte| *byte == 0).unwrap();
    let mut packet = question[..12 + name + 5].to_vec();
    packet[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    packet.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4]);
    packet.extend_from_slice(&address);
    packet
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_are_looked_up_and_remembered() {
    let above = Subject::start().await;
    above
        .activate("a", "1", "www.example.com", "192.0.2.1", 100)
        .await;
    let subject = Subject::with(forwarding(&[above.address()])).await;
    let first = subject.dig("WWW.example.com");
    assert_eq!(first.data(), ["192.0.2.1"], "{}", first.text);
    assert!(
        first.has("ra") && first.has("rd") && !first.has("aa"),
        "{}",
        first.text
    );
    assert!(first.question.starts_with("WWW.example.com."), "{}", first.text);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for transport in ["+notcp", "+tcp", "+noedns"] {
        let again = subject.dig(&format!("www.example.com {transport}"));
        let ttl: u32 = again.answers[0].split(' ').nth(1).unwrap().parse().unwrap();
        assert!((90..100).contains(&ttl), "{}", again.text);
    }
    assert_eq!((count(&subject, "forwarded"), count(&subject, "cached")), (1, 3));
    for _ in 0..2 {
        let missing = subject.dig("missing.mec.internal").expect("NXDOMAIN", &[]);
        assert!(
            missing.authorities[0].starts_with("mec.internal. "),
            "{}",
            missing.text
        );
        let nothing = subject.dig("www.example.com MX").expect("NOERROR", &[]);
        assert!(nothing.authorities[0].contains(" SOA "), "{}", nothing.text);
    }
    assert_eq!((count(&subject, "forwarded"), count(&subject, "cached")), (3, 5));
    let asked: u64 = above.server.status().queries.values().sum();
    assert_eq!(asked, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_wins_over_what_is_remembered() {
    let above = Subject::start().await;
    above
        .activate("a", "1", "www.example.com", "192.0.2.1", 100)
        .await;
    let subject = Subject::with(forwarding(&[above.address()])).await;
    assert_eq!(subject.dig("www.example.com").data(), ["192.0.2.1"]);
    subject
        .activate("b", "1", "www.example.com", "192.0.2.99", 100)
        .await;
    assert_eq!(subject.dig("www.example.com").data(), ["192.0.2.99"]);
    let own = subject.dig("www.example.com AAAA").expect("NOERROR", &[]);
    assert!(own.has("aa") && own.has("ra"), "{}", own.text);
    subject.change("b", RuleChange::RemoveAll).await;
    assert_eq!(subject.dig("www.example.com").data(), ["192.0.2.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_have_names_looked_up_has() {
    let above = Subject::start().await;
    above
        .activate("a", "1", "www.example.com", "192.0.2.1", 100)
        .await;
    let closed = Options {
        recursion_for: vec!["192.0.2.0/24".parse().unwrap()],
        ..forwarding(&[above.address()])
    };
    let subject = Subject::with(closed).await;
    subject
        .activate("a", "1", "own.example.com", "192.0.2.1", 100)
        .await;
    let refused = subject.dig("www.example.com").expect("REFUSED", &[]);
    assert!(!refused.has("ra"), "{}", refused.text);
    assert_eq!(subject.dig("own.example.com").data(), ["192.0.2.1"]);
    let open = Subject::with(forwarding(&[above.address()])).await;
    let refused = open.dig("www.example.com +norecurse").expect("REFUSED", &[]);
    assert!(refused.has("ra"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_come_by_tcp_in_both_legs() {
    let above = Subject::start().await;
    let rules = (1..=100).map(|n| rule(&format!("r{n}"), "many.example", &format!("192.0.2.{n}")));
    above.change("a", RuleChange::ReplaceAll(rules.collect())).await;
    let subject = Subject::with(forwarding(&[above.address()])).await;
    let cut = subject.dig("many.example +ignore").expect("NOERROR", &[]);
    assert!(cut.has("tc"), "{}", cut.text);
    let whole = subject.dig("many.example");
    assert_eq!(whole.answers.len(), 100, "{}", whole.text);
    assert!(whole.text.contains("(TCP)"), "{}", whole.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_upstream_is_a_failure_in_time() {
    let (silent, asked) = upstream(|_, _| Vec::new());
    let impatient = Options {
        upstream_timeout: Duration::from_millis(700),
        ..forwarding(&[silent])
    };
    let subject = Subject::with(impatient).await;
    let began = Instant::now();
    let failed = subject.dig("www.example.com").expect("SERVFAIL", &[]);
    assert!(failed.has("ra"), "{}", failed.text);
    let patience = began.elapsed();
    assert!(patience < Duration::from_secs(3), "{patience:?}");
    let before = asked.load(Ordering::SeqCst);
    assert!(before > 0);
    subject.dig("www.example.com").expect("SERVFAIL", &[]);
    assert_eq!(
        asked.load(Ordering::SeqCst),
        before,
        "a failure is remembered for a moment"
    );
    assert_eq!(subject.server.status().upstream_failures, 1);
    assert_eq!(count(&subject, "failed"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_upstream_helps_out() {
    let (silent, asked) = upstream(|_, _| Vec::new());
    let (broken, _) = upstream(|_, packet| vec![packet.to_vec(), packet[..5].to_vec(), vec![0xFF; 600]]);
    let above = Subject::start().await;
    above
        .activate("a", "1", "www.example.com", "192.0.2.1", 100)
        .await;
    let (refusing, _) = upstream(|_, packet| {
        let mut refusal = packet[..12].to_vec();
        refusal[2..12].copy_from_slice(&[0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 0]);
        let question = packet[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        refusal.extend_from_slice(&packet[12..12 + question]);
        vec![refusal]
    });
    let upstreams = [silent, broken, refusing, above.address()];
    let subject = Subject::with(forwarding(&upstreams)).await;
    assert_eq!(subject.dig("www.example.com").data(), ["192.0.2.1"]);
    let before = asked.load(Ordering::SeqCst);
    subject.dig("www.example.com AAAA").expect("NOERROR", &[]);
    assert_eq!(asked.load(Ordering::SeqCst), before, "who answers is asked first");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_answers_are_not_believed() {
    let (forger, _) = upstream(|_, packet| {
        let mut other_id = answer(packet, [203, 0, 113, 1], 100);
        other_id[0] ^= 0xFF;
        let mut other_name = answer(packet, [203, 0, 113, 2], 100);
        other_name[13] ^= 1;
        vec![other_id, other_name, answer(packet, [192, 0, 2, 1], 100)]
    });
    let subject = Subject::with(forwarding(&[forger])).await;
    subject
        .dig("www.example.com")
        .expect("NOERROR", &["www.example.com. 100 IN A 192.0.2.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_remembered_as_long_as_they_say() {
    for ttl in [0, 1] {
        let (above, asked) = upstream(move |number, packet| {
            vec![answer(packet, [192, 0, 2, u8::try_from(number).unwrap()], ttl)]
        });
        let subject = Subject::with(forwarding(&[above])).await;
        for number in 0..3 {
            assert_eq!(
                subject.dig("www.example.com").data(),
                [format!("192.0.2.{number}")]
            );
            tokio::time::sleep(Duration::from_millis(1100 * u64::from(ttl))).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_is_bounded() {
    let (above, asked) = upstream(|_, packet| vec![answer(packet, [192, 0, 2, 1], 100)]);
    let forgetful = Options {
        cache_entries: 4,
        ..forwarding(&[above])
    };
    let subject = Subject::with(forgetful).await;
    for _ in 0..2 {
        for name in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(subject.dig(&format!("{name}.example")).data(), ["192.0.2.1"]);
        }
    }
    assert!(asked.load(Ordering::SeqCst) > 8);
}

/// Whether a question has RFC 3225's bit, and RFC 4035's.
fn security_bits(packet: &[u8]) -> (bool, bool) {
    (packet[packet.len() - 4] & 0x80 != 0, packet[3] & 0x10 != 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_wants_of_security_is_passed_on() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = seen.clone();
    let (above, _) = upstream(move |_, packet| {
        notes.lock().unwrap().push(security_bits(packet));
        let mut answer = answer(packet, [192, 0, 2, 1], 100);
        answer[3] |= 0x20;
        vec![answer]
    });
    let subject = Subject::with(forwarding(&[above])).await;
    for (more, authentic) in [
        ("+noadflag", false),
        ("+adflag", true),
        ("+dnssec +noadflag", true),
        ("+dnssec +cdflag", true),
        ("+dnssec +cdflag", true),
    ] {
        let answer = subject.dig(&format!("www.example.com {more}"));
        assert_eq!(answer.data(), ["192.0.2.1"], "{}", answer.text);
        assert_eq!(answer.has("ad"), authentic, "{}", answer.text);
        assert_eq!(answer.has("cd"), more.contains("cdflag"), "{}", answer.text);
    }
    assert_eq!(
        *seen.lock().unwrap(),
        [(false, false), (true, false), (true, true)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_upstream_holds_up_nothing_else() {
    let (slow, asked) = upstream(|_, packet| {
        std::thread::sleep(Duration::from_millis(700));
        vec![answer(packet, [192, 0, 2, 1], 100)]
    });
    let subject = Arc::new(Subject::with(forwarding(&[slow])).await);
    subject
        .activate("a", "1", "app.example.com", "192.0.2.2", 60)
        .await;
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let subject = subject.clone();
            std::thread::spawn(move || subject.dig("www.example.com").data().len())
        })
        .collect();
    let mut stream = std::net::TcpStream::connect(subject.address()).unwrap();
    for name in ["www", "app"] {
        let mut question = b"\0\x21\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03".to_vec();
        question.extend_from_slice(name.as_bytes());
        question.extend_from_slice(b"\x07example\x03com\0\0\x01\0\x01");
        std::io::Write::write_all(&mut stream, &question).unwrap();
    }
    for last in [2, 1] {
        let mut answer = [0; 2 + 33 + 16];
        std::io::Read::read_exact(&mut stream, &mut answer).unwrap();
        assert_eq!(answer[answer.len() - 4..], [192, 0, 2, last]);
    }
    for waiting in waiting {
        assert_eq!(waiting.join().unwrap(), 1);
    }
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked <= 3, "the same question was asked {asked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_upstreams_are_failures() {
    for code in [1, 2, 4, 5] {
        let (above, _) = upstream(move |_, packet| {
            let mut answer = answer(packet, [192, 0, 2, 1], 100);
            answer[3] = 0x80 | code;
            answer[7] = 0;
            answer.truncate(answer.len() - 16);
            vec![answer]
        });
        let subject = Subject::with(forwarding(&[above])).await;
        subject.dig("www.example.com").expect("SERVFAIL", &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_name_servers_comes_to_rest() {
    let free = std::net::TcpListener::bind("127.0.53.4:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let impatient = |upstream, listen| Options {
        upstream_timeout: Duration::from_millis(700),
        listen: vec![listen],
        ..forwarding(&[upstream])
    };
    let first = Subject::with(impatient(free, "127.0.0.1:0".parse().unwrap())).await;
    let _second = Subject::with(impatient(first.address(), free)).await;
    first.dig("www.example.com").expect("SERVFAIL", &[]);
    let asked: u64 = first.server.status().queries.values().sum();
    assert!(asked < 50, "{asked} questions went round");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_questions_fail_at_once() {
    let (silent, _) = upstream(|_, _| Vec::new());
    let narrow = Options {
        concurrent_forwards: 1,
        ..forwarding(&[silent])
    };
    let subject = Arc::new(Subject::with(narrow).await);
    let waiting = subject.clone();
    let waiting = std::thread::spawn(move || waiting.dig("one.example.com").expect("SERVFAIL", &[]));
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    subject.dig("two.example.com").expect("SERVFAIL", &[]);
    assert!(began.elapsed() < Duration::from_secs(1));
    waiting.join().unwrap();
}
