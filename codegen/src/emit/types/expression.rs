//! Shapes as Rust: the type, and the expression that decodes it.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::model::Api;
use crate::model::shape::{ArrayRules, Format, IntegerRules, MapRules, NumberRules, Shape, StringRules};
use crate::model::types::{TypeId, TypeKind};

/// What the printers of one API share.
pub struct Context<'api> {
    /// The API.
    pub api: &'api Api,
}

impl<'api> Context<'api> {
    /// The context of an API.
    pub fn new(api: &'api Api) -> Self {
        Self { api }
    }

    /// The shape behind names that are plain aliases.
    pub fn resolved<'shape>(&self, shape: &'shape Shape) -> &'shape Shape
    where
        'api: 'shape,
    {
        let mut shape = shape;
        while let Shape::Named(id) = shape {
            match &self.api.type_of(*id).kind {
                TypeKind::Alias(alias) if self.is_plain_alias(*id) => shape = &alias.shape,
                _ => break,
            }
        }
        shape
    }

    /// Whether a type is printed as `type Name = …`: an alias of a shape that its Rust type says whole.
    pub fn is_plain_alias(&self, id: TypeId) -> bool {
        match &self.api.type_of(id).kind {
            TypeKind::Alias(alias) => {
                alias.rules.is_empty() && is_said_by_type(&alias.shape) && !self.names_itself(id)
            }
            _ => false,
        }
    }

    /// Whether an alias leads back to itself (a map of such maps), which a `type` of Rust can't.
    fn names_itself(&self, id: TypeId) -> bool {
        let (mut seen, mut next) = (std::collections::HashSet::new(), vec![id]);
        while let Some(current) = next.pop() {
            let TypeKind::Alias(alias) = &self.api.type_of(current).kind else {
                continue;
            };
            let mut found = Vec::new();
            super::references(&alias.shape, &mut found);
            if found.contains(&id) {
                return true;
            }
            next.extend(found.into_iter().filter(|id| seen.insert(*id)));
        }
        false
    }
}

/// Whether the Rust type by itself accepts just what the shape allows, so that its own `Decode` serves.
pub(crate) fn is_said_by_type(shape: &Shape) -> bool {
    match shape {
        Shape::Any | Shape::Boolean | Shape::Named(_) => true,
        Shape::Integer(rules) => {
            let unsigned =
                rules.minimum == Some(0) && rules.maximum.is_none_or(|most| most >= u64::MAX.into());
            let signed = rules.minimum.is_none_or(|least| least <= i64::MIN.into())
                && rules.maximum.is_none_or(|most| most >= i64::MAX.into());
            rules.multiple_of.is_none() && (unsigned || signed)
        }
        Shape::Number(rules) => *rules == NumberRules::default(),
        Shape::String(rules) => *rules == StringRules::default(),
        Shape::Array { items, rules } => *rules == ArrayRules::default() && is_said_by_type(items),
        Shape::Map { values, rules } => *rules == MapRules::default() && is_said_by_type(values),
        Shape::Nullable(inner) => is_said_by_type(inner),
    }
}

/// A name as an identifier, raw where it is written so.
pub fn identifier(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(name) => Ident::new_raw(name, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// The Rust type of a shape.
pub fn rust_type(context: &Context<'_>, shape: &Shape) -> TokenStream {
    match shape {
        Shape::Any => quote! { Value },
        Shape::Boolean => quote! { bool },
        Shape::Integer(rules) if rules.is_unsigned() => quote! { u64 },
        Shape::Integer(_) => quote! { i64 },
        Shape::Number(_) => quote! { f64 },
        Shape::String(_) => quote! { String },
        Shape::Array { items, .. } => {
            let items = rust_type(context, items);
            quote! { Vec<#items> }
        }
        Shape::Map { values, .. } if **values == Shape::Any => quote! { Map<String, Value> },
        Shape::Map { values, .. } => {
            let values = rust_type(context, values);
            quote! { BTreeMap<String, #values> }
        }
        Shape::Named(id) => {
            let name = identifier(&context.api.type_of(*id).name);
            quote! { #name }
        }
        Shape::Nullable(inner) => {
            let inner = rust_type(context, inner);
            quote! { Option<#inner> }
        }
    }
}

/// An expression that is a function from `&Json` to the decoded shape.
pub fn decoder(context: &Context<'_>, shape: &Shape) -> TokenStream {
    if let Shape::Named(id) = shape {
        let resolved = context.resolved(shape);
        return match resolved {
            Shape::Boolean | Shape::String(_) | Shape::Integer(_) | Shape::Number(_) | Shape::Any => {
                decoder(context, resolved)
            }
            _ => {
                let name = identifier(&context.api.type_of(*id).name);
                quote! { #name::decode }
            }
        };
    }
    if is_said_by_type(shape) {
        return match shape {
            Shape::Any => quote! { decode::any },
            Shape::Boolean => quote! { decode::boolean },
            Shape::String(_) => quote! { decode::string },
            Shape::Integer(rules) if rules.is_unsigned() => quote! { u64::decode },
            Shape::Integer(_) => quote! { i64::decode },
            Shape::Number(_) => quote! { f64::decode },
            other => {
                let name = rust_type(context, other);
                quote! { <#name>::decode }
            }
        };
    }
    let body = decoder_body(context, shape);
    quote! { |json| #body }
}

/// The expression that decodes the variable `json`.
fn decoder_body(context: &Context<'_>, shape: &Shape) -> TokenStream {
    match shape {
        Shape::String(rules) => {
            let rules = string_rules(rules);
            quote! { decode::string_with(json, &#rules) }
        }
        Shape::Integer(rules) => {
            let function = if rules.is_unsigned() {
                quote! { unsigned }
            } else {
                quote! { signed }
            };
            let rules = integer_rules(rules);
            quote! { decode::#function(json, &#rules) }
        }
        Shape::Number(rules) => {
            let rules = number_rules(rules);
            quote! { decode::number(json, &#rules) }
        }
        Shape::Array { items, rules } => {
            let (rules, items) = (array_rules(rules), decoder(context, items));
            quote! { decode::array(json, &#rules, #items) }
        }
        Shape::Map { values, rules } if **values == Shape::Any => {
            let rules = map_rules(rules);
            quote! { decode::open_object(json, &#rules) }
        }
        Shape::Map { values, rules } => {
            let (rules, values) = (map_rules(rules), decoder(context, values));
            quote! { decode::map(json, &#rules, #values) }
        }
        Shape::Nullable(inner) => {
            let inner = decoder(context, inner);
            quote! { decode::nullable(json, #inner) }
        }
        other => {
            let function = decoder(context, other);
            quote! { #function(json) }
        }
    }
}

/// A struct expression with the fields that are set, the rest from `NONE`.
fn rules_expression(name: &str, fields: Vec<(&str, TokenStream)>, all: usize) -> TokenStream {
    let name = identifier(name);
    if fields.is_empty() {
        return quote! { #name::NONE };
    }
    let rest = (fields.len() < all).then(|| quote! { ..#name::NONE });
    let fields = fields.into_iter().map(|(field, value)| {
        let field = identifier(field);
        quote! { #field: #value }
    });
    quote! { #name { #(#fields,)* #rest } }
}

fn some(value: impl quote::ToTokens) -> TokenStream {
    quote! { Some(#value) }
}

/// `StringRules { … }`.
pub(crate) fn string_rules(rules: &StringRules) -> TokenStream {
    let mut fields = Vec::new();
    if let Some(least) = rules.min_length {
        fields.push(("min_length", some(Literal::u64_unsuffixed(least))));
    }
    if let Some(most) = rules.max_length {
        fields.push(("max_length", some(Literal::u64_unsuffixed(most))));
    }
    if let Some(pattern) = &rules.pattern {
        fields.push((
            "pattern",
            quote! { Some({ static PATTERN: Pattern = Pattern::new(#pattern); &PATTERN }) },
        ));
    }
    if let Some(format) = rules.format {
        let format = format_expression(format);
        fields.push(("format", some(format)));
    }
    rules_expression("StringRules", fields, 4)
}

fn format_expression(format: Format) -> TokenStream {
    let name = identifier(&format!("{format:?}"));
    quote! { Format::#name }
}

/// `IntegerRules::range(…)` or the like.
pub(crate) fn integer_rules(rules: &IntegerRules) -> TokenStream {
    let (least, most): (i128, i128) = match rules.is_unsigned() {
        true => (0, u64::MAX.into()),
        false => (i64::MIN.into(), i64::MAX.into()),
    };
    let least = rules.minimum.unwrap_or(least).max(least);
    let most = rules.maximum.unwrap_or(most).min(most);
    match (rules.multiple_of, (least, most)) {
        (None, (0, most)) if most == i128::from(u64::MAX) => quote! { IntegerRules::UNSIGNED },
        (None, (least, most)) if least == i128::from(i64::MIN) && most == i128::from(i64::MAX) => {
            quote! { IntegerRules::SIGNED }
        }
        (multiple_of, _) => {
            let (least, most) = (integer_literal(least), integer_literal(most));
            match multiple_of {
                None => quote! { IntegerRules::range(#least, #most) },
                Some(step) => {
                    let step = Literal::u64_unsuffixed(step);
                    quote! { IntegerRules { minimum: #least, maximum: #most, multiple_of: Some(#step) } }
                }
            }
        }
    }
}

/// `IntegerRules::range(…)` for values that are kept as `i64`, whatever their bounds.
pub(crate) fn signed_rules(rules: &IntegerRules) -> TokenStream {
    let least = rules.minimum.unwrap_or(i64::MIN.into()).max(i64::MIN.into());
    let most = rules.maximum.unwrap_or(i64::MAX.into()).min(i64::MAX.into());
    if least == i128::from(i64::MIN) && most == i128::from(i64::MAX) {
        return quote! { IntegerRules::SIGNED };
    }
    let (least, most) = (integer_literal(least), integer_literal(most));
    quote! { IntegerRules::range(#least, #most) }
}

/// An integer with underscores between thousands where it is long, as clippy and readers want it.
pub(crate) fn integer_literal(value: i128) -> TokenStream {
    let digits = value.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    let literal: TokenStream = grouped
        .parse()
        .unwrap_or_else(|_| Literal::i128_unsuffixed(value).into_token_stream());
    if value < 0 {
        quote! { -#literal }
    } else {
        literal
    }
}

use quote::ToTokens;

/// `NumberRules { … }`.
pub(crate) fn number_rules(rules: &NumberRules) -> TokenStream {
    let bounds = [
        ("minimum", rules.minimum),
        ("maximum", rules.maximum),
        ("exclusive_minimum", rules.exclusive_minimum),
        ("exclusive_maximum", rules.exclusive_maximum),
        ("multiple_of", rules.multiple_of),
    ];
    let fields = bounds.into_iter().filter_map(|(name, bound)| {
        let bound = bound?;
        let magnitude = Literal::f64_unsuffixed(bound.abs());
        let value = if bound < 0.0 {
            quote! { -#magnitude }
        } else {
            quote! { #magnitude }
        };
        Some((name, some(value)))
    });
    rules_expression("NumberRules", fields.collect(), 5)
}

/// `ArrayRules { … }`.
pub(crate) fn array_rules(rules: &ArrayRules) -> TokenStream {
    let mut fields = Vec::new();
    if let Some(least) = rules.min_items {
        fields.push(("min_items", some(Literal::u64_unsuffixed(least))));
    }
    if let Some(most) = rules.max_items {
        fields.push(("max_items", some(Literal::u64_unsuffixed(most))));
    }
    if rules.unique {
        fields.push(("unique", quote! { true }));
    }
    rules_expression("ArrayRules", fields, 3)
}

/// `MapRules { … }`.
pub(crate) fn map_rules(rules: &MapRules) -> TokenStream {
    let mut fields = Vec::new();
    if let Some(least) = rules.min_properties {
        fields.push(("min_properties", some(Literal::u64_unsuffixed(least))));
    }
    if let Some(most) = rules.max_properties {
        fields.push(("max_properties", some(Literal::u64_unsuffixed(most))));
    }
    rules_expression("MapRules", fields, 2)
}
