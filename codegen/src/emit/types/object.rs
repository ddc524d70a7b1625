//! Structs: definition, constructor, setters for what is optional, decoding.

use proc_macro2::TokenStream;
use quote::quote;

use super::expression::{Context, decoder, identifier, map_rules, rust_type};
use super::{documentation, union};
use crate::emit::types::alias::rules_constant;
use crate::model::shape::{MapRules, Shape};
use crate::model::types::{Additional, Field, Struct, Type, TypeKind};

/// The whole of a struct.
pub(super) fn item(context: &Context<'_>, item: &Type, object: &Struct) -> TokenStream {
    let words = object
        .rules
        .iter()
        .map(|rule| rule.words.clone())
        .collect::<Vec<_>>();
    let documentation = documentation::of_type(context, item, "an object", &words);
    let name = identifier(&item.name);
    // Fields whose name the rule does not give are renamed one by one.
    let is_camel = object.fields.iter().any(|field| field.name != field.api_name);
    let rename_all = is_camel.then(|| quote! { #[serde(rename_all = "camelCase")] });
    let default = is_default(object).then(|| quote! { Default, });
    let fields = object
        .fields
        .iter()
        .map(|field| definition(context, field, is_camel));
    let additional = additional_definition(context, object);
    let constructor = constructor(context, item, object);
    let decode = decode(context, item, object);
    quote! {
        #documentation
        #[derive(Clone, Debug, #default PartialEq, Serialize)]
        #rename_all
        pub struct #name { #(#fields)* #additional }
        #constructor
        #decode
        mecforge_runtime::deserialize!(#name);
    }
}

/// Whether every value is optional, so that an empty one is valid as far as properties go.
fn is_default(object: &Struct) -> bool {
    object.fields.iter().all(|field| !field.required)
}

/// The name that serde's `rename_all = "camelCase"` gives a field.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    for (index, word) in name.trim_start_matches("r#").split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => camel.extend(first.to_uppercase().chain(letters)),
            Some(first) => camel.extend(std::iter::once(first).chain(letters)),
            None => {}
        }
    }
    camel
}

fn definition(context: &Context<'_>, field: &Field, struct_is_camel: bool) -> TokenStream {
    let documentation = documentation::of_field(context, field);
    let name = identifier(&field.name);
    let given = match struct_is_camel {
        true => camel(&field.name),
        false => field.name.trim_start_matches("r#").to_owned(),
    };
    let rename = (given != field.api_name).then(|| {
        let api_name = &field.api_name;
        quote! { rename = #api_name }
    });
    let skip = (!field.required).then(|| quote! { skip_serializing_if = "Option::is_none" });
    let attributes = rename.into_iter().chain(skip).collect::<Vec<_>>();
    let attributes = (!attributes.is_empty()).then(|| quote! { #[serde(#(#attributes),*)] });
    let field_type = field_type(context, field);
    quote! { #documentation #attributes pub #name: #field_type, }
}

fn value_type(context: &Context<'_>, field: &Field) -> TokenStream {
    let inner = rust_type(context, &field.shape);
    if field.boxed {
        quote! { Box<#inner> }
    } else {
        inner
    }
}

fn field_type(context: &Context<'_>, field: &Field) -> TokenStream {
    let value = value_type(context, field);
    if field.required {
        value
    } else {
        quote! { Option<#value> }
    }
}

fn additional_definition(context: &Context<'_>, object: &Struct) -> Option<TokenStream> {
    let Additional::Kept(shape) = &object.additional else {
        return None;
    };
    let values = rust_type(context, shape);
    let map = if **shape == Shape::Any {
        quote! { Map<String, Value> }
    } else {
        quote! { BTreeMap<String, #values> }
    };
    let words = format!(
        " Properties that the document does not declare, each {}.",
        documentation::said(context, shape)
    );
    Some(quote! {
        #[doc = #words]
        #[serde(flatten)]
        pub additional_properties: #map,
    })
}

/// The value of a property that can only hold one text.
pub(super) fn constant(context: &Context<'_>, shape: &Shape) -> Option<TokenStream> {
    let Shape::Named(id) = context.resolved(shape) else {
        return None;
    };
    let named = context.api.type_of(*id);
    match &named.kind {
        TypeKind::Enumeration(enumeration) if enumeration.variants.len() == 1 && !enumeration.open => {
            let (name, variant) = (identifier(&named.name), identifier(&enumeration.variants[0].name));
            Some(quote! { #name::#variant })
        }
        _ => None,
    }
}

/// `new` with what is required, and a setter for each optional property.
fn constructor(context: &Context<'_>, item: &Type, object: &Struct) -> TokenStream {
    let name = identifier(&item.name);
    let (mut parameters, mut values) = (Vec::new(), Vec::new());
    for field in &object.fields {
        let field_name = identifier(&field.name);
        if !field.required {
            values.push(quote! { #field_name: None });
            continue;
        }
        if let Some(constant) = constant(context, &field.shape).filter(|_| !field.boxed) {
            values.push(quote! { #field_name: #constant });
            continue;
        }
        let (parameter, value) = parameter(context, field);
        parameters.push(parameter);
        values.push(match field_name == value.to_string() {
            true => value,
            false => quote! { #field_name: #value },
        });
    }
    let additional = matches!(object.additional, Additional::Kept(_)).then(|| {
        let map = if object.additional == Additional::Kept(Box::new(Shape::Any)) {
            quote! { Map }
        } else {
            quote! { BTreeMap }
        };
        quote! { additional_properties: #map::new(), }
    });
    let setters = object
        .fields
        .iter()
        .filter(|field| !field.required)
        .map(|field| setter(context, field))
        .collect::<Vec<_>>();
    let new = (!is_default(object)).then(|| {
        let allow = (parameters.len() > 7).then(|| {
            quote! { #[expect(clippy::too_many_arguments, reason = "one for each required property")] }
        });
        let words = match setters.is_empty() {
            true => " The value with all its properties.",
            false => " The value with what is required; optional properties are absent.",
        };
        quote! {
            #[doc = #words]
            #allow
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#values,)* #additional }
            }
        }
    });
    if new.is_none() && setters.is_empty() {
        return TokenStream::new();
    }
    // All that is required is constant: there is nothing to ask for.
    let default = (new.is_some() && parameters.is_empty()).then(|| {
        quote! {
            impl Default for #name {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    quote! { impl #name { #new #(#setters)* } #default }
}

/// A parameter for a field, and what becomes of it in the field.
fn parameter(context: &Context<'_>, field: &Field) -> (TokenStream, TokenStream) {
    let name = identifier(&field.name);
    let value = rust_type(context, &field.shape);
    match context.resolved(&field.shape) {
        Shape::String(_) => (quote! { #name: impl Into<String> }, quote! { #name.into() }),
        _ if field.boxed => (quote! { #name: #value }, quote! { Box::new(#name) }),
        _ => (quote! { #name: #value }, quote! { #name }),
    }
}

/// Functions of every type, which a setter must not hide.
const TAKEN: [&str; 8] = [
    "clone",
    "decode",
    "default",
    "deserialize",
    "eq",
    "generate",
    "new",
    "serialize",
];

fn setter(context: &Context<'_>, field: &Field) -> TokenStream {
    let name = identifier(&field.name);
    let setter = match TAKEN.contains(&field.name.as_str()) {
        true => identifier(&format!("with_{}", field.name)),
        false => name.clone(),
    };
    let words = format!(" Sets `{}`.", field.api_name);
    if let Some(constant) = constant(context, &field.shape).filter(|_| !field.boxed) {
        return quote! {
            #[doc = #words]
            #[must_use]
            pub fn #setter(mut self) -> Self {
                self.#name = Some(#constant);
                self
            }
        };
    }
    let (parameter, value) = parameter(context, field);
    quote! {
        #[doc = #words]
        #[must_use]
        pub fn #setter(mut self, #parameter) -> Self {
            self.#name = Some(#value);
            self
        }
    }
}

fn decode(context: &Context<'_>, item: &Type, object: &Struct) -> TokenStream {
    let name = identifier(&item.name);
    let fields = object.fields.iter().map(|field| {
        let (name, api_name) = (identifier(&field.name), &field.api_name);
        let decoder = boxed_decoder(context, field);
        let function = if field.required {
            quote! { required }
        } else {
            quote! { optional }
        };
        quote! { #name: object.#function(#api_name, #decoder)? }
    });
    let declared = object
        .fields
        .iter()
        .map(|field| &field.api_name)
        .collect::<Vec<_>>();
    let declared = quote! { &[#(#declared),*] };
    let (refuse, keep) = match &object.additional {
        Additional::Ignored => (None, None),
        Additional::Refused => (Some(quote! { object.refuse_undeclared(#declared)?; }), None),
        Additional::Kept(shape) => {
            let decoder = decoder(context, shape);
            let collect = (**shape == Shape::Any).then(|| quote! { .into_iter().collect() });
            (
                None,
                Some(quote! { additional_properties: object.additional(#declared, #decoder)? #collect, }),
            )
        }
    };
    let counts = MapRules {
        min_properties: object.min_properties,
        max_properties: object.max_properties,
    };
    let count = (counts != MapRules::default()).then(|| {
        let rules = map_rules(&counts);
        quote! { object.check_count(&#rules)?; }
    });
    let value = quote! { Self { #(#fields,)* #keep } };
    let mut constant = None;
    let body = match object.rules.is_empty() {
        true => quote! { Ok(#value) },
        false => {
            let rules = rules_constant(&object.rules);
            constant = Some(rules);
            quote! {
                let value = #value;
                object.check(RULES)?;
                Ok(value)
            }
        }
    };
    let is_empty = object.fields.is_empty()
        && refuse.is_none()
        && keep.is_none()
        && count.is_none()
        && object.rules.is_empty();
    let open = match is_empty {
        true => quote! { ObjectReader::new(json)?; },
        false => quote! { let object = ObjectReader::new(json)?; },
    };
    quote! {
        impl Decode for #name {
            fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
                #constant
                #open
                #refuse
                #count
                #body
            }
        }
    }
}

fn boxed_decoder(context: &Context<'_>, field: &Field) -> TokenStream {
    match (&field.shape, field.boxed) {
        (Shape::Named(_), true) => union::boxed(&rust_type(context, &field.shape)),
        (shape, true) => {
            let inner = decoder(context, shape);
            let decoded = union::decoded(&inner);
            quote! { |json| #decoded.map(Box::new) }
        }
        (shape, false) => decoder(context, shape),
    }
}
