//! Where ETSI's documents had to be mended: the errata of `etsi-specs/overlays`, found by the place of a finding, so that
//! a reader sees that a rule is not as ETSI printed it.
//!
//! What the repairs change by rule (dialects, wrapped bodies, formats) is not here: `generated/COVERAGE.md` counts it.

/// One erratum: where it was applied, as a JSONPath, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Erratum<'text> {
    target: &'text str,
    description: &'text str,
}

/// The most that are shown beside one finding.
const MOST: usize = 4;

macro_rules! overlay {
    ($name:literal) => {
        include_str!(concat!("../../../etsi-specs/overlays/", $name, ".yaml"))
    };
}

/// By document id and start of its version; the first that fits counts.
const OVERLAYS: [(&str, &str, &str); 19] = [
    ("mec010-app-grant", "", overlay!("mec010-app-grant")),
    (
        "mec010-app-lifecycle-management",
        "",
        overlay!("mec010-app-lifecycle-management"),
    ),
    (
        "mec010-app-package-management",
        "",
        overlay!("mec010-app-package-management"),
    ),
    ("mec011-app-support", "2.", overlay!("mec011-app-support@v2.1.1")),
    ("mec011-app-support", "", overlay!("mec011-app-support")),
    (
        "mec011-service-management",
        "2.",
        overlay!("mec011-service-management@v2.1.1"),
    ),
    (
        "mec011-service-management",
        "",
        overlay!("mec011-service-management"),
    ),
    (
        "mec012-radio-network-information",
        "",
        overlay!("mec012-radio-network-information"),
    ),
    ("mec013-location", "", overlay!("mec013-location")),
    ("mec014-ue-identity", "", overlay!("mec014-ue-identity")),
    (
        "mec015-bandwidth-management",
        "",
        overlay!("mec015-bandwidth-management"),
    ),
    ("mec015-traffic-steering", "", overlay!("mec015-traffic-steering")),
    ("mec016-ue-application", "", overlay!("mec016-ue-application")),
    (
        "mec021-application-mobility",
        "",
        overlay!("mec021-application-mobility"),
    ),
    ("mec028-wlan-information", "", overlay!("mec028-wlan-information")),
    (
        "mec029-fixed-access-information",
        "",
        overlay!("mec029-fixed-access-information"),
    ),
    ("mec030-v2x-information", "", overlay!("mec030-v2x-information")),
    ("mec033-iot", "", overlay!("mec033-iot")),
    (
        "mec040-federation-enablement",
        "",
        overlay!("mec040-federation-enablement"),
    ),
];

/// What was mended in a document at the places of a finding (JSON pointers), the nearest first; one sentence each.
pub fn errata(document: &str, version: &str, places: &[&str]) -> Vec<String> {
    let overlay = OVERLAYS
        .iter()
        .find(|(id, release, _)| *id == document && version.starts_with(release));
    let Some((_, _, text)) = overlay else {
        return Vec::new();
    };
    let mut found: Vec<_> = read(text)
        .filter_map(|erratum| {
            let steps = steps(erratum.target);
            let near = places.iter().filter_map(|place| nearness(&steps, place)).max()?;
            Some((near, erratum))
        })
        .collect();
    found.sort_by_key(|(near, _)| std::cmp::Reverse(*near));
    let sentence = |(_, erratum): (usize, Erratum<'_>)| {
        format!(
            "ETSI's document was mended at {}: {}",
            erratum.target, erratum.description
        )
    };
    found.into_iter().take(MOST).map(sentence).collect()
}

/// The errata of an overlay: each has its target and its description on a line of their own.
fn read(text: &str) -> impl Iterator<Item = Erratum<'_>> {
    let mut target = None;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if let Some(found) = line.strip_prefix("- target: ") {
            target = Some(found.trim());
            return None;
        }
        let description = line.strip_prefix("description: ")?.trim();
        let erratum = Erratum {
            target: target.take()?,
            description: description.trim_matches('\''),
        };
        Some(erratum)
    })
}

/// A step of a JSONPath.
#[derive(Debug, PartialEq, Eq)]
enum Step<'text> {
    /// One of these members.
    Names(Vec<&'text str>),
    /// Any member or element.
    Any,
    /// Any number of steps.
    Deep,
}

/// The steps of a JSONPath after `$`, as far as errata use it.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Deep);
            rest = after;
            if !rest.starts_with('[') {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                steps.push(Step::Names(vec![&rest[..end]]));
                rest = &rest[end..];
            }
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(match &after[..end] {
                "*" => Step::Any,
                name => Step::Names(vec![name]),
            });
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = closing(after);
            let inside = &after[..end];
            steps.push(match inside.starts_with('\'') {
                true => Step::Names(inside.split('\'').skip(1).step_by(2).collect()),
                false => Step::Any,
            });
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            break;
        }
    }
    steps
}

/// Where the bracket ends that was just opened; those in quotes and filters don't count.
fn closing(text: &str) -> usize {
    let (mut depth, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted && depth == 0 => return at,
            ']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// How many steps a place and an erratum's target share, where one lies within the other; none where neither does, or
/// where they share no more than the document's own structure.
fn nearness(steps: &[Step<'_>], place: &str) -> Option<usize> {
    let tokens: Vec<String> = place
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    let mut shared = 0;
    for (step, token) in steps.iter().zip(&tokens) {
        match step {
            Step::Deep => break,
            Step::Any => {}
            // A body's own view of a schema carries its name with "Request".
            Step::Names(names) => {
                let plain = token.strip_suffix("Request").unwrap_or(token);
                if !names.iter().any(|name| *name == token || *name == plain) {
                    return None;
                }
            }
        }
        shared += 1;
    }
    // `paths` and a path, `components`, `schemas` and a schema.
    let least = if place.starts_with("/paths/") { 2 } else { 3 };
    (shared >= least).then_some(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_erratum_of_every_overlay() {
        for (id, _, text) in OVERLAYS {
            let targets = text
                .lines()
                .filter(|line| line.trim_start().starts_with("- target:"));
            assert_eq!(read(text).count(), targets.count(), "{id}");
            for erratum in read(text) {
                assert!(!erratum.description.is_empty(), "{id}: {erratum:?}");
                assert!(
                    erratum.target == "$" || !steps(erratum.target).is_empty(),
                    "{id}: {erratum:?}"
                );
            }
        }
    }

    #[test]
    fn finds_what_was_mended_at_a_place() {
        let of = |place: &str| errata("mec011-service-management", "3.1.1", &[place]);
        let tags =
            "/paths/~1applications~1{appInstanceId}~1services~1{serviceId}/get/responses/200/headers/ETag";
        assert!(of(tags)[0].contains("entity tag"), "{:?}", of(tags));
        assert!(
            of("/paths/~1transports/get").is_empty(),
            "{:?}",
            of("/paths/~1transports/get")
        );
        assert!(errata("mine", "1", &[tags]).is_empty());
    }

    #[test]
    fn understands_the_paths_of_errata() {
        let names = |list: &[&'static str]| Step::Names(list.to_vec());
        assert_eq!(
            steps("$.paths['/a','/b'][?@.responses['200']].responses..content['x.y']"),
            [
                names(&["paths"]),
                names(&["/a", "/b"]),
                Step::Any,
                names(&["responses"]),
                Step::Deep,
                names(&["content"]),
                names(&["x.y"]),
            ]
        );
    }
}
