//! Whether a history of parallel requests has an order in which every answer is right, after Wing and Gong.

use std::collections::HashSet;
use std::time::Instant;

/// What a request did, as its answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It read this value; none: there was nothing.
    Read(Option<u32>),
    /// It replaced the value of something that was there.
    Wrote(u32),
    /// It made the object, or replaced it.
    Made(u32),
    /// It removed what was there.
    Removed,
    /// There was nothing to replace or remove.
    Missed,
    /// Nobody knows whether it was done: a replacement.
    MayHaveWritten(u32),
    /// Nobody knows whether it was done: a removal.
    MayHaveRemoved,
}

impl Effect {
    /// The state after it, if it is right in a state.
    fn after(self, state: Option<u32>) -> Option<Option<u32>> {
        match (self, state) {
            (Effect::Read(value), _) => (value == state).then_some(state),
            (Effect::Wrote(value), Some(_))
            | (Effect::Made(value), _)
            | (Effect::MayHaveWritten(value), Some(_)) => Some(Some(value)),
            (Effect::Removed, Some(_)) | (Effect::MayHaveRemoved, _) => Some(None),
            (Effect::Missed, None) | (Effect::MayHaveWritten(_), None) => Some(None),
            _ => None,
        }
    }

    fn is_certain(self) -> bool {
        !matches!(self, Effect::MayHaveWritten(_) | Effect::MayHaveRemoved)
    }
}

/// A request of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) begin: Instant,
    pub(super) end: Instant,
    pub(super) effect: Effect,
}

/// Looks for an order, beginning in a state. None: there is one; else the place of a request that fits nowhere.
pub(super) fn contradiction(events: &[Event], first: Option<u32>) -> Option<usize> {
    let events = &events[..events.len().min(64)];
    let certain = (0..events.len())
        .filter(|at| events[*at].effect.is_certain())
        .fold(0_u64, |mask, at| mask | 1 << at);
    let mut seen = HashSet::new();
    let mut stack = vec![(0_u64, first)];
    let mut furthest = 0_u64;
    while let Some((done, state)) = stack.pop() {
        if done & certain == certain {
            return None;
        }
        if !seen.insert((done, state)) {
            continue;
        }
        if (done & certain).count_ones() > (furthest & certain).count_ones() {
            furthest = done;
        }
        let left = || (0..events.len()).filter(move |at| done & (1 << at) == 0);
        // What began after another had its answer can't come before it.
        let earliest = left()
            .filter(|at| events[*at].effect.is_certain())
            .map(|at| events[at].end)
            .min();
        for at in left() {
            if earliest.is_some_and(|earliest| events[at].begin > earliest) {
                continue;
            }
            if let Some(after) = events[at].effect.after(state) {
                stack.push((done | 1 << at, after));
            }
        }
    }
    let stuck =
        (0..events.len()).filter(|at| furthest & certain & (1 << at) == 0 && certain & (1 << at) != 0);
    stuck.min_by_key(|at| events[*at].end)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Effect, Event, contradiction};

    /// Requests as (begin, end, effect) in milliseconds.
    fn history(events: &[(u64, u64, Effect)]) -> Option<usize> {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let events: Vec<_> = events
            .iter()
            .map(|(begin, end, effect)| Event {
                begin: at(*begin),
                end: at(*end),
                effect: *effect,
            })
            .collect();
        contradiction(&events, Some(0))
    }

    #[test]
    fn overlapping_requests_may_come_in_any_order() {
        use Effect::{Read, Wrote};
        assert_eq!(
            history(&[(0, 9, Wrote(1)), (1, 8, Wrote(2)), (10, 11, Read(Some(1)))]),
            None
        );
        assert_eq!(
            history(&[(0, 9, Wrote(1)), (1, 8, Wrote(2)), (10, 11, Read(Some(2)))]),
            None
        );
        assert_eq!(
            history(&[(0, 9, Wrote(1)), (1, 2, Read(Some(0))), (3, 4, Read(Some(1)))]),
            None
        );
    }

    #[test]
    fn stale_readings_and_lost_updates_contradict() {
        use Effect::{Read, Wrote};
        assert_eq!(history(&[(0, 1, Wrote(1)), (2, 3, Read(Some(0)))]), Some(1));
        assert_eq!(
            history(&[
                (0, 1, Wrote(1)),
                (0, 20, Wrote(2)),
                (2, 3, Read(Some(2))),
                (4, 5, Read(Some(1)))
            ]),
            Some(3)
        );
    }

    #[test]
    fn what_was_removed_stays_removed() {
        use Effect::{Missed, Read, Removed, Wrote};
        assert_eq!(
            history(&[
                (0, 5, Removed),
                (1, 4, Wrote(1)),
                (6, 7, Read(None)),
                (8, 9, Missed)
            ]),
            None
        );
        assert_eq!(
            history(&[(0, 5, Removed), (1, 4, Wrote(1)), (6, 7, Read(Some(1)))]),
            Some(2)
        );
        assert!(history(&[(0, 5, Removed), (1, 4, Removed)]).is_some());
    }

    #[test]
    fn what_had_no_answer_may_have_been_done_or_not() {
        use Effect::{MayHaveRemoved, MayHaveWritten, Read};
        assert_eq!(
            history(&[
                (0, 1, MayHaveWritten(1)),
                (5, 6, Read(Some(0))),
                (7, 8, Read(Some(1)))
            ]),
            None
        );
        assert_eq!(
            history(&[
                (0, 1, MayHaveWritten(1)),
                (5, 6, Read(Some(1))),
                (7, 8, Read(Some(0)))
            ]),
            Some(2)
        );
        assert_eq!(history(&[(0, 1, MayHaveRemoved), (5, 6, Read(Some(0)))]), None);
    }
}
