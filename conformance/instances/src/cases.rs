//! The cases that are handed out, and how a limited number of them is chosen fairly.

use std::collections::BTreeMap;

use serde_json::Value;

/// Why a valid case is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValidKind {
    /// Only what is required.
    Minimal,
    /// Every optional property that may stand together.
    Full,
    /// An alternative of `oneOf`, `anyOf`, `if` or several types, or a way to a schema that the others don't reach.
    Branch,
    /// A limit, a value of an enumeration, a form of a format.
    Boundary,
    /// A value of an open enumeration that isn't listed.
    Extension,
    /// A row of a covering array over the optional properties.
    Pairwise,
    /// Text beyond ASCII.
    Unicode,
    /// A property that the schema doesn't know and doesn't forbid.
    Open,
    /// A whole number written with a fraction of zero.
    Notation,
    /// Long text or a long array where there is no limit.
    Large,
}

/// A valid instance.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidCase {
    /// The instance.
    pub value: Value,
    /// Why it is there.
    pub kind: ValidKind,
    /// What is special about it, in a few words.
    pub what: String,
    /// JSON pointer of the keyword or schema in the document that it shows.
    pub schema_pointer: String,
    /// JSON pointer of the place in the instance.
    pub instance_pointer: String,
}

/// An instance that breaks exactly one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidCase {
    /// The instance.
    pub value: Value,
    /// What is wrong, in a few words.
    pub what: String,
    /// The broken keyword.
    pub keyword: String,
    /// JSON pointer of the broken keyword in the document (for `required` and `dependentRequired`: of the name in the list).
    pub schema_pointer: String,
    /// JSON pointer of the value that breaks it (for a missing property: of the object).
    pub instance_pointer: String,
}

/// As many cases as were allowed, and how many more there would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Limited<T> {
    /// The cases.
    pub cases: Vec<T>,
    /// How many candidates were cut off, at most: some of them might not have become cases.
    pub truncated: usize,
}

/// Reorders candidates so that each group gives its first before any gives its second; the order of groups stays.
pub(crate) fn fairly<T>(candidates: Vec<(String, T)>) -> Vec<T> {
    let mut rounds: BTreeMap<String, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, T)> = Vec::with_capacity(candidates.len());
    for (group, candidate) in candidates {
        let round = rounds.entry(group).or_default();
        ranked.push((*round, candidate));
        *round += 1;
    }
    ranked.sort_by_key(|(round, _)| *round);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_comes_before_a_group_comes_twice() {
        let candidates = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("c", 6)];
        let candidates = candidates
            .map(|(group, value)| (group.to_owned(), value))
            .to_vec();
        assert_eq!(fairly(candidates), [1, 4, 5, 2, 6, 3]);
    }
}
