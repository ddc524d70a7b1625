//! systemd-timesyncd: `timesyncd.conf` and its drop-ins (timesyncd.conf(5)).

use std::collections::BTreeMap;

use crate::files::Files;
use crate::sources::{Authentication, NtpServer};

/// Where the file is looked for, the first one counts; drop-ins of equal names likewise.
const DIRECTORIES: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];

/// What the files say.
struct Settings {
    servers: Vec<String>,
    fallback: Vec<String>,
    /// Seconds.
    shortest: u64,
    /// Seconds.
    longest: u64,
}

/// The servers, or those to fall back to where there are none.
pub(crate) fn servers(files: &Files) -> Option<Vec<NtpServer>> {
    let main = DIRECTORIES
        .iter()
        .find_map(|directory| files.read(&format!("{directory}/timesyncd.conf")));
    let mut dropped = BTreeMap::new();
    for directory in DIRECTORIES {
        for path in files.list(&format!("{directory}/timesyncd.conf.d"), ".conf") {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            dropped.entry(name).or_insert(path);
        }
    }
    if main.is_none() && dropped.is_empty() {
        return None;
    }
    let mut settings = Settings {
        servers: Vec::new(),
        fallback: Vec::new(),
        shortest: 32,
        longest: 2048,
    };
    let texts = main
        .into_iter()
        .chain(dropped.values().filter_map(|path| files.read(path)));
    texts.for_each(|text| settings.read(&text));
    Some(settings.servers())
}

impl Settings {
    fn read(&mut self, text: &str) {
        let mut here = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                here = line == "[Time]";
            }
            let Some((name, value)) = line.split_once('=').filter(|_| here) else {
                continue;
            };
            let value = value.trim();
            match name.trim() {
                "NTP" => extend(&mut self.servers, value),
                "FallbackNTP" => extend(&mut self.fallback, value),
                "PollIntervalMinSec" => self.shortest = seconds(value).unwrap_or(32).max(16),
                "PollIntervalMaxSec" => self.longest = seconds(value).unwrap_or(2048),
                _ => {}
            }
        }
    }

    fn servers(self) -> Vec<NtpServer> {
        let minimum_poll = exponent(self.shortest.max(1).ilog2());
        let longest = self.longest.max(self.shortest).max(1);
        let maximum_poll = exponent(longest.checked_next_power_of_two().unwrap_or(longest).ilog2());
        let addresses = if self.servers.is_empty() {
            self.fallback
        } else {
            self.servers
        };
        addresses
            .into_iter()
            .map(|address| NtpServer {
                address,
                minimum_poll,
                maximum_poll,
                preferred: false,
                authentication: Authentication::None,
            })
            .collect()
    }
}

fn exponent(logarithm: u32) -> i8 {
    i8::try_from(logarithm).unwrap_or(i8::MAX)
}

/// Adds the words of a setting; an empty one forgets what was there.
fn extend(list: &mut Vec<String>, value: &str) {
    if value.is_empty() {
        list.clear();
    }
    list.extend(value.split_whitespace().map(str::to_owned));
}

/// A time span such as `34min 8s` in seconds (systemd.time(7)); a number alone counts seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit());
        let (number, behind) = rest.split_at(digits.unwrap_or(rest.len()));
        let behind = behind.trim_start();
        let letters = behind.find(|character: char| !character.is_ascii_alphabetic());
        let (unit, behind) = behind.split_at(letters.unwrap_or(behind.len()));
        let factor = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = behind.trim_start();
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn time_spans_are_read_as_systemd_does() {
        for (text, expected) in [
            ("32", Some(32)),
            ("34min 8s", Some(2048)),
            ("1h30m", Some(5400)),
            ("1 day", Some(86_400)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
