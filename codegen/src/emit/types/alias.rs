//! Names for simple shapes: `type` where the Rust type says it all, a checked newtype where rules hold; and the
//! printing of rules across properties.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::documentation;
use super::expression::{Context, decoder, identifier, rust_type};
use crate::model::predicate::{Predicate, Rule};
use crate::model::shape::Shape;
use crate::model::types::{Alias, Type, TypeId};

/// The whole of an alias.
pub(super) fn item(context: &Context<'_>, id: TypeId, item: &Type, alias: &Alias) -> TokenStream {
    let words = alias
        .rules
        .iter()
        .map(|rule| rule.words.clone())
        .collect::<Vec<_>>();
    let documentation =
        documentation::of_type(context, item, &documentation::said(context, &alias.shape), &words);
    let (name, inner) = (identifier(&item.name), rust_type(context, &alias.shape));
    if context.is_plain_alias(id) {
        return quote! { #documentation pub type #name = #inner; };
    }
    let decoder = decoder(context, &alias.shape);
    let (rules, check) = match alias.rules.is_empty() {
        true => (None, None),
        false => {
            let rules = rules_constant(&alias.rules);
            (
                Some(rules),
                Some(quote! { RULES.iter().try_for_each(|rule: &Rule| rule.check(json))?; }),
            )
        }
    };
    let parse =
        matches!(alias.shape, Shape::String(_)).then(|| quote! { mecforge_runtime::text_newtype!(#name); });
    quote! {
        #documentation
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct #name(#inner);

        impl #name {
            #[doc = " The value, if it follows the rules above."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = " The rule that is broken."]
            pub fn new(value: #inner) -> Result<Self, Invalid> {
                let value = Self(value);
                mecforge_runtime::check(&value)?;
                Ok(value)
            }

            #[doc = " The value without its name."]
            pub fn into_inner(self) -> #inner {
                self.0
            }
        }

        impl std::ops::Deref for #name {
            type Target = #inner;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl Decode for #name {
            fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
                #rules
                let decode = #decoder;
                let value = decode(json).map(Self)?;
                #check
                Ok(value)
            }
        }

        #parse
        mecforge_runtime::deserialize!(#name);
    }
}

/// `const RULES: &[Rule] = …;`
pub(super) fn rules_constant(rules: &[Rule]) -> TokenStream {
    let rules = rules.iter().map(|rule| {
        let (words, keyword, predicate) = (&rule.words, rule.keyword, predicate(&rule.predicate));
        quote! { Rule { words: #words, keyword: #keyword, predicate: #predicate } }
    });
    quote! { const RULES: &[Rule] = &[#(#rules),*]; }
}

fn predicate(value: &Predicate) -> TokenStream {
    let list = |members: &[Predicate]| {
        let members = members.iter().map(predicate);
        quote! { &[#(#members),*] }
    };
    match value {
        Predicate::True => quote! { Predicate::True },
        Predicate::False => quote! { Predicate::False },
        Predicate::Constant(value) => {
            let value = literal(value);
            quote! { Predicate::Constant(#value) }
        }
        Predicate::OneOfValues(values) => {
            let values = values.iter().map(literal);
            quote! { Predicate::OneOfValues(&[#(#values),*]) }
        }
        Predicate::Type(name) => quote! { Predicate::Type(#name) },
        Predicate::Required(names) => quote! { Predicate::Required(&[#(#names),*]) },
        Predicate::Property(name, inner) => {
            let inner = predicate(inner);
            quote! { Predicate::Property(#name, &#inner) }
        }
        Predicate::Items(inner) => {
            let inner = predicate(inner);
            quote! { Predicate::Items(&#inner) }
        }
        Predicate::Contains(inner) => {
            let inner = predicate(inner);
            quote! { Predicate::Contains(&#inner) }
        }
        Predicate::MinItems(least) => {
            let least = Literal::u64_unsuffixed(*least);
            quote! { Predicate::MinItems(#least) }
        }
        Predicate::MaxItems(most) => {
            let most = Literal::u64_unsuffixed(*most);
            quote! { Predicate::MaxItems(#most) }
        }
        Predicate::All(members) => {
            let members = list(members);
            quote! { Predicate::All(#members) }
        }
        Predicate::Any(members) => {
            let members = list(members);
            quote! { Predicate::Any(#members) }
        }
        Predicate::One(members) => {
            let members = list(members);
            quote! { Predicate::One(#members) }
        }
        Predicate::Not(inner) => {
            let inner = predicate(inner);
            quote! { Predicate::Not(&#inner) }
        }
        Predicate::If(condition, then, otherwise) => {
            let (condition, then, otherwise) = (predicate(condition), predicate(then), predicate(otherwise));
            quote! { Predicate::If(&#condition, &#then, &#otherwise) }
        }
    }
}

fn literal(value: &serde_json::Value) -> TokenStream {
    match value {
        serde_json::Value::Null => quote! { Literal::Null },
        serde_json::Value::Bool(value) => quote! { Literal::Bool(#value) },
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => {
                let integer = Literal::i64_unsuffixed(integer);
                quote! { Literal::Integer(#integer) }
            }
            None => {
                let float = Literal::f64_unsuffixed(number.as_f64().unwrap_or_default());
                quote! { Literal::Float(#float) }
            }
        },
        serde_json::Value::String(text) => quote! { Literal::Text(#text) },
        serde_json::Value::Array(items) => {
            let items = items.iter().map(literal);
            quote! { Literal::List(&[#(#items),*]) }
        }
        // An object as a constant occurs in no document that we know; comparing it would need its own literal.
        serde_json::Value::Object(_) => quote! { Literal::Null },
    }
}
