//! What `dig` is told about our own names.

use crate::dig::Answer;
use crate::subject::{Subject, options, options_apart, rule};
use mec011_app_support::DnsRuleState;
use mecforge_contracts::rules::{DnsRules, RuleChange};
use mecforge_store::Transaction;

#[track_caller]
fn expect_soa(answer: &Answer, zone: &str) {
    let expected = format!("{zone} 10 IN SOA ns.mec.internal. hostmaster.{zone} ");
    assert_eq!(answer.authorities.len(), 1, "{}", answer.text);
    assert!(answer.authorities[0].starts_with(&expected), "{}", answer.text);
    assert!(
        answer.authorities[0].ends_with(" 3600 600 86400 10"),
        "{}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_answered_with_its_ttl() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.example.com", "192.0.2.1", 60)
        .await;
    subject
        .activate("a", "2", "six.example.com.", "2001:db8::1", 0)
        .await;
    let expected = ["app.example.com. 60 IN A 192.0.2.1"];
    for more in [
        "",
        "+tcp",
        "+noedns",
        "+norecurse",
        "+dnssec",
        "+ednsopt=100:abcd",
    ] {
        let answer = subject
            .dig(&format!("app.example.com A {more}"))
            .expect("NOERROR", &expected);
        assert!(
            answer.has("aa") && !answer.has("ra") && !answer.has("tc"),
            "{}",
            answer.text
        );
        assert_eq!(answer.has("rd"), more != "+norecurse");
        assert!(
            !answer.text.contains("WARNING: Message parser"),
            "{}",
            answer.text
        );
    }
    subject
        .dig("six.example.com AAAA")
        .expect("NOERROR", &["six.example.com. 0 IN AAAA 2001:db8::1"]);
    subject
        .change("a", RuleChange::Set(rule("3", "none.example.com", "192.0.2.3")))
        .await;
    subject
        .dig("none.example.com")
        .expect("NOERROR", &["none.example.com. 300 IN A 192.0.2.3"]);
    let largest = rule("4", "large.example.com", "192.0.2.4").ttl(4_294_967_295);
    subject.change("a", RuleChange::Set(largest)).await;
    subject
        .dig("large.example.com")
        .expect("NOERROR", &["large.example.com. 2147483647 IN A 192.0.2.4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_the_very_next_answer() {
    let subject = Subject::start().await;
    for round in 1..20 {
        let address = format!("192.0.2.{round}");
        subject.activate("a", "1", "app.mec.internal", &address, 5).await;
        let expected = format!("app.mec.internal. 5 IN A {address}");
        subject.dig("app.mec.internal").expect("NOERROR", &[&expected]);
        let mut inactive = rule("1", "app.mec.internal", &address);
        inactive.state = DnsRuleState::Inactive;
        subject.change("a", RuleChange::Set(inactive)).await;
        subject.dig("app.mec.internal").expect("NXDOMAIN", &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_told_exactly() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.example.com", "192.0.2.1", 60)
        .await;
    subject
        .activate("a", "2", "x.deep.mec.internal", "192.0.2.2", 60)
        .await;
    for (question, status, zone) in [
        ("app.example.com AAAA", "NOERROR", "app.example.com."),
        ("app.example.com MX", "NOERROR", "app.example.com."),
        ("app.example.com TYPE65", "NOERROR", "app.example.com."),
        ("x.deep.mec.internal AAAA", "NOERROR", "mec.internal."),
        ("x.deep.mec.internal SOA", "NOERROR", "mec.internal."),
        ("deep.mec.internal A", "NOERROR", "mec.internal."),
        ("mec.internal A", "NOERROR", "mec.internal."),
        ("other.mec.internal A", "NXDOMAIN", "mec.internal."),
        ("y.x.deep.mec.internal A", "NXDOMAIN", "mec.internal."),
    ] {
        for transport in ["+notcp", "+tcp"] {
            let answer = subject
                .dig(&format!("{question} {transport}"))
                .expect(status, &[]);
            assert!(answer.has("aa"), "{}", answer.text);
            expect_soa(&answer, zone);
        }
    }
    for question in [
        "other.example.com",
        "below.app.example.com",
        "example.com",
        "internal",
        ".",
    ] {
        let answer = subject.dig(question).expect("REFUSED", &[]);
        assert!(!answer.has("aa"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_have_a_head_and_a_serial_that_grows() {
    let subject = Subject::start().await;
    let serial = || {
        let answer = subject.dig("mec.internal SOA");
        assert!(answer.has("aa") && answer.answers.len() == 1, "{}", answer.text);
        answer.answers[0]
            .split(' ')
            .nth(6)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = serial();
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    let after = serial();
    assert!(after > before, "{after} after {before}");
    subject
        .dig("mec.internal NS")
        .expect("NOERROR", &["mec.internal. 300 IN NS ns.mec.internal."]);
    subject
        .dig("ns.mec.internal A")
        .expect("NOERROR", &["ns.mec.internal. 5 IN A 127.0.0.1"]);
    subject
        .activate("a", "2", "app.example.com", "192.0.2.1", 60)
        .await;
    let answer = subject.dig("app.example.com SOA");
    assert!(
        answer.answers[0].starts_with("app.example.com. 300 IN SOA "),
        "{}",
        answer.text
    );
    assert_eq!(
        u64::from(subject.server.status().serial),
        subject.store.revision().0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_in_any_case_and_come_back_as_asked() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "App.MEC.internal", "192.0.2.1", 60)
        .await;
    for name in ["app.mec.internal.", "APP.mec.INTERNAL.", "aPp.MeC.iNtErNaL."] {
        let answer = subject
            .dig(name)
            .expect("NOERROR", &[&format!("{name} 60 IN A 192.0.2.1")]);
        assert!(answer.question.starts_with(name), "{}", answer.text);
        let answer = subject.dig(&format!("x{name}")).expect("NXDOMAIN", &[]);
        assert!(
            answer.question.starts_with(&format!("x{name}")),
            "{}",
            answer.text
        );
    }
    subject
        .activate("a", "2", "bücher.mec.internal", "192.0.2.2", 60)
        .await;
    subject
        .dig("xn--bcher-kva.mec.internal")
        .expect("NOERROR", &["xn--bcher-kva.mec.internal. 60 IN A 192.0.2.2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_addresses_take_turns() {
    let subject = Subject::start().await;
    for (id, address) in [
        ("1", "192.0.2.1"),
        ("2", "192.0.2.2"),
        ("3", "192.0.2.3"),
        ("6", "2001:db8::1"),
    ] {
        subject.activate("a", id, "app.mec.internal", address, 60).await;
    }
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let answer = subject.dig("app.mec.internal");
        assert_eq!(
            answer.data(),
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
            "{}",
            answer.text
        );
        firsts.insert(answer.answers[0].clone());
    }
    assert_eq!(firsts.len(), 3, "{firsts:?}");
    assert_eq!(subject.dig("app.mec.internal AAAA").data(), ["2001:db8::1"]);
    subject.change("a", RuleChange::RemoveAll).await;
    subject.dig("app.mec.internal").expect("NXDOMAIN", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_asked_again_by_tcp() {
    let subject = Subject::start().await;
    let rules = (1..=100).map(|n| rule(&format!("r{n}"), "many.mec.internal", &format!("192.0.2.{n}")));
    subject.change("a", RuleChange::ReplaceAll(rules.collect())).await;
    for limit in ["+noedns", "+bufsize=512", "+bufsize=4096"] {
        let cut = subject
            .dig(&format!("many.mec.internal {limit} +ignore"))
            .expect("NOERROR", &[]);
        assert!(cut.has("tc"), "{}", cut.text);
        let whole = subject.dig(&format!("many.mec.internal {limit}"));
        assert_eq!(whole.answers.len(), 100, "{}", whole.text);
        assert!(!whole.has("tc") && whole.text.contains("(TCP)"), "{}", whole.text);
    }
    let rules = (1..=30).map(|n| rule(&format!("r{n}"), "many.mec.internal", &format!("192.0.2.{n}")));
    subject.change("a", RuleChange::ReplaceAll(rules.collect())).await;
    let fits = subject.dig("many.mec.internal +bufsize=1232 +ignore");
    assert_eq!((fits.answers.len(), fits.has("tc")), (30, false), "{}", fits.text);
    let cut = subject.dig("many.mec.internal +bufsize=512 +ignore");
    assert!(cut.has("tc"), "{}", cut.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plain_question_is_refused() {
    let subject = Subject::start().await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    subject
        .activate("a", "2", "app.mec.internal", "2001:db8::1", 60)
        .await;
    let any = subject.dig("app.mec.internal ANY +notcp");
    assert_eq!(any.data(), ["192.0.2.1"], "{}", any.text);
    assert!(subject.dig("mec.internal AXFR").text.contains("Transfer failed"));
    for (question, status) in [
        ("mec.internal MAILB", "REFUSED"),
        ("mec.internal TYPE249", "REFUSED"),
        ("app.mec.internal CH A", "REFUSED"),
        ("version.bind CH TXT", "REFUSED"),
        ("app.mec.internal +opcode=notify", "NOTIMP"),
        ("app.mec.internal +opcode=update", "NOTIMP"),
        ("app.mec.internal +opcode=15", "NOTIMP"),
        ("app.mec.internal +edns=1 +noednsneg", "BADVERS"),
        ("app.mec.internal +header-only", "FORMERR"),
    ] {
        subject.dig(question).expect(status, &[]);
    }
    subject
        .dig("app.mec.internal +edns=7 +ednsneg")
        .expect("NOERROR", &["app.mec.internal. 60 IN A 192.0.2.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_families_are_served() {
    let mut options = options();
    options.listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    let subject = Subject::with(options).await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    let addresses = subject.running.as_ref().unwrap().addresses().to_vec();
    assert_eq!(subject.server.listens_on(), addresses);
    for address in addresses {
        for transport in ["+notcp", "+tcp"] {
            crate::dig::dig(address, &format!("app.mec.internal {transport}"))
                .expect("NOERROR", &["app.mec.internal. 60 IN A 192.0.2.1"]);
        }
    }
    subject
        .dig("ns.mec.internal AAAA")
        .expect("NOERROR", &["ns.mec.internal. 5 IN AAAA ::1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_survive_a_restart() {
    let subject = Subject::with(options_apart(3)).await;
    subject
        .activate("a", "1", "app.mec.internal", "192.0.2.1", 60)
        .await;
    let serial = subject.server.status().serial;
    let directory = subject.directory.clone();
    let address = subject.address();
    let Subject {
        server,
        store,
        running,
        ..
    } = subject;
    running.unwrap().stop().await;
    assert!(server.listens_on().is_empty());
    drop((server, store));
    let mut options = options();
    options.listen = vec![address];
    let subject = Subject::on(directory, options).await;
    subject
        .dig("app.mec.internal")
        .expect("NOERROR", &["app.mec.internal. 60 IN A 192.0.2.1"]);
    let status = subject.server.status();
    assert!(status.serial >= serial);
    assert_eq!(
        (status.rules, status.active_rules, status.listen),
        (1, 1, vec![address])
    );
    let transaction = subject
        .server
        .stage("a", RuleChange::RemoveAll, Transaction::new())
        .unwrap();
    subject.store.commit(transaction).await.unwrap();
    subject.dig("app.mec.internal").expect("NXDOMAIN", &[]);
}
