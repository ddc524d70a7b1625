//! Sets of whole numbers as intervals that neither overlap nor touch.

/// Inclusive intervals in ascending order. The kernel refuses sets with overlaps, people write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals(Vec<(u128, u128)>);

impl Intervals {
    /// Adds the numbers from `first` to `last`, both included.
    pub(crate) fn add(&mut self, first: u128, last: u128) {
        self.0.push((first.min(last), first.max(last)));
        self.0.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(self.0.len());
        for &(first, last) in &self.0 {
            match merged.last_mut() {
                Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        self.0 = merged;
    }

    /// The intervals: first and last number of each.
    pub fn iter(&self) -> impl Iterator<Item = (u128, u128)> + '_ {
        self.0.iter().copied()
    }

    /// Whether there is no number in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every number up to `largest` is in the set.
    pub(crate) fn covers(&self, largest: u128) -> bool {
        self.0 == [(0, largest)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_and_touching_intervals_become_one() {
        let mut intervals = Intervals::default();
        for (first, last) in [(10, 20), (30, 40), (21, 25), (5, 11), (u128::MAX, u128::MAX - 1)] {
            intervals.add(first, last);
        }
        let expected = vec![(5, 25), (30, 40), (u128::MAX - 1, u128::MAX)];
        assert_eq!(intervals.iter().collect::<Vec<_>>(), expected);
        intervals.add(0, u128::MAX);
        assert!(intervals.covers(u128::MAX));
    }
}
