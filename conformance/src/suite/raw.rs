//! Bytes that no HTTP client sends, with their evidence.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use mecforge_report::{Answer, Exchange, Message};
use mecforge_transport::RawAnswer;

use super::call::Role;
use super::context::Context;
use super::outcome::Stop;

/// The version that the record of such a request has, by which it is told from others.
pub const RAW: &str = "raw HTTP/1.1";

/// The most bytes of an answer.
const LIMIT: usize = 256 << 10;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

impl Context {
    /// Sends bytes as they are on a connection of their own. They begin with a request line.
    ///
    /// # Errors
    /// [`Stop::Gone`] if there is nobody to talk to, [`Stop::Over`] if the run is over.
    pub async fn raw(&mut self, bytes: Vec<u8>, role: Role) -> Result<RawAnswer, Stop> {
        let suite = Arc::clone(&self.suite);
        if suite.is_over() {
            return Err(Stop::Over);
        }
        suite.requests.fetch_add(1, Ordering::Relaxed);
        let client = &suite.clients.main;
        let started = SystemTime::now();
        let outcome = client.raw(&bytes, LIMIT, PATIENCE).await;
        let masker = client.masker();
        let text = masker.text(&String::from_utf8_lossy(&bytes));
        let mut words = text.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let first = outcome.as_ref().ok().and_then(|answer| {
            let answers = answer.responses().responses;
            answers.into_iter().find(|answer| answer.status >= 200)
        });
        let body_length = bytes.len() as u64;
        self.trace.push(Exchange {
            role: role.as_str().to_owned(),
            started_at: crate::engine::time::rfc3339(started),
            elapsed_ms: outcome
                .as_ref()
                .map_or(0.0, |answer| answer.elapsed.as_secs_f64() * 1000.0),
            request: Message {
                method,
                url: format!("{}{target}", suite.target),
                version: RAW.to_owned(),
                headers: Vec::new(),
                body: Some(text),
                body_length,
            },
            response: first.map(|answer| Answer {
                status: answer.status,
                version: "HTTP/1.1".to_owned(),
                headers: answer
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), masker.header(name, value)))
                    .collect(),
                body: masker
                    .text(&String::from_utf8_lossy(&answer.body))
                    .chars()
                    .take(16_384)
                    .collect(),
                body_length: answer.body.len() as u64,
            }),
            fault: outcome.as_ref().err().map(ToString::to_string),
        });
        suite.judged.fetch_add(1, Ordering::Relaxed);
        outcome.map_err(|fault| match fault.is_unreachable() {
            true => Stop::Gone(fault.to_string()),
            false => Stop::Inconclusive(fault.to_string()),
        })
    }
}
