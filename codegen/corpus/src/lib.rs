//! The generated crates as a whole: each document with a case for every schema.

use mecforge_runtime::strategy::Case;

/// A generated crate, as tests see it.
pub struct Api {
    /// The document's id, which is the crate's name.
    pub id: &'static str,
    /// The repaired document (OpenAPI 3.1, JSON).
    pub document: &'static str,
    /// Every schema of the document.
    pub cases: Vec<Case>,
}

/// All generated crates, by id.
pub fn apis() -> Vec<Api> {
    vec![
        Api {
            id: "mec010-app-grant",
            document: mec010_app_grant::DOCUMENT,
            cases: mec010_app_grant::strategies::cases(),
        },
        Api {
            id: "mec010-app-lifecycle-management",
            document: mec010_app_lifecycle_management::DOCUMENT,
            cases: mec010_app_lifecycle_management::strategies::cases(),
        },
        Api {
            id: "mec010-app-package-management",
            document: mec010_app_package_management::DOCUMENT,
            cases: mec010_app_package_management::strategies::cases(),
        },
        Api {
            id: "mec011-app-support",
            document: mec011_app_support::DOCUMENT,
            cases: mec011_app_support::strategies::cases(),
        },
        Api {
            id: "mec011-service-management",
            document: mec011_service_management::DOCUMENT,
            cases: mec011_service_management::strategies::cases(),
        },
        Api {
            id: "mec012-radio-network-information",
            document: mec012_radio_network_information::DOCUMENT,
            cases: mec012_radio_network_information::strategies::cases(),
        },
        Api {
            id: "mec013-location",
            document: mec013_location::DOCUMENT,
            cases: mec013_location::strategies::cases(),
        },
        Api {
            id: "mec014-ue-identity",
            document: mec014_ue_identity::DOCUMENT,
            cases: mec014_ue_identity::strategies::cases(),
        },
        Api {
            id: "mec015-bandwidth-management",
            document: mec015_bandwidth_management::DOCUMENT,
            cases: mec015_bandwidth_management::strategies::cases(),
        },
        Api {
            id: "mec015-traffic-steering",
            document: mec015_traffic_steering::DOCUMENT,
            cases: mec015_traffic_steering::strategies::cases(),
        },
        Api {
            id: "mec016-ue-application",
            document: mec016_ue_application::DOCUMENT,
            cases: mec016_ue_application::strategies::cases(),
        },
        Api {
            id: "mec021-application-mobility",
            document: mec021_application_mobility::DOCUMENT,
            cases: mec021_application_mobility::strategies::cases(),
        },
        Api {
            id: "mec028-wlan-information",
            document: mec028_wlan_information::DOCUMENT,
            cases: mec028_wlan_information::strategies::cases(),
        },
        Api {
            id: "mec029-fixed-access-information",
            document: mec029_fixed_access_information::DOCUMENT,
            cases: mec029_fixed_access_information::strategies::cases(),
        },
        Api {
            id: "mec030-v2x-information",
            document: mec030_v2x_information::DOCUMENT,
            cases: mec030_v2x_information::strategies::cases(),
        },
        Api {
            id: "mec033-iot",
            document: mec033_iot::DOCUMENT,
            cases: mec033_iot::strategies::cases(),
        },
        Api {
            id: "mec040-federation-enablement",
            document: mec040_federation_enablement::DOCUMENT,
            cases: mec040_federation_enablement::strategies::cases(),
        },
    ]
}
