//! Bodies: reading those of requests, writing those of responses, and enumerations where there are several media types.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::plan::{Plan, PlannedBody, PlannedResponse};
use crate::emit::types::{doc_lines, identifier};
use crate::model::api::{Body, Content};

/// The enumeration of the media types of one body.
pub(super) fn union(plan: &Plan<'_>, name: &str, content: &[Content], what: &str) -> TokenStream {
    let name = identifier(name);
    let documentation = doc_lines(&[format!("{what}, by media type.")]);
    let variants = content
        .iter()
        .zip(variant_names(content))
        .map(|(content, variant)| {
            let documentation = doc_lines(&[format!("`{}`.", content.media_type)]);
            let rust_type = plan.content_type(content);
            quote! { #documentation #variant(#rust_type) }
        });
    quote! {
        #documentation
        #[derive(Clone, Debug, PartialEq)]
        pub enum #name { #(#variants),* }
    }
}

/// The variants' names: the subtype, with the type where two would be the same.
pub(in crate::emit) fn variant_names(content: &[Content]) -> Vec<Ident> {
    let mut taken: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for Content { media_type, .. } in content {
        let essence = media_type.split(';').next().unwrap_or_default();
        let subtype = essence.split_once('/').map_or(essence, |(_, subtype)| subtype);
        let candidates = [subtype, essence, media_type].map(crate::model::type_name);
        let free = candidates.into_iter().find(|name| !taken.contains(name));
        let name = free.unwrap_or_else(|| format!("Content{}", taken.len()));
        names.push(identifier(&name));
        taken.push(name);
    }
    names
}

/// The expression that reads a request's body from `call`.
pub(super) fn from_call(plan: &Plan<'_>, body: &PlannedBody<'_>) -> TokenStream {
    let Some(union) = &body.union else {
        return match body.content {
            [
                Content {
                    body: Body::Json(shape),
                    ..
                },
            ] => {
                let decoder = plan.decoder(shape);
                let method = if body.required {
                    quote!(json)
                } else {
                    quote!(optional_json)
                };
                quote!(call.#method(#decoder)?)
            }
            [content, ..] if body.required => read(plan, content),
            [content, ..] => match read_fallibly(plan, content) {
                (value, true) => quote!(call.content().map(|_| #value).transpose()?),
                (value, false) => quote!(call.content().map(|_| #value)),
            },
            [] => quote!(()),
        };
    };
    let union = identifier(union);
    let last = body.content.len() - 1;
    let arms = body
        .content
        .iter()
        .zip(variant_names(body.content))
        .enumerate()
        .map(|(index, (content, variant))| {
            let value = read(plan, content);
            let value = quote!(#union::#variant(#value));
            let value = if body.required {
                value
            } else {
                quote!(Some(#value))
            };
            let number = Literal::usize_unsuffixed(index);
            match (index == last, body.required) {
                (true, true) => quote!(_ => #value),
                _ => quote!(Some(#number) => #value),
            }
        });
    let none = (!body.required).then(|| quote!(_ => None));
    quote!(match call.content() { #(#arms,)* #none })
}

/// The expression that reads a body of one media type.
fn read(plan: &Plan<'_>, content: &Content) -> TokenStream {
    match read_fallibly(plan, content) {
        (value, true) => quote!(#value?),
        (value, false) => value,
    }
}

/// The expression that reads a body of one media type, and whether it is a `Result`.
fn read_fallibly(plan: &Plan<'_>, content: &Content) -> (TokenStream, bool) {
    match &content.body {
        Body::Json(shape) => {
            let decoder = plan.decoder(shape);
            (quote!(call.json(#decoder)), true)
        }
        Body::Form(shape) => {
            let (kind, decoder) = (plan.kind(shape), plan.decoder(shape));
            (quote!(call.form(#kind, #decoder)), true)
        }
        Body::Multipart(shape) => {
            let (kind, decoder) = (plan.kind(shape), plan.decoder(shape));
            (quote!(call.multipart(#kind, #decoder)), true)
        }
        Body::Text => (quote!(call.text()), true),
        Body::Bytes => (quote!(call.bytes()), false),
    }
}

/// The chain that puts a client's body into a request; `value` is the argument.
pub(in crate::emit) fn into_request(plan: &Plan<'_>, content: &Content, value: &TokenStream) -> TokenStream {
    let media_type = concrete(&content.media_type);
    match &content.body {
        Body::Json(shape) => {
            let decoder = plan.decoder(shape);
            quote!(.json(#media_type, #value, #decoder))
        }
        Body::Form(shape) => {
            let decoder = plan.decoder(shape);
            quote!(.form(#value, #decoder))
        }
        Body::Multipart(shape) => {
            let decoder = plan.decoder(shape);
            quote!(.multipart(#value, #decoder))
        }
        Body::Text => quote!(.bytes(#media_type, #value.to_owned())),
        Body::Bytes => quote!(.bytes(#media_type, #value.clone())),
    }
}

/// The expression for a server's reply with this body; `status` and `body` are expressions.
pub(super) fn into_reply(planned: &PlannedResponse<'_>, status: &TokenStream) -> TokenStream {
    let write = |content: &Content| {
        let media_type = concrete(&content.media_type);
        match content.body {
            Body::Text => quote!(Reply::text(#status, #media_type, body)),
            Body::Bytes => quote!(Reply::bytes(#status, #media_type, body)),
            Body::Json(_) | Body::Form(_) | Body::Multipart(_) => {
                quote!(Reply::json(#status, #media_type, &body))
            }
        }
    };
    match (&planned.union, planned.content) {
        (_, []) => quote!(Reply::empty(#status)),
        (None, [content, ..]) => write(content),
        (Some(union), contents) => {
            let union = identifier(union);
            let arms = contents
                .iter()
                .zip(variant_names(contents))
                .map(|(content, variant)| {
                    let value = write(content);
                    quote!(#union::#variant(body) => #value)
                });
            quote!(match body { #(#arms),* })
        }
    }
}

/// The expression that reads a response's body from `answer`.
pub(super) fn from_answer(plan: &Plan<'_>, planned: &PlannedResponse<'_>) -> TokenStream {
    let read = |content: &Content| match &content.body {
        Body::Text => quote!(answer.text()?),
        Body::Bytes => quote!(answer.body().clone()),
        Body::Json(shape) | Body::Form(shape) | Body::Multipart(shape) => {
            let decoder = plan.decoder(shape);
            quote!(answer.json(#decoder)?)
        }
    };
    match (&planned.union, planned.content) {
        (_, []) => quote!(()),
        (None, [content, ..]) => read(content),
        (Some(union), contents) => {
            let union = identifier(union);
            let arms = contents
                .iter()
                .zip(variant_names(contents))
                .map(|(content, variant)| {
                    let (value, media_type) = (read(content), &content.media_type);
                    quote!(if answer.is(#media_type) { #union::#variant(#value) })
                });
            quote!(#(#arms else)* { return Err(Unexpected::MediaType) })
        }
    }
}

/// A media type that can be sent: a range such as `image/*` stands for bytes of unknown kind.
fn concrete(media_type: &str) -> &str {
    if media_type.contains('*') {
        "application/octet-stream"
    } else {
        media_type
    }
}
