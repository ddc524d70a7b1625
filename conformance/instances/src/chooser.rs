//! Goes through the choices that schemas leave, one combination after the other, without knowing beforehand how many there are.

use std::collections::BTreeMap;

use crate::sites::Fork;

/// The alternatives that should be tried first.
pub(crate) type Wishes = BTreeMap<Fork, usize>;

/// One taken choice: the position in its own order, how many there are, and which alternative comes first.
#[derive(Clone, Copy, Debug)]
struct Decision {
    position: usize,
    count: usize,
    first: usize,
}

/// Replays decisions and makes new ones at their end.
#[derive(Debug)]
pub(crate) struct Chooser<'a> {
    decisions: Vec<Decision>,
    next: usize,
    wishes: &'a Wishes,
    /// Shuffles where each choice starts, if there is one.
    seed: Option<fastrand::Rng>,
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(wishes: &'a Wishes, seed: Option<fastrand::Rng>) -> Chooser<'a> {
        Chooser {
            decisions: Vec::new(),
            next: 0,
            wishes,
            seed,
        }
    }

    /// Takes one of `count` alternatives.
    pub(crate) fn choose(&mut self, fork: Option<Fork>, count: usize) -> usize {
        if self.next == self.decisions.len() {
            let wished = fork
                .and_then(|fork| self.wishes.get(&fork))
                .copied()
                .filter(|wish| *wish < count);
            let first = wished
                .or_else(|| self.seed.as_mut().map(|rng| rng.usize(0..count.max(1))))
                .unwrap_or(0);
            self.decisions.push(Decision {
                position: 0,
                count,
                first,
            });
        }
        let decision = self.decisions[self.next];
        self.next += 1;
        if decision.count == 0 {
            0
        } else {
            (decision.position + decision.first) % decision.count
        }
    }

    /// Moves on to the next combination; false when there is none left.
    pub(crate) fn advance(&mut self) -> bool {
        // What was decided in an earlier combination but not asked for in this one is void.
        self.decisions.truncate(self.next);
        self.next = 0;
        while let Some(last) = self.decisions.last_mut() {
            if last.position + 1 < last.count {
                last.position += 1;
                return true;
            }
            self.decisions.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_through_all_combinations_once() {
        let wishes = Wishes::new();
        let mut chooser = Chooser::new(&wishes, None);
        let mut seen = Vec::new();
        loop {
            let left = chooser.choose(None, 2);
            let right = if left == 0 { chooser.choose(None, 3) } else { 9 };
            seen.push((left, right));
            if !chooser.advance() {
                break;
            }
        }
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 9)]);
    }

    #[test]
    fn a_wish_comes_first() {
        let wishes = Wishes::from([(Fork::AnyOf(4), 2)]);
        let mut chooser = Chooser::new(&wishes, None);
        assert_eq!(chooser.choose(Some(Fork::AnyOf(4)), 3), 2);
        assert!(chooser.advance());
        assert_eq!(chooser.choose(Some(Fork::AnyOf(4)), 3), 0);
    }
}
