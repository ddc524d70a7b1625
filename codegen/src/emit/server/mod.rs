//! Emits `server.rs`: the trait that a platform implements, and the router that serves it.

use proc_macro2::TokenStream;
use quote::quote;

use super::File;
use super::operations::describe::method_documentation;
use super::operations::plan::Plan;
use super::source::source_file;
use super::types::{doc_lines, identifier, standard};
use crate::model::Api;

/// The files of the server's side.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let plans: Vec<Plan<'_>> = api
        .operations
        .iter()
        .map(|operation| Plan::new(api, operation))
        .collect();
    let (declaration, forwarding) = (declaration(api, &plans), forwarding(api, &plans));
    // A document without operations makes a trait without methods, which needs no names.
    let uses = (!plans.is_empty()).then(|| {
        quote! {
            use std::future::Future;
            use std::sync::Arc;

            use mecforge_runtime::server::{Caller, Problem};

            use crate::operations::*;
        }
    });
    let arc = plans.is_empty().then(|| {
        quote!(
            use std::sync::Arc;
        )
    });
    let server = quote! {
        #uses
        #arc

        mod routes;
        pub use routes::{router, service};

        #declaration
        #forwarding
    };
    let job = format!(
        "The server's side of {}: implement the trait, serve the router.",
        standard(api)
    );
    let routes_job = format!(
        "The routes of {}: from a request to a method of the trait and back.",
        standard(api)
    );
    Ok(vec![
        source_file(api, "src/server/mod.rs", &job, server)?,
        source_file(api, "src/server/routes.rs", &routes_job, routes(api, &plans))?,
    ])
}

/// The trait.
fn declaration(api: &Api, plans: &[Plan<'_>]) -> TokenStream {
    let name = identifier(&api.trait_name);
    let documentation = doc_lines(&[
        format!("What a server of {} does: a method for each operation.", standard(api)),
        String::new(),
        "Methods may be written as `async fn`. A request has passed every rule of the document when it arrives.".to_owned(),
    ]);
    let methods = plans.iter().map(|plan| {
        let documentation = method_documentation(plan, &[]);
        let signature = signature(plan);
        quote! { #documentation #signature; }
    });
    quote! {
        #documentation
        pub trait #name: Send + Sync + 'static {
            #(#methods)*
        }
    }
}

fn signature(plan: &Plan<'_>) -> TokenStream {
    let method = identifier(&plan.operation.name);
    let (request, response) = (identifier(&plan.stem), identifier(&plan.response_type()));
    quote! {
        fn #method(
            &self,
            request: #request,
            caller: &Caller,
        ) -> impl Future<Output = Result<#response, Problem>> + Send
    }
}

/// The trait for a shared implementation, so that one handler can serve several APIs.
fn forwarding(api: &Api, plans: &[Plan<'_>]) -> TokenStream {
    let name = identifier(&api.trait_name);
    let methods = plans.iter().map(|plan| {
        let (method, signature) = (identifier(&plan.operation.name), signature(plan));
        quote! { #signature { T::#method(self, request, caller) } }
    });
    quote! {
        #[doc = " A shared handler, for example one that serves several APIs."]
        impl<T: #name> #name for Arc<T> {
            #(#methods)*
        }
    }
}

/// The router.
fn routes(api: &Api, plans: &[Plan<'_>]) -> TokenStream {
    let name = identifier(&api.trait_name);
    let routes = plans.iter().map(|plan| {
        let (constant, method, request) = (
            identifier(&plan.constant()),
            identifier(&plan.operation.name),
            identifier(&plan.stem),
        );
        quote! {
            .route(&#constant, &api, async |api, call| {
                let request = #request::from_call(&call)?;
                Ok(api.#method(request, call.caller()).await?.into())
            })
        }
    });
    let (uses, collect) = match plans.is_empty() {
        true => (
            quote! { use mecforge_runtime::server::{ApiService, Routes}; use super::#name; },
            quote! { drop(api); Routes::new() },
        ),
        false => (
            quote! {
                use std::sync::Arc;
                use mecforge_runtime::server::{ApiService, FromCall, Routes};
                use super::#name;
                use crate::operations::*;
            },
            quote! { let api = Arc::new(api); Routes::new() #(#routes)* },
        ),
    };
    quote! {
        use mecforge_runtime::axum::Router;
        #uses

        #[doc = " The operations of `api` as a router; nest it at [`BASE_PATH`](crate::BASE_PATH)."]
        #[doc = ""]
        #[doc = " Whatever breaks a rule of the document is refused before a method is called, with problem details"]
        #[doc = " that name the parameter or the place in the body, and the rule."]
        pub fn router<A: #name>(api: A) -> Router {
            routes(api).into_router()
        }

        #[doc = " The same as a service, for servers that dispatch requests by themselves."]
        pub fn service<A: #name>(api: A) -> ApiService {
            routes(api).into_service()
        }

        fn routes<A: #name>(api: A) -> Routes {
            #collect
        }
    }
}
