//! Emits `operations/`: a file for each operation with its description, request and responses, which the server's side
//! and the client's share.

pub(in crate::emit) mod body;
pub(in crate::emit) mod describe;
pub(in crate::emit) mod imports;
mod kind;
mod names;
pub(in crate::emit) mod plan;
pub(in crate::emit) mod request;
mod response;

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::File;
use super::source::source_file;
use super::types::{identifier, standard};
use crate::model::{Api, identifier as escaped};
use plan::Plan;

/// One item of a file, with the side that has a use for it.
pub(in crate::emit) struct Item {
    side: Side,
    tokens: TokenStream,
}

/// Who has a use for an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Common,
    Server,
    Client,
}

impl Item {
    pub(in crate::emit) fn common(tokens: TokenStream) -> Self {
        Self {
            side: Side::Common,
            tokens,
        }
    }

    fn server(tokens: TokenStream) -> Self {
        Self {
            side: Side::Server,
            tokens,
        }
    }

    fn client(tokens: TokenStream) -> Self {
        Self {
            side: Side::Client,
            tokens,
        }
    }

    pub(in crate::emit) fn print(&self) -> TokenStream {
        let condition = self.side.condition();
        // The condition comes after the doc comment, as one would write it.
        let tokens: Vec<TokenTree> = self.tokens.clone().into_iter().collect();
        let is_doc = |pair: &&[TokenTree]| pair.len() == 2 && pair[1].to_string().starts_with("[doc");
        let lines = tokens.chunks(2).take_while(is_doc).count();
        let (documentation, rest) = tokens.split_at(2 * lines);
        let (documentation, rest): (TokenStream, TokenStream) = (
            documentation.iter().cloned().collect(),
            rest.iter().cloned().collect(),
        );
        quote!(#documentation #condition #rest)
    }
}

impl Side {
    fn condition(self) -> TokenStream {
        match self {
            Side::Common => TokenStream::new(),
            Side::Server => quote!(#[cfg(feature = "server")]),
            Side::Client => quote!(#[cfg(feature = "client")]),
        }
    }
}

/// The files of the module `operations`.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let plans: Vec<Plan<'_>> = api
        .operations
        .iter()
        .map(|operation| Plan::new(api, operation))
        .collect();
    let mut files = vec![index(api, &plans)?];
    for plan in &plans {
        let mut items = vec![Item::common(describe::description(plan))];
        items.extend(request::items(plan));
        items.extend(response::items(plan));
        let imports = imports::imports(api, &items);
        let items = items.iter().map(Item::print);
        let path = format!("src/operations/{}.rs", plan.module());
        let job = format!(
            "{}: its description, request and responses.",
            describe::request_line(plan)
        );
        files.push(source_file(api, &path, &job, quote! { #imports #(#items)* })?);
    }
    Ok(files)
}

fn index(api: &Api, plans: &[Plan<'_>]) -> Result<File, String> {
    let mut modules: Vec<String> = plans.iter().map(|plan| escaped(&plan.module())).collect();
    modules.sort();
    let modules = modules.iter().map(|module| identifier(module));
    let names = plans
        .iter()
        .map(|plan| escaped(&plan.module()))
        .collect::<BTreeSet<_>>();
    let uses = names.iter().map(|module| identifier(module));
    let all = plans.iter().map(|plan| identifier(&plan.constant()));
    let job = format!("The operations of {}: a module for each.", standard(api));
    let tokens = quote! {
        #![allow(clippy::large_enum_variant, reason = "a response is made once and taken apart once")]

        #(mod #modules;)*
        use mecforge_runtime::operation::Operation;
        #(pub use #uses::*;)*

        #[doc = " All operations in the document's order."]
        pub static OPERATIONS: &[&Operation] = &[#(&#all),*];
    };
    source_file(api, "src/operations/mod.rs", &job, tokens)
}
