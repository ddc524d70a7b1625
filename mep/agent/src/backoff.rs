//! How long to wait before the next attempt.

use std::time::Duration;

use uuid::Uuid;

/// The wait after the first failure; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(250);

/// Waits that grow with every failure.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait, of which up to a half is random: agents that lost a platform together don't come back
    /// together.
    pub(crate) fn next(&mut self, longest: Duration) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let share = f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
        doubled.min(longest).mul_f64(0.5 + share / 2.0)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_never_less_than_half() {
        let mut backoff = Backoff::default();
        for failure in 0..200 {
            let longest = Duration::from_secs(30);
            let full = FIRST.saturating_mul(1 << failure.min(20)).min(longest);
            let wait = backoff.next(longest);
            assert!(wait <= full && wait >= full / 2, "{failure}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next(Duration::from_secs(30)) <= FIRST);
    }
}
