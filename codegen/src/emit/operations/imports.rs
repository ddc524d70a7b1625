//! The `use` lines of a file, from the names that its items use.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::names::{RUNTIME_NAMES, is_shadowed};
use super::{Item, Side};
use crate::emit::types::identifier;
use crate::model::Api;

/// Modules and the names that generated code takes from them, apart from [`RUNTIME_NAMES`].
const OTHER_NAMES: [(&str, &[&str]); 5] = [
    ("std::collections", &["BTreeMap"]),
    ("mecforge_runtime", &["Decode", "decode"]),
    ("mecforge_runtime::format", &["Format"]),
    (
        "mecforge_runtime::rules",
        &[
            "ArrayRules",
            "IntegerRules",
            "MapRules",
            "NumberRules",
            "Pattern",
            "StringRules",
        ],
    ),
    ("mecforge_runtime::serde_json", &["Map", "Value"]),
];

/// The `use` lines for items, each under the condition of those that need it.
pub(in crate::emit) fn imports(api: &Api, items: &[Item]) -> TokenStream {
    let mut sides: BTreeMap<String, Vec<Side>> = BTreeMap::new();
    for item in items {
        let mut names = Vec::new();
        collect(item.tokens.clone(), &mut names);
        for name in names {
            sides.entry(name).or_default().push(item.side);
        }
    }
    let mut lines: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for (name, sides) in &sides {
        let Some(module) = module_of(api, name) else {
            continue;
        };
        let one = sides[0];
        let side = if sides.iter().all(|side| *side == one) {
            one
        } else {
            Side::Common
        };
        lines.entry((side as usize, module)).or_default().push(name);
    }
    let lines = lines.into_iter().map(|((side, module), names)| {
        let condition = [Side::Common, Side::Server, Side::Client][side].condition();
        let module = module.split("::").map(identifier);
        let names = names.into_iter().map(identifier);
        quote! { #condition use #(#module)::*::{#(#names),*}; }
    });
    quote!(#(#lines)*)
}

/// The module that a name comes from; `None` for a name that is no import.
fn module_of(api: &Api, name: &str) -> Option<String> {
    if let Some((module, _)) = RUNTIME_NAMES.iter().find(|(_, names)| names.contains(&name)) {
        return Some(match module.is_empty() {
            true => "mecforge_runtime".to_owned(),
            false => format!("mecforge_runtime::{module}"),
        });
    }
    if let Some((module, _)) = OTHER_NAMES.iter().find(|(_, names)| names.contains(&name)) {
        return Some((*module).to_owned());
    }
    let is_type = !is_shadowed(name) && api.types.iter().any(|known| known.name == name);
    is_type.then(|| "crate::types".to_owned())
}

/// The names that tokens use, but for those after `::` or `.`; and `Decode`, where a type's `decode` is called.
fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let mut before = ['\0'; 2];
    for token in tokens {
        let mut mark = '\0';
        match token {
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let is_first = before[1] != '.' && before != [':', ':'];
                if before == [':', ':'] && name == "decode" {
                    found.push("Decode".to_owned());
                }
                if is_first {
                    found.push(name);
                }
            }
            TokenTree::Punct(punct) => mark = punct.as_char(),
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(_) => {}
        }
        before = [before[1], mark];
    }
}
