//! Emits `strategies/`: for each type a proptest strategy that honours its rules (feature `arbitrary`).

use proc_macro2::TokenStream;
use quote::quote;

use super::File;
use super::source::source_file;
use super::types::{Context, expression_rules as rules, identifier, modules, runtime_imports};
use crate::model::Api;
use crate::model::predicate::{Predicate, Rule};
use crate::model::shape::Shape;
use crate::model::types::{Additional, Struct, Type, TypeId, TypeKind, Union};

/// The most strategies that proptest takes as one tuple.
const TUPLE: usize = 10;

/// The files of the module `strategies`.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let modules = modules(api);
    let context = Context::new(api);
    let mut files = Vec::new();
    let mut names = Vec::new();
    for (module, ids) in &modules {
        let items = ids
            .iter()
            .filter(|id| !context.is_plain_alias(**id))
            .map(|id| item(&context, *id));
        let items = items.collect::<Vec<_>>();
        if items.is_empty() {
            continue;
        }
        names.push(identifier(&crate::model::identifier(module)));
        let imports = runtime_imports(&items);
        let tokens = quote! { #imports use crate::types::*; #(#items)* };
        let job = format!("Strategies for the types of `types::{module}`.");
        files.push(source_file(
            api,
            &format!("src/strategies/{module}.rs"),
            &job,
            tokens,
        )?);
    }
    let job = "Proptest strategies: `any::<T>()` draws valid values of each type, limits included.";
    let glob = (!api.types.is_empty()).then(|| quote! { use crate::types::*; });
    let cases = api.types.iter().filter_map(|item| {
        let (name, api_name, pointer) = (
            identifier(&item.name),
            item.api_name.as_ref()?,
            item.pointer.as_str(),
        );
        Some(quote! { Case::of::<#name>(#api_name, #pointer) })
    });
    let tokens = quote! {
        #(mod #names;)*
        use mecforge_runtime::strategy::Case;
        #glob

        #[doc = " Every schema of `components/schemas` with its strategy and its decoder, for tests that go over all of them."]
        pub fn cases() -> Vec<Case> {
            vec![#(#cases),*]
        }
    };
    files.push(source_file(api, "src/strategies/mod.rs", job, tokens)?);
    Ok(files)
}

fn item(context: &Context<'_>, id: TypeId) -> TokenStream {
    let item = context.api.type_of(id);
    let name = identifier(&item.name);
    let body = match &item.kind {
        TypeKind::Struct(object) => structure(context, id, object),
        TypeKind::Enumeration(enumeration) => {
            let names = enumeration
                .variants
                .iter()
                .map(|variant| identifier(&variant.name));
            let known = quote! { strategy::one_of(vec![#(Self::#names),*]) };
            match enumeration.open {
                true => quote! { strategy::mostly(#known, "[A-Z]{3,9}X".prop_map(Self::Other)) },
                false => known,
            }
        }
        TypeKind::IntegerEnumeration(enumeration) => {
            let names = enumeration.variants.iter().map(|(name, _)| identifier(name));
            quote! { strategy::one_of(vec![#(Self::#names),*]) }
        }
        TypeKind::Union(union) => union_body(context, id, union),
        TypeKind::Alias(alias) => {
            // A rule such as "one of these values" leaves few: they are drawn from the start.
            let inner = match (&alias.shape, alias.rules.iter().find_map(listed)) {
                (Shape::Any, Some(texts)) => quote! { strategy::one_of_json(&[#(#texts),*]) },
                (shape, _) => strategy(context, shape),
            };
            let newtype = newtype(item);
            quote! { #inner.prop_filter_map("rules of the name", #newtype).boxed() }
        }
    };
    let depth = if mentions_depth(&body) {
        quote! { depth }
    } else {
        quote! { _depth }
    };
    quote! {
        impl Generate for #name {
            fn generate(#depth: u32) -> BoxedStrategy<Self> { #body }
        }

        mecforge_runtime::arbitrary!(#name);
    }
}

/// The values that a rule lists, as JSON.
fn listed(rule: &Rule) -> Option<Vec<String>> {
    match &rule.predicate {
        Predicate::Constant(value) => Some(vec![value.to_string()]),
        Predicate::OneOfValues(values) => Some(values.iter().map(serde_json::Value::to_string).collect()),
        _ => None,
    }
}

fn newtype(item: &Type) -> TokenStream {
    let name = identifier(&item.name);
    quote! { |value| #name::new(value).ok() }
}

fn mentions_depth(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(name) => name == "depth",
        proc_macro2::TokenTree::Group(group) => mentions_depth(&group.stream()),
        _ => false,
    })
}

/// A strategy as a function of the depth: `T::generate(depth)` is `T::generate`, anything else is a closure.
fn function(strategy: &TokenStream) -> TokenStream {
    let tokens = strategy.clone().into_iter().collect::<Vec<_>>();
    if let [path @ .., proc_macro2::TokenTree::Group(arguments)] = tokens.as_slice()
        && matches!(path.last(), Some(proc_macro2::TokenTree::Ident(name)) if name == "generate" || name == "any_json")
        && arguments.stream().to_string() == "depth"
    {
        return path.iter().cloned().collect();
    }
    let depth = if mentions_depth(strategy) {
        quote! { depth }
    } else {
        quote! { _ }
    };
    quote! { |#depth| #strategy }
}

fn structure(context: &Context<'_>, id: TypeId, object: &Struct) -> TokenStream {
    let mut names = Vec::new();
    let mut strategies = Vec::new();
    for field in &object.fields {
        let inner = strategy(context, &field.shape);
        let inner = if field.boxed {
            quote! { #inner.prop_map(Box::new).boxed() }
        } else {
            inner
        };
        names.push(identifier(&field.name));
        strategies.push(match field.required {
            true => inner,
            false => {
                let inner = function(&inner);
                quote! { strategy::optional(depth, #inner) }
            }
        });
    }
    if let Additional::Kept(shape) = &object.additional {
        names.push(identifier("additional_properties"));
        strategies.push(match **shape == Shape::Any {
            true => quote! { strategy::open_object(depth, MapRules::NONE) },
            false => {
                let values = function(&strategy(context, shape));
                quote! { strategy::map(depth, MapRules::NONE, #values) }
            }
        });
    }
    if names.is_empty() {
        return quote! { Just(Self {}).boxed() };
    }
    let groups = strategies.chunks(TUPLE).map(|group| match group {
        [only] => quote! { #only },
        group => quote! { (#(#group),*) },
    });
    let patterns = names.chunks(TUPLE).map(|group| match group {
        [only] => quote! { #only },
        group => quote! { (#(#group),*) },
    });
    let (groups, patterns) = (groups.collect::<Vec<_>>(), patterns.collect::<Vec<_>>());
    let (all, pattern) = match (groups.as_slice(), patterns.as_slice()) {
        ([group], [pattern]) => (group.clone(), pattern.clone()),
        _ => (quote! { (#(#groups),*) }, quote! { (#(#patterns),*) }),
    };
    let value = quote! { #all.prop_map(|#pattern| Self { #(#names),* }) };
    let has_rules =
        !object.rules.is_empty() || object.min_properties.is_some() || object.max_properties.is_some();
    // Rules may demand properties that are optional by themselves, so these are drawn even where the depth is used
    // up; not in a type that contains itself, which would never come to an end.
    let deepened = (has_rules && mentions_depth(&value) && !contains(context, id))
        .then(|| quote! { let depth = depth.max(1); });
    match has_rules {
        true => quote! { #deepened strategy::valid(#value) },
        false => quote! { #value.boxed() },
    }
}

fn union_body(context: &Context<'_>, id: TypeId, union: &Union) -> TokenStream {
    let member = |index: usize| {
        let member = &union.members[index];
        let (variant, inner) = (identifier(&member.name), strategy(context, &member.shape));
        match member.boxed {
            true => quote! { #inner.prop_map(|value| Self::#variant(Box::new(value))).boxed() },
            false => quote! { #inner.prop_map(Self::#variant).boxed() },
        }
    };
    let count = union.members.len();
    let recursive = |index: &usize| requires(context, &union.members[*index].shape, id, &mut Vec::new());
    let (deep, flat): (Vec<usize>, Vec<usize>) = (0..count).partition(recursive);
    // Where members are tried one after the other, a value of one may be a value of another, too.
    let is_tried = union.exclusive && matches!(union.selector, crate::model::types::Selector::Trial);
    let one_of = |indices: Vec<usize>| {
        let members = indices.into_iter().map(member);
        match is_tried {
            true => quote! { strategy::valid(strategy::union(vec![#(#members),*])) },
            false => quote! { strategy::union(vec![#(#members),*]) },
        }
    };
    let all = one_of((0..count).collect());
    match (deep.is_empty(), flat.is_empty()) {
        (false, false) => {
            let flat = one_of(flat);
            quote! {
                if depth == 0 {
                    return #flat;
                }
                let depth = depth - 1;
                #all
            }
        }
        _ => all,
    }
}

/// Whether a value of a shape must contain a value of type `target`.
fn requires(context: &Context<'_>, shape: &Shape, target: TypeId, seen: &mut Vec<TypeId>) -> bool {
    let Shape::Named(id) = shape else { return false };
    if *id == target {
        return true;
    }
    if seen.contains(id) {
        return false;
    }
    seen.push(*id);
    match &context.api.type_of(*id).kind {
        TypeKind::Struct(object) => object
            .fields
            .iter()
            .any(|field| field.required && requires(context, &field.shape, target, seen)),
        TypeKind::Union(union) => union
            .members
            .iter()
            .any(|member| requires(context, &member.shape, target, seen)),
        TypeKind::Alias(alias) => requires(context, &alias.shape, target, seen),
        _ => false,
    }
}

/// Whether a type can contain a value of itself.
fn contains(context: &Context<'_>, target: TypeId) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut next = vec![target];
    while let Some(id) = next.pop() {
        let mut found = Vec::new();
        for shape in super::types::shapes_of(&context.api.type_of(id).kind) {
            super::types::references(shape, &mut found);
        }
        if found.contains(&target) {
            return true;
        }
        next.extend(found.into_iter().filter(|id| seen.insert(*id)));
    }
    false
}

/// The expression that makes a strategy for a shape, from the variable `depth`.
fn strategy(context: &Context<'_>, shape: &Shape) -> TokenStream {
    match shape {
        Shape::Any => quote! { strategy::any_json(depth) },
        Shape::Boolean => quote! { bool::generate(depth) },
        Shape::Integer(integer) => {
            let function = if integer.is_unsigned() {
                quote! { unsigned }
            } else {
                quote! { signed }
            };
            let rules = rules::integer_rules(integer);
            quote! { strategy::#function(#rules) }
        }
        Shape::Number(number) => {
            let rules = rules::number_rules(number);
            quote! { strategy::number(#rules) }
        }
        Shape::String(string) => {
            let rules = rules::string_rules(string);
            quote! { strategy::string(#rules) }
        }
        Shape::Array { items, rules } => {
            let (rules, items) = (rules::array_rules(rules), function(&strategy(context, items)));
            quote! { strategy::array(depth, #rules, #items) }
        }
        Shape::Map { values, rules } if **values == Shape::Any => {
            let rules = rules::map_rules(rules);
            quote! { strategy::open_object(depth, #rules) }
        }
        Shape::Map { values, rules } => {
            let (rules, values) = (rules::map_rules(rules), function(&strategy(context, values)));
            quote! { strategy::map(depth, #rules, #values) }
        }
        Shape::Named(id) if context.is_plain_alias(*id) => strategy(context, context.resolved(shape)),
        Shape::Named(id) => {
            let name = identifier(&context.api.type_of(*id).name);
            quote! { #name::generate(depth) }
        }
        Shape::Nullable(inner) => {
            let inner = function(&strategy(context, inner));
            quote! { strategy::nullable(depth, #inner) }
        }
    }
}
