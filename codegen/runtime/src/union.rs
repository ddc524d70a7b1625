//! Decoding of unions: by what tells the members apart, else by trying each; errors name the member that was meant.

use crate::invalid::Invalid;
use crate::json::Json;

/// A member of a union that is decoded by trial.
pub struct Candidate<'member, T> {
    /// The member's name, for messages.
    pub name: &'static str,
    /// The properties that the member requires; they tell which member was meant.
    pub required: &'static [&'static str],
    /// The properties that the member declares; the member that declares most of what is there keeps most of it.
    pub declared: &'static [&'static str],
    /// Decodes the member.
    pub decode: &'member dyn Fn(&Json<'_>) -> Result<T, Invalid>,
}

/// Decodes the one member that matches (`oneOf`).
///
/// # Errors
/// [`Invalid`]: where no member matches, the error of the member that was most likely meant; where several do,
/// the rule `oneOf` and their names.
pub fn exactly_one<T>(json: &Json<'_>, candidates: &[Candidate<'_, T>]) -> Result<T, Invalid> {
    let mut decoded: Option<(&'static str, T)> = None;
    let mut refusals = Vec::new();
    for candidate in candidates {
        match ((candidate.decode)(json), &decoded) {
            (Ok(value), None) => decoded = Some((candidate.name, value)),
            (Ok(_), Some((first, _))) => {
                let message = format!("must match only one of {first} and {}", candidate.name);
                return Err(Invalid::new("oneOf", message));
            }
            (Err(error), _) => refusals.push((candidate, error)),
        }
    }
    decoded
        .map(|(_, value)| value)
        .ok_or_else(|| meant(json, refusals))
}

/// Decodes the member that keeps most of the value (`anyOf`): of those that match, the one that declares most
/// of its properties.
///
/// # Errors
/// [`Invalid`] of the member that was most likely meant, where no member matches.
pub fn at_least_one<T>(json: &Json<'_>, candidates: &[Candidate<'_, T>]) -> Result<T, Invalid> {
    let mut best: Option<(usize, T)> = None;
    let mut refusals = Vec::new();
    for candidate in candidates {
        match (candidate.decode)(json) {
            Ok(value) => {
                let kept = candidate
                    .declared
                    .iter()
                    .filter(|name| json.get(name).is_some())
                    .count();
                if best.as_ref().is_none_or(|(most, _)| *most < kept) {
                    best = Some((kept, value));
                }
            }
            Err(error) => refusals.push((candidate, error)),
        }
    }
    best.map(|(_, value)| value).ok_or_else(|| meant(json, refusals))
}

/// The refusal of the member that was most likely meant: whose required properties are there, whose kind fits,
/// and whose first error lies deepest.
fn meant<T>(json: &Json<'_>, refusals: Vec<(&Candidate<'_, T>, Invalid)>) -> Invalid {
    let likeness = |(candidate, error): &(&Candidate<'_, T>, Invalid)| {
        let present = candidate
            .required
            .iter()
            .filter(|name| json.get(name).is_some())
            .count();
        let missing = candidate.required.len() - present;
        let kind_fits = error.depth() > 0 || error.rule() != "type";
        (kind_fits, present, std::cmp::Reverse(missing), error.depth())
    };
    let best = refusals
        .into_iter()
        .reduce(|best, next| match likeness(&next) > likeness(&best) {
            true => next,
            false => best,
        });
    match best {
        Some((_, error)) => error,
        None => Invalid::new("oneOf", "matches nothing, because the union has no members"),
    }
}

/// The text of the property that tells the members apart.
///
/// # Errors
/// [`Invalid`] with the rule `type` where the value is no object or the property no text, `required` where it
/// is absent.
pub fn selector<'json>(json: &'json Json<'_>, property: &str) -> Result<&'json str, Invalid> {
    let Json::Object(_) = json else {
        return Err(Invalid::new(
            "type",
            format!("must be an object, not {}", json.kind()),
        ));
    };
    let Some(value) = json.get(property) else {
        return Err(Invalid::new(
            "required",
            format!("must have the property {property}, which tells its type"),
        ));
    };
    value.as_str().ok_or_else(|| {
        Invalid::new("type", format!("must be a string, not {}", value.kind())).within(property)
    })
}

/// The refusal of a text that selects no member.
pub fn unknown_selector(property: &str, value: &str, values: &[&str]) -> Invalid {
    Invalid::new(
        "discriminator",
        format!("must be one of {}, not {value:?}", values.join(", ")),
    )
    .within(property)
}
