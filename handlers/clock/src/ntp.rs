//! NTPsec and ntpd: `ntp.conf` with what it includes (ntp.conf(5)).

use crate::files::Files;
use crate::sources::{NtpServer, server};

/// The configuration and the directory of more of it: Debian's NTPsec, then everybody else's.
const PLACES: [(&str, &str); 2] = [
    ("/etc/ntpsec/ntp.conf", "/etc/ntpsec/ntp.d"),
    ("/etc/ntp.conf", "/etc/ntp.d"),
];
/// How deeply files may include each other.
const DEEPEST: u8 = 8;

/// The servers of the first configuration that there is.
pub(crate) fn servers(files: &Files) -> Option<Vec<NtpServer>> {
    let (text, directory) = PLACES
        .iter()
        .find_map(|(path, directory)| Some((files.read(path)?, directory)))?;
    let mut servers = Vec::new();
    read(&text, files, DEEPEST, &mut servers);
    for text in files
        .list(directory, ".conf")
        .iter()
        .filter_map(|path| files.read(path))
    {
        read(&text, files, DEEPEST, &mut servers);
    }
    Some(servers)
}

fn read(text: &str, files: &Files, depth: u8, servers: &mut Vec<NtpServer>) {
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line
            .split_whitespace()
            .filter(|word| !matches!(*word, "-4" | "-6"));
        let Some(directive) = words.next() else { continue };
        let Some(operand) = words.next() else { continue };
        match directive.to_ascii_lowercase().as_str() {
            // 127.127.x.y are reference clocks at this machine, not servers.
            "server" | "pool" | "peer" if !operand.starts_with("127.127.") => {
                servers.push(server(operand, words));
            }
            "includefile" => {
                if let (Some(depth), Some(text)) = (depth.checked_sub(1), files.read(operand)) {
                    read(&text, files, depth, servers);
                }
            }
            _ => {}
        }
    }
}
