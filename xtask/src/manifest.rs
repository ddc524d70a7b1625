//! `etsi-specs/manifest.toml`: which documents there are, by which names they are asked for, where they lie.

use anyhow::Context;
use serde::Deserialize;

use crate::problems::Problems;
use crate::workspace::{MANIFEST, Workspace};

/// The manifest as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Where the documents come from.
    pub(crate) forge: Forge,
    /// The documents, in the order of their ids.
    #[serde(rename = "document")]
    documents: Vec<Entry>,
}

/// Where the documents come from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forge {
    /// What stands before `/api/v4` in the forge's addresses.
    pub(crate) url: String,
}

/// One document with its newest release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    group: String,
    project: String,
    #[serde(rename = "ref")]
    reference: String,
    /// The day on which `HEAD` was taken in.
    date: Option<String>,
    path: String,
    title: String,
    version: String,
    #[serde(default)]
    releases: Vec<Earlier>,
}

/// An earlier release of a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Earlier {
    #[serde(rename = "ref")]
    reference: String,
    path: String,
    version: String,
}

/// One release of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// The document's id.
    pub(crate) id: String,
    /// True for the release that the id alone names.
    pub(crate) newest: bool,
    /// The group on the forge.
    pub(crate) group: String,
    /// The project on the forge.
    pub(crate) project: String,
    /// The tag, or `HEAD`.
    pub(crate) reference: String,
    /// The document's path inside its project.
    pub(crate) path: String,
    /// `info.title` of the newest release.
    pub(crate) title: String,
    /// `info.version`.
    pub(crate) version: String,
    /// The day on which `HEAD` was taken in, `YYYY-MM-DD`.
    pub(crate) date: Option<String>,
}

impl Release {
    /// The name by which to ask for it: `id`, or `id@ref` for an earlier release.
    pub(crate) fn name(&self) -> String {
        if self.newest {
            self.id.clone()
        } else {
            format!("{}@{}", self.id, self.reference)
        }
    }

    /// The document's path in the mirror's layout.
    pub(crate) fn mirror_path(&self) -> String {
        format!("{}/{}/{}/{}", self.group, self.project, self.reference, self.path)
    }
}

impl Manifest {
    /// Reads the workspace's manifest.
    pub(crate) fn load(workspace: &Workspace) -> anyhow::Result<Self> {
        toml::from_str(&workspace.read(MANIFEST)?).with_context(|| format!("{MANIFEST} is not a manifest"))
    }

    /// Every document's newest release.
    pub(crate) fn newest(&self) -> Vec<Release> {
        self.documents.iter().map(Entry::newest).collect()
    }

    /// Every release of every document.
    pub(crate) fn all(&self) -> Vec<Release> {
        self.documents.iter().flat_map(Entry::releases).collect()
    }

    /// The release that `name` (`id` or `id@ref`) asks for; the error names the nearest one.
    pub(crate) fn find(&self, name: &str) -> Result<Release, String> {
        let (id, reference) = match name.split_once('@') {
            Some((id, reference)) => (id, Some(reference)),
            None => (name, None),
        };
        let Some(entry) = self.documents.iter().find(|entry| entry.id == id) else {
            return Err(self.unknown(id));
        };
        let Some(reference) = reference else {
            return Ok(entry.newest());
        };
        let releases = entry.releases();
        let known: Vec<_> = releases.iter().map(|release| release.reference.clone()).collect();
        releases
            .into_iter()
            .find(|release| release.reference == reference)
            .ok_or_else(|| {
                format!(
                    "{MANIFEST} names no release {reference} of {id}; it names {}",
                    known.join(", ")
                )
            })
    }

    /// The releases that `names` ask for, each once; all newest ones where there are no names.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<Release>, Problems> {
        if names.is_empty() {
            return Ok(self.newest());
        }
        let mut problems = Problems::default();
        let mut releases = Vec::new();
        for name in names {
            match self.find(name) {
                Ok(release) if releases.contains(&release) => {}
                Ok(release) => releases.push(release),
                Err(problem) => problems.push(problem),
            }
        }
        problems.or(releases)
    }

    fn unknown(&self, id: &str) -> String {
        let score = |entry: &&Entry| (strsim::jaro_winkler(id, &entry.id) * 1e6) as u64;
        match self.documents.iter().max_by_key(score) {
            Some(entry) => format!("no document is called {id}; the nearest name is {}", entry.id),
            None => format!("no document is called {id}; {MANIFEST} names none"),
        }
    }
}

impl Entry {
    fn newest(&self) -> Release {
        Release {
            id: self.id.clone(),
            newest: true,
            group: self.group.clone(),
            project: self.project.clone(),
            reference: self.reference.clone(),
            path: self.path.clone(),
            title: self.title.clone(),
            version: self.version.clone(),
            date: self.date.clone(),
        }
    }

    fn releases(&self) -> Vec<Release> {
        let earlier = self.releases.iter().map(|earlier| Release {
            newest: false,
            reference: earlier.reference.clone(),
            path: earlier.path.clone(),
            version: earlier.version.clone(),
            date: None,
            ..self.newest()
        });
        std::iter::once(self.newest()).chain(earlier).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::Manifest;

    fn manifest() -> Manifest {
        toml::from_str(include_str!("../../etsi-specs/manifest.toml")).unwrap()
    }

    #[test]
    fn names_seventeen_documents_by_sorted_ids() {
        let ids: Vec<_> = manifest()
            .newest()
            .into_iter()
            .map(|release| release.id)
            .collect();
        assert_eq!(ids.len(), 17);
        assert!(ids.is_sorted());
    }

    #[test]
    fn finds_newest_and_earlier_releases() {
        let manifest = manifest();
        let newest = manifest.find("mec011-service-management").unwrap();
        assert_eq!(
            newest.mirror_path(),
            "mec/gs011-app-enablement-api/v3.1.1/MecServiceMgmtApi.yaml"
        );
        assert_eq!(manifest.find("mec011-service-management@v3.1.1").unwrap(), newest);
        let earlier = manifest.find("mec011-service-management@v2.1.1").unwrap();
        assert_eq!((earlier.version.as_str(), earlier.newest), ("2.1.1", false));
        assert_eq!(earlier.name(), "mec011-service-management@v2.1.1");
    }

    #[test]
    fn names_the_nearest_of_an_unknown_id() {
        let error = manifest().find("mec011-servce-managment").unwrap_err();
        assert!(
            error.ends_with("the nearest name is mec011-service-management"),
            "{error}"
        );
        let error = manifest().find("mec013-location@v9").unwrap_err();
        assert!(error.ends_with("it names HEAD, v2.1.1"), "{error}");
    }
}
