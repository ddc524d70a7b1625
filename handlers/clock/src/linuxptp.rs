//! linuxptp: the unicast masters that `ptp4l` is told of (ptp4l(8)).

use std::net::IpAddr;

use crate::files::Files;
use crate::sources::PtpMaster;

/// Where each instance of `ptp4l` has its configuration.
const DIRECTORY: &str = "/etc/linuxptp";
/// The most that a rate's exponent can sensibly be.
const FASTEST: u32 = 16;

/// The masters of all instances.
pub(crate) fn masters(files: &Files) -> Vec<PtpMaster> {
    files
        .list(DIRECTORY, ".conf")
        .iter()
        .filter_map(|path| files.read(path))
        .flat_map(|text| read(&text))
        .collect()
}

fn read(text: &str) -> Vec<PtpMaster> {
    let mut section = "";
    // Seconds between two Delay_Req messages as a power of two; 0 is the daemon's default.
    let mut interval = 0_i32;
    let mut addresses = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            continue;
        }
        let mut words = line.split_whitespace();
        match (section, words.next(), words.next()) {
            ("global", Some("logMinDelayReqInterval"), Some(number)) => {
                interval = number.parse().unwrap_or_default();
            }
            ("unicast_master_table", Some("UDPv4" | "UDPv6"), Some(address))
                if address.parse::<IpAddr>().is_ok() =>
            {
                addresses.push(address.to_owned());
            }
            _ => {}
        }
    }
    let delay_requests_per_second = match interval {
        0.. => 1,
        _ => 1 << interval.unsigned_abs().min(FASTEST),
    };
    addresses
        .into_iter()
        .map(|address| PtpMaster {
            address,
            delay_requests_per_second,
        })
        .collect()
}
