//! The static description of an operation, and what doc comments say of it.

use proc_macro2::TokenStream;
use quote::quote;

use super::plan::Plan;
use crate::emit::types::{doc_lines, identifier, prose_lines, standard};
use crate::model::api::{Content, Location, Parameter, Style};

/// `` `POST /services` ``, for doc comments.
pub(in crate::emit) fn request_line(plan: &Plan<'_>) -> String {
    format!("`{} {}`", plan.operation.method.as_str(), plan.operation.path)
}

/// Where the operation stands in the document.
pub(in crate::emit) fn source(plan: &Plan<'_>) -> String {
    let clause = plan
        .operation
        .clause
        .as_ref()
        .map(|clause| format!(", clause {clause}"));
    let operation_id = plan.operation.operation_id.as_ref().map(|id| format!(", `{id}`"));
    format!(
        "Source: {}{}{}, `#{}`.",
        standard(plan.context.api),
        clause.unwrap_or_default(),
        operation_id.unwrap_or_default(),
        plan.operation.pointer
    )
}

/// The doc comment of a method: request line, ETSI's words where they are asked for, further lines, source.
pub(in crate::emit) fn method_documentation(plan: &Plan<'_>, more: &[String]) -> TokenStream {
    let mut lines = vec![format!("{}.", request_line(plan))];
    lines.extend(prose_lines(plan.operation.summary.as_deref()));
    lines.extend(prose_lines(plan.operation.description.as_deref()));
    if !more.is_empty() {
        lines.push(String::new());
        lines.extend_from_slice(more);
    }
    lines.push(String::new());
    lines.push(source(plan));
    doc_lines(&lines)
}

/// The static `Operation`.
pub(super) fn description(plan: &Plan<'_>) -> TokenStream {
    let (constant, name) = (identifier(&plan.constant()), plan.module());
    let (method, path) = (plan.operation.method.as_str(), &plan.operation.path);
    let groups = plan
        .groups
        .iter()
        .flat_map(|group| group.parameters.iter().copied());
    let parameters = plan
        .path
        .iter()
        .copied()
        .chain(groups)
        .map(|one| parameter(plan, one));
    let body = match &plan.body {
        None => quote!(RequestBody::None),
        Some(body) => {
            let media_types = body.content.iter().map(|content| &content.media_type);
            match body.required {
                true => quote!(RequestBody::Required(&[#(#media_types),*])),
                false => quote!(RequestBody::Optional(&[#(#media_types),*])),
            }
        }
    };
    let produces = produces(plan);
    let documentation = doc_lines(&[
        format!("{}: how it is called on the wire.", request_line(plan)),
        String::new(),
        source(plan),
    ]);
    quote! {
        #documentation
        pub static #constant: Operation = Operation {
            name: #name,
            method: #method,
            path: #path,
            parameters: &[#(#parameters),*],
            body: #body,
            produces: &[#(#produces),*],
        };
    }
}

/// The media types of successful responses, each once.
fn produces<'plan>(plan: &'plan Plan<'_>) -> Vec<&'plan str> {
    let mut media_types: Vec<&str> = Vec::new();
    for Content { media_type, .. } in plan.successes().into_iter().flat_map(|planned| planned.content) {
        if !media_types.contains(&media_type.as_str()) {
            media_types.push(media_type);
        }
    }
    media_types
}

fn parameter(plan: &Plan<'_>, parameter: &Parameter) -> TokenStream {
    let name = &parameter.api_name;
    let place = place(parameter.location);
    let kind = plan.kind(&parameter.shape);
    let style = match (parameter.style, parameter.explode) {
        (Style::Json, _) => quote!(Style::Json),
        (Style::DeepObject, _) => quote!(Style::Deep),
        (Style::Simple, true) => quote!(Style::Pairs),
        (Style::Form, true) if parameter.location == Location::Query => quote!(Style::Exploded),
        (Style::SpaceDelimited | Style::PipeDelimited, true) => quote!(Style::Exploded),
        (Style::SpaceDelimited, false) => quote!(Style::Space),
        (Style::PipeDelimited, false) => quote!(Style::Pipe),
        (Style::Simple | Style::Form, _) => quote!(Style::Comma),
    };
    quote!(Parameter { name: #name, place: #place, kind: #kind, style: #style })
}

/// The runtime's name for a place.
pub(in crate::emit) fn place(location: Location) -> TokenStream {
    match location {
        Location::Path => quote!(Place::Path),
        Location::Query => quote!(Place::Query),
        Location::Header => quote!(Place::Header),
        Location::Cookie => quote!(Place::Cookie),
    }
}
