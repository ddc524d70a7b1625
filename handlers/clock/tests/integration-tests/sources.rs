//! Servers as the configurations of the usual daemons name them.

use std::path::Path;
use std::time::Duration;

use mecforge_clock::{Authentication, Machine, NtpServer, Options, PtpMaster};

/// A machine with these files.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    let machine = Machine::new(Options {
        root: root.path().to_owned(),
        reread_after: Duration::ZERO,
        ..Options::default()
    });
    (root, machine)
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn server(address: &str, minimum_poll: i8, maximum_poll: i8) -> NtpServer {
    NtpServer {
        address: address.to_owned(),
        minimum_poll,
        maximum_poll,
        preferred: false,
        authentication: Authentication::None,
    }
}

#[track_caller]
fn expect(files: &[(&str, &str)], servers: &[NtpServer]) {
    let (_root, machine) = machine(files);
    assert_eq!(machine.sources().ntp_servers, servers);
}

#[test]
fn a_machine_without_daemons_has_no_servers() {
    expect(&[], &[]);
    expect(
        &[(
            "etc/systemd/timesyncd.conf",
            "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org\n",
        )],
        &[],
    );
}

#[test]
fn chrony_is_read_with_all_that_it_includes() {
    let main = "# a comment\n! another\nserver 192.0.2.1 iburst minpoll 4 maxpoll 8 key 7\n\
        POOL pool.example iburst\nserver\nserver nts.example nts prefer\n\
        include /etc/chrony/more/*.inc\nconfdir /etc/chrony/conf.d /usr/conf.d\nsourcedir /run/dhcp\n\
        driftfile /var/lib/chrony/drift\n";
    let keyed = NtpServer {
        authentication: Authentication::SymmetricKey(7),
        ..server("192.0.2.1", 4, 8)
    };
    let secured = NtpServer {
        preferred: true,
        authentication: Authentication::NetworkTimeSecurity,
        ..server("nts.example", 6, 10)
    };
    expect(
        &[
            ("etc/chrony/chrony.conf", main),
            ("etc/chrony/more/b.inc", "peer b.example maxpoll 5\n"),
            (
                "etc/chrony/more/a.inc",
                "server a.example minpoll 12\ninclude /etc/chrony/more/a.inc\n",
            ),
            ("etc/chrony/conf.d/10.conf", "server first.example\n"),
            ("usr/conf.d/10.conf", "server hidden.example\n"),
            ("usr/conf.d/05.conf", "server early.example\n"),
            ("run/dhcp/eth0.sources", "server 2001:db8::1\n"),
            ("run/dhcp/eth0.conf", "server not.example\n"),
            ("etc/systemd/timesyncd.conf", "[Time]\nNTP=other.example\n"),
        ],
        &[
            vec![secured, keyed, server("pool.example", 6, 10)],
            // A file that includes itself is read until that is too deep.
            vec![server("a.example", 12, 12); 8],
            vec![
                server("b.example", 5, 5),
                server("early.example", 6, 10),
                server("first.example", 6, 10),
                server("2001:db8::1", 6, 10),
            ],
        ]
        .concat(),
    );
}

#[test]
fn ntp_conf_is_read_without_reference_clocks() {
    let text = "driftfile /var/lib/ntp.drift\nserver -4 ntp.example autokey # why not\n\
        server 127.127.1.0\npool 2.pool.example minpoll 3 maxpoll 17\nincludefile /etc/more.conf\n";
    let automatic = NtpServer {
        authentication: Authentication::Autokey,
        ..server("ntp.example", 6, 10)
    };
    let expected = [
        automatic,
        server("2.pool.example", 3, 17),
        server("more.example", 6, 10),
        server("dropped.example", 6, 10),
    ];
    for (path, directory) in [
        ("etc/ntp.conf", "etc/ntp.d"),
        ("etc/ntpsec/ntp.conf", "etc/ntpsec/ntp.d"),
    ] {
        expect(
            &[
                (path, text),
                ("etc/more.conf", "server more.example\n"),
                (&format!("{directory}/x.conf"), "server dropped.example\n"),
            ],
            &expected,
        );
    }
}

#[test]
fn timesyncd_accumulates_resets_and_falls_back() {
    expect(
        &[
            (
                "etc/systemd/timesyncd.conf",
                "[Time]\nNTP=gone.example\nFallbackNTP=fall.example\n",
            ),
            (
                "usr/lib/systemd/timesyncd.conf.d/10.conf",
                "[Time]\nNTP=\nNTP=a.example b.example\nPollIntervalMinSec=1min\nPollIntervalMaxSec=34min 8s\n",
            ),
            (
                "etc/systemd/timesyncd.conf.d/20.conf",
                "[Other]\nNTP=no.example\n[Time]\nNTP=192.0.2.7\n",
            ),
            (
                "usr/lib/systemd/timesyncd.conf.d/20.conf",
                "[Time]\nNTP=hidden.example\n",
            ),
        ],
        &[
            server("a.example", 5, 11),
            server("b.example", 5, 11),
            server("192.0.2.7", 5, 11),
        ],
    );
    expect(
        &[("etc/systemd/timesyncd.conf", "[Time]\nFallbackNTP=fall.example\n")],
        &[server("fall.example", 5, 11)],
    );
}

#[test]
fn unicast_masters_of_linuxptp_are_told_and_nothing_else() {
    let text = "[global]\nlogMinDelayReqInterval -4\n[unicast_master_table]\ntable_id 1\n\
        UDPv4 192.0.2.9\n#UDPv4 192.0.2.10\nL2 00:11:22:33:44:55\nUDPv6 2001:db8::9\n[eth0]\nUDPv4 192.0.2.11\n";
    let (root, machine) = machine(&[("etc/linuxptp/ptp4l.conf", text)]);
    let master = |address: &str| PtpMaster {
        address: address.to_owned(),
        delay_requests_per_second: 16,
    };
    assert_eq!(
        machine.sources().ptp_masters,
        [master("192.0.2.9"), master("2001:db8::9")]
    );
    write(
        root.path(),
        "etc/linuxptp/ptp4l.conf",
        "[global]\nlogMinDelayReqInterval 0\n",
    );
    assert_eq!(machine.sources().ptp_masters, [], "files are read again");
}

#[test]
fn what_was_read_is_good_for_a_while() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/ntp.conf", "server a.example\n");
    let machine = Machine::new(Options {
        root: root.path().to_owned(),
        reread_after: Duration::from_secs(3600),
        ..Options::default()
    });
    assert_eq!(machine.sources().ntp_servers.len(), 1);
    write(root.path(), "etc/ntp.conf", "");
    assert_eq!(machine.sources().ntp_servers.len(), 1);
}

#[test]
fn files_that_are_no_text_are_no_configuration() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("etc/chrony/chrony.conf")).unwrap();
    std::fs::write(root.path().join("etc/ntp.conf"), [0xff, 0xfe, 0x00]).unwrap();
    let machine = Machine::new(Options {
        root: root.path().to_owned(),
        ..Options::default()
    });
    assert_eq!(machine.sources().ntp_servers, []);
}
