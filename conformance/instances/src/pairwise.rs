//! Combinations of optional properties: any two of them appear together, apart and not at all, in few instances.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::cases::ValidKind;
use crate::generate::{Inclusion, Plan};
use crate::schema::Inner;
use crate::valid::{Candidate, Make};

/// More optional places than this are not combined.
const FACTORS: usize = 120;

/// How many neighbours of a combination are tried where it has no instance itself.
const NEIGHBOURS: usize = 40;

/// One candidate for each row of a covering array over the places of optional properties; and, where some of these are
/// inside of others, one for each row of another over the innermost, with all that they are in.
pub(crate) fn rows(schema: &Inner) -> Vec<(String, Candidate<'static>)> {
    let mut places: Vec<String> = optional_places(schema);
    places.truncate(FACTORS);
    let holds = |place: &String| {
        let inside = format!("{place}/");
        places.iter().any(|other| other.starts_with(&inside))
    };
    let (outer, innermost): (Vec<String>, Vec<String>) = places.iter().cloned().partition(holds);
    let places = Rc::new(places);
    let mut all = combinations(schema, &places, &places, &[]);
    if !outer.is_empty() {
        all.extend(combinations(schema, &places, &innermost, &outer));
    }
    // The rows are worth more than their turn in the second to tenth round: each is a group of its own.
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(index, candidate)| (format!("pairwise {index}"), candidate))
        .collect()
}

/// The rows of a covering array over some of the places; `fixed` are there in all of them.
fn combinations(
    schema: &Inner,
    places: &Rc<Vec<String>>,
    factors: &[String],
    fixed: &[String],
) -> Vec<Candidate<'static>> {
    if factors.is_empty() {
        return Vec::new();
    }
    let columns = columns(factors.len());
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut out = Vec::new();
    for row in 0..height {
        let chosen = factors.iter().zip(&columns).filter(|(_, column)| column[row]);
        let mut present: BTreeSet<String> = chosen.map(|(place, _)| place.clone()).collect();
        present.extend(fixed.iter().cloned());
        let what = format!(
            "combination {} of {height} of optional properties: {} of {}",
            row + 1,
            present.len(),
            places.len()
        );
        out.push(Candidate {
            kind: ValidKind::Pairwise,
            what,
            rule: schema.pointer.clone(),
            place: String::new(),
            make: Make::Combine(present, Rc::clone(places)),
        });
    }
    out
}

/// The plan with these places, then those with one more, then those with one less.
pub(crate) fn nearest(present: &BTreeSet<String>, places: &[String]) -> impl Iterator<Item = Plan> {
    let with = places
        .iter()
        .filter(|place| !present.contains(*place))
        .map(|place| {
            let mut more = present.clone();
            more.insert(place.clone());
            more
        });
    let without = present.iter().map(|place| {
        let mut less = present.clone();
        less.remove(place);
        less
    });
    let all = std::iter::once(present.clone()).chain(with).chain(without);
    all.take(NEIGHBOURS).map(|present| Plan {
        inclusion: Inclusion::Only(present),
        ..Plan::default()
    })
}

/// The places of the properties that no `required` names.
fn optional_places(schema: &Inner) -> Vec<String> {
    let required: BTreeSet<&str> = schema
        .routes
        .constraints
        .iter()
        .filter(|constraint| constraint.keyword == "required")
        .map(|constraint| constraint.path.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    let paths = schema.routes.routes.iter().map(|route| route.path.as_str());
    paths
        .filter(|path| {
            !path.is_empty() && !path.ends_with("/*") && !required.contains(path) && seen.insert(*path)
        })
        .map(str::to_owned)
        .collect()
}

/// Columns of which any two show all four combinations: different vectors with just over half of their bits set,
/// under a first row of zeros (Kleitman and Spencer).
fn columns(count: usize) -> Vec<Vec<bool>> {
    let mut width = 2_usize;
    while binomial(width, width / 2 + 1) < count {
        width += 1;
    }
    let ones = width / 2 + 1;
    let mut found = Vec::new();
    for bits in 0_u64..1 << width {
        if bits.count_ones() as usize == ones {
            found.push(
                std::iter::once(false)
                    .chain((0..width).map(|bit| bits >> bit & 1 == 1))
                    .collect(),
            );
            if found.len() == count {
                break;
            }
        }
    }
    found
}

fn binomial(from: usize, take: usize) -> usize {
    (0..take.min(from)).fold(1, |product, index| product * (from - index) / (index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_columns_show_all_four_combinations() {
        for count in [1, 2, 3, 7, 20, 120] {
            let columns = columns(count);
            assert_eq!(columns.len(), count);
            for (index, left) in columns.iter().enumerate() {
                for right in &columns[index + 1..] {
                    let seen: BTreeSet<(bool, bool)> =
                        left.iter().copied().zip(right.iter().copied()).collect();
                    assert_eq!(seen.len(), 4, "{count} columns");
                }
            }
            assert!(columns.iter().all(|column| column.len() <= 12));
        }
    }
}
