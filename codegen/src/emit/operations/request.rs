//! The request of an operation: the struct that a handler receives, its groups of parameters, and its decoding.

use proc_macro2::TokenStream;
use quote::quote;

use super::describe::request_line;
use super::plan::{Group, Plan, PlannedField, is_list};
use super::{Item, body};
use crate::emit::types::{doc_lines, identifier, prose_lines, said};
use crate::model::api::{Location, Parameter};
use crate::model::shape::Shape;

/// The struct of the request with its groups and its decoding.
pub(super) fn items(plan: &Plan<'_>) -> Vec<Item> {
    let mut items = vec![
        Item::common(request_struct(plan)),
        Item::common(path_function(plan)),
    ];
    if let Some((body, union)) = plan
        .body
        .as_ref()
        .and_then(|body| Some((body, body.union.as_ref()?)))
    {
        let what = format!("The body of {}", request_line(plan));
        items.push(Item::common(body::union(plan, union, body.content, &what)));
    }
    items.push(Item::server(from_call(plan)));
    for group in &plan.groups {
        items.push(Item::common(group_struct(plan, group)));
        items.push(Item::server(group_decoding(plan, group)));
    }
    items
}

fn request_struct(plan: &Plan<'_>) -> TokenStream {
    let name = identifier(&plan.stem);
    let documentation = doc_lines(&[format!("The request of {}.", request_line(plan))]);
    let fields = request_fields(plan);
    if fields.is_empty() {
        return quote! {
            #documentation
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct #name;
        };
    }
    let fields = fields.iter().map(field);
    quote! {
        #documentation
        #[derive(Clone, Debug, PartialEq)]
        pub struct #name { #(#fields),* }
    }
}

/// The fields of the request: path parameters, groups, conditions, body.
fn request_fields(plan: &Plan<'_>) -> Vec<PlannedField> {
    let mut fields: Vec<PlannedField> = plan.path.iter().map(|one| parameter_field(plan, one)).collect();
    for group in &plan.groups {
        let name = identifier(&group.type_name);
        let doc = format!("The {} parameters", place_word(group.location));
        fields.push(PlannedField {
            name: group.field.clone(),
            rust_type: quote!(#name),
            doc,
        });
    }
    if let Some(name) = &plan.preconditions {
        let doc = "`If-Match` and `If-None-Match`".to_owned();
        fields.push(PlannedField {
            name: name.clone(),
            rust_type: quote!(Preconditions),
            doc,
        });
    }
    if let Some(body) = &plan.body {
        let rust_type = plan.body_type(body.content, body.union.as_ref());
        let rust_type = if body.required {
            rust_type
        } else {
            quote!(Option<#rust_type>)
        };
        let types = body
            .content
            .iter()
            .map(|content| format!("`{}`", content.media_type))
            .collect::<Vec<_>>();
        let doc = format!("The body: {}", types.join(" or "));
        fields.push(PlannedField {
            name: body.field.clone(),
            rust_type,
            doc,
        });
    }
    fields
}

/// A field with its doc comment.
pub(super) fn field(field: &PlannedField) -> TokenStream {
    let (name, rust_type) = (identifier(&field.name), &field.rust_type);
    let lines: Vec<String> = format!("{}.", field.doc).lines().map(str::to_owned).collect();
    let documentation = doc_lines(&lines);
    quote! { #documentation pub #name: #rust_type }
}

fn parameter_field(plan: &Plan<'_>, parameter: &Parameter) -> PlannedField {
    let presence = if parameter.required {
        "required"
    } else {
        "optional"
    };
    let mut doc = format!(
        "`{}`, {presence}: {}",
        parameter.api_name,
        with_full_links(&said(&plan.context, &parameter.shape))
    );
    for line in prose_lines(parameter.description.as_deref()) {
        doc.push('\n');
        doc.push_str(&line);
    }
    PlannedField {
        name: parameter.name.clone(),
        rust_type: plan.parameter_type(parameter),
        doc,
    }
}

/// The words with links that need no import: a type may be called like something of the runtime (`Location`).
fn with_full_links(words: &str) -> String {
    let mut linked = String::new();
    let mut rest = words;
    while let Some((before, name, after)) = rest.split_once("[`").and_then(|(before, rest)| {
        let (name, after) = rest.split_once("`]")?;
        Some((before, name, after))
    }) {
        linked.push_str(&format!("{before}[`{name}`](crate::types::{name})"));
        rest = after;
    }
    linked + rest
}

fn place_word(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Cookie => "cookie",
    }
}

fn group_struct(plan: &Plan<'_>, group: &Group<'_>) -> TokenStream {
    let name = identifier(&group.type_name);
    let documentation = doc_lines(&[format!(
        "The {} parameters of {}.",
        place_word(group.location),
        request_line(plan)
    )]);
    let fields = group
        .parameters
        .iter()
        .map(|one| field(&parameter_field(plan, one)));
    let default = group.is_optional().then(|| quote!(Default,));
    let new = (!group.is_optional()).then(|| group_constructor(plan, group));
    quote! {
        #documentation
        #[derive(Clone, Debug, #default PartialEq)]
        pub struct #name { #(#fields),* }

        #new
    }
}

/// A constructor from the required parameters.
fn group_constructor(plan: &Plan<'_>, group: &Group<'_>) -> TokenStream {
    let name = identifier(&group.type_name);
    let (required, optional): (Vec<&Parameter>, Vec<&Parameter>) = group
        .parameters
        .iter()
        .copied()
        .partition(|parameter| parameter.required);
    let arguments = required.iter().map(|parameter| {
        let (name, rust_type) = (identifier(&parameter.name), plan.parameter_type(parameter));
        quote!(#name: #rust_type)
    });
    let given = required.iter().map(|parameter| identifier(&parameter.name));
    let absent = optional.iter().map(|parameter| {
        let name = identifier(&parameter.name);
        if is_list(parameter) {
            quote!(#name: Vec::new())
        } else {
            quote!(#name: None)
        }
    });
    quote! {
        impl #name {
            #[doc = " The required parameters; the others are absent."]
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#given,)* #(#absent),* }
            }
        }
    }
}

fn group_decoding(plan: &Plan<'_>, group: &Group<'_>) -> TokenStream {
    let name = identifier(&group.type_name);
    let place = place_word(group.location);
    let (optional, required) = (identifier(place), identifier(&format!("required_{place}")));
    let fields = group.parameters.iter().map(|parameter| {
        let (name, api_name) = (identifier(&parameter.name), &parameter.api_name);
        let decoder = plan.decoder(&parameter.shape);
        match (parameter.required, is_list(parameter)) {
            (true, _) => quote!(#name: call.#required(#api_name, #decoder)?),
            (false, true) => quote!(#name: call.#optional(#api_name, #decoder)?.unwrap_or_default()),
            (false, false) => quote!(#name: call.#optional(#api_name, #decoder)?),
        }
    });
    quote! {
        impl FromCall for #name {
            fn from_call(call: &Call) -> Result<Self, Problem> {
                Ok(Self { #(#fields),* })
            }
        }
    }
}

/// `path`, which builds the path of the resource for links and requests.
fn path_function(plan: &Plan<'_>) -> TokenStream {
    let (name, constant) = (identifier(&plan.stem), identifier(&plan.constant()));
    let documentation = doc_lines(&[match plan.path.is_empty() {
        true => format!("The path `{}`, below the API's root.", plan.operation.path),
        false => format!(
            "The path `{}` with these parameters, below the API's root.",
            plan.operation.path
        ),
    }]);
    let arguments = plan.path.iter().map(|parameter| path_argument(plan, parameter));
    let values = plan.path.iter().map(|parameter| {
        let name = identifier(&parameter.name);
        let api_name = &parameter.api_name;
        match plan.context.resolved(&parameter.shape) {
            Shape::String(_) => quote!(#name),
            shape if is_scalar(shape) => quote!(&#constant.text_of(#api_name, &#name)),
            _ => quote!(&#constant.text_of(#api_name, #name)),
        }
    });
    quote! {
        impl #name {
            #documentation
            pub fn path(#(#arguments),*) -> String {
                #constant.path_with(&[#(#values),*])
            }
        }
    }
}

/// A path parameter as an argument.
pub(in crate::emit) fn path_argument(plan: &Plan<'_>, parameter: &Parameter) -> TokenStream {
    let (name, argument) = (identifier(&parameter.name), reference(plan, &parameter.shape));
    quote!(#name: #argument)
}

/// A path parameter's argument where a reference is wanted.
pub(in crate::emit) fn path_value(plan: &Plan<'_>, parameter: &Parameter) -> TokenStream {
    let name = identifier(&parameter.name);
    match is_scalar(plan.context.resolved(&parameter.shape)) {
        true => quote!(&#name),
        false => quote!(#name),
    }
}

/// Whether values of a shape are passed as they are.
fn is_scalar(shape: &Shape) -> bool {
    matches!(shape, Shape::Boolean | Shape::Integer(_) | Shape::Number(_))
}

/// A shape's type as an argument: text as `&str`, lists as slices, numbers as they are, all else by reference.
pub(in crate::emit) fn reference(plan: &Plan<'_>, shape: &Shape) -> TokenStream {
    match plan.context.resolved(shape) {
        Shape::String(_) => quote!(&str),
        Shape::Array { items, .. } => {
            let item = plan.rust_type(items);
            quote!(&[#item])
        }
        scalar if is_scalar(scalar) => plan.rust_type(shape),
        _ => {
            let rust_type = plan.rust_type(shape);
            quote!(&#rust_type)
        }
    }
}

fn from_call(plan: &Plan<'_>) -> TokenStream {
    let name = identifier(&plan.stem);
    let mut fields: Vec<TokenStream> = Vec::new();
    for parameter in &plan.path {
        let (name, api_name) = (identifier(&parameter.name), &parameter.api_name);
        let decoder = plan.decoder(&parameter.shape);
        fields.push(quote!(#name: call.path(#api_name, #decoder)?));
    }
    for group in &plan.groups {
        let (name, group) = (identifier(&group.field), identifier(&group.type_name));
        fields.push(quote!(#name: #group::from_call(call)?));
    }
    if let Some(name) = plan.preconditions.as_deref().map(identifier) {
        fields.push(quote!(#name: call.preconditions()?));
    }
    if let Some(planned) = &plan.body {
        let (name, value) = (identifier(&planned.field), body::from_call(plan, planned));
        fields.push(quote!(#name: #value));
    }
    let (argument, value) = match fields.is_empty() {
        true => (quote!(_call), quote!(Self)),
        false => (quote!(call), quote!(Self { #(#fields),* })),
    };
    quote! {
        impl FromCall for #name {
            fn from_call(#argument: &Call) -> Result<Self, Problem> {
                Ok(#value)
            }
        }
    }
}
