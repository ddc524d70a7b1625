//! Swagger 2.0 → the structure of OpenAPI 3.x: servers, components, request bodies, content.
//!
//! Schemas keep their dialect here; [`schema`](super::schema) rewrites them afterwards.

use super::operation;
use super::parameter;
use super::response;
use super::sections::{renamed, rewrite_references};
use crate::report::Report;
use crate::shape::METHODS;
use crate::{Node, Object, Origin, Pointer, Value};

/// What the conversion of an operation needs to know of the rest of the document.
pub(super) struct Context {
    /// Media types of requests, where an operation has none of its own.
    pub(super) consumes: MediaTypes,
    /// Media types of responses, where an operation has none of its own.
    pub(super) produces: MediaTypes,
    /// The shared parameters as they were written, with bodies and forms among them.
    pub(super) parameters: Object,
    /// The shared responses as they were written.
    pub(super) responses: Object,
}

/// A list of media types, and whether it is only assumed.
#[derive(Clone, PartialEq)]
pub(super) struct MediaTypes {
    pub(super) names: Vec<String>,
    pub(super) is_assumed: bool,
}

impl MediaTypes {
    /// The media types that `key` of `node` lists.
    pub(super) fn of(node: &Node, key: &str) -> Option<Self> {
        let names: Vec<String> = node
            .get(key)?
            .as_array()?
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        (!names.is_empty()).then_some(Self {
            names,
            is_assumed: false,
        })
    }

    fn assumed() -> Self {
        Self {
            names: vec!["application/json".to_owned()],
            is_assumed: true,
        }
    }

    /// The `content` that has `schema` under each media type.
    pub(super) fn content(&self, schema: &Node) -> Node {
        let mut content = Node {
            origin: schema.origin,
            ..Node::object()
        };
        for name in &self.names {
            let mut media_type = Node {
                origin: schema.origin,
                ..Node::object()
            };
            media_type.set("schema", schema.clone());
            content.set(name.as_str(), media_type);
        }
        content
    }
}

/// Rewrites the structure of a Swagger 2.0 document.
pub(super) fn convert(root: &mut Node, report: &mut Report) {
    let servers = servers(root, report);
    let context = Context {
        consumes: MediaTypes::of(root, "consumes").unwrap_or_else(MediaTypes::assumed),
        produces: MediaTypes::of(root, "produces").unwrap_or_else(MediaTypes::assumed),
        parameters: take_object(root, "parameters"),
        responses: take_object(root, "responses"),
    };
    let components = components(root, &context, report);
    if let Some(paths) = root.get_mut("paths").and_then(Node::as_object_mut) {
        let start = Pointer::root().child("paths");
        for (path, item) in paths.iter_mut().filter(|(path, _)| !path.starts_with("x-")) {
            path_item(&start.child(path), item, &context, report);
        }
    }
    for (media_types, key, pointer) in [
        (&context.consumes, "consumes", "/consumes"),
        (&context.produces, "produces", "/produces"),
    ] {
        if media_types.is_assumed
            && report
                .findings
                .iter()
                .any(|finding| finding.class == assumed_class(key))
        {
            let class = assumed_class(key);
            report.findings.retain(|finding| finding.class != class);
            let defect = format!("bodies have no media type, because the document has no `{key}`");
            let place = Pointer::parse(pointer).unwrap_or_default();
            report.add(
                root.origin,
                &place,
                "media-type-assumed",
                defect,
                "taken as application/json",
            );
        }
    }
    assemble(root, servers, components);
    rewrite_references(root);
}

/// The class of the findings that are joined into one for the whole document.
pub(super) fn assumed_class(key: &str) -> String {
    format!("media-type-assumed-{key}")
}

/// Builds the new root: version, then what stays, then servers, paths and components.
fn assemble(root: &mut Node, servers: Option<Node>, components: Node) {
    let Some(members) = root.as_object_mut() else {
        return;
    };
    let mut old = std::mem::take(members);
    let version = old
        .shift_remove("swagger")
        .map_or_else(Origin::default, |version| version.origin);
    members.insert("openapi".to_owned(), Node::at(version, super::VERSION));
    for key in [
        "host",
        "basePath",
        "schemes",
        "consumes",
        "produces",
        "definitions",
        "securityDefinitions",
    ] {
        old.shift_remove(key);
    }
    let paths = old.shift_remove("paths");
    members.extend(old);
    members.extend(servers.map(|servers| ("servers".to_owned(), servers)));
    members.extend(paths.map(|paths| ("paths".to_owned(), paths)));
    if components
        .as_object()
        .is_some_and(|components| !components.is_empty())
    {
        members.insert("components".to_owned(), components);
    }
}

/// `schemes`, `host` and `basePath` → `servers`.
fn servers(root: &Node, report: &mut Report) -> Option<Node> {
    let base_path = root.str_at("basePath").unwrap_or_default();
    let origin = ["host", "basePath"]
        .iter()
        .find_map(|key| root.get(key))
        .map(|node| node.origin)?;
    let mut urls = Vec::new();
    match root.str_at("host") {
        None => urls.push(base_path.to_owned()),
        Some(host) => {
            let mut schemes: Vec<&str> = root
                .get("schemes")
                .and_then(Node::as_array)
                .map(|schemes| schemes.iter().filter_map(Node::as_str).collect())
                .unwrap_or_default();
            if schemes.is_empty() {
                let place = Pointer::root().child("host");
                let defect = "the document has a host, but no `schemes`";
                report.add(origin, &place, "scheme-assumed", defect, "taken as https");
                schemes.push("https");
            }
            urls.extend(
                schemes
                    .iter()
                    .map(|scheme| format!("{scheme}://{host}{base_path}")),
            );
        }
    }
    let server = |url: String| {
        let object = Object::from_iter([("url".to_owned(), Node::at(origin, url))]);
        Node::at(origin, object)
    };
    Some(Node::at(
        origin,
        urls.into_iter().map(server).collect::<Vec<Node>>(),
    ))
}

fn components(root: &mut Node, context: &Context, report: &mut Report) -> Node {
    let mut components = Node::object();
    let mut set = |key: &str, members: Object| {
        if !members.is_empty() {
            components.set(key, Node::new(members));
        }
    };
    set("schemas", renamed(take_object(root, "definitions")));
    let place = Pointer::root().child("parameters");
    let (mut parameters, mut bodies) = (Object::new(), Object::new());
    for (name, shared) in &context.parameters {
        let place = place.child(name);
        match shared.str_at("in") {
            Some("body") => {
                bodies.insert(
                    name.clone(),
                    parameter::body(&place, shared, &context.consumes, report),
                );
            }
            // A form's fields are parts of one body: they go to the operations that have them.
            Some("formData") => {}
            _ => {
                parameters.insert(name.clone(), parameter::convert(&place, shared, report));
            }
        }
    }
    set("parameters", renamed(parameters));
    set("requestBodies", renamed(bodies));
    let place = Pointer::root().child("responses");
    let responses = context.responses.iter().map(|(name, shared)| {
        (
            name.clone(),
            response::convert(&place.child(name), shared, &context.produces, report),
        )
    });
    let responses = responses.collect();
    set("responses", renamed(responses));
    let place = Pointer::root().child("securityDefinitions");
    let schemes = take_object(root, "securityDefinitions")
        .into_iter()
        .map(|(name, scheme)| {
            let scheme = security_scheme(&place.child(&name), scheme, report);
            (name, scheme)
        });
    let schemes = schemes.collect();
    set("securitySchemes", schemes);
    components
}

/// A security scheme: `basic` is `http` now, and the flow of `oauth2` an object.
fn security_scheme(pointer: &Pointer, mut scheme: Node, report: &mut Report) -> Node {
    match scheme.str_at("type") {
        Some("basic") => {
            scheme.set("type", Node::at(scheme.origin, "http"));
            scheme.set("scheme", Node::at(scheme.origin, "basic"));
        }
        Some("oauth2") => {
            let flow = match scheme.remove("flow").as_ref().and_then(Node::as_str) {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some("password") => "password",
                Some("implicit") => "implicit",
                _ => {
                    let defect = "the scheme names no `flow` of OAuth 2.0 that is known";
                    report.add(
                        scheme.origin,
                        pointer,
                        "oauth-flow",
                        defect,
                        "taken as `application`",
                    );
                    "clientCredentials"
                }
            };
            let mut description = Node {
                origin: scheme.origin,
                ..Node::object()
            };
            for key in ["authorizationUrl", "tokenUrl", "refreshUrl", "scopes"] {
                if let Some(member) = scheme.remove(key) {
                    description.set(key, member);
                }
            }
            if description.get("scopes").is_none() {
                description.set("scopes", Node::object());
            }
            let origin = scheme.origin;
            let flows = Object::from_iter([(flow.to_owned(), description)]);
            scheme.set("flows", Node::at(origin, flows));
        }
        _ => {}
    }
    scheme
}

/// Converts the operations of a path, and hands them the bodies that stand beside them.
fn path_item(pointer: &Pointer, item: &mut Node, context: &Context, report: &mut Report) {
    let shared = item.remove("parameters");
    let place = pointer.child("parameters");
    let list = shared.as_ref().and_then(Node::as_array).unwrap_or_default();
    let sorted = operation::sort(&place, list, context);
    for method in METHODS {
        if let Some(operation) = item
            .get_mut(method)
            .filter(|operation| operation.as_object().is_some())
        {
            operation::convert(&pointer.child(method), operation, &sorted, context, report);
        }
    }
    let converted: Vec<Node> = sorted
        .plain
        .iter()
        .map(|(place, node)| parameter::convert(place, node, report))
        .collect();
    if let Some(shared) = shared.filter(|_| !converted.is_empty()) {
        let origin = shared.origin;
        if let Some(members) = item.as_object_mut() {
            members.shift_insert(0, "parameters".to_owned(), Node::at(origin, converted));
        }
    }
}

pub(super) fn take_object(root: &mut Node, key: &str) -> Object {
    match root.remove(key).map(|node| node.value) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    }
}
