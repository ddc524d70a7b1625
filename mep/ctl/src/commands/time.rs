//! `mepctl time`.

use mec011_app_support::{CurrentTime, TimingCaps};
use serde::Serialize;

use crate::failure::Failure;
use crate::platform::Platform;
use crate::show::Output;
use crate::when;

/// The platform's clock.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Clock {
    current_time: CurrentTime,
    timing_caps: TimingCaps,
}

pub(crate) async fn run(platform: &Platform, output: &mut Output<'_>) -> Result<(), Failure> {
    let clock = Clock {
        current_time: platform.support.get_timing_current_time().await?.body,
        timing_caps: platform.support.get_timing_timing_caps().await?.body,
    };
    let names = |names: Vec<&String>| {
        let names: Vec<_> = names.into_iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    let caps = &clock.timing_caps;
    let servers = caps
        .ntp_servers
        .iter()
        .flatten()
        .map(|server| &server.ntp_server_addr);
    let masters = caps
        .ptp_masters
        .iter()
        .flatten()
        .map(|master| &master.ptp_master_ip_address);
    let properties = [
        ("Time", Some(when::seconds(clock.current_time.seconds))),
        ("Source", Some(clock.current_time.time_source_status.to_string())),
        ("NTP servers", names(servers.collect())),
        ("PTP masters", names(masters.collect())),
    ];
    output.one(&clock, &properties)
}
