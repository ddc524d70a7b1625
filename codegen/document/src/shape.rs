//! What stands where in an OpenAPI or Swagger document: which key holds a schema, which a parameter, which data.
//!
//! One table for OpenAPI 3.x and Swagger 2.0, so that a walk can tell a `$ref` that refers from one that is
//! part of an example, and a property called `items` from the keyword.

use crate::{Node, Pointer, Value};

/// What a place of a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// One object of a kind.
    One(Kind),
    /// An object whose members are each of a kind, under names that the author chose.
    Map(Kind),
    /// A list of objects of a kind.
    List(Kind),
    /// Anything else: text, numbers, examples, extensions. A walk need not look inside.
    Data,
}

/// The objects that OpenAPI defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The whole document.
    Document,
    /// `components`.
    Components,
    /// `paths`.
    Paths,
    /// A path, a webhook, or an expression of a callback.
    PathItem,
    /// An operation.
    Operation,
    /// A parameter.
    Parameter,
    /// A header of a response or of a part.
    Header,
    /// A request body.
    RequestBody,
    /// `responses` of an operation.
    Responses,
    /// A response.
    Response,
    /// A media type of `content`.
    MediaType,
    /// How a part of a body is written.
    Encoding,
    /// A schema.
    Schema,
    /// `discriminator`.
    Discriminator,
    /// A callback.
    Callback,
    /// A link.
    Link,
    /// An example with a name.
    Example,
    /// A security scheme.
    SecurityScheme,
}

/// The methods that a path item can have.
pub(crate) const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

impl Shape {
    /// The shape of the whole document.
    pub(crate) const DOCUMENT: Self = Self::One(Kind::Document);

    /// The shape of member `key` (or of any element, for a list).
    pub(crate) fn child(self, key: &str) -> Self {
        match self {
            Self::One(kind) => kind.child(key),
            Self::Map(kind) | Self::List(kind) => Self::One(kind),
            Self::Data => Self::Data,
        }
    }

    /// The shape of the place that the tokens of a JSON pointer lead to from the document's root.
    pub(crate) fn of_place<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        tokens
            .into_iter()
            .fold(Self::DOCUMENT, |shape, token| shape.child(token.as_ref()))
    }
}

impl Kind {
    /// The shape of member `key`.
    fn child(self, key: &str) -> Shape {
        match self {
            Kind::Schema => schema_child(key),
            Kind::Paths | Kind::Callback | Kind::Responses if key.starts_with("x-") => Shape::Data,
            Kind::Paths | Kind::Callback => Shape::One(Kind::PathItem),
            Kind::Responses => Shape::One(Kind::Response),
            Kind::Document => document_child(key),
            Kind::Components => components_child(key),
            Kind::PathItem if METHODS.contains(&key) => Shape::One(Kind::Operation),
            _ => object_child(self, key),
        }
    }

    /// The section of `components` that holds objects of this kind, where there is one.
    pub(crate) fn section(self) -> Option<&'static str> {
        Some(match self {
            Kind::Schema => "schemas",
            Kind::Parameter => "parameters",
            Kind::Response => "responses",
            Kind::RequestBody => "requestBodies",
            Kind::Header => "headers",
            Kind::Callback => "callbacks",
            Kind::Link => "links",
            Kind::Example => "examples",
            Kind::SecurityScheme => "securitySchemes",
            _ => return None,
        })
    }

    /// The kind's name for messages, with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::Document => "an OpenAPI document",
            Kind::Components => "a components object",
            Kind::Paths => "a paths object",
            Kind::PathItem => "a path item",
            Kind::Operation => "an operation",
            Kind::Parameter => "a parameter",
            Kind::Header => "a header",
            Kind::RequestBody => "a request body",
            Kind::Responses => "a responses object",
            Kind::Response => "a response",
            Kind::MediaType => "a media type",
            Kind::Encoding => "an encoding",
            Kind::Schema => "a schema",
            Kind::Discriminator => "a discriminator",
            Kind::Callback => "a callback",
            Kind::Link => "a link",
            Kind::Example => "an example",
            Kind::SecurityScheme => "a security scheme",
        }
    }
}

/// The root of OpenAPI 3.x and of Swagger 2.0, which has its reusable objects at the top.
fn document_child(key: &str) -> Shape {
    match key {
        "paths" => Shape::One(Kind::Paths),
        "webhooks" => Shape::Map(Kind::PathItem),
        "components" => Shape::One(Kind::Components),
        "definitions" => Shape::Map(Kind::Schema),
        "parameters" => Shape::Map(Kind::Parameter),
        "responses" => Shape::Map(Kind::Response),
        "securityDefinitions" => Shape::Map(Kind::SecurityScheme),
        _ => Shape::Data,
    }
}

fn components_child(key: &str) -> Shape {
    match key {
        "schemas" => Shape::Map(Kind::Schema),
        "parameters" => Shape::Map(Kind::Parameter),
        "responses" => Shape::Map(Kind::Response),
        "requestBodies" => Shape::Map(Kind::RequestBody),
        "headers" => Shape::Map(Kind::Header),
        "callbacks" => Shape::Map(Kind::Callback),
        "links" => Shape::Map(Kind::Link),
        "examples" => Shape::Map(Kind::Example),
        "securitySchemes" => Shape::Map(Kind::SecurityScheme),
        "pathItems" => Shape::Map(Kind::PathItem),
        _ => Shape::Data,
    }
}

/// JSON Schema 2020-12, with `definitions` of the drafts before it.
fn schema_child(key: &str) -> Shape {
    match key {
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            Shape::Map(Kind::Schema)
        }
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Shape::List(Kind::Schema),
        "items"
        | "additionalProperties"
        | "additionalItems"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Shape::One(Kind::Schema),
        "discriminator" => Shape::One(Kind::Discriminator),
        _ => Shape::Data,
    }
}

fn object_child(kind: Kind, key: &str) -> Shape {
    match (kind, key) {
        (Kind::PathItem | Kind::Operation, "parameters") => Shape::List(Kind::Parameter),
        (Kind::Operation, "requestBody") => Shape::One(Kind::RequestBody),
        (Kind::Operation, "responses") => Shape::One(Kind::Responses),
        (Kind::Operation, "callbacks") => Shape::Map(Kind::Callback),
        (Kind::Parameter | Kind::Header, "schema" | "items") => Shape::One(Kind::Schema),
        (Kind::Response | Kind::MediaType, "schema") => Shape::One(Kind::Schema),
        (Kind::Parameter | Kind::Header | Kind::RequestBody | Kind::Response, "content") => {
            Shape::Map(Kind::MediaType)
        }
        (Kind::Parameter | Kind::Header | Kind::MediaType, "examples") => Shape::Map(Kind::Example),
        (Kind::MediaType, "encoding") => Shape::Map(Kind::Encoding),
        (Kind::Response | Kind::Encoding, "headers") => Shape::Map(Kind::Header),
        (Kind::Response, "links") => Shape::Map(Kind::Link),
        _ => Shape::Data,
    }
}

/// Shows `visit` each object below `root` that OpenAPI defines, outermost first; it descends into what `visit` left.
pub(crate) fn each_mut(root: &mut Node, visit: &mut dyn FnMut(Kind, &Pointer, &mut Node)) {
    each_mut_from(Shape::DOCUMENT, &Pointer::root(), root, visit);
}

/// As [`each_mut`], beginning at a place of known shape.
pub(crate) fn each_mut_from(
    shape: Shape,
    pointer: &Pointer,
    node: &mut Node,
    visit: &mut dyn FnMut(Kind, &Pointer, &mut Node),
) {
    if let (Shape::One(kind), Value::Object(_)) = (shape, &node.value) {
        visit(kind, pointer, node);
    }
    match &mut node.value {
        Value::Object(members) => {
            for (key, member) in members {
                let inner = shape.child(key);
                if inner != Shape::Data {
                    each_mut_from(inner, &pointer.child(key), member, visit);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                each_mut_from(shape.child(""), &pointer.index(index), item, visit);
            }
        }
        _ => {}
    }
}

/// Shows `visit` each object below `root` that OpenAPI defines, outermost first.
pub(crate) fn each(root: &Node, visit: &mut dyn FnMut(Kind, &Pointer, &Node)) {
    each_from(Shape::DOCUMENT, &Pointer::root(), root, visit);
}

fn each_from(shape: Shape, pointer: &Pointer, node: &Node, visit: &mut dyn FnMut(Kind, &Pointer, &Node)) {
    if let (Shape::One(kind), Value::Object(_)) = (shape, &node.value) {
        visit(kind, pointer, node);
    }
    match &node.value {
        Value::Object(members) => {
            for (key, member) in members {
                let inner = shape.child(key);
                if inner != Shape::Data {
                    each_from(inner, &pointer.child(key), member, visit);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_from(shape.child(""), &pointer.index(index), item, visit);
            }
        }
        _ => {}
    }
}
