//! The responses of an operation: an enumeration with a variant for each, its way to the wire and back, and
//! what a client gets on success.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::describe::request_line;
use super::plan::{Part, Plan, PlannedResponse};
use super::request::field;
use super::{Item, body};
use crate::emit::types::{doc_lines, identifier};
use crate::model::api::Status;

/// Everything about the responses.
pub(super) fn items(plan: &Plan<'_>) -> Vec<Item> {
    let mut items = vec![Item::common(responses(plan))];
    for planned in &plan.responses {
        if let Some(union) = &planned.union {
            let what = format!(
                "The body of `{}` in answer to {}",
                planned.response.variant,
                request_line(plan)
            );
            items.push(Item::common(body::union(plan, union, planned.content, &what)));
        }
    }
    items.push(Item::server(into_reply(plan)));
    items.extend(success(plan).map(Item::client));
    items.push(Item::client(from_answer(plan)));
    items
}

fn responses(plan: &Plan<'_>) -> TokenStream {
    let name = identifier(&plan.response_type());
    let documentation = doc_lines(&[format!("The declared responses of {}.", request_line(plan))]);
    let variants = plan.responses.iter().map(|planned| variant(plan, planned));
    quote! {
        #documentation
        #[derive(Clone, Debug, PartialEq)]
        pub enum #name { #(#variants),* }
    }
}

fn variant(plan: &Plan<'_>, planned: &PlannedResponse<'_>) -> TokenStream {
    let name = identifier(&planned.response.variant);
    let documentation = doc_lines(&[format!("{}.", status_words(planned.response.status))]);
    let fields = plan.response_fields(planned);
    if fields.is_empty() {
        return quote! { #documentation #name };
    }
    let fields = fields.iter().map(|planned| {
        let (name, rust_type) = (identifier(&planned.name), &planned.rust_type);
        let documentation = doc_lines(&[format!("{}.", planned.doc)]);
        quote! { #documentation #name: #rust_type }
    });
    quote! { #documentation #name { #(#fields),* } }
}

fn status_words(status: Status) -> String {
    match status {
        Status::Code(code) => match crate::status::reason(code) {
            Some(reason) => format!("{code} {reason}"),
            None => format!("Status {code}"),
        },
        Status::Range(class) => format!("Any other status of {class}xx"),
        Status::Default => "Any other status".to_owned(),
    }
}

/// The names of a response's fields, as a pattern or as an expression with shorthand fields.
fn shorthand(planned: &PlannedResponse<'_>) -> TokenStream {
    match planned.parts.is_empty() {
        true => TokenStream::new(),
        false => {
            let names = planned.parts.iter().map(|part| identifier(part.name()));
            quote!({ #(#names),* })
        }
    }
}

fn into_reply(plan: &Plan<'_>) -> TokenStream {
    let name = identifier(&plan.response_type());
    let arms = plan.responses.iter().map(|planned| {
        let (variant, fields) = (identifier(&planned.response.variant), shorthand(planned));
        let status = match planned.response.status {
            Status::Code(code) => {
                let code = Literal::u16_unsuffixed(code);
                quote!(#code)
            }
            Status::Range(_) | Status::Default => quote!(status),
        };
        let reply = body::into_reply(planned, &status);
        let headers = planned.parts.iter().map(reply_header);
        quote!(#name::#variant #fields => #reply #(#headers)*)
    });
    quote! {
        impl From<#name> for Reply {
            fn from(response: #name) -> Self {
                match response { #(#arms),* }
            }
        }
    }
}

fn reply_header(part: &Part<'_>) -> TokenStream {
    match part {
        Part::Status | Part::Body => TokenStream::new(),
        Part::Location(true) => quote!(.location(&location)),
        Part::Location(false) => quote!(.optional_location(location.as_ref())),
        Part::EntityTag => quote!(.etag(etag)),
        Part::Header(header) => {
            let (name, api_name) = (identifier(&header.name), &header.api_name);
            quote!(.header(#api_name, &#name))
        }
    }
}

/// The type of a client's success.
fn success_type(plan: &Plan<'_>) -> TokenStream {
    let name = identifier(&plan.success_type());
    match plan.successes().as_slice() {
        [] => quote!(std::convert::Infallible),
        [planned] if planned.parts.is_empty() => quote!(()),
        _ => quote!(#name),
    }
}

fn success(plan: &Plan<'_>) -> Option<TokenStream> {
    let name = identifier(&plan.success_type());
    let successes = plan.successes();
    let documentation = doc_lines(&[format!("What a successful {} gives.", request_line(plan))]);
    match successes.as_slice() {
        [] => None,
        [planned] if planned.parts.is_empty() => None,
        [planned] => {
            let fields = plan.response_fields(planned);
            let fields = fields.iter().map(field);
            Some(quote! {
                #documentation
                #[derive(Clone, Debug, PartialEq)]
                pub struct #name { #(#fields),* }
            })
        }
        several => {
            let variants = several.iter().map(|planned| variant(plan, planned));
            Some(quote! {
                #documentation
                #[derive(Clone, Debug, PartialEq)]
                pub enum #name { #(#variants),* }
            })
        }
    }
}

fn from_answer(plan: &Plan<'_>) -> TokenStream {
    let (name, success) = (identifier(&plan.response_type()), success_type(plan));
    let arms = plan.responses.iter().map(|planned| answer_arm(plan, planned));
    let is_total = plan
        .responses
        .iter()
        .any(|planned| planned.response.status == Status::Default);
    let undeclared = (!is_total).then(|| quote!(_ => return Err(Unexpected::Status)));
    let outcome = match plan.responses.as_slice() {
        [PlannedResponse { response, .. }] if response.status == Status::Default => {
            let value = default_only(plan);
            quote!(Ok(#value))
        }
        _ => quote!(Ok(match answer.status().as_u16() { #(#arms,)* #undeclared })),
    };
    let into_success = into_success(plan);
    quote! {
        impl Responses for #name {
            type Success = #success;

            fn from_answer(answer: &Answer) -> Result<Self, Unexpected> {
                #outcome
            }

            #into_success
        }
    }
}

/// The value of an operation that declares `default` and nothing else.
fn default_only(plan: &Plan<'_>) -> TokenStream {
    let values = plan
        .responses
        .iter()
        .map(|planned| answer_value(plan, planned, &quote!(answer.status().as_u16())));
    quote!(#(#values)*)
}

fn answer_arm(plan: &Plan<'_>, planned: &PlannedResponse<'_>) -> TokenStream {
    let (pattern, status) = match planned.response.status {
        Status::Code(code) => {
            let code = Literal::u16_unsuffixed(code);
            (quote!(#code), TokenStream::new())
        }
        Status::Range(class) => {
            let first = Literal::u16_unsuffixed(u16::from(class) * 100);
            let last = Literal::u16_unsuffixed(u16::from(class) * 100 + 99);
            (quote!(status @ #first..=#last), quote!(status))
        }
        Status::Default => (quote!(status), quote!(status)),
    };
    let value = answer_value(plan, planned, &status);
    quote!(#pattern => #value)
}

/// A response as a value; `status` is an expression for the status where the document leaves it open.
fn answer_value(plan: &Plan<'_>, planned: &PlannedResponse<'_>, status: &TokenStream) -> TokenStream {
    let variant = identifier(&planned.response.variant);
    let fields = planned.parts.iter().map(|part| match part {
        Part::Status => field_with("status", status),
        Part::Location(true) => quote!(location: answer.required_location()?),
        Part::Location(false) => quote!(location: answer.location()),
        Part::EntityTag => quote!(etag: answer.etag()),
        Part::Header(header) => {
            let (name, api_name) = (identifier(&header.name), &header.api_name);
            let (kind, decoder) = (plan.kind(&header.shape), plan.decoder(&header.shape));
            let method = if header.required {
                quote!(required_header)
            } else {
                quote!(header)
            };
            quote!(#name: answer.#method(#api_name, #kind, #decoder)?)
        }
        Part::Body => {
            let value = body::from_answer(plan, planned);
            quote!(body: #value)
        }
    });
    match planned.parts.is_empty() {
        true => quote!(Self::#variant),
        false => quote!(Self::#variant { #(#fields),* }),
    }
}

/// A field of a struct expression, in short where the value is called like the field.
fn field_with(name: &str, value: &TokenStream) -> TokenStream {
    let field = identifier(name);
    if value.to_string() == name {
        quote!(#field)
    } else {
        quote!(#field: #value)
    }
}

fn into_success(plan: &Plan<'_>) -> TokenStream {
    let success = identifier(&plan.success_type());
    let successes = plan.successes();
    let arms = successes.iter().map(|planned| {
        let (variant, fields) = (identifier(&planned.response.variant), shorthand(planned));
        let value = match (successes.len(), planned.parts.is_empty()) {
            (1, true) => quote!(()),
            (1, false) => quote!(#success #fields),
            _ => quote!(#success::#variant #fields),
        };
        quote!(Self::#variant #fields => Ok(#value))
    });
    let others = (successes.len() < plan.responses.len()).then(|| quote!(other => Err(other)));
    let outcome = match successes.is_empty() {
        true => quote!(Err(self)),
        false => quote!(match self { #(#arms,)* #others }),
    };
    quote! {
        fn into_success(self) -> Result<Self::Success, Self> {
            #outcome
        }
    }
}
