//! chrony: `chrony.conf` with what it includes, `confdir` and `sourcedir` (chrony.conf(5)).

use std::collections::BTreeSet;

use crate::files::Files;
use crate::sources::{NtpServer, server};

/// Debian's place, then everybody else's.
const FILES: [&str; 2] = ["/etc/chrony/chrony.conf", "/etc/chrony.conf"];
/// How deeply files may include each other.
const DEEPEST: u8 = 8;

/// The servers of the first configuration that there is.
pub(crate) fn servers(files: &Files) -> Option<Vec<NtpServer>> {
    let text = FILES.iter().find_map(|path| files.read(path))?;
    let mut servers = Vec::new();
    read(&text, files, DEEPEST, &mut servers);
    Some(servers)
}

fn read(text: &str, files: &Files, depth: u8, servers: &mut Vec<NtpServer>) {
    for line in text.lines().map(str::trim) {
        if line.starts_with(['!', ';', '#', '%']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(directive) = words.next() else { continue };
        match directive.to_ascii_lowercase().as_str() {
            "server" | "pool" | "peer" => {
                if let Some(address) = words.next() {
                    servers.push(server(address, words));
                }
            }
            "include" => {
                let included = words.next().map(|pattern| files.glob(pattern));
                follow(included.unwrap_or_default(), files, depth, servers);
            }
            "confdir" => follow(directories(files, words, ".conf"), files, depth, servers),
            "sourcedir" => follow(directories(files, words, ".sources"), files, depth, servers),
            _ => {}
        }
    }
}

fn follow(paths: Vec<String>, files: &Files, depth: u8, servers: &mut Vec<NtpServer>) {
    let Some(depth) = depth.checked_sub(1) else {
        tracing::debug!("files of chrony include each other too deeply");
        return;
    };
    for text in paths.iter().filter_map(|path| files.read(path)) {
        read(&text, files, depth, servers);
    }
}

/// The files of several directories in the order of their names; of equal names the first directory's counts.
fn directories<'a>(files: &Files, directories: impl Iterator<Item = &'a str>, suffix: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut paths: Vec<(String, String)> = directories
        .flat_map(|directory| files.list(directory, suffix))
        .filter_map(|path| {
            let name = path.rsplit('/').next()?.to_owned();
            names.insert(name.clone()).then_some((name, path))
        })
        .collect();
    paths.sort_unstable();
    paths.into_iter().map(|(_, path)| path).collect()
}
