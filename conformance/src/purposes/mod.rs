//! ETSI's test purposes (GS MEC-DEC 032-2, as its published cases of V2.2.1 use them) as data: what each asks, in our own
//! words, which operation of the releases under test it means, how it is run, and which of our checks ask the same.
//!
//! Identifiers, clauses, printed requests and statuses are facts; where a printed path is garbled, or the bad input is
//! not said, `mended` says what was made of it, and where the standard contradicts itself or its document,
//! `contradiction` says what is accepted therefore.

use std::sync::LazyLock;

use serde::Deserialize;

/// How a purpose is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A read answers what is there.
    Reads,
    /// A creation answers 201 with a Location that leads to what was made.
    Creates,
    /// A replacement is accepted, and read afterwards.
    Replaces,
    /// A change in part is accepted.
    Changes,
    /// A deletion is accepted, and what was deleted is gone.
    Deletes,
    /// A task is accepted.
    Performs,
    /// A body that breaks one rule is refused.
    RefusesBody,
    /// A wrong query is refused.
    RefusesParameter,
    /// An identifier that nobody has is answered 404.
    Unknown,
    /// A path that the API does not have is answered 404.
    UnknownPath,
    /// A request on the condition of an old entity tag is answered 412.
    Stale,
    /// A query that nothing meets is answered with nothing.
    FindsNothing,
}

/// One of ETSI's test purposes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// ETSI's identifier.
    pub id: String,
    /// The standard and the version that it was written for; that of the file where it is not said.
    #[serde(default)]
    pub standard: String,
    /// The clause that it names.
    pub clause: String,
    /// The request and the status as ETSI's cases print them.
    pub printed: String,
    /// What is asked, in our own words.
    pub title: String,
    /// The id of the API's document.
    pub api: String,
    /// The operation in the newest release, `METHOD /path`.
    pub operation: String,
    /// How it is run.
    #[serde(rename = "does")]
    pub kind: Kind,
    /// For [`Kind::UnknownPath`]: the path.
    pub path: Option<String>,
    /// The query that is sent, `name=value`.
    pub query: Option<String>,
    /// Which of several types a body has: a JSON pointer, with `=value` or, without, that the member is there.
    pub variant: Option<String>,
    /// Why no release under test has the operation.
    pub absent: Option<String>,
    /// Statuses that are right, where they are not those of its kind.
    #[serde(default)]
    pub wanted: Vec<u16>,
    /// Ids of the checks of ours that ask the same.
    pub checks: Vec<String>,
    /// What is garbled or missing in what is printed, and what was made of it.
    pub mended: Option<String>,
    /// Where the standard contradicts itself or its document, and what is accepted therefore.
    pub contradiction: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    standard: String,
    purpose: Vec<Purpose>,
}

const FILES: [&str; 12] = [
    include_str!("data/mec010.toml"),
    include_str!("data/mec011-app-support.toml"),
    include_str!("data/mec011-service-management.toml"),
    include_str!("data/mec012.toml"),
    include_str!("data/mec013.toml"),
    include_str!("data/mec014.toml"),
    include_str!("data/mec015.toml"),
    include_str!("data/mec016.toml"),
    include_str!("data/mec021.toml"),
    include_str!("data/mec028.toml"),
    include_str!("data/mec029.toml"),
    include_str!("data/mec030.toml"),
];

/// All test purposes.
pub fn all() -> &'static [Purpose] {
    static ALL: LazyLock<Vec<Purpose>> = LazyLock::new(|| {
        // A file that can't be read would be a fault of the suite; a test reads them all.
        let files = FILES.iter().filter_map(|text| toml::from_str::<File>(text).ok());
        files
            .flat_map(|file| {
                let standard = file.standard;
                file.purpose.into_iter().map(move |mut purpose| {
                    if purpose.standard.is_empty() {
                        purpose.standard.clone_from(&standard);
                    }
                    purpose
                })
            })
            .collect()
    });
    &ALL
}

/// The test purpose of an identifier.
pub fn find(id: &str) -> Option<&'static Purpose> {
    all().iter().find(|purpose| purpose.id == id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_are_there_and_name_what_exists() {
        for text in FILES {
            toml::from_str::<File>(text).unwrap();
        }
        let ids: BTreeSet<_> = all().iter().map(|purpose| &purpose.id).collect();
        assert_eq!((ids.len(), all().len()), (315, 315));
        let of_011 = all().iter().filter(|purpose| purpose.api.starts_with("mec011-"));
        assert_eq!(of_011.count(), 55);
        for purpose in all() {
            for check in &purpose.checks {
                assert!(crate::checks::find(check).is_some(), "{}: {check}", purpose.id);
            }
            let apis = crate::profile::find(&purpose.api).unwrap();
            let found = apis[0].0.operation_by_key(&purpose.operation).is_some();
            assert_eq!(
                found,
                purpose.absent.is_none(),
                "{}: {}",
                purpose.id,
                purpose.operation
            );
        }
    }
}
