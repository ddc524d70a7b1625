//! Unions: an enum with a variant per member, decoded by what tells the members apart.

use proc_macro2::TokenStream;
use quote::quote;

use super::documentation;
use super::expression::{Context, decoder, identifier, rust_type};
use crate::model::shape::Shape;
use crate::model::types::{Member, Selector, Type, Union};

/// The whole of a union.
pub(super) fn item(context: &Context<'_>, item: &Type, union: &Union) -> TokenStream {
    let what = match (&union.selector, union.exclusive) {
        (Selector::Property { name, .. }, _) => format!("one of several types, told apart by `{name}`"),
        (Selector::Trial, true) => "just one of several types".to_owned(),
        (Selector::Trial, false) => "one of several types".to_owned(),
    };
    let documentation = documentation::of_type(context, item, &what, &[]);
    let name = identifier(&item.name);
    let variants = union.members.iter().map(|member| {
        let (name, inner) = (identifier(&member.name), member_type(context, member));
        let words = format!(
            " {}.",
            documentation::capitalised(&documentation::said(context, &member.shape))
        );
        quote! { #[doc = #words] #name(#inner) }
    });
    let conversions = conversions(context, item, union);
    let decode = decode(context, item, union);
    quote! {
        #documentation
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "values are decoded, handled and dropped, not stored in bulk")]
        pub enum #name { #(#variants),* }
        #conversions
        #decode
        mecforge_runtime::deserialize!(#name);
    }
}

fn member_type(context: &Context<'_>, member: &Member) -> TokenStream {
    let inner = rust_type(context, &member.shape);
    if member.boxed {
        quote! { Box<#inner> }
    } else {
        inner
    }
}

/// A function that decodes a named type into a box.
pub(super) fn boxed(name: &TokenStream) -> TokenStream {
    quote! { Box::<#name>::decode }
}

/// `From` for each member whose type no other member has.
fn conversions(context: &Context<'_>, item: &Type, union: &Union) -> TokenStream {
    let name = identifier(&item.name);
    let resolved = union
        .members
        .iter()
        .map(|member| rust_type(context, context.resolved(&member.shape)).to_string());
    let resolved = resolved.collect::<Vec<_>>();
    let is_single = |index: usize| resolved.iter().filter(|other| **other == resolved[index]).count() == 1;
    let members = union
        .members
        .iter()
        .enumerate()
        .filter(|(index, _)| is_single(*index));
    let conversions = members.map(|(_, member)| {
        let (variant, inner) = (identifier(&member.name), rust_type(context, &member.shape));
        let value = if member.boxed {
            quote! { Box::new(value) }
        } else {
            quote! { value }
        };
        quote! {
            impl From<#inner> for #name {
                fn from(value: #inner) -> Self {
                    Self::#variant(#value)
                }
            }
        }
    });
    quote! { #(#conversions)* }
}

fn member_decoder(context: &Context<'_>, member: &Member) -> TokenStream {
    match (&member.shape, member.boxed) {
        (Shape::Named(_), true) => boxed(&rust_type(context, &member.shape)),
        (shape, _) => decoder(context, shape),
    }
}

fn decode(context: &Context<'_>, item: &Type, union: &Union) -> TokenStream {
    let name = identifier(&item.name);
    let body = match &union.selector {
        Selector::Property { name, cases } => by_property(context, union, name, cases),
        Selector::Trial => by_trial(context, union),
    };
    quote! {
        impl Decode for #name {
            fn decode(json: &Json<'_>) -> Result<Self, Invalid> { #body }
        }
    }
}

fn by_property(
    context: &Context<'_>,
    union: &Union,
    property: &str,
    cases: &[(String, usize)],
) -> TokenStream {
    let arms = cases.iter().map(|(value, index)| {
        let member = &union.members[*index];
        let (variant, decoder) = (identifier(&member.name), member_decoder(context, member));
        let decoded = decoded(&decoder);
        quote! { #value => #decoded.map(Self::#variant) }
    });
    let values = cases.iter().map(|(value, _)| value).collect::<Vec<_>>();
    quote! {
        match union::selector(json, #property)? {
            #(#arms,)*
            other => Err(union::unknown_selector(#property, other, &[#(#values),*])),
        }
    }
}

/// What a decoder makes of `json`: a path is called, a closure says it already.
pub(super) fn decoded(decoder: &TokenStream) -> TokenStream {
    match syn::parse2::<syn::Expr>(decoder.clone()) {
        Ok(syn::Expr::Closure(closure)) => {
            let body = closure.body;
            quote! { #body }
        }
        Ok(path @ syn::Expr::Path(_)) => quote! { #path(json) },
        _ => quote! { (#decoder)(json) },
    }
}

fn by_trial(context: &Context<'_>, union: &Union) -> TokenStream {
    let function = if union.exclusive {
        quote! { exactly_one }
    } else {
        quote! { at_least_one }
    };
    let candidates = union.members.iter().map(|member| {
        let (name, variant) = (&member.name, identifier(&member.name));
        let (required, declared) = (&member.required, &member.declared);
        let decoder = member_decoder(context, member);
        let decoded = decoded(&decoder);
        quote! {
            Candidate {
                name: #name,
                required: &[#(#required),*],
                declared: &[#(#declared),*],
                decode: &|json| #decoded.map(Self::#variant),
            }
        }
    });
    quote! { union::#function(json, &[#(#candidates),*]) }
}
