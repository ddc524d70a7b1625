//! Names that could mean two things: those of the API's types, of the runtime, and of the operations' own types.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::model::Api;
use crate::model::api::Operation;

/// Names of the runtime that files of operations import.
pub(in crate::emit) const RUNTIME_NAMES: [(&str, &[&str]); 4] = [
    ("", &["Bytes", "EntityTag", "Location", "Preconditions"]),
    (
        "operation",
        &["Kind", "Operation", "Parameter", "Place", "RequestBody", "Style"],
    ),
    (
        "server",
        &[
            "ApiService",
            "Call",
            "Caller",
            "FromCall",
            "Problem",
            "Reply",
            "Routes",
        ],
    ),
    (
        "client",
        &[
            "Answer",
            "ApiClient",
            "BuildError",
            "ClientBuilder",
            "HttpClient",
            "Request",
            "Responses",
            "Unexpected",
        ],
    ),
];

/// Whether a type of the API is called like something that the files of operations import or define.
pub(in crate::emit) fn is_shadowed(name: &str) -> bool {
    name == "Client" || RUNTIME_NAMES.iter().any(|(_, names)| names.contains(&name))
}

/// Names a type of the API by its module where its name alone would mean something of the runtime.
pub(super) fn qualified(api: &Api, tokens: TokenStream) -> TokenStream {
    if !api.types.iter().any(|known| is_shadowed(&known.name)) {
        return tokens;
    }
    let is_type = |name: &str| is_shadowed(name) && api.types.iter().any(|known| known.name == name);
    let mut follows_path = false;
    tokens
        .into_iter()
        .flat_map(|token| {
            let within_path = std::mem::replace(
                &mut follows_path,
                matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':'),
            );
            match token {
                TokenTree::Ident(name) if !within_path && is_type(&name.to_string()) => {
                    quote!(crate::types::#name)
                }
                TokenTree::Group(group) => {
                    let inner = Group::new(group.delimiter(), qualified(api, group.stream()));
                    TokenTree::Group(inner).into()
                }
                other => other.into(),
            }
        })
        .collect()
}

/// What the names of the operation's types begin with: none of them may be the name of a type of the API.
pub(super) fn stem(api: &Api, operation: &Operation) -> String {
    let variants = operation
        .responses
        .iter()
        .map(|response| format!("{}Content", response.variant));
    let mut suffixes: Vec<String> = [
        "", "Query", "Headers", "Cookies", "Content", "Response", "Success",
    ]
    .map(str::to_owned)
    .into();
    suffixes.extend(variants);
    let mut stem = operation.type_name.clone();
    let is_taken = |name: &str| api.types.iter().any(|known| known.name == name);
    while suffixes.iter().any(|suffix| is_taken(&format!("{stem}{suffix}"))) {
        stem.push_str("Operation");
    }
    stem
}
