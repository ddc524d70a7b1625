//! Fetching documents with all that they refer to, in parallel, and comparing every file with the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::origin::{FetchError, FileName, Origin};
use crate::lock::{Lock, Verdict};
use crate::manifest::Release;
use crate::problems::Problems;
use crate::workspace::LOCK;
use crate::yaml;

/// How many files are asked for at a time: enough to hide latency, few enough to be a polite guest.
const PARALLEL: usize = 6;

/// The files that were fetched.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The bytes by path in the mirror's layout.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// What is under way.
struct Gathering<'work> {
    origin: Arc<Origin>,
    permits: Arc<Semaphore>,
    tasks: JoinSet<(Wanted, Result<Vec<u8>, FetchError>)>,
    seen: BTreeSet<FileName>,
    lock: &'work Lock,
    accept: bool,
    progress: &'work ProgressBar,
}

/// A file, and the document that needs it.
#[derive(Clone, Debug)]
struct Wanted {
    file: FileName,
    document: String,
}

/// Fetches `releases` and the files that they refer to.
///
/// Unless `accept` is set, each file must have the bytes that `lock` pins.
pub(crate) async fn gather(
    origin: Origin,
    releases: &[Release],
    lock: &Lock,
    accept: bool,
    progress: &ProgressBar,
) -> Result<Gathered, Problems> {
    let mut gathering = Gathering {
        origin: Arc::new(origin),
        permits: Arc::new(Semaphore::new(PARALLEL)),
        tasks: JoinSet::new(),
        seen: BTreeSet::new(),
        lock,
        accept,
        progress,
    };
    for release in releases {
        let file = FileName {
            group: release.group.clone(),
            project: release.project.clone(),
            reference: release.reference.clone(),
            path: release.path.clone(),
        };
        gathering.want(Wanted {
            file,
            document: release.name(),
        });
    }
    gathering.finish().await
}

impl Gathering<'_> {
    fn want(&mut self, wanted: Wanted) {
        if !self.seen.insert(wanted.file.clone()) {
            return;
        }
        self.progress.inc_length(1);
        let (origin, permits) = (Arc::clone(&self.origin), Arc::clone(&self.permits));
        self.tasks.spawn(async move {
            // The semaphore is never closed, so the permit is never refused.
            let _permit = permits.acquire().await;
            let fetched = origin.fetch(&wanted.file).await;
            (wanted, fetched)
        });
    }

    async fn finish(mut self) -> Result<Gathered, Problems> {
        let mut gathered = Gathered::default();
        let mut problems = BTreeMap::new();
        while let Some(done) = self.tasks.join_next().await {
            let (wanted, fetched) = match done {
                Ok(done) => done,
                Err(error) => {
                    problems.insert(String::new(), error.to_string());
                    continue;
                }
            };
            self.progress.inc(1);
            let name = wanted.file.to_string();
            let result = match fetched {
                Ok(bytes) => self.take(&wanted, &bytes).map(|()| bytes),
                Err(error @ FetchError::Unreachable { .. }) => {
                    // What does not answer for one file does not answer for the others.
                    self.tasks.abort_all();
                    return Problems::one(error);
                }
                Err(error) => Err(error.to_string()),
            };
            match result {
                Ok(bytes) => drop(gathered.files.insert(name, bytes)),
                Err(problem) => drop(problems.insert(name, problem)),
            }
        }
        problems.into_values().collect::<Problems>().or(gathered)
    }

    /// Compares the bytes with the lock, and asks for the files that they refer to.
    fn take(&mut self, wanted: &Wanted, bytes: &[u8]) -> Result<(), String> {
        if !self.accept {
            verify(self.lock, wanted, bytes)?;
        }
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", wanted.file))?;
        let outline = match yaml::outline(text) {
            Ok(outline) => outline,
            // Pinned bytes were readable to whoever pinned them; what is wrong, `generate` says with a place.
            Err(_) if !self.accept => return Ok(()),
            Err(error) => return Err(format!("{} is neither YAML nor JSON: {error}", wanted.file)),
        };
        for reference in &outline.references {
            let path = yaml::referenced_file(&wanted.file.path, reference)
                .map_err(|problem| format!("in {}, {problem}", wanted.file))?;
            if let Some(path) = path {
                let file = FileName {
                    path,
                    ..wanted.file.clone()
                };
                self.want(Wanted {
                    file,
                    document: wanted.document.clone(),
                });
            }
        }
        Ok(())
    }
}

fn verify(lock: &Lock, wanted: &Wanted, bytes: &[u8]) -> Result<(), String> {
    let Wanted { file, document } = wanted;
    let accept = format!("`cargo xtask pull {document} --accept` takes the new one in");
    match lock.verify(&file.to_string(), bytes) {
        Verdict::Same => Ok(()),
        Verdict::Unknown => Err(format!("{file} is not pinned in {LOCK}; {accept}")),
        Verdict::Changed(pinned, found) => {
            let (pinned, found) = (short(&pinned), short(&found));
            Err(match file.reference.as_str() {
                "HEAD" => format!(
                    "ETSI has moved HEAD: {file} is now {found}, while {LOCK} pins {pinned}; nothing was changed; {accept}"
                ),
                tag => format!(
                    "{file} is {found}, while {LOCK} pins {pinned}, although the tag {tag} should never change; \
                     nothing was changed; if you trust it, {accept}"
                ),
            })
        }
    }
}

/// The first digits of a digest, enough to tell two apart by eye.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
