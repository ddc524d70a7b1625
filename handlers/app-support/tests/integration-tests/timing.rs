//! The time, and how it is come by.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mecforge_clock::{Kernel, KernelState, Machine, Options};
use serde_json::json;

use crate::api::Api;

/// A kernel whose clock is set, or not.
struct Says(bool);

impl Kernel for Says {
    fn state(&self) -> io::Result<KernelState> {
        Ok(KernelState {
            synchronised: self.0,
            maximum_error: Duration::from_millis(10),
            estimated_error: Duration::ZERO,
            offset: 0,
        })
    }
}

/// The API on a machine with a file below `/etc`.
fn api(synchronised: bool, path: &str, text: &str) -> (tempfile::TempDir, Api) {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("etc").join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
    let options = Options {
        root: root.path().to_owned(),
        ..Options::default()
    };
    let clock = Machine::with_kernel(options, Box::new(Says(synchronised)));
    (root, Api::with_clock(clock))
}

#[tokio::test]
async fn the_current_time_is_the_systems_and_says_what_it_is_worth() {
    for (synchronised, status) in [(true, "TRACEABLE"), (false, "NONTRACEABLE")] {
        let (_root, api) = api(synchronised, "ntp.conf", "");
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let told = api.get("/timing/current_time").await.expect(200).body;
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(told["timeSourceStatus"], status);
        let nanoseconds = u32::try_from(told["nanoSeconds"].as_u64().unwrap()).unwrap();
        let told = Duration::new(told["seconds"].as_u64().unwrap(), nanoseconds);
        assert!(before <= told && told <= after, "{before:?} {told:?} {after:?}");
    }
}

#[tokio::test]
async fn servers_are_told_as_the_standard_has_them() {
    let text =
        "server 192.0.2.1 minpoll 0 maxpoll 24 key 5\nserver ntp.example prefer\npeer a.example autokey\n";
    let (_root, api) = api(true, "ntp.conf", text);
    let told = api.get("/timing/timing_caps").await.expect(200).body;
    assert_eq!(
        told["ntpServers"],
        json!([
            {
                "ntpServerAddrType": "DNS_NAME", "ntpServerAddr": "ntp.example", "minPollingInterval": 6,
                "maxPollingInterval": 10, "localPriority": 1, "authenticationOption": "NONE",
            },
            {
                "ntpServerAddrType": "IP_ADDRESS", "ntpServerAddr": "192.0.2.1", "minPollingInterval": 3,
                "maxPollingInterval": 17, "localPriority": 2, "authenticationOption": "SYMMETRIC_KEY",
                "authenticationKeyNum": 5,
            },
            {
                "ntpServerAddrType": "DNS_NAME", "ntpServerAddr": "a.example", "minPollingInterval": 6,
                "maxPollingInterval": 10, "localPriority": 3, "authenticationOption": "AUTO_KEY",
            },
        ])
    );
    assert_eq!(told["ptpMasters"], json!([]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now - told["timeStamp"]["seconds"].as_u64().unwrap() <= 5);
}

#[tokio::test]
async fn masters_are_told_where_there_are_some() {
    let text = "[global]\nlogMinDelayReqInterval -3\n[unicast_master_table]\nUDPv4 192.0.2.9\n";
    let (_root, api) = api(false, "linuxptp/ptp4l.conf", text);
    let told = api.get("/timing/timing_caps").await.expect(200).body;
    assert_eq!(
        told["ptpMasters"],
        json!([{"ptpMasterIpAddress": "192.0.2.9", "ptpMasterLocalPriority": 1, "delayReqMaxRate": 8}])
    );
    assert_eq!(told["ntpServers"], json!([]));
}
