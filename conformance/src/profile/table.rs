//! The profiles: which documents of ETSI in which release.

use mecforge_api::Api;

use super::Knowledge;

/// A standard in a release, and the repaired documents of its APIs.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name on the command line, for example `mec011-v3.1.1`.
    pub id: &'static str,
    documents: &'static [(&'static str, &'static str)],
}

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is none of that name.
    #[error("there is no profile \"{0}\"; `mec-conformance profiles` lists them")]
    Unknown(String),
    /// Its document can't be read.
    #[error(transparent)]
    Document(#[from] mecforge_api::ReadError),
    /// Its document is no JSON.
    #[error("{0}: {1}")]
    Json(&'static str, serde_json::Error),
}

/// All profiles.
pub fn profiles() -> &'static [Profile] {
    PROFILES
}

/// The profile of a name; also the id of one document (`mec011-app-support`), which is then tested alone in its newest
/// release.
///
/// # Errors
/// A name that is none.
pub fn find(name: &str) -> Result<Vec<(Api, Knowledge)>, ProfileError> {
    if let Some(profile) = PROFILES.iter().find(|profile| profile.id == name) {
        return profile.apis();
    }
    let has = |profile: &&Profile| profile.documents().any(|id| id == name);
    match PROFILES.iter().rev().find(has) {
        Some(newest) => {
            let mut apis = newest.apis()?;
            apis.retain(|(api, _)| api.id == name);
            Ok(apis)
        }
        None => Err(ProfileError::Unknown(name.to_owned())),
    }
}

impl Profile {
    /// The ids of its documents.
    pub fn documents(&self) -> impl Iterator<Item = &'static str> {
        self.documents.iter().map(|(id, _)| *id)
    }

    /// Its APIs.
    ///
    /// # Errors
    /// A document that can't be read, which would be a fault of the suite.
    pub fn apis(&self) -> Result<Vec<(Api, Knowledge)>, ProfileError> {
        let read = |(id, text): &(&'static str, &'static str)| {
            let document = serde_json::from_str(text).map_err(|error| ProfileError::Json(id, error))?;
            let knowledge = Knowledge::of(id).with_package(self.package(id));
            Ok((Api::from_settled(id, document)?, knowledge))
        };
        self.documents.iter().map(read).collect()
    }

    /// The package that was generated from one of its documents: called like the document, with the release where there
    /// is a newer one.
    fn package(&self, document: &str) -> String {
        let of_document = |profile: &&Profile| profile.documents().any(|id| id == document);
        let newest = PROFILES.iter().rev().find(of_document);
        match self.id.split_once('-') {
            Some((_, release)) if newest.is_some_and(|newest| newest.id != self.id) => {
                format!("{document}-{}", release.replace('.', "-"))
            }
            _ => document.to_owned(),
        }
    }
}

/// Sorted by standard, then release; the newest release of a standard is last.
const PROFILES: &[Profile] = &[
    Profile {
        id: "mec010-v3.1.1",
        documents: &[
            (
                "mec010-app-grant",
                include_str!("../../../generated/mec010-app-grant/openapi.json"),
            ),
            (
                "mec010-app-lifecycle-management",
                include_str!("../../../generated/mec010-app-lifecycle-management/openapi.json"),
            ),
            (
                "mec010-app-package-management",
                include_str!("../../../generated/mec010-app-package-management/openapi.json"),
            ),
        ],
    },
    Profile {
        id: "mec011-v2.1.1",
        documents: &[
            (
                "mec011-app-support",
                include_str!("../../../generated/mec011-app-support@v2.1.1/openapi.json"),
            ),
            (
                "mec011-service-management",
                include_str!("../../../generated/mec011-service-management@v2.1.1/openapi.json"),
            ),
        ],
    },
    Profile {
        id: "mec011-v3.1.1",
        documents: &[
            (
                "mec011-app-support",
                include_str!("../../../generated/mec011-app-support/openapi.json"),
            ),
            (
                "mec011-service-management",
                include_str!("../../../generated/mec011-service-management/openapi.json"),
            ),
        ],
    },
    Profile {
        id: "mec012-v2.2.1",
        documents: &[(
            "mec012-radio-network-information",
            include_str!("../../../generated/mec012-radio-network-information/openapi.json"),
        )],
    },
    Profile {
        id: "mec013-v3.1.1",
        documents: &[(
            "mec013-location",
            include_str!("../../../generated/mec013-location/openapi.json"),
        )],
    },
    Profile {
        id: "mec014-v3.1.1",
        documents: &[(
            "mec014-ue-identity",
            include_str!("../../../generated/mec014-ue-identity/openapi.json"),
        )],
    },
    Profile {
        id: "mec015-v2.2.1",
        documents: &[
            (
                "mec015-bandwidth-management",
                include_str!("../../../generated/mec015-bandwidth-management/openapi.json"),
            ),
            (
                "mec015-traffic-steering",
                include_str!("../../../generated/mec015-traffic-steering/openapi.json"),
            ),
        ],
    },
    Profile {
        id: "mec016-v2.2.1",
        documents: &[(
            "mec016-ue-application",
            include_str!("../../../generated/mec016-ue-application/openapi.json"),
        )],
    },
    Profile {
        id: "mec021-v2.2.1",
        documents: &[(
            "mec021-application-mobility",
            include_str!("../../../generated/mec021-application-mobility/openapi.json"),
        )],
    },
    Profile {
        id: "mec028-v2.3.1",
        documents: &[(
            "mec028-wlan-information",
            include_str!("../../../generated/mec028-wlan-information/openapi.json"),
        )],
    },
    Profile {
        id: "mec029-v2.2.1",
        documents: &[(
            "mec029-fixed-access-information",
            include_str!("../../../generated/mec029-fixed-access-information/openapi.json"),
        )],
    },
    Profile {
        id: "mec030-v3.1.1",
        documents: &[(
            "mec030-v2x-information",
            include_str!("../../../generated/mec030-v2x-information/openapi.json"),
        )],
    },
    Profile {
        id: "mec033-v3.1.1",
        documents: &[(
            "mec033-iot",
            include_str!("../../../generated/mec033-iot/openapi.json"),
        )],
    },
    Profile {
        id: "mec040-v3.1.1",
        documents: &[(
            "mec040-federation-enablement",
            include_str!("../../../generated/mec040-federation-enablement/openapi.json"),
        )],
    },
];
