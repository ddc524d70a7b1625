//! How an operation becomes Rust: its fields, bodies and variants with their names and types, decided once for
//! the server's side and the client's.

use proc_macro2::TokenStream;
use quote::quote;

use super::kind::kind;
use super::names::{qualified, stem};
use crate::emit::types::{Context, decoder, identifier, rust_type};
use crate::model::api::{Body, Content, Header, Location, Method, Operation, Parameter, Response, Status};
use crate::model::shape::Shape;
use crate::model::types::TypeKind;
use crate::model::{Api, snake_name};

/// A field of a request or response, or of a group of parameters.
pub(in crate::emit) struct PlannedField {
    /// Rust name.
    pub(in crate::emit) name: String,
    /// Rust type.
    pub(in crate::emit) rust_type: TokenStream,
    /// One sentence without a final full stop.
    pub(in crate::emit) doc: String,
}

/// Parameters at one place other than the path, which become one struct.
pub(in crate::emit) struct Group<'model> {
    pub(in crate::emit) location: Location,
    /// Rust name of the struct.
    pub(in crate::emit) type_name: String,
    /// Name of the field or argument that holds it.
    pub(in crate::emit) field: String,
    pub(in crate::emit) parameters: Vec<&'model Parameter>,
}

impl Group<'_> {
    /// Whether nothing in the group is required, so that the struct has a default.
    pub(in crate::emit) fn is_optional(&self) -> bool {
        self.parameters.iter().all(|parameter| !parameter.required)
    }
}

/// The body of a request.
pub(in crate::emit) struct PlannedBody<'model> {
    /// Name of the field or argument.
    pub(in crate::emit) field: String,
    pub(in crate::emit) required: bool,
    pub(in crate::emit) content: &'model [Content],
    /// The enumeration of the media types, where there are several.
    pub(in crate::emit) union: Option<String>,
}

/// One declared response.
pub(in crate::emit) struct PlannedResponse<'model> {
    pub(in crate::emit) response: &'model Response,
    pub(in crate::emit) content: &'model [Content],
    /// The enumeration of the media types, where there are several.
    pub(in crate::emit) union: Option<String>,
    pub(in crate::emit) parts: Vec<Part<'model>>,
}

/// One part of a response.
pub(in crate::emit) enum Part<'model> {
    /// The status, where the document leaves it open.
    Status,
    /// `Location`; the flag says whether it is always there.
    Location(bool),
    /// `ETag`, never obligatory.
    EntityTag,
    /// Another declared header.
    Header(&'model Header),
    /// The body.
    Body,
}

/// An operation and all decisions about it.
pub(in crate::emit) struct Plan<'model> {
    pub(in crate::emit) context: Context<'model>,
    /// What the names of the operation's types begin with.
    pub(in crate::emit) stem: String,
    pub(in crate::emit) operation: &'model Operation,
    pub(in crate::emit) path: Vec<&'model Parameter>,
    pub(in crate::emit) groups: Vec<Group<'model>>,
    pub(in crate::emit) body: Option<PlannedBody<'model>>,
    /// Name of the field for `If-Match` and `If-None-Match`, where the method changes something.
    pub(in crate::emit) preconditions: Option<String>,
    pub(in crate::emit) responses: Vec<PlannedResponse<'model>>,
}

impl<'model> Plan<'model> {
    pub(in crate::emit) fn new(api: &'model Api, operation: &'model Operation) -> Self {
        let stem = stem(api, operation);
        let path: Vec<&Parameter> = operation.parameters_in(Location::Path).collect();
        let mut taken: Vec<String> = path.iter().map(|parameter| parameter.name.clone()).collect();
        let groups = groups(operation, &stem, &mut taken);
        let body = operation.body.as_ref().map(|body| PlannedBody {
            field: take(&mut taken, &body_name(api, &body.content)),
            required: body.required,
            content: &body.content,
            union: (body.content.len() > 1).then(|| format!("{stem}Content")),
        });
        let changes = matches!(operation.method, Method::Put | Method::Patch | Method::Delete);
        let preconditions = changes.then(|| take(&mut taken, "preconditions"));
        let responses = operation
            .responses
            .iter()
            .map(|response| plan_response(operation, &stem, response))
            .collect();
        Self {
            context: Context::new(api),
            stem,
            operation,
            path,
            groups,
            body,
            preconditions,
            responses,
        }
    }

    /// Name of the static that describes the operation.
    pub(in crate::emit) fn constant(&self) -> String {
        self.module().to_uppercase()
    }

    /// Name of the operation's module.
    pub(in crate::emit) fn module(&self) -> String {
        self.operation.name.trim_start_matches("r#").to_owned()
    }

    /// Name of the enumeration of responses.
    pub(in crate::emit) fn response_type(&self) -> String {
        format!("{}Response", self.stem)
    }

    /// Name of the type of a client's success, where it has one of its own.
    pub(in crate::emit) fn success_type(&self) -> String {
        format!("{}Success", self.stem)
    }

    /// The responses below 400.
    pub(in crate::emit) fn successes(&self) -> Vec<&PlannedResponse<'model>> {
        self.responses
            .iter()
            .filter(|response| response.response.status.is_success())
            .collect()
    }

    /// The type of a parameter's value in a request; a list that may be absent is empty then.
    pub(in crate::emit) fn parameter_type(&self, parameter: &Parameter) -> TokenStream {
        let rust_type = self.rust_type(&parameter.shape);
        match parameter.required || is_list(parameter) {
            true => rust_type,
            false => quote!(Option<#rust_type>),
        }
    }

    /// The type of a body of one media type.
    pub(in crate::emit) fn content_type(&self, content: &Content) -> TokenStream {
        match &content.body {
            Body::Json(shape) | Body::Form(shape) | Body::Multipart(shape) => self.rust_type(shape),
            Body::Text => quote!(String),
            Body::Bytes => quote!(Bytes),
        }
    }

    /// The type of a body of one or several media types.
    pub(in crate::emit) fn body_type(&self, content: &[Content], union: Option<&String>) -> TokenStream {
        match (union, content.first()) {
            (Some(union), _) => {
                let union = identifier(union);
                quote!(#union)
            }
            (None, Some(content)) => self.content_type(content),
            (None, None) => quote!(()),
        }
    }

    /// The fields of a response, in the order in which they are written.
    pub(in crate::emit) fn response_fields(&self, planned: &PlannedResponse<'model>) -> Vec<PlannedField> {
        planned
            .parts
            .iter()
            .map(|part| self.response_field(planned, part))
            .collect()
    }

    fn response_field(&self, planned: &PlannedResponse<'model>, part: &Part<'model>) -> PlannedField {
        let (rust_type, doc) = match part {
            Part::Status => (quote!(u16), "The status".to_owned()),
            Part::Location(true) => (quote!(Location), "`Location`".to_owned()),
            Part::Location(false) => (quote!(Option<Location>), "`Location`".to_owned()),
            Part::EntityTag => (quote!(Option<EntityTag>), "`ETag`".to_owned()),
            Part::Header(header) => {
                let rust_type = self.rust_type(&header.shape);
                let doc = format!("`{}`", header.api_name);
                (
                    if header.required {
                        rust_type
                    } else {
                        quote!(Option<#rust_type>)
                    },
                    doc,
                )
            }
            Part::Body => {
                let types = planned
                    .content
                    .iter()
                    .map(|content| format!("`{}`", content.media_type));
                let doc = format!("The body: {}", types.collect::<Vec<_>>().join(" or "));
                (self.body_type(planned.content, planned.union.as_ref()), doc)
            }
        };
        PlannedField {
            name: part.name().to_owned(),
            rust_type,
            doc,
        }
    }

    /// The Rust type of a shape.
    pub(in crate::emit) fn rust_type(&self, shape: &Shape) -> TokenStream {
        qualified(self.context.api, rust_type(&self.context, shape))
    }

    /// The kind of a shape, for reading it from text.
    pub(in crate::emit) fn kind(&self, shape: &Shape) -> TokenStream {
        kind(self.context.api, shape)
    }

    /// A function from a JSON tree to a shape's type.
    pub(in crate::emit) fn decoder(&self, shape: &Shape) -> TokenStream {
        qualified(self.context.api, decoder(&self.context, shape))
    }
}

impl Part<'_> {
    /// Rust name of the field.
    pub(in crate::emit) fn name(&self) -> &str {
        match self {
            Self::Status => "status",
            Self::Location(_) => "location",
            Self::EntityTag => "etag",
            Self::Header(header) => &header.name,
            Self::Body => "body",
        }
    }
}

/// Whether a parameter is a list, for which absent and empty are the same.
pub(in crate::emit) fn is_list(parameter: &Parameter) -> bool {
    matches!(parameter.shape, Shape::Array { .. })
}

fn groups<'model>(operation: &'model Operation, stem: &str, taken: &mut Vec<String>) -> Vec<Group<'model>> {
    let places = [
        (Location::Query, "Query"),
        (Location::Header, "Headers"),
        (Location::Cookie, "Cookies"),
    ];
    let mut groups = Vec::new();
    for (location, suffix) in places {
        // Conditions have a field of their own.
        let is_condition = |parameter: &&Parameter| {
            let name = parameter.api_name.to_ascii_lowercase();
            location == Location::Header && (name == "if-match" || name == "if-none-match")
        };
        let parameters: Vec<_> = operation
            .parameters_in(location)
            .filter(|one| !is_condition(one))
            .collect();
        if !parameters.is_empty() {
            let field = take(taken, &snake_name(suffix));
            groups.push(Group {
                location,
                type_name: format!("{stem}{suffix}"),
                field,
                parameters,
            });
        }
    }
    groups
}

fn plan_response<'model>(
    operation: &'model Operation,
    stem: &str,
    response: &'model Response,
) -> PlannedResponse<'model> {
    let content: &[Content] = match operation.method {
        Method::Head => &[],
        _ => &response.content,
    };
    let union = (content.len() > 1).then(|| format!("{stem}{}Content", response.variant));
    let mut parts = Vec::new();
    if !matches!(response.status, Status::Code(_)) {
        parts.push(Part::Status);
    }
    let declared = |name: &str| {
        response
            .headers
            .iter()
            .find(|header| header.api_name.eq_ignore_ascii_case(name))
    };
    match declared("Location") {
        Some(header) => parts.push(Part::Location(
            header.required || response.status == Status::Code(201),
        )),
        None if response.status == Status::Code(201) => parts.push(Part::Location(false)),
        None => {}
    }
    if declared("ETag").is_some() || has_entity_tag(operation.method, response) {
        parts.push(Part::EntityTag);
    }
    let special = ["location", "etag"];
    let others = response
        .headers
        .iter()
        .filter(|header| !special.contains(&header.api_name.to_ascii_lowercase().as_str()));
    parts.extend(others.map(Part::Header));
    if !content.is_empty() {
        parts.push(Part::Body);
    }
    PlannedResponse {
        response,
        content,
        union,
        parts,
    }
}

/// Whether a response describes the state of a resource: a success with a body, or one after a change.
fn has_entity_tag(method: Method, response: &Response) -> bool {
    let is_success = matches!(response.status, Status::Code(200..=299) | Status::Range(2));
    let changes = matches!(method, Method::Put | Method::Patch);
    let describes =
        matches!(method, Method::Get | Method::Head | Method::Post) && !response.content.is_empty();
    is_success && response.status != Status::Code(202) && (changes || describes)
}

/// What a body is called: after its type where it has one, else `body`.
fn body_name(api: &Api, content: &[Content]) -> String {
    let [
        Content {
            body: Body::Json(shape) | Body::Form(shape) | Body::Multipart(shape),
            ..
        },
    ] = content
    else {
        return "body".to_owned();
    };
    let Shape::Named(id) = shape else {
        return "body".to_owned();
    };
    let named = api.type_of(*id);
    match (&named.kind, &named.api_name) {
        (TypeKind::Struct(_) | TypeKind::Union(_), Some(_)) => snake_name(
            named
                .name
                .strip_suffix("Request")
                .filter(|name| !name.is_empty())
                .unwrap_or(&named.name),
        ),
        _ => "body".to_owned(),
    }
}

/// Takes a name, or the same with `_` where it is taken.
fn take(taken: &mut Vec<String>, name: &str) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    taken.push(name.clone());
    name
}
