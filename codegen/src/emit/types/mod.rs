//! Emits `types/`: a file for each schema of `components/schemas` that is a struct or a union, with its inline
//! types; enumerations and simple names have a file each in common.

mod alias;
mod documentation;
mod enumeration;
pub(crate) mod expression;
mod object;
mod union;

pub(crate) use documentation::{doc_lines, prose_lines, said, standard};
pub(crate) use expression as expression_rules;
pub use expression::{Context, decoder, identifier, rust_type};

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::File;
use super::source::source_file;
use crate::model::Api;
use crate::model::shape::Shape;
use crate::model::types::{Additional, TypeId, TypeKind};

/// The module that holds a type, without `types::`.
pub(crate) fn module_of(api: &Api, id: TypeId) -> String {
    let home = api.type_of(api.type_of(id).home);
    match home.kind {
        TypeKind::Enumeration(_) | TypeKind::IntegerEnumeration(_) => "enumerations".to_owned(),
        TypeKind::Alias(_) => "names".to_owned(),
        TypeKind::Struct(_) | TypeKind::Union(_) => {
            let name = crate::model::snake_name(&home.name);
            match name.as_str() {
                "enumerations" | "names" | "mod" => format!("{name}_"),
                _ => name,
            }
        }
    }
}

/// The types of each module, in the model's order.
pub(crate) fn modules(api: &Api) -> BTreeMap<String, Vec<TypeId>> {
    let mut modules: BTreeMap<String, Vec<TypeId>> = BTreeMap::new();
    for id in (0..api.types.len()).map(TypeId) {
        modules.entry(module_of(api, id)).or_default().push(id);
    }
    // The schema that gives the file its name comes first, its inline types after it.
    for ids in modules.values_mut() {
        ids.sort_by_key(|id| (api.type_of(*id).home, api.type_of(*id).home != *id, *id));
    }
    modules
}

/// The files of the module `types`.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let modules = modules(api);
    let mut files = vec![index(api, &modules)?];
    for (module, ids) in &modules {
        let context = Context::new(api);
        let items = ids.iter().map(|id| item(&context, *id)).collect::<Vec<_>>();
        let imports = imports(api, module, ids, &items);
        let tokens = quote! { #imports #(#items)* };
        files.push(source_file(
            api,
            &format!("src/types/{module}.rs"),
            &job(api, module, ids),
            tokens,
        )?);
    }
    Ok(files)
}

fn job(api: &Api, module: &str, ids: &[TypeId]) -> String {
    match (module, ids.first()) {
        ("enumerations", _) => format!("The enumerations of {}.", documentation::standard(api)),
        ("names", _) => format!("Names for simple values of {}.", documentation::standard(api)),
        (_, Some(first)) => {
            let first = api.type_of(*first);
            format!(
                "`{}` of {}.",
                first.api_name.as_deref().unwrap_or(&first.name),
                documentation::standard(api)
            )
        }
        (_, None) => documentation::standard(api),
    }
}

fn index(api: &Api, modules: &BTreeMap<String, Vec<TypeId>>) -> Result<File, String> {
    let mods = modules.keys().map(|module| {
        let module = identifier(&crate::model::identifier(module));
        quote! { mod #module; }
    });
    let uses = modules.iter().map(|(module, ids)| {
        let module = identifier(&crate::model::identifier(module));
        let mut names = ids
            .iter()
            .map(|id| api.type_of(*id).name.clone())
            .collect::<Vec<_>>();
        names.sort();
        let names = names.iter().map(|name| identifier(name));
        quote! { pub use #module::{#(#names),*}; }
    });
    source_file(
        api,
        "src/types/mod.rs",
        &format!(
            "The types of {}: each accepts what its schema allows and nothing else.",
            documentation::standard(api)
        ),
        quote! { #(#mods)* #(#uses)* },
    )
}

fn item(context: &Context<'_>, id: TypeId) -> TokenStream {
    let item = context.api.type_of(id);
    match &item.kind {
        TypeKind::Struct(object) => object::item(context, item, object),
        TypeKind::Enumeration(enumeration) => enumeration::texts(context, item, enumeration),
        TypeKind::IntegerEnumeration(enumeration) => enumeration::integers(context, item, enumeration),
        TypeKind::Union(union) => union::item(context, item, union),
        TypeKind::Alias(alias) => alias::item(context, id, item, alias),
    }
}

/// The `use` lines of a file: the types of other files that its tokens name, and what of the runtime they name.
fn imports(api: &Api, module: &str, ids: &[TypeId], items: &[TokenStream]) -> TokenStream {
    let mut named = Vec::new();
    for id in ids {
        for shape in shapes_of(&api.type_of(*id).kind) {
            references(shape, &mut named);
        }
    }
    named.sort();
    named.dedup();
    let foreign = named.into_iter().filter(|id| module_of(api, *id) != module);
    let mut names = foreign.map(|id| api.type_of(id).name.clone()).collect::<Vec<_>>();
    names.sort();
    let names = names.iter().map(|name| identifier(name)).collect::<Vec<_>>();
    let siblings = match names.is_empty() {
        true => TokenStream::new(),
        false => quote! { use super::{#(#names),*}; },
    };
    let runtime = runtime_imports(items);
    quote! { #runtime #siblings }
}

/// Imports from the runtime and std, for the identifiers that occur in the tokens.
pub(crate) fn runtime_imports(items: &[TokenStream]) -> TokenStream {
    let mut found = std::collections::HashSet::new();
    for item in items {
        collect_identifiers(item.clone(), &mut found);
    }
    let pick = |names: &[&str]| {
        let used = names.iter().filter(|name| found.contains(**name));
        used.map(|name| identifier(name)).collect::<Vec<_>>()
    };
    let group = |path: TokenStream, names: Vec<proc_macro2::Ident>| match names.is_empty() {
        true => TokenStream::new(),
        false => quote! { use #path::{#(#names),*}; },
    };
    let map = group(quote! { std::collections }, pick(&["BTreeMap"]));
    let rules = group(
        quote! { mecforge_runtime::rules },
        pick(&[
            "ArrayRules",
            "IntegerRules",
            "Literal",
            "MapRules",
            "NumberRules",
            "Pattern",
            "Predicate",
            "Rule",
            "StringRules",
        ]),
    );
    let format = group(quote! { mecforge_runtime::format }, pick(&["Format"]));
    let json = group(quote! { mecforge_runtime::serde_json }, pick(&["Map", "Value"]));
    let union = group(quote! { mecforge_runtime::union }, pick(&["Candidate"]));
    let runtime = group(
        quote! { mecforge_runtime },
        pick(&["Decode", "Invalid", "Json", "ObjectReader", "decode", "union"]),
    );
    let serde = group(quote! { serde }, pick(&["Serialize"]));
    if ["prop_map", "prop_filter_map", "boxed"]
        .iter()
        .any(|method| found.contains(*method))
    {
        found.insert("Strategy".to_owned());
    }
    let pick = |names: &[&str]| {
        let used = names.iter().filter(|name| found.contains(**name));
        used.map(|name| identifier(name)).collect::<Vec<_>>()
    };
    let strategy = group(
        quote! { mecforge_runtime::strategy },
        pick(&["BoxedStrategy", "Generate", "Just", "Strategy"]),
    );
    let strategy_module = group(quote! { mecforge_runtime }, pick(&["strategy"]));
    quote! { #map #runtime #strategy_module #format #rules #json #strategy #union #serde }
}

/// Collects the identifiers that an import could provide: first segments of paths. Modules count only where a path
/// goes through them (`decode::string`), because functions and methods may be called like them.
fn collect_identifiers(tokens: TokenStream, found: &mut std::collections::HashSet<String>) {
    let tokens = tokens.into_iter().collect::<Vec<_>>();
    let is_colon = |index: Option<usize>| {
        let token = index.and_then(|index| tokens.get(index));
        matches!(token, Some(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == ':')
    };
    let is_path = |first: Option<usize>, second: Option<usize>| is_colon(first) && is_colon(second);
    for (index, token) in tokens.iter().enumerate() {
        match token {
            proc_macro2::TokenTree::Ident(name) => {
                let follows_path = is_path(index.checked_sub(1), index.checked_sub(2));
                let leads_path = is_path(Some(index + 1), Some(index + 2));
                let name = name.to_string();
                let is_module = matches!(name.as_str(), "decode" | "union" | "strategy");
                if !follows_path && (leads_path || !is_module) {
                    found.insert(name);
                }
            }
            proc_macro2::TokenTree::Group(group) => collect_identifiers(group.stream(), found),
            _ => {}
        }
    }
}

/// The shapes that a type is made of.
pub(crate) fn shapes_of(kind: &TypeKind) -> Vec<&Shape> {
    match kind {
        TypeKind::Struct(object) => {
            let additional = match &object.additional {
                Additional::Kept(shape) => Some(&**shape),
                Additional::Ignored | Additional::Refused => None,
            };
            object
                .fields
                .iter()
                .map(|field| &field.shape)
                .chain(additional)
                .collect()
        }
        TypeKind::Union(union) => union.members.iter().map(|member| &member.shape).collect(),
        TypeKind::Alias(alias) => vec![&alias.shape],
        TypeKind::Enumeration(_) | TypeKind::IntegerEnumeration(_) => Vec::new(),
    }
}

/// The types that a shape names.
pub(crate) fn references(shape: &Shape, found: &mut Vec<TypeId>) {
    match shape {
        Shape::Named(id) => found.push(*id),
        Shape::Array { items, .. } => references(items, found),
        Shape::Map { values, .. } => references(values, found),
        Shape::Nullable(inner) => references(inner, found),
        _ => {}
    }
}
