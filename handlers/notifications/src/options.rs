//! How deliveries behave.

use std::time::Duration;

use crate::policy::Policy;

/// How deliveries behave; the default suits a platform on one machine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Attempts in flight at most. A half of them is for receivers that acknowledged last, a quarter for new ones, a
    /// quarter for those that fail, so that none of these waits for another.
    pub in_flight: usize,
    /// Attempts in flight to one receiver (scheme, host and port) at most. One that is new or fails gets one at a time.
    pub in_flight_per_receiver: usize,
    /// Consecutive failures after which a receiver counts as failing.
    pub failing_after: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long the connection for an attempt may take to be made.
    pub connect_timeout: Duration,
    /// How long a test notification may take.
    pub test_timeout: Duration,
    /// The longest wait before the second attempt. It doubles with each further failure; the wait itself is drawn
    /// between nothing and it.
    pub first_delay: Duration,
    /// What the wait does not grow beyond.
    pub longest_delay: Duration,
    /// The longest wait that a receiver can ask for with `Retry-After`.
    pub longest_retry_after: Duration,
    /// Attempts after which a notification is given up.
    pub attempts: u32,
    /// Age at which a notification that waits is given up.
    pub longest_age: Duration,
    /// Notifications of one subscription that wait at most; the oldest are given up.
    pub queue_length: usize,
    /// Bytes of all notifications that wait at most; the oldest of the subscriptions for which most waits are given up.
    pub queue_bytes: usize,
    /// Notifications of one subscription that were given up and are kept; the oldest are dropped.
    pub dead_letters_per_subscription: usize,
    /// Notifications that were given up and are kept; the oldest are dropped.
    pub dead_letters: usize,
    /// Bytes of those; the oldest are dropped.
    pub dead_letter_bytes: usize,
    /// The time over which a platform that starts with many subscribers to notify spreads its first attempts, at most.
    pub restart_spread: Duration,
    /// How often a WebSocket is pinged. A client that lets two of them pass is disconnected.
    pub websocket_ping: Duration,
    /// Which callback addresses may be called.
    pub policy: Policy,
    /// Certificate authorities that are trusted besides the system's, each one or more certificates in PEM.
    pub root_certificates: Vec<Vec<u8>>,
}

impl Default for Options {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            in_flight: 1024,
            in_flight_per_receiver: 8,
            failing_after: 5,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            test_timeout: Duration::from_secs(5),
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(5 * 60),
            longest_retry_after: Duration::from_secs(60 * 60),
            attempts: 12,
            longest_age: Duration::from_secs(24 * 60 * 60),
            queue_length: 1000,
            queue_bytes: 64 * MIB,
            dead_letters_per_subscription: 100,
            dead_letters: 10_000,
            dead_letter_bytes: 16 * MIB,
            restart_spread: Duration::from_secs(10),
            websocket_ping: Duration::from_secs(30),
            policy: Policy::default(),
            root_certificates: Vec::new(),
        }
    }
}

impl Options {
    /// How long to wait after so many failures in a row (at least one): full jitter, so that those who failed
    /// together do not come back together.
    pub(crate) fn delay(&self, failures: u64) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let longest = self.first_delay.saturating_mul(factor).min(self.longest_delay);
        longest.mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_spread() {
        let options = Options::default();
        for (failures, longest) in [
            (1, 1),
            (2, 2),
            (5, 16),
            (9, 256),
            (10, 300),
            (40, 300),
            (u64::MAX, 300),
        ] {
            let longest = Duration::from_secs(longest);
            let waits: Vec<_> = (0..200).map(|_| options.delay(failures)).collect();
            assert!(waits.iter().all(|wait| *wait <= longest), "{failures}: {waits:?}");
            assert!(
                waits.iter().any(|wait| *wait > longest.mul_f64(0.8)),
                "{failures}"
            );
            assert!(
                waits.iter().any(|wait| *wait < longest.mul_f64(0.2)),
                "{failures}"
            );
        }
    }
}
