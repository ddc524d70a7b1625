//! Operations of Swagger 2.0: bodies and forms leave the parameters, responses get content.

use super::swagger::{Context, MediaTypes};
use super::{parameter, response};
use crate::report::Report;
use crate::{Node, Pointer};

/// Parameters by what becomes of them, each with its place.
pub(super) struct Sorted {
    /// Those of path, query and header, and references to such.
    pub(super) plain: Vec<(Pointer, Node)>,
    /// The body, and its name where it is shared.
    body: Option<(Pointer, Node, Option<String>)>,
    /// The fields of a form.
    form: Vec<(Pointer, Node)>,
}

/// Sorts a list of parameters; references to shared bodies and forms are looked up.
pub(super) fn sort(pointer: &Pointer, parameters: &[Node], context: &Context) -> Sorted {
    let mut sorted = Sorted {
        plain: Vec::new(),
        body: None,
        form: Vec::new(),
    };
    for (index, node) in parameters.iter().enumerate() {
        let place = pointer.index(index);
        let shared_name = node
            .ref_target()
            .and_then(|target| target.strip_prefix("#/parameters/"));
        let shared = shared_name.and_then(|name| context.parameters.get(name));
        let meant = shared.unwrap_or(node);
        match meant.str_at("in") {
            Some("body") => {
                let name = shared.and(shared_name).map(str::to_owned);
                sorted.body = Some((place, meant.clone(), name));
            }
            Some("formData") => sorted.form.push((place, meant.clone())),
            _ => sorted.plain.push((place, node.clone())),
        }
    }
    sorted
}

/// Rewrites an operation; `shared` are the parameters of its path.
pub(super) fn convert(
    pointer: &Pointer,
    operation: &mut Node,
    shared: &Sorted,
    context: &Context,
    report: &mut Report,
) {
    let consumes = MediaTypes::of(operation, "consumes");
    let produces = MediaTypes::of(operation, "produces");
    for key in ["consumes", "produces"] {
        operation.remove(key);
    }
    if let Some(schemes) = operation.remove("schemes") {
        let defect = "OpenAPI 3.1 has no `schemes` for one operation";
        report.add(
            schemes.origin,
            &pointer.child("schemes"),
            "operation-schemes",
            defect,
            "removed",
        );
    }
    let own = operation
        .get("parameters")
        .and_then(Node::as_array)
        .unwrap_or_default();
    let own = sort(&pointer.child("parameters"), own, context);
    if let Some(parameters) = operation.get_mut("parameters") {
        let converted = own
            .plain
            .iter()
            .map(|(place, node)| parameter::convert(place, node, report));
        parameters.value = converted.collect::<Vec<Node>>().into();
    }
    if own.plain.is_empty() {
        operation.remove("parameters");
    }
    if let Some(body) = request_body(&own, shared, consumes.as_ref(), context, report) {
        insert_before_responses(operation, body);
    }
    responses(pointer, operation, produces.as_ref(), context, report);
}

/// The request body of an operation: its own, else that of its path.
fn request_body(
    own: &Sorted,
    shared: &Sorted,
    consumes: Option<&MediaTypes>,
    context: &Context,
    report: &mut Report,
) -> Option<Node> {
    let media_types = consumes.unwrap_or(&context.consumes);
    if let Some((place, body, name)) = own.body.as_ref().or(shared.body.as_ref()) {
        return Some(match name {
            Some(name) if media_types == &context.consumes => {
                let reference = Node::reference(format!("#{}", Pointer::from_tokens(["parameters", name])));
                Node {
                    origin: body.origin,
                    ..reference
                }
            }
            _ => parameter::body(place, body, media_types, report),
        });
    }
    let mut fields = own.form.clone();
    let has = |field: &Node| {
        own.form
            .iter()
            .any(|(_, own)| own.str_at("name") == field.str_at("name"))
    };
    fields.extend(shared.form.iter().filter(|(_, field)| !has(field)).cloned());
    parameter::form(&fields, media_types, report)
}

fn insert_before_responses(operation: &mut Node, body: Node) {
    let Some(members) = operation.as_object_mut() else {
        return;
    };
    let index = members.get_index_of("responses").unwrap_or(members.len());
    members.shift_insert(index, "requestBody".to_owned(), body);
}

/// Converts the responses; a shared one is copied where the operation has media types of its own.
fn responses(
    pointer: &Pointer,
    operation: &mut Node,
    produces: Option<&MediaTypes>,
    context: &Context,
    report: &mut Report,
) {
    let media_types = produces.unwrap_or(&context.produces);
    let place = pointer.child("responses");
    let Some(responses) = operation.get_mut("responses").and_then(Node::as_object_mut) else {
        return;
    };
    for (status, node) in responses
        .iter_mut()
        .filter(|(status, _)| !status.starts_with("x-"))
    {
        let shared = node
            .ref_target()
            .and_then(|target| context.responses.get(target.strip_prefix("#/responses/")?))
            .filter(|shared| media_types.names != context.produces.names && shared.get("schema").is_some());
        *node = response::convert(&place.child(status), shared.unwrap_or(node), media_types, report);
    }
}
