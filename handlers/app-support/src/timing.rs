//! Time of day and timing capabilities (MEC 011 clauses 7.1.2.4, 7.1.2.5, 7.2.5 and 7.2.6), as this machine has them.

use std::net::IpAddr;

use mec011_app_support::{
    CurrentTime, CurrentTimeTimeSourceStatus, NtpServers, NtpServersAuthenticationOption,
    NtpServersNtpServerAddrType, PtpMasters, TimeStamp, TimingCaps,
};
use mecforge_clock::{Authentication, NtpServer, PtpMaster};
use mecforge_runtime::server::Problem;

use crate::core::Core;

/// Polling intervals are exponents of two in this range (7.1.2.4).
const INTERVALS: std::ops::RangeInclusive<i8> = 3..=17;

impl Core {
    pub(crate) fn current_time(&self) -> CurrentTime {
        let now = self.parts.clock.now();
        let status = if now.traceable {
            CurrentTimeTimeSourceStatus::Traceable
        } else {
            CurrentTimeTimeSourceStatus::Nontraceable
        };
        CurrentTime::new(now.seconds, u64::from(now.nanoseconds), status)
    }

    pub(crate) async fn timing_capabilities(&self) -> Result<TimingCaps, Problem> {
        let clock = self.parts.clock.clone();
        let sources = tokio::task::spawn_blocking(move || clock.sources()).await;
        let sources = sources.map_err(Problem::internal)?;
        let now = self.parts.clock.now();
        let ntp = (1..).zip(&sources.ntp_servers).map(ntp_server).collect();
        let ptp = (1..).zip(&sources.ptp_masters).map(ptp_master).collect();
        Ok(TimingCaps::default()
            .time_stamp(TimeStamp::new(now.seconds, u64::from(now.nanoseconds)))
            .ntp_servers(ntp)
            .ptp_masters(ptp))
    }
}

fn ntp_server((priority, server): (u64, &NtpServer)) -> NtpServers {
    let kind = match server.address.parse::<IpAddr>() {
        Ok(_) => NtpServersNtpServerAddrType::IpAddress,
        Err(_) => NtpServersNtpServerAddrType::DnsName,
    };
    let (authentication, key) = match server.authentication {
        Authentication::SymmetricKey(number) => (NtpServersAuthenticationOption::SymmetricKey, Some(number)),
        Authentication::Autokey => (NtpServersAuthenticationOption::AutoKey, None),
        // The standard has no word for Network Time Security.
        Authentication::None | Authentication::NetworkTimeSecurity => {
            (NtpServersAuthenticationOption::None, None)
        }
    };
    let mut told = NtpServers::new(
        kind,
        server.address.as_str(),
        interval(server.minimum_poll),
        interval(server.maximum_poll),
        priority,
        authentication,
    );
    told.authentication_key_num = key.map(u64::from);
    told
}

fn interval(exponent: i8) -> u64 {
    u64::from(
        exponent
            .clamp(*INTERVALS.start(), *INTERVALS.end())
            .unsigned_abs(),
    )
}

fn ptp_master((priority, master): (u64, &PtpMaster)) -> PtpMasters {
    PtpMasters::new(
        master.address.as_str(),
        priority,
        u64::from(master.delay_requests_per_second),
    )
}
