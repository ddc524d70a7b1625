//! What a document declares, as a list of facts that two states of the document can be compared by.
//!
//! Reads the document's tree and nothing else: neither the generator's model nor the table of the stages, so that
//! what the model overlooks is not overlooked here too.

use std::collections::BTreeMap;

use mecforge_document::{Document, Node, Object, Pointer, Value};

/// What a [`Fact`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A method of a path.
    Operation,
    /// A parameter of an operation; those of its path item count for each operation.
    Parameter,
    /// A media type of a request body.
    RequestBody,
    /// A response of an operation; the keyword is the status.
    Response,
    /// A media type of a response.
    ResponseBody,
    /// A header of a response, `Content-Type` left out.
    ResponseHeader,
    /// A callback of an operation.
    Callback,
    /// A schema of `components/schemas`.
    Schema,
    /// A property of a schema, wherever it stands.
    Property,
    /// A keyword of a schema that restricts its values; `required` counts for each name.
    Constraint,
}

/// One thing that a document declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub kind: Kind,
    /// The keyword of a constraint, the status of a response; else empty.
    pub keyword: String,
    /// What stands there, as JSON text; empty where the place alone is the fact.
    pub value: String,
    /// The places that a repair of this fact may name, the fact's own first.
    pub places: Vec<Pointer>,
    /// The schema that a `$ref` names: where that gets a second view, the reference may come to name the other one.
    pub target: Option<Pointer>,
}

/// The facts of a document by their kind and a name that is the same in every state of it.
pub(super) type Inventory = BTreeMap<(Kind, String), Fact>;

/// Keywords whose value is the constraint.
const VALUES: [&str; 21] = [
    "$ref",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "readOnly",
    "type",
    "uniqueItems",
    "writeOnly",
];
/// Keywords that hold schemas under names.
const MAPS: [&str; 4] = ["properties", "patternProperties", "$defs", "dependentSchemas"];
/// Keywords that hold lists of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that hold one schema.
const SINGLE: [&str; 8] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
];
/// The methods of a path item.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// All facts of an OpenAPI 3 document.
pub(super) fn inventory(document: &Document) -> Inventory {
    let mut collector = Collector {
        document,
        facts: Inventory::new(),
    };
    collector.components();
    collector.paths();
    collector.facts
}

struct Collector<'document> {
    document: &'document Document,
    facts: Inventory,
}

impl<'document> Collector<'document> {
    fn add(&mut self, kind: Kind, keyword: &str, name: String, value: String, places: Vec<Pointer>) {
        let target = places
            .first()
            .filter(|_| keyword == "$ref")
            .and_then(|place| self.document.root.pointer(place));
        let target = target.and_then(Node::as_str).and_then(Pointer::parse);
        let fact = Fact {
            kind,
            keyword: keyword.to_owned(),
            value,
            places,
            target,
        };
        self.facts.insert((kind, name), fact);
    }

    /// Follows a reference; the place is the one that the target is written at.
    fn locate(&self, node: &'document Node, place: &Pointer) -> (&'document Node, Pointer) {
        let (mut node, mut place) = (node, place.clone());
        for _ in 0..64 {
            let target = node.ref_target().and_then(Pointer::parse);
            match target.and_then(|target| Some((self.document.root.pointer(&target)?, target))) {
                Some((next, target)) => (node, place) = (next, target),
                None => break,
            }
        }
        (node, place)
    }

    fn components(&mut self) {
        let place = Pointer::from_tokens(["components"]);
        for (section, node) in members(self.document.root.get("components")) {
            for (name, node) in members(Some(node)) {
                let place = place.child(section).child(name);
                match section.as_str() {
                    "schemas" => {
                        let places = vec![place.clone()];
                        self.add(Kind::Schema, "", name.clone(), String::new(), places);
                        self.schema(node, &place.to_string(), &place);
                    }
                    "parameters" | "headers" | "requestBodies" => {
                        self.inner(node, &place.to_string(), &place)
                    }
                    "responses" => self.response(node, &place.to_string(), &place),
                    "callbacks" => self.callback(node, &place.to_string(), &place),
                    _ => {}
                }
            }
        }
    }

    fn paths(&mut self) {
        for (path, item) in members(self.document.root.get("paths")) {
            if !path.starts_with("x-") {
                let (item, place) = self.locate(item, &Pointer::from_tokens(["paths", path]));
                self.path_item(path, item, &place);
            }
        }
    }

    fn path_item(&mut self, path: &str, item: &'document Node, place: &Pointer) {
        self.parameters(item, path, place);
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let name = format!("{} {path}", method.to_ascii_uppercase());
            let at = place.child(method);
            self.add(Kind::Operation, "", name.clone(), String::new(), vec![at.clone()]);
            self.parameters(operation, &name, &at);
            for (owner, owner_at) in [(item, place), (operation, &at)] {
                self.declared_parameters(owner, &name, owner_at);
            }
            if let Some(body) = operation.get("requestBody") {
                self.request_body(body, &name, &at.child("requestBody"));
            }
            for (status, response) in members(operation.get("responses")) {
                self.declared_response(status, response, &name, &at.child("responses").child(status));
            }
            for (event, callback) in members(operation.get("callbacks")) {
                let callback_at = at.child("callbacks").child(event);
                let places = vec![callback_at.clone()];
                self.add(
                    Kind::Callback,
                    "",
                    format!("{name} {event}"),
                    String::new(),
                    places,
                );
                if callback.ref_target().is_none() {
                    self.callback(callback, &format!("{name} {event}"), &callback_at);
                }
            }
        }
    }

    /// The schemas of parameters where they are written.
    fn parameters(&mut self, owner: &'document Node, name: &str, place: &Pointer) {
        for (index, parameter) in elements(owner.get("parameters")).iter().enumerate() {
            if parameter.ref_target().is_none() {
                let at = place.child("parameters").index(index);
                self.inner(parameter, &format!("{name} {}", parameter_name(parameter)), &at);
            }
        }
    }

    /// The parameters of an operation, wherever they are written.
    fn declared_parameters(&mut self, owner: &'document Node, operation: &str, place: &Pointer) {
        for (index, parameter) in elements(owner.get("parameters")).iter().enumerate() {
            let at = place.child("parameters").index(index);
            let (parameter, target) = self.locate(parameter, &at);
            let name = format!("{operation} {}", parameter_name(parameter));
            // Headers that OpenAPI tells readers to ignore are described elsewhere.
            let ignored = ["accept", "content-type", "authorization"];
            let header = parameter.str_at("name").unwrap_or_default().to_ascii_lowercase();
            if parameter.str_at("in") == Some("header") && ignored.contains(&header.as_str()) {
                continue;
            }
            let required = parameter.get("required").and_then(Node::as_bool) == Some(true);
            let mut places = vec![at.clone(), target.clone()];
            // What a parameter is called by: where that changes it is another parameter.
            places.extend(["name", "in"].map(|key| target.child(key)));
            places.push(at.child("$ref"));
            self.add(Kind::Parameter, "", name.clone(), String::new(), places.clone());
            if required {
                self.add(Kind::Constraint, "required", name, "true".to_owned(), places);
            }
        }
    }

    fn request_body(&mut self, body: &'document Node, name: &str, place: &Pointer) {
        let (target, target_at) = self.locate(body, place);
        for media_type in members(target.get("content")).map(|(media_type, _)| media_type) {
            let places = vec![place.child("content").child(media_type), target_at.clone()];
            self.add(
                Kind::RequestBody,
                "",
                format!("{name} {media_type}"),
                String::new(),
                places,
            );
        }
        if body.ref_target().is_none() {
            self.inner(body, &format!("{name} body"), place);
        }
    }

    fn declared_response(
        &mut self,
        status: &str,
        response: &'document Node,
        operation: &str,
        place: &Pointer,
    ) {
        let name = format!("{operation} {status}");
        let (target, target_at) = self.locate(response, place);
        self.add(
            Kind::Response,
            status,
            name.clone(),
            String::new(),
            vec![place.clone()],
        );
        for (media_type, _) in members(target.get("content")) {
            let places = vec![place.child("content").child(media_type), target_at.clone()];
            self.add(
                Kind::ResponseBody,
                "",
                format!("{name} {media_type}"),
                String::new(),
                places,
            );
        }
        for (header, _) in members(target.get("headers")) {
            if !header.eq_ignore_ascii_case("content-type") {
                let places = vec![
                    place.child("headers").child(header),
                    target_at.child("headers").child(header),
                ];
                let name = format!("{name} {}", header.to_ascii_lowercase());
                self.add(Kind::ResponseHeader, "", name, String::new(), places);
            }
        }
        if response.ref_target().is_none() {
            self.response(response, &name, place);
        }
    }

    fn response(&mut self, response: &'document Node, name: &str, place: &Pointer) {
        self.inner(response, name, place);
        for (header, node) in members(response.get("headers")) {
            let at = place.child("headers").child(header);
            self.inner(node, &format!("{name} {}", header.to_ascii_lowercase()), &at);
        }
    }

    /// The bodies that a callback sends; which answers it takes is no constraint on data.
    fn callback(&mut self, callback: &'document Node, name: &str, place: &Pointer) {
        // A repair may write the expression otherwise, so its number is its name.
        for (index, (expression, item)) in members(Some(callback)).enumerate() {
            for method in METHODS {
                let Some(body) = item
                    .get(method)
                    .and_then(|operation| operation.get("requestBody"))
                else {
                    continue;
                };
                let at = place.child(expression).child(method).child("requestBody");
                if body.ref_target().is_none() {
                    self.inner(body, &format!("{name} callback {index} {method}"), &at);
                }
            }
        }
    }

    /// The schemas of a parameter, header, request body or response.
    fn inner(&mut self, node: &'document Node, name: &str, place: &Pointer) {
        if let Some(schema) = node.get("schema") {
            self.schema(schema, &format!("{name} schema"), &place.child("schema"));
        }
        for (media_type, media) in members(node.get("content")) {
            if let Some(schema) = media.get("schema") {
                let at = place.child("content").child(media_type).child("schema");
                self.schema(schema, &format!("{name} {media_type} schema"), &at);
            }
        }
    }

    fn schema(&mut self, schema: &'document Node, name: &str, place: &Pointer) {
        for keyword in VALUES {
            let Some(value) = schema.get(keyword) else {
                continue;
            };
            let places = vec![place.child(keyword), place.clone()];
            self.add(
                Kind::Constraint,
                keyword,
                format!("{name} {keyword}"),
                text(value),
                places,
            );
        }
        for (index, required) in elements(schema.get("required")).iter().enumerate() {
            let Some(required) = required.as_str() else {
                continue;
            };
            let places = vec![
                place.child("required").index(index),
                place.child("properties").child(required),
            ];
            let name = format!("{name} required {required}");
            self.add(Kind::Constraint, "required", name, "true".to_owned(), places);
        }
        self.inner_schemas(schema, name, place);
    }

    fn inner_schemas(&mut self, schema: &'document Node, name: &str, place: &Pointer) {
        for keyword in MAPS {
            for (key, member) in members(schema.get(keyword)) {
                let at = place.child(keyword).child(key);
                let name = format!("{name}/{keyword}/{key}");
                if keyword == "properties" {
                    self.add(Kind::Property, "", name.clone(), String::new(), vec![at.clone()]);
                }
                self.schema(member, &name, &at);
            }
        }
        for keyword in LISTS {
            let list = elements(schema.get(keyword));
            if !list.is_empty() {
                let places = vec![place.child(keyword), place.clone()];
                let value = format!("{} schemas", list.len());
                self.add(
                    Kind::Constraint,
                    keyword,
                    format!("{name} {keyword}"),
                    value,
                    places,
                );
            }
            for (index, member) in list.iter().enumerate() {
                self.schema(
                    member,
                    &format!("{name}/{keyword}/{index}"),
                    &place.child(keyword).index(index),
                );
            }
        }
        for keyword in SINGLE {
            let Some(member) = schema.get(keyword) else {
                continue;
            };
            // `items` alone says nothing, and neither do undeclared properties that may be anything.
            let says = keyword != "items" && member.as_bool() != Some(true) && *member != Node::object();
            if says {
                let value = member
                    .as_bool()
                    .map_or_else(|| "a schema".to_owned(), |value| value.to_string());
                let places = vec![place.child(keyword), place.clone()];
                self.add(
                    Kind::Constraint,
                    keyword,
                    format!("{name} {keyword}"),
                    value,
                    places,
                );
            }
            self.schema(member, &format!("{name}/{keyword}"), &place.child(keyword));
        }
    }
}

fn parameter_name(parameter: &Node) -> String {
    format!(
        "{}:{}",
        parameter.str_at("in").unwrap_or("nowhere"),
        parameter.str_at("name").unwrap_or_default()
    )
}

fn members(node: Option<&Node>) -> impl Iterator<Item = (&String, &Node)> {
    node.and_then(Node::as_object).into_iter().flat_map(Object::iter)
}

fn elements(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_array).unwrap_or_default()
}

/// The value as JSON, sets in one order.
fn text(value: &Node) -> String {
    match &value.value {
        Value::Array(items) => {
            let mut items = items.iter().map(text).collect::<Vec<_>>();
            items.sort();
            format!("[{}]", items.join(","))
        }
        _ => value.to_json().to_string(),
    }
}
