//! The platform's events (`text/event-stream`), as far as a client needs them: that something has happened.

use std::time::Duration;

use crate::failure::Failure;
use crate::platform::{ADMINISTRATION, Platform, unreachable, with_query};

/// The longest line of an event, in bytes; a platform that sends longer ones is not followed.
const LONGEST_LINE: usize = 1024 * 1024;
/// A stream that is silent for so long has broken: the platform sends comments to keep it alive.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Events of some kinds.
pub(crate) struct Events {
    response: reqwest::Response,
    buffer: Vec<u8>,
}

impl Events {
    /// Follows the events of a kind.
    pub(crate) async fn follow(platform: &Platform, kind: &str) -> Result<Self, Failure> {
        let path = with_query(&format!("{ADMINISTRATION}/events"), &[("kinds", kind)]);
        Ok(Self {
            response: platform.follow(&path).await?,
            buffer: Vec::new(),
        })
    }

    /// Waits for the next event. `None` where there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<()>, Failure> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                // Everything that happens has data; comments and retry times have none.
                if line.starts_with(b"data") {
                    return Ok(Some(()));
                }
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(Failure::Failed(
                    "the platform's events can't be understood".to_owned(),
                ));
            }
            match tokio::time::timeout(LONGEST_SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => return Err(unreachable(&error)),
                Err(_) => return Ok(None),
            }
        }
    }

    /// Forgets the events that have already come: what happened together is looked at once.
    pub(crate) async fn skip(&mut self, time: Duration) -> Result<(), Failure> {
        let skipped = tokio::time::timeout(time, async {
            while self.next().await?.is_some() {}
            Ok(())
        });
        skipped.await.unwrap_or(Ok(()))
    }
}
