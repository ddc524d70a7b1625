//! Debian's `dig` (`bind9-dnsutils`), and what it prints.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

/// What `dig` has understood.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// `NOERROR`, `NXDOMAIN` and so on; empty if there was no answer.
    pub(crate) status: String,
    /// `qr aa rd` and so on.
    pub(crate) flags: BTreeSet<String>,
    /// Records of the answer section, each with single spaces.
    pub(crate) answers: Vec<String>,
    /// Records of the authority section.
    pub(crate) authorities: Vec<String>,
    /// The question as it came back.
    pub(crate) question: String,
    /// Everything that was printed.
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The data of the answer's records, sorted.
    pub(crate) fn data(&self) -> Vec<&str> {
        let mut data: Vec<_> = self
            .answers
            .iter()
            .filter_map(|record| record.splitn(5, ' ').nth(4))
            .collect();
        data.sort_unstable();
        data
    }

    #[track_caller]
    pub(crate) fn expect(self, status: &str, answers: &[&str]) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.answers, answers, "{}", self.text);
        self
    }
}

/// Asks one question and reads what is printed. One attempt, ten seconds at most; `question` may say otherwise.
#[track_caller]
pub(crate) fn dig(server: SocketAddr, question: &str) -> Answer {
    let output = Command::new("dig")
        .args([&format!("@{}", server.ip()), "-p", &server.port().to_string()])
        .args(["+tries=1", "+timeout=10", "+nocookie"])
        .args(question.split_whitespace())
        .output()
        .expect("these tests need dig (Debian: bind9-dnsutils)");
    read(&String::from_utf8_lossy(&output.stdout))
}

fn read(text: &str) -> Answer {
    let mut answer = Answer {
        text: text.to_owned(),
        ..Answer::default()
    };
    let mut section = "";
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("status: ") {
            answer.status = rest.split(',').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            let flags = rest.split(';').next().unwrap_or_default();
            answer.flags = flags.split_whitespace().map(str::to_owned).collect();
        } else if let Some(rest) = line.strip_prefix(";; ") {
            section = rest.split(" SECTION").next().unwrap_or_default();
        } else if section == "QUESTION" && line.starts_with(';') {
            answer.question = line.trim_start_matches(';').to_owned();
        } else if !line.is_empty() && !line.starts_with(';') {
            let record = line.split_whitespace().collect::<Vec<_>>().join(" ");
            match section {
                "ANSWER" => answer.answers.push(record),
                "AUTHORITY" => answer.authorities.push(record),
                _ => {}
            }
        }
    }
    answer
}
