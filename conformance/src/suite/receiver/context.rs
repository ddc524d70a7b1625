//! What a case does with the receiver: open mailboxes, and wait for what comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Behaviour, Letter, Mailbox, Receiver};
use crate::suite::{Context, Mode, Stop, hash};

/// How often a wait looks whether the run is over.
pub(super) const GLANCE: Duration = Duration::from_millis(200);

impl Context {
    /// The receiver of notifications.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] where none could be started.
    pub fn receiver(&self) -> Result<&Receiver, Stop> {
        match self.suite.receiver.get() {
            Some(Ok(receiver)) => Ok(receiver),
            Some(Err(reason)) => Err(Stop::Inconclusive(reason.clone())),
            None => Err(Stop::Inconclusive(
                "nothing listens for notifications; run without --read-only".to_owned(),
            )),
        }
    }

    /// A mailbox that takes everything.
    ///
    /// # Errors
    /// Those of [`Context::receiver`].
    pub fn mailbox(&mut self) -> Result<Mailbox, Stop> {
        let name = self.mailbox_name();
        Ok(self.receiver()?.open(&name))
    }

    /// A mailbox that behaves badly, at a port of its own.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] where the platform may not reach other ports than that of `--callback-url`.
    pub async fn mailbox_apart(&mut self, behaviour: Behaviour) -> Result<Mailbox, Stop> {
        let name = self.mailbox_name();
        let mailbox = self.receiver()?.open_apart(&name, behaviour).await;
        mailbox.ok_or_else(|| {
            Stop::Inconclusive(
                "a receiver that fails needs a port of its own; run without --callback-url where the platform reaches this machine directly"
                    .to_owned(),
            )
        })
    }

    /// Nobody guesses it, and it is the same in every run with this seed.
    fn mailbox_name(&mut self) -> String {
        let unique = self.unique();
        format!(
            "{unique}-{:016x}",
            hash(self.suite.options.seed, &[&self.case.id, &unique, "mailbox"])
        )
    }

    /// Whether waiting makes no sense any more.
    pub(super) fn is_over(&self) -> bool {
        match self.mode {
            Mode::First => self.suite.is_over(),
            Mode::Again => self.suite.is_over_altogether(),
        }
    }

    /// How long a notification may take. A breach is tried again with twice the time, in case the platform is busy.
    pub fn patience(&self) -> Duration {
        let once = self.suite.options.clock.notification;
        match self.mode {
            Mode::First => once,
            Mode::Again => once * 2,
        }
    }

    /// Waits until what has come satisfies a condition; false if it does not in time. While letters keep coming, the
    /// time begins anew, at most four times.
    ///
    /// # Errors
    /// [`Stop::Over`] if the run is over.
    pub async fn until(
        &self,
        mailbox: &Mailbox,
        found: impl Fn(&[Arc<Letter>]) -> bool,
    ) -> Result<bool, Stop> {
        let patience = self.patience();
        let last = Instant::now() + patience * 4;
        let mut end = Instant::now() + patience;
        let mut seen = mailbox.letters().len();
        loop {
            let letters = mailbox.letters();
            if found(&letters) {
                return Ok(true);
            }
            let now = Instant::now();
            if letters.len() > seen {
                seen = letters.len();
                end = (now + patience).min(last);
            }
            if now >= end {
                return Ok(false);
            }
            if self.is_over() {
                return Err(Stop::Over);
            }
            mailbox.more_than(seen, GLANCE.min(end - now)).await;
        }
    }

    /// Waits until what has come satisfies a condition, or a moment has passed; whether it does.
    ///
    /// # Errors
    /// [`Stop::Over`] if the run is over.
    pub async fn until_moment(
        &self,
        mailbox: &Mailbox,
        end: Instant,
        found: impl Fn(&[Arc<Letter>]) -> bool,
    ) -> Result<bool, Stop> {
        loop {
            let letters = mailbox.letters();
            if found(&letters) {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            if self.is_over() {
                return Err(Stop::Over);
            }
            mailbox.more_than(letters.len(), GLANCE.min(left)).await;
        }
    }

    /// Waits for a time.
    ///
    /// # Errors
    /// [`Stop::Over`] if the run is over before.
    pub async fn pause(&self, time: Duration) -> Result<(), Stop> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if self.is_over() {
                return Err(Stop::Over);
            }
            tokio::time::sleep(GLANCE.min(end.saturating_duration_since(Instant::now()))).await;
        }
        Ok(())
    }

    /// Puts a letter into the evidence.
    pub fn show(&mut self, letter: &Letter) {
        self.trace.push(letter.record());
    }
}
