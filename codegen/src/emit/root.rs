//! Emits `lib.rs`: what the crate is, its constants and its modules.

use quote::quote;

use super::File;
use super::source::source_file;
use super::types::standard;
use crate::model::Api;

/// The crate's root.
pub(super) fn root(api: &Api) -> Result<File, String> {
    let (base_path, version, title) = (&api.base_path, &api.version, api.title.trim());
    let source = format!(" Source: `{}`.", api.source);
    // A document without schemas has no types to offer.
    let types = (!api.types.is_empty()).then(|| {
        quote!(
            pub use types::*;
        )
    });
    let tokens = quote! {
        #[cfg(feature = "callbacks")]
        #[rustfmt::skip]
        pub mod callbacks;
        #[cfg(feature = "client")]
        #[rustfmt::skip]
        pub mod client;
        #[cfg(any(feature = "server", feature = "client"))]
        #[rustfmt::skip]
        pub mod operations;
        #[cfg(feature = "server")]
        #[rustfmt::skip]
        pub mod server;
        #[cfg(feature = "arbitrary")]
        #[rustfmt::skip]
        pub mod strategies;
        #[rustfmt::skip]
        pub mod types;

        #[cfg(feature = "client")]
        pub use client::Client;
        #[cfg(any(feature = "server", feature = "client"))]
        pub use operations::*;
        #types

        #[doc = " The path of the API below its root, for `Router::nest` and for clients."]
        pub const BASE_PATH: &str = #base_path;

        #[doc = " The title of the document (`info.title`)."]
        pub const TITLE: &str = #title;

        #[doc = " The version of the document (`info.version`)."]
        pub const VERSION: &str = #version;

        #[doc = " The repaired document (OpenAPI 3.1, JSON) that this crate was generated from, without its prose."]
        #[doc = ""]
        #[doc = #source]
        pub const DOCUMENT: &str = include_str!("../openapi.json");
    };
    let job = format!(
        "{}: types and, by feature, server, client, callbacks and proptest strategies.",
        standard(api)
    );
    source_file(api, "src/lib.rs", &job, tokens)
}
