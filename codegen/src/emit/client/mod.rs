//! Emits `client.rs`: a method for each operation on top of the runtime's HTTP client.

use proc_macro2::TokenStream;
use quote::quote;

use super::File;
use super::operations::describe::method_documentation;
use super::operations::imports::imports;
use super::operations::plan::{Plan, PlannedBody};
use super::operations::request::{path_argument, path_value, reference};
use super::operations::{Item, body};
use super::source::source_file;
use super::types::{identifier, standard};
use crate::model::Api;
use crate::model::api::{Body, Content, Location};

/// The files of the client's side.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let plans: Vec<Plan<'_>> = api
        .operations
        .iter()
        .map(|operation| Plan::new(api, operation))
        .collect();
    let methods: Vec<TokenStream> = plans.iter().map(method).collect();
    let documentation = format!(" A client of {}; cheap to clone.", standard(api));
    let items = quote! {
        #[doc = #documentation]
        #[derive(Clone, Debug)]
        pub struct Client {
            http: HttpClient,
        }

        impl ApiClient for Client {
            const BASE_PATH: &'static str = crate::BASE_PATH;

            fn from_http_client(http: HttpClient) -> Self {
                Self { http }
            }
        }

        impl Client {
            #[doc = " A client for the platform at `base_url`, for example `http://127.0.0.1:8080`."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = " [`BuildError`] where `base_url` is not an absolute HTTP or HTTPS URL."]
            pub fn new(base_url: impl Into<String>) -> Result<Self, BuildError> {
                Self::builder(base_url).build()
            }

            #[doc = " A client to be set up: tokens, time-outs, retries, certificates."]
            pub fn builder(base_url: impl Into<String>) -> ClientBuilder<Self> {
                ClientBuilder::new(base_url)
            }

            #[doc = " What sends the requests."]
            pub fn http_client(&self) -> &HttpClient {
                &self.http
            }

            #(#methods)*
        }
    };
    let items = [Item::common(items)];
    let imports = imports(api, &items);
    let items = items.iter().map(Item::print);
    let job = format!(
        "The client's side of {}: a method for each operation.",
        standard(api)
    );
    let operations = (!plans.is_empty()).then(|| {
        quote!(
            use crate::operations::*;
        )
    });
    let tokens = quote! { #imports #operations #(#items)* };
    Ok(vec![source_file(api, "src/client.rs", &job, tokens)?])
}

fn method(plan: &Plan<'_>) -> TokenStream {
    let (name, constant) = (identifier(&plan.operation.name), identifier(&plan.constant()));
    let responses = identifier(&plan.response_type());
    let documentation = method_documentation(plan, &[]);
    let mut arguments: Vec<TokenStream> = plan.path.iter().map(|one| path_argument(plan, one)).collect();
    let mut steps: Vec<TokenStream> = plan
        .path
        .iter()
        .map(|parameter| {
            let (value, api_name) = (path_value(plan, parameter), &parameter.api_name);
            quote!(.path(#api_name, #value))
        })
        .collect();
    for group in &plan.groups {
        let (field, type_name) = (identifier(&group.field), identifier(&group.type_name));
        arguments.push(quote!(#field: &#type_name));
        let method = match group.location {
            Location::Path => quote!(path),
            Location::Query => quote!(query),
            Location::Header => quote!(header),
            Location::Cookie => quote!(cookie),
        };
        for parameter in &group.parameters {
            let (name, api_name) = (identifier(&parameter.name), &parameter.api_name);
            steps.push(quote!(.#method(#api_name, &#field.#name)));
        }
    }
    let request = quote!(self.http.request(&#constant) #(#steps)*);
    let value = match &plan.body {
        None => request,
        Some(body) => {
            arguments.push(body_argument(plan, body));
            with_body(plan, body, request)
        }
    };
    quote! {
        #documentation
        pub fn #name(&self, #(#arguments),*) -> Request<'_, #responses> { #value }
    }
}

/// The body as an argument: by reference, as an `Option` where it may be absent.
fn body_argument(plan: &Plan<'_>, body: &PlannedBody<'_>) -> TokenStream {
    let name = identifier(&body.field);
    let rust_type = match (&body.union, body.content) {
        (
            None,
            [
                Content {
                    body: Body::Json(shape) | Body::Form(shape) | Body::Multipart(shape),
                    ..
                },
            ],
        ) => reference(plan, shape),
        (None, [Content { body: Body::Text, .. }]) => quote!(&str),
        _ => {
            let rust_type = plan.body_type(body.content, body.union.as_ref());
            quote!(&#rust_type)
        }
    };
    match body.required {
        true => quote!(#name: #rust_type),
        false => quote!(#name: Option<#rust_type>),
    }
}

/// The request with its body.
fn with_body(plan: &Plan<'_>, planned: &PlannedBody<'_>, request: TokenStream) -> TokenStream {
    let name = identifier(&planned.field);
    let value = quote!(#name);
    let Some(union) = &planned.union else {
        let steps = planned
            .content
            .iter()
            .map(|content| body::into_request(plan, content, &value));
        return match planned.required {
            true => quote!(#request #(#steps)*),
            false => quote! {
                let request = #request;
                match #name {
                    Some(#name) => request #(#steps)*,
                    None => request,
                }
            },
        };
    };
    let union = identifier(union);
    let arms = planned
        .content
        .iter()
        .zip(body::variant_names(planned.content))
        .map(|(content, variant)| {
            let step = body::into_request(plan, content, &value);
            let pattern = quote!(#union::#variant(#name));
            let pattern = if planned.required {
                pattern
            } else {
                quote!(Some(#pattern))
            };
            quote!(#pattern => request #step)
        });
    let none = (!planned.required).then(|| quote!(None => request));
    quote! {
        let request = #request;
        match #name { #(#arms,)* #none }
    }
}
