//! The declared name that a misspelt one was meant to be.

/// The name in `known` that is nearest to a misspelt one, where one is near.
pub(super) fn nearest<'name>(name: &str, known: impl Iterator<Item = &'name str>) -> Option<&'name str> {
    let allowed = 1 + name.chars().count() / 4;
    let distances = known.map(|candidate| (edit_distance(&fold(name), &fold(candidate)), candidate));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A name without what spellings differ in: case, `_` and `-`.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|character| !"_-".contains(*character))
        .flat_map(char::to_lowercase)
        .take(64)
        .collect()
}

/// The Levenshtein distance.
fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, left) in left.iter().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, right) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
