//! What a client sees, in words that are the same in every run.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::message::Answer;

/// Header fields that differ from run to run, or that the library below adds.
const UNSTABLE: [&str; 4] = ["date", "x-request-id", "content-length", "etag"];

/// Lines, and the names of what was met.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) lines: Vec<String>,
    names: Vec<String>,
    tags: HashMap<String, Vec<String>>,
    addresses: Vec<(String, &'static str)>,
}

impl Transcript {
    /// Calls an address by a name.
    pub(super) fn call(&mut self, address: SocketAddr, name: &'static str) {
        self.addresses.push((address.to_string(), name));
    }

    /// Writes a line.
    pub(super) fn note(&mut self, line: &str) {
        let line = self.stable(line);
        self.lines.push(line);
    }

    /// Writes an answer down; the length only in words.
    pub(super) fn answer(&mut self, request: &str, answer: Option<&Answer>) {
        let Some(answer) = answer else {
            self.note(&format!("{request} -> no answer"));
            return;
        };
        let mut line = format!("{request} -> {}", answer.status());
        let mut headers: Vec<String> = answer
            .parts
            .headers
            .iter()
            .filter(|(name, _)| !UNSTABLE.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        headers.sort();
        headers.extend(
            answer
                .header("etag")
                .map(|tag| format!("etag: {}", self.tag(request, tag))),
        );
        line += &format!(" [{}] ", headers.join("; "));
        line += &match answer.json() {
            Some(body) => body.to_string(),
            None => format!("{:?}", String::from_utf8_lossy(&answer.body)),
        };
        self.note(&line);
    }

    /// A name for an entity tag of what a request asks for.
    fn tag(&mut self, request: &str, tag: &str) -> String {
        if !(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"')) {
            return format!(
                "no strong tag, of {}",
                if tag.is_empty() { "nothing" } else { "text" }
            );
        }
        let path = request
            .split(' ')
            .find(|part| part.starts_with('/'))
            .unwrap_or(request);
        let tags = self.tags.entry(path.to_owned()).or_default();
        let number = tags.iter().position(|each| each == tag).unwrap_or_else(|| {
            tags.push(tag.to_owned());
            tags.len() - 1
        });
        format!("tag {number}")
    }

    /// A line with names for addresses, identifiers and the time.
    fn stable(&mut self, line: &str) -> String {
        let mut text = line.to_owned();
        for (address, name) in &self.addresses {
            text = text.replace(address, name);
        }
        let now = std::time::SystemTime::now();
        let now = now
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mut stable = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            if let Some(id) = rest.get(..36).filter(|id| is_uuid(id)) {
                stable += &self.name(id);
                rest = &rest[36..];
            } else if first.is_ascii_digit() {
                let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                let number: u64 = rest[..length].parse().unwrap_or(u64::MAX);
                let before = stable.ends_with("Seconds\":");
                // A problem that names an entity tag.
                let quoted = stable.ends_with("\\\"");
                stable += &match number {
                    _ if quoted => "(tag)".to_owned(),
                    _ if before && number < 1_000_000_000 => "(nanoseconds)".to_owned(),
                    _ if number.abs_diff(now) < 100 => "(now)".to_owned(),
                    _ if number.abs_diff(now * 1000) < 100_000 => "(now in milliseconds)".to_owned(),
                    _ if number.abs_diff(now * 1_000_000_000) < 100_000_000_000 => {
                        "(now in nanoseconds)".to_owned()
                    }
                    _ => rest[..length].to_owned(),
                };
                rest = &rest[length..];
            } else {
                stable.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        stable
    }

    fn name(&mut self, id: &str) -> String {
        let number = self.names.iter().position(|each| each == id).unwrap_or_else(|| {
            self.names.push(id.to_owned());
            self.names.len() - 1
        });
        format!("(id {number})")
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::Transcript;

    #[test]
    fn what_differs_gets_names() {
        let mut transcript = Transcript::default();
        transcript.call(([127, 0, 0, 1], 4711).into(), "PROXY");
        transcript.note("http://127.0.0.1:4711/db144875-f97c-46fe-8243-4e4a1a1cb56e");
        transcript.note("DB144875-F97C-46FE-8243-4E4A1A1CB56E db144875-f97c-46fe-8243-4e4a1a1cb56e \u{e4}");
        transcript.note("{\"nanoSeconds\":5,\"ttl\":60}");
        let expected = [
            "http://PROXY/(id 0)",
            "DB144875-F97C-46FE-8243-4E4A1A1CB56E (id 0) \u{e4}",
            "{\"nanoSeconds\":(nanoseconds),\"ttl\":60}",
        ];
        assert_eq!(transcript.lines, expected);
    }
}
