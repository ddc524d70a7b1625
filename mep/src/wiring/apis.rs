//! The APIs of a platform: where each hangs and what describes it.

use anyhow::{Context, Result};
use mecforge_runtime::server::Mount;

use super::Handlers;
use crate::platform::{Api, Document, Service};

/// An [`Api`] of a generated crate.
macro_rules! generated {
    ($id:literal, $title:literal, $generated:ident, $handler:expr) => {
        Api {
            id: $id,
            title: $title,
            base_path: $generated::BASE_PATH,
            document: Some(Document {
                path: concat!("/openapi/", $id, ".json"),
                text: $generated::DOCUMENT.into(),
            }),
            mount: Some(Mount::new($generated::BASE_PATH)),
            adapt: None,
            service: Service::Routes($generated::server::service($handler)),
        }
    };
}

/// All APIs, those of ETSI first.
///
/// # Errors
/// A document that cannot be written as JSON.
pub(super) fn of(handlers: &Handlers) -> Result<Vec<Api>> {
    let mut service_management = generated!(
        "mec011-service-management",
        "MEC 011 Service management",
        mec011_service_management,
        handlers.registry.clone()
    );
    service_management.adapt = Some(mecforge_registry::accept_other_methods);
    let edgegallery = |base_path: &'static str| Api {
        id: "edgegallery-mm5",
        title: "Mm5 as EdgeGallery's manager speaks it",
        base_path,
        document: None,
        mount: None,
        adapt: None,
        service: Service::Router(handlers.mm5.edgegallery_router()),
    };
    let administration = mecforge_administration::document()
        .to_json()
        .context("cannot write the document of the administration")?;
    Ok(vec![
        service_management,
        generated!(
            "mec011-app-support",
            "MEC 011 Application support",
            mec011_app_support,
            handlers.app_support.clone()
        ),
        Api {
            id: "mm5",
            title: "Mm5 Management",
            base_path: mecforge_mm5::BASE_PATH,
            document: Some(Document {
                path: "/openapi/mm5.json",
                text: mecforge_mm5::document().into(),
            }),
            mount: Some(Mount::new(mecforge_mm5::BASE_PATH)),
            adapt: None,
            service: Service::Routes(handlers.mm5.service()),
        },
        Api {
            id: "administration",
            title: "Administration",
            base_path: mecforge_administration::BASE_PATH,
            document: Some(Document {
                path: "/openapi/administration.json",
                text: administration.into(),
            }),
            mount: Some(Mount::new(mecforge_administration::BASE_PATH)),
            adapt: None,
            service: Service::Router(handlers.administration.router()),
        },
        edgegallery("/mepcfg"),
        edgegallery("/mep/mec_app_support"),
    ])
}
