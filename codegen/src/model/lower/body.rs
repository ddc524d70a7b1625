//! Bodies and responses of operations: media types, statuses, headers.

use mecforge_document::{Node, Pointer};

use super::Lowering;
use crate::model::api::{Body, Content, Header, RequestBody, Response, Status};
use crate::model::names::{self, Scope};
use crate::model::shape::Shape;

impl Lowering<'_> {
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

    pub(super) fn request_body(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Option<RequestBody> {
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

    pub(super) fn responses(&mut self, node: &Node, pointer: &Pointer, hint: &str) -> Vec<Response> {
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
}

pub(super) fn is_json(media_type: &str) -> bool {
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
