//! The servers by which a machine's clock is to be set, whichever daemon does it.

use crate::files::Files;
use crate::{chrony, linuxptp, ntp, timesyncd};

/// The most servers of a kind that are told.
const MOST: usize = 256;

/// How messages of a server are authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// With a key that both sides have, by its number in the daemon's file of keys.
    SymmetricKey(u32),
    /// With Autokey (RFC 5906).
    Autokey,
    /// With Network Time Security (RFC 8915).
    NetworkTimeSecurity,
}

/// An NTP server that the machine is told to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtpServer {
    /// Its address or name.
    pub address: String,
    /// The shortest interval between two requests, in seconds as a power of two.
    pub minimum_poll: i8,
    /// The longest interval, in seconds as a power of two.
    pub maximum_poll: i8,
    /// Whether it is preferred to others.
    pub preferred: bool,
    /// How its messages are authenticated.
    pub authentication: Authentication,
}

/// A PTP master that the machine is told to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtpMaster {
    /// Its IP address.
    pub address: String,
    /// How many `Delay_Req` messages a second it may be sent at most; a rate below one is one.
    pub delay_requests_per_second: u32,
}

/// All servers, the preferred ones first, else in the order in which they are configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// NTP servers of the first daemon that has a configuration: chrony, NTPsec, ntpd, systemd-timesyncd.
    pub ntp_servers: Vec<NtpServer>,
    /// PTP masters that linuxptp finds by unicast. Those that announce themselves by multicast are not configured.
    pub ptp_masters: Vec<PtpMaster>,
}

impl Sources {
    pub(crate) fn read(files: &Files) -> Self {
        let mut ntp_servers = chrony::servers(files)
            .or_else(|| ntp::servers(files))
            .or_else(|| timesyncd::servers(files))
            .unwrap_or_default();
        ntp_servers.sort_by_key(|server| !server.preferred);
        ntp_servers.truncate(MOST);
        let mut ptp_masters = linuxptp::masters(files);
        ptp_masters.truncate(MOST);
        Self {
            ntp_servers,
            ptp_masters,
        }
    }
}

/// Reads the options that chrony and ntpd write behind a server's address.
pub(crate) fn server<'a>(address: &str, options: impl Iterator<Item = &'a str>) -> NtpServer {
    let mut server = NtpServer {
        address: address.to_owned(),
        minimum_poll: 6,
        maximum_poll: 10,
        preferred: false,
        authentication: Authentication::None,
    };
    let mut options = options.peekable();
    let (mut minimum, mut maximum) = (None, None);
    while let Some(option) = options.next() {
        match option.to_ascii_lowercase().as_str() {
            "minpoll" => minimum = options.next().and_then(|number| number.parse().ok()),
            "maxpoll" => maximum = options.next().and_then(|number| number.parse().ok()),
            "prefer" => server.preferred = true,
            "autokey" => server.authentication = Authentication::Autokey,
            "nts" => server.authentication = Authentication::NetworkTimeSecurity,
            "key" => {
                if let Some(number) = options.next().and_then(|number| number.parse().ok()) {
                    server.authentication = Authentication::SymmetricKey(number);
                }
            }
            _ => {}
        }
    }
    server.minimum_poll = minimum.unwrap_or_else(|| maximum.map_or(6, |maximum: i8| maximum.min(6)));
    server.maximum_poll = maximum.unwrap_or(10).max(server.minimum_poll);
    server
}
