//! Operations: the paths of the document and what each of their methods is made of; callbacks.

use std::collections::{BTreeSet, HashMap};

use mecforge_document::{Node, Pointer};

use super::Lowering;
use super::operation_name::{is_collection, operation_name};
use crate::model::api::{Body, Method, Operation};
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
    pub(super) fn locate<'node>(&self, node: &'node Node, pointer: &Pointer) -> (&'node Node, Pointer)
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
    pub(super) fn shape_at(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Shape {
        if let Some(shape) = self.shared.get(pointer) {
            return shape.clone();
        }
        let shape = self.shape(node, pointer, hint);
        self.shared.insert(pointer.clone(), shape.clone());
        shape
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
