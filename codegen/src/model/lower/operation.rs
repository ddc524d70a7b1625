//! Operations: names from method and path, parameters, bodies, responses.

use std::collections::{BTreeSet, HashMap};

use mecforge_document::{Node, Pointer};

use super::Lowering;
use crate::model::api::{
    Body, Content, Header, Location, Method, Operation, Parameter, RequestBody, Response, Status, Style,
};
use crate::model::names::{self, Scope};
use crate::model::shape::Shape;

impl Lowering<'_> {
    /// All operations in the document's order.
    pub(super) fn operations(&mut self) -> Vec<Operation> {
        let document = self.document;
        let paths = document.root.get("paths").and_then(Node::as_object);
        let all_paths = paths
            .into_iter()
            .flatten()
            .map(|(path, _)| path.as_str())
            .collect::<BTreeSet<_>>();
        let (mut operations, mut scope) = (Vec::new(), Scope::default());
        let mut templates = HashMap::new();
        for (path, item) in paths.into_iter().flatten() {
            if path.starts_with("x-") {
                continue;
            }
            let (item, place) = self.locate(item, &Pointer::from_tokens(["paths", path]));
            self.check_path(path, item, &place, &mut templates);
            for method in Method::ALL {
                if let Some(node) = item.get(method.key()) {
                    let name = scope.take(operation_name(
                        method,
                        path,
                        is_collection(document, path, item, &all_paths),
                        node,
                    ));
                    operations.push(self.operation(method, path, item, &place, node, name));
                }
            }
        }
        operations
    }

    /// Refuses paths that can't be served: malformed ones, two that match the same requests, keys that are no
    /// methods (which would lose an operation to a typing error).
    fn check_path(
        &mut self,
        path: &str,
        item: &Node,
        place: &Pointer,
        templates: &mut HashMap<String, String>,
    ) {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            self.refuse(
                item,
                place,
                "a path begins with / and has neither query nor fragment",
            );
        }
        let segments = path
            .split('/')
            .map(|segment| match (segment.find('{'), segment.rfind('}')) {
                (Some(start), Some(end)) if start < end => {
                    format!("{}{{}}{}", &segment[..start], &segment[end + 1..])
                }
                _ => segment.to_owned(),
            });
        let template = segments.collect::<Vec<_>>().join("/");
        if let Some(earlier) = templates.insert(template, path.to_owned()) {
            self.refuse(
                item,
                place,
                format!("this path matches the same requests as {earlier}"),
            );
        }
        let known = ["parameters", "summary", "description", "servers", "$ref"];
        for (key, node) in item.as_object().into_iter().flatten() {
            let is_method = Method::ALL.iter().any(|method| method.key() == key);
            if !is_method && !known.contains(&key.as_str()) && !key.starts_with("x-") {
                self.refuse(
                    node,
                    &place.child(key),
                    format!("{key} is no HTTP method of OpenAPI"),
                );
            }
        }
    }

    fn operation(
        &mut self,
        method: Method,
        path: &str,
        item: &Node,
        item_pointer: &Pointer,
        node: &Node,
        name: String,
    ) -> Operation {
        let pointer = item_pointer.child(method.key());
        let type_name = names::type_name(&name);
        let parameters = self.parameters(path, item, item_pointer, node, &pointer, &type_name);
        let body = node
            .get("requestBody")
            .and_then(|body| self.request_body(body, &pointer, &type_name));
        let responses = self.responses(node, &pointer, &type_name);
        let prose = |key| {
            self.options
                .prose
                .then(|| node.str_at(key).map(str::to_owned))
                .flatten()
        };
        Operation {
            operation_id: node.str_at("operationId").map(str::to_owned),
            clause: node.str_at("x-etsi-ref").map(str::to_owned),
            summary: prose("summary"),
            description: prose("description"),
            name: names::identifier(&name),
            type_name,
            method,
            path: path.to_owned(),
            pointer,
            parameters,
            body,
            responses,
        }
    }

    /// Follows references to where a thing is really written.
    fn locate<'node>(&self, node: &'node Node, pointer: &Pointer) -> (&'node Node, Pointer)
    where
        Self: 'node,
    {
        let (mut node, mut pointer) = (node, pointer.clone());
        for _ in 0..64 {
            let target = node.ref_target().and_then(Pointer::parse);
            let found = target.and_then(|target| Some((self.document.root.pointer(&target)?, target)));
            match found {
                Some((next, target)) => (node, pointer) = (next, target),
                None => break,
            }
        }
        (node, pointer)
    }

    /// The shape of a schema outside `components/schemas`, lowered once for all who refer to its place.
    fn shape_at(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        if let Some(shape) = self.shared.get(pointer) {
            return shape.clone();
        }
        let shape = self.shape(node, pointer, hint);
        self.shared.insert(pointer.clone(), shape.clone());
        shape
    }

    /// The shape of a body. Bodies that are written inline again and again in the same words share one type, and a
    /// body with a single property (`{"userList": …}` in MEC 013) is called after it.
    fn body_shape(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        let properties = node
            .get("properties")
            .and_then(Node::as_object)
            .filter(|_| node.ref_target().is_none());
        let Some(properties) = properties else {
            return self.shape_at(node, pointer, hint);
        };
        let words = serde_json::to_string(&super::prose::without_annotations(node)).unwrap_or_default();
        if let Some(shape) = self.bodies.get(&words) {
            return shape.clone();
        }
        let hint = match properties.first() {
            Some((name, property)) if properties.len() == 1 => {
                let is_request_view = property
                    .ref_target()
                    .is_some_and(|target| target.ends_with("Request"));
                format!("{name} {}", if is_request_view { "Request Body" } else { "Body" })
            }
            _ => hint.to_owned(),
        };
        let shape = self.shape_at(node, pointer, &hint);
        self.bodies.insert(words, shape.clone());
        shape
    }

    fn parameters(
        &mut self,
        path: &str,
        item: &Node,
        item_pointer: &Pointer,
        node: &Node,
        pointer: &Pointer,
        hint: &str,
    ) -> Vec<Parameter> {
        let mut scope = Scope::default();
        let mut parameters: Vec<Parameter> = Vec::new();
        // An operation's parameter replaces the path item's with the same name and place.
        for (owner, place) in [(node, pointer), (item, item_pointer)] {
            let list = owner
                .get("parameters")
                .and_then(Node::as_array)
                .unwrap_or_default();
            for (index, parameter) in list.iter().enumerate() {
                let at = place.child("parameters").index(index);
                let (parameter, at) = self.locate(parameter, &at);
                if let Some(parameter) = self.parameter(parameter, &at, hint)
                    && !parameters.iter().any(|known| {
                        known.api_name == parameter.api_name && known.location == parameter.location
                    })
                {
                    parameters.push(parameter);
                }
            }
        }
        let position = |parameter: &Parameter| match parameter.location {
            Location::Path => path
                .find(&format!("{{{}}}", parameter.api_name))
                .unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        parameters.sort_by_key(|parameter| (parameter.location, position(parameter)));
        for parameter in &mut parameters {
            parameter.name = names::identifier(&scope.take(names::snake_name(&parameter.api_name)));
        }
        for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let is_declared =
                |parameter: &Parameter| parameter.location == Location::Path && parameter.api_name == name;
            if !parameters.iter().any(is_declared) {
                self.refuse(
                    node,
                    pointer,
                    format!("the path parameter {name} is not declared"),
                );
            }
        }
        parameters
    }

    fn parameter(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Option<Parameter> {
        let api_name = node.str_at("name").unwrap_or_default().to_owned();
        let location = match node.str_at("in") {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            other => {
                let message = format!(
                    "a parameter is in path, query, header or cookie, not {:?}",
                    other.unwrap_or_default()
                );
                self.refuse(node, pointer, message);
                return None;
            }
        };
        // OpenAPI 3.1, Parameter Object: header parameters with these names are ignored.
        let ignored = ["accept", "content-type", "authorization"];
        if location == Location::Header && ignored.contains(&api_name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let is_shared = pointer.as_str().starts_with("/components/");
        let hint = if is_shared {
            names::type_name(&api_name)
        } else {
            format!("{hint} {api_name}")
        };
        let (shape, style) = self.parameter_shape(node, pointer, &hint, location);
        let explode = node.get("explode").and_then(Node::as_bool);
        Some(Parameter {
            name: String::new(),
            api_name,
            location,
            required: node
                .get("required")
                .and_then(Node::as_bool)
                .unwrap_or(location == Location::Path),
            shape,
            style,
            explode: explode.unwrap_or(style == Style::Form),
            pointer: pointer.clone(),
            description: self.prose(node),
        })
    }

    fn parameter_shape(
        &mut self,
        node: &Node,
        pointer: &Pointer,
        hint: &str,
        location: Location,
    ) -> (Shape, Style) {
        if let Some((media_type, content)) = node
            .get("content")
            .and_then(Node::as_object)
            .and_then(|map| map.first())
        {
            let place = pointer.child("content").child(media_type).child("schema");
            return match (is_json(media_type), content.get("schema")) {
                (true, Some(schema)) => (self.shape_at(schema, &place, hint), Style::Json),
                (true, None) => (Shape::Any, Style::Json),
                (false, _) => {
                    self.refuse(
                        node,
                        &pointer.child("content"),
                        format!("a parameter as {media_type} has no Rust form yet"),
                    );
                    (Shape::Any, Style::Json)
                }
            };
        }
        let style = match (node.str_at("style"), location) {
            (Some("spaceDelimited"), _) => Style::SpaceDelimited,
            (Some("pipeDelimited"), _) => Style::PipeDelimited,
            (Some("deepObject"), _) => Style::DeepObject,
            (Some("form"), _) | (None, Location::Query | Location::Cookie) => Style::Form,
            (Some("simple"), _) | (None, Location::Path | Location::Header) => Style::Simple,
            (Some(other), _) => {
                let message = format!("a parameter in style {other} has no Rust form yet");
                self.refuse(node, &pointer.child("style"), message);
                Style::Simple
            }
        };
        let shape = match node.get("schema") {
            Some(schema) => self.shape_at(schema, &pointer.child("schema"), hint),
            None => Shape::string(),
        };
        (shape, style)
    }

    fn request_body(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Option<RequestBody> {
        let (node, pointer) = self.locate(node, &pointer.child("requestBody"));
        let content = self.content(node, &pointer, &format!("{hint} Body"));
        (!content.is_empty()).then(|| RequestBody {
            required: node.get("required").and_then(Node::as_bool).unwrap_or_default(),
            content,
            pointer,
        })
    }

    fn content(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Vec<Content> {
        let mut content = Vec::new();
        for (media_type, node) in node
            .get("content")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            let place = pointer.child("content").child(media_type).child("schema");
            let essence = media_type
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            let mut shape = || match node.get("schema") {
                Some(schema) => self.body_shape(schema, &place, hint),
                None => Shape::Any,
            };
            let is_form =
                ["application/x-www-form-urlencoded", "multipart/form-data"].contains(&essence.as_str());
            let body = match essence.as_str() {
                essence if is_json(essence) => Body::Json(shape()),
                "application/x-www-form-urlencoded" => Body::Form(shape()),
                "multipart/form-data" => Body::Multipart(shape()),
                essence if essence.starts_with("text/") => Body::Text,
                _ => Body::Bytes,
            };
            if is_form {
                self.check_form(media_type, node, &pointer.child("content").child(media_type));
            }
            content.push(Content {
                media_type: media_type.clone(),
                body,
            });
        }
        content
    }

    fn responses(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Vec<Response> {
        let mut responses = Vec::new();
        let place = pointer.child("responses");
        for (key, response) in node
            .get("responses")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            if key.starts_with("x-") {
                continue;
            }
            let at = place.child(key);
            let Some(status) = status(key) else {
                self.refuse(
                    response,
                    &at,
                    format!("{key:?} is no status code, range (2XX) or default"),
                );
                continue;
            };
            let variant = variant(status);
            let (response, at) = self.locate(response, &at);
            let is_shared = at.as_str().starts_with("/components/");
            let hint = match is_shared {
                true => names::type_name(&format!("{variant} Body")),
                false => format!("{hint} {variant} Body"),
            };
            let content = self.content(response, &at, &hint);
            self.refuse_forms(&content, response, &at);
            responses.push(Response {
                headers: self.headers(response, &at, &hint),
                content,
                status,
                variant,
                pointer: at,
            });
        }
        responses.sort_by_key(|response| response.status);
        if responses.is_empty() {
            self.refuse(node, pointer, "an operation needs a response");
        }
        responses
    }

    fn headers(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Vec<Header> {
        let mut scope = Scope::default();
        scope.take("body".to_owned());
        let mut headers = Vec::new();
        for (api_name, header) in node
            .get("headers")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            if api_name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let (header, at) = self.locate(header, &pointer.child("headers").child(api_name));
            let shape = match header.get("schema") {
                Some(schema) => self.shape_at(schema, &at.child("schema"), &format!("{hint} {api_name}")),
                None => Shape::string(),
            };
            headers.push(Header {
                name: names::identifier(&scope.take(names::snake_name(api_name))),
                api_name: api_name.clone(),
                required: header.get("required").and_then(Node::as_bool).unwrap_or_default(),
                shape,
            });
        }
        headers
    }

    /// The bodies of all callbacks that the document declares.
    pub(super) fn callback_bodies(&mut self) -> Vec<Shape> {
        let document = self.document;
        let mut bodies = Vec::new();
        for (path, item) in document
            .root
            .get("paths")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            for (key, operation) in item.as_object().into_iter().flatten() {
                let place = Pointer::from_tokens(["paths", path, key, "callbacks"]);
                for (name, callback) in operation
                    .get("callbacks")
                    .and_then(Node::as_object)
                    .into_iter()
                    .flatten()
                {
                    let (callback, place) = self.locate(callback, &place.child(name));
                    for (expression, item) in callback.as_object().into_iter().flatten() {
                        for method in Method::ALL {
                            if let Some(body) =
                                item.get(method.key()).and_then(|node| node.get("requestBody"))
                            {
                                let at = place.child(expression).child(method.key());
                                bodies.extend(self.callback_body(body, &at, &format!("{key} {path} {name}")));
                            }
                        }
                    }
                }
            }
        }
        bodies
    }

    /// The schemas of one callback's body; a union's members count by themselves.
    fn callback_body(&mut self, body: &Node, pointer: &Pointer, hint: &str) -> Vec<Shape> {
        let Some(body) = self.request_body(body, pointer, hint) else {
            return Vec::new();
        };
        let mut shapes = Vec::new();
        for content in body.content {
            if let Body::Json(Shape::Named(id)) = content.body {
                shapes.push(Shape::Named(id));
                if let crate::model::types::TypeKind::Union(union) = &self.types[id.0].kind {
                    shapes.extend(union.members.iter().map(|member| member.shape.clone()));
                }
            }
        }
        shapes
    }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

fn status(key: &str) -> Option<Status> {
    if key == "default" {
        return Some(Status::Default);
    }
    let class = key
        .get(..1)
        .and_then(|digit| digit.parse::<u8>().ok())
        .filter(|class| (1..=5).contains(class))?;
    match key.get(1..) {
        Some("XX" | "xx") => Some(Status::Range(class)),
        _ => key
            .parse()
            .ok()
            .filter(|code| (100..600).contains(code))
            .map(Status::Code),
    }
}

fn variant(status: Status) -> String {
    match status {
        Status::Code(code) => match crate::status::reason(code) {
            Some(reason) => names::type_name(reason),
            None => format!("Status{code}"),
        },
        Status::Range(class) => format!("Status{class}xx"),
        Status::Default => "Default".to_owned(),
    }
}

/// Whether a path names a collection: it has items below it, or answers a list.
fn is_collection(
    document: &mecforge_document::Document,
    path: &str,
    item: &Node,
    paths: &BTreeSet<&str>,
) -> bool {
    let below = format!("{}/{{", path.trim_end_matches('/'));
    let has_items = paths.range(below.as_str()..).next().is_some_and(|next| {
        next.strip_prefix(&below)
            .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
    });
    let answers_list = || {
        let response = document.resolve(item.get("get")?.get("responses")?.get("200")?)?;
        let (_, content) = response.get("content")?.as_object()?.first()?;
        Some(document.resolve(content.get("schema")?)?.str_at("type")? == "array")
    };
    has_items || answers_list() == Some(true)
}

/// The operation's name: what the method does to what the path names. ETSI's operationIds are not used, because
/// they change with every release.
fn operation_name(method: Method, path: &str, is_collection: bool, node: &Node) -> String {
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect::<Vec<_>>();
    let is_parameter = |segment: &str| segment.contains('{');
    let mut words: Vec<String> = Vec::new();
    for (index, segment) in segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| !is_parameter(segment))
    {
        let word = names::snake_name(segment);
        let is_followed = segments.get(index + 1).is_some_and(|next| is_parameter(next));
        words.push(if is_followed { names::singular(&word) } else { word });
    }
    let ends_with_parameter = segments.last().is_some_and(|segment| is_parameter(segment));
    let creates = node
        .get("responses")
        .is_some_and(|responses| responses.get("201").is_some());
    let last = words.pop().unwrap_or_else(|| "root".to_owned());
    let all = |verb: &str, last: &str| {
        let mut name = vec![verb.to_owned()];
        name.extend(words.iter().cloned());
        name.push(last.to_owned());
        name.join("_")
    };
    match method {
        Method::Get if !ends_with_parameter && is_collection => all("list", &last),
        Method::Get => all("get", &last),
        Method::Post if !ends_with_parameter && (is_collection || creates) => {
            all("create", &names::singular(&last))
        }
        // A POST to what is no collection starts something: the path's last word says what.
        Method::Post if !ends_with_parameter => all(&last, "").trim_end_matches('_').to_owned(),
        Method::Post => all("post", &last),
        Method::Put => all("replace", &last),
        Method::Patch => all("update", &last),
        Method::Delete => all("delete", &last),
        Method::Head => all("head", &last),
        Method::Options => all("options", &last),
        Method::Trace => all("trace", &last),
    }
}
