//! Parameters of operations: their place, their style, what they hold.

use mecforge_document::{Node, Pointer};

use super::Lowering;
use super::body::is_json;
use crate::model::api::{Location, Parameter, Style};
use crate::model::names::{self, Scope};
use crate::model::shape::Shape;

impl Lowering<'_> {
    pub(super) fn parameters(
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
}
