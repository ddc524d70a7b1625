//! Enumerations of texts and of integers, closed or open.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::documentation;
use super::expression::{Context, decoder, identifier, signed_rules};
use super::union::decoded;
use crate::model::shape::Shape;
use crate::model::types::{Enumeration, IntegerEnumeration, Type};

/// An enumeration of texts.
pub(super) fn texts(context: &Context<'_>, item: &Type, enumeration: &Enumeration) -> TokenStream {
    let what = match (enumeration.open, enumeration.variants.len()) {
        (true, _) => "one of these texts, or another that a later release or an operator adds",
        (false, 1) => "always the same text",
        (false, _) => "one of these texts",
    };
    let documentation = documentation::of_type(context, item, what, &[]);
    let name = identifier(&item.name);
    let variants = enumeration.variants.iter().map(|variant| {
        let (name, words) = (identifier(&variant.name), format!(" `{}`", variant.api_name));
        quote! { #[doc = #words] #name }
    });
    let other = enumeration
        .open
        .then(|| quote! { #[doc = " A text that the document does not list, as it came."] Other(String), });
    let copy = (!enumeration.open).then(|| quote! { Copy, });
    let default = (enumeration.variants.len() == 1 && !enumeration.open).then(|| quote! { Default, });
    let variants = variants.enumerate().map(|(index, variant)| {
        let mark = (index == 0 && default.is_some()).then(|| quote! { #[default] });
        quote! { #mark #variant }
    });
    let names = enumeration
        .variants
        .iter()
        .map(|variant| identifier(&variant.name))
        .collect::<Vec<_>>();
    let values = enumeration
        .variants
        .iter()
        .map(|variant| &variant.api_name)
        .collect::<Vec<_>>();
    let as_str_other = enumeration.open.then(|| quote! { Self::Other(text) => text, });
    let fallback = match enumeration.open {
        true => {
            let decoded = decoded(&decoder(context, &Shape::String(enumeration.rules.clone())));
            quote! { _ => #decoded.map(Self::Other), }
        }
        false => quote! { _ => Err(decode::unknown_value(json, Self::VALUES)), },
    };
    quote! {
        #documentation
        #[derive(Clone, #copy Debug, #default PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum #name { #(#variants,)* #other }

        impl #name {
            #[doc = " The texts that the document lists, in its order."]
            pub const VALUES: &'static [&'static str] = &[#(#values),*];

            #[doc = " The text on the wire."]
            pub fn as_str(&self) -> &str {
                match self { #(Self::#names => #values,)* #as_str_other }
            }
        }

        impl Decode for #name {
            fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
                match json.as_str() {
                    #(Some(#values) => Ok(Self::#names),)*
                    #fallback
                }
            }
        }

        mecforge_runtime::text_enumeration!(#name);
    }
}

/// An enumeration of integers.
pub(super) fn integers(context: &Context<'_>, item: &Type, enumeration: &IntegerEnumeration) -> TokenStream {
    let what = match enumeration.open {
        true => "one of these integers, or another that a later release or an operator adds",
        false => "one of these integers",
    };
    let documentation = documentation::of_type(context, item, what, &[]);
    let name = identifier(&item.name);
    let variants = enumeration.variants.iter().map(|(name, value)| {
        let (name, words) = (identifier(name), format!(" `{value}`"));
        quote! { #[doc = #words] #name }
    });
    let other = enumeration
        .open
        .then(|| quote! { #[doc = " An integer that the document does not list."] Other(i64), });
    let names = enumeration
        .variants
        .iter()
        .map(|(name, _)| identifier(name))
        .collect::<Vec<_>>();
    let values = enumeration
        .variants
        .iter()
        .map(|(_, value)| Literal::i64_unsuffixed(*value))
        .collect::<Vec<_>>();
    let as_integer_other = enumeration.open.then(|| quote! { Self::Other(value) => value, });
    let fallback = match enumeration.open {
        true => {
            let rules = signed_rules(&enumeration.rules);
            quote! { _ => decode::signed(json, &#rules).map(Self::Other), }
        }
        false => quote! { _ => Err(decode::unknown_integer(json, Self::VALUES)), },
    };
    quote! {
        #documentation
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum #name { #(#variants,)* #other }

        impl #name {
            #[doc = " The integers that the document lists, in its order."]
            pub const VALUES: &'static [i64] = &[#(#values),*];

            #[doc = " The integer on the wire."]
            pub fn as_i64(self) -> i64 {
                match self { #(Self::#names => #values,)* #as_integer_other }
            }
        }

        impl Decode for #name {
            fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
                match json.as_integer() {
                    #(Some(#values) => Ok(Self::#names),)*
                    #fallback
                }
            }
        }

        mecforge_runtime::integer_enumeration!(#name);
    }
}
