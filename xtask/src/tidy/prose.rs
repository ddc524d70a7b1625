//! The rule that no sentence of ETSI's is committed: facts may be used, prose may not.
//!
//! Sentences are compared by runs of words, so that line breaks, comment marks and punctuation do not hide them.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use anyhow::Context;
use mecforge_document::load::Source;

use super::TextFile;
use crate::stages::Subject;
use crate::yaml;

/// So many equal words in a row are no accident.
const RUN: usize = 14;

/// Words that sentences are held together by; a list of values, which is a fact, has none of them.
const GLUE: [&str; 18] = [
    "a", "an", "and", "are", "as", "be", "by", "for", "from", "if", "in", "is", "of", "that", "the", "this",
    "to", "with",
];
/// The least of them in a run that counts as prose.
const LEAST_GLUE: usize = 2;

/// The runs of words in ETSI's descriptions.
pub(super) struct Prose {
    runs: HashSet<u64>,
}

impl Prose {
    /// Reads the descriptions of `documents`.
    pub(super) fn of(documents: &[Subject]) -> anyhow::Result<Self> {
        let mut runs = HashSet::new();
        for document in documents {
            let text = document.located.read(&document.located.path);
            let text = text
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("cannot read {}", document.name))?;
            // A document that is no YAML has no descriptions; `generate` says what is wrong with it.
            for description in yaml::descriptions(&text).unwrap_or_default() {
                runs.extend(hashes(&description).map(|(_, hash)| hash));
            }
        }
        Ok(Self { runs })
    }

    /// The first place in a file that has such a run.
    pub(super) fn find_in(&self, file: &TextFile) -> Option<String> {
        // The licence's own notice asks to be kept.
        if file.path == "NOTICE" || file.path == "LICENSE" || file.path.ends_with("/LICENSE-ETSI") {
            return None;
        }
        let (start, _) = hashes(&file.text).find(|(_, hash)| self.runs.contains(hash))?;
        let line = file.text[..start].matches('\n').count() + 1;
        let words: Vec<_> = words(&file.text[start..])
            .take(RUN)
            .map(|(_, word)| word)
            .collect();
        Some(format!(
            "{}:{line}: this is a sentence of ETSI's: \u{201c}{} …\u{201d}",
            file.path,
            words.join(" ")
        ))
    }
}

/// The hash of each run of words that is prose, with the byte at which it begins.
fn hashes(text: &str) -> impl Iterator<Item = (usize, u64)> + '_ {
    let words: Vec<_> = words(text).collect();
    let runs = words.len().saturating_sub(RUN - 1);
    (0..runs).filter_map(move |first| {
        let run = &words[first..first + RUN];
        if run
            .iter()
            .filter(|(_, word)| GLUE.contains(&word.as_str()))
            .count()
            < LEAST_GLUE
        {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        run.iter().for_each(|(_, word)| word.hash(&mut hasher));
        Some((words[first].0, hasher.finish()))
    })
}

/// The words of a text in lower case, each with the byte at which it begins; escapes as `\n` in JSON part words.
fn words(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let start = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    text.split(|character: char| !(character.is_alphanumeric() || matches!(character, '\\' | '_')))
        .flat_map(|part| {
            part.split_inclusive("\\n")
                .map(|part| part.trim_end_matches("\\n"))
        })
        .filter(|part| !part.is_empty())
        .map(move |part| (start(part), part.to_lowercase()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::{Prose, TextFile, hashes};

    const SENTENCE: &str =
        "This sentence has been written for a test, and it has more words than are needed to find it.";

    #[test]
    fn finds_a_sentence_through_comment_marks_and_escapes() {
        let prose = Prose {
            runs: hashes(SENTENCE).map(|(_, hash)| hash).collect(),
        };
        let wrapped = "x\n/// This sentence has been\n/// written for a test, and it has more\n/// words than are needed to find";
        let escaped =
            r#"{"a": "this sentence has been\nwritten for a test and it has more words than are needed"}"#;
        for (text, line) in [(wrapped, 2), (escaped, 1)] {
            let found = prose
                .find_in(&TextFile {
                    path: "a".to_owned(),
                    text: text.to_owned(),
                })
                .unwrap();
            assert!(found.starts_with(&format!("a:{line}: ")), "{found}");
        }
        let other = TextFile {
            path: "a".to_owned(),
            text: SENTENCE.replace("test", "check"),
        };
        assert_eq!(prose.find_in(&other), None);
    }
}
