//! What a platform decides about services.

use std::time::Duration;

/// How a registry behaves; the default suits a platform on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most services that one application instance may offer; `None` for no limit, which is the default.
    pub services_per_application: Option<usize>,
    /// The most availability subscriptions that one application instance may have, 50 unless told; `None` for no
    /// limit.
    pub subscriptions_per_application: Option<usize>,
    /// Heartbeats.
    pub liveness: Liveness,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            services_per_application: None,
            subscriptions_per_application: Some(50),
            liveness: Liveness::default(),
        }
    }
}

/// Heartbeats of services (MEC 011 clauses 8.1.2.2 and 8.2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// The shortest interval that is granted, in seconds; 5 unless told.
    pub shortest_seconds: u64,
    /// The longest interval that is granted, in seconds; 3600 unless told.
    pub longest_seconds: u64,
    /// The interval for applications that leave it to the platform, in seconds; 30 unless told.
    pub default_seconds: u64,
    /// Whether heartbeats are also asked of services whose application has not offered to send any; not unless told.
    pub required: bool,
    /// How late a heartbeat may be, as a percentage of the interval; 25 unless told.
    pub tolerance_percent: u32,
    /// What a service has at least for its first heartbeat after a restart of the platform; 30 seconds unless told.
    pub grace: Duration,
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            shortest_seconds: 5,
            longest_seconds: 3600,
            default_seconds: 30,
            required: false,
            tolerance_percent: 25,
            grace: Duration::from_secs(30),
        }
    }
}

impl Liveness {
    /// The interval in seconds that is granted where the application has proposed this one: zero leaves it to the
    /// platform, absence says that the application sends no heartbeats.
    pub(crate) fn grant(&self, proposed: Option<u64>) -> Option<u64> {
        let wanted = match proposed {
            None if !self.required => return None,
            None | Some(0) => self.default_seconds,
            Some(seconds) => seconds,
        };
        Some(wanted.min(self.longest_seconds).max(self.shortest_seconds).max(1))
    }

    /// How long after a sign of life a service with an interval is suspended.
    pub(crate) fn patience(&self, interval: Duration) -> Duration {
        interval.saturating_add(interval.saturating_mul(self.tolerance_percent) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_granted_within_bounds() {
        let liveness = Liveness::default();
        for (proposed, granted) in [
            (None, None),
            (Some(0), Some(30)),
            (Some(1), Some(5)),
            (Some(60), Some(60)),
            (Some(u64::MAX), Some(3600)),
        ] {
            assert_eq!(liveness.grant(proposed), granted, "{proposed:?}");
        }
        let required = Liveness {
            required: true,
            ..liveness
        };
        assert_eq!(required.grant(None), Some(30));
        assert_eq!(
            liveness.patience(Duration::from_secs(60)),
            Duration::from_secs(75)
        );
    }
}
