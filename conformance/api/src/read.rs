//! From a document to an [`Api`].

use std::sync::Arc;

use mecforge_document::{Document, Finding, load, prepare};
use serde_json::{Map, Value};

use crate::operation::{
    Body, Callback, Content, Header, Location, Operation, Parameter, Response, Status, Style,
};
use crate::pointer::{child, resolve};
use crate::resource::resources;
use crate::template::Template;
use crate::{Api, ReadError};

/// The methods that a path item may have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "patch", "delete", "head", "options", "trace",
];

/// The most operations of a document that is tested.
const MOST: usize = 5_000;

impl Api {
    /// Reads a document of any dialect (Swagger 2.0, OpenAPI 3.0, 3.1; YAML or JSON; several files), through `source`.
    ///
    /// With `repair` the certain defects of ETSI's documents are mended first and named in the second part of the
    /// result; without it the document is taken as it is written, only upgraded to OpenAPI 3.1.
    ///
    /// # Errors
    /// All faults of the document, each with its place.
    pub fn read(
        id: &str,
        source: &dyn load::Source,
        path: &str,
        overlays: &[Document],
        repair: bool,
    ) -> Result<(Api, Vec<Finding>), ReadError> {
        let document = load::load(source, path).map_err(ReadError::Faults)?;
        let (document, findings) = prepare(document, overlays, !repair).map_err(ReadError::Faults)?;
        Ok((Api::settled(id, path, document.root.to_json())?, findings))
    }

    /// Reads an OpenAPI 3.1 document that needs no upgrade and no repair, such as those of `generated/`.
    ///
    /// # Errors
    /// A document without paths, or a part that is not what OpenAPI says.
    pub fn from_settled(id: &str, document: Value) -> Result<Api, ReadError> {
        Api::settled(id, id, document)
    }

    /// `name` is what errors call the document.
    fn settled(id: &str, name: &str, document: Value) -> Result<Api, ReadError> {
        let reader = Reader {
            name,
            document: &document,
        };
        let operations = reader.operations()?;
        if operations.len() > MOST {
            return Err(ReadError::TooMany {
                document: name.to_owned(),
                most: MOST,
            });
        }
        let text = |pointer: &str| {
            document
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Ok(Api {
            id: id.to_owned(),
            title: text("/info/title").to_owned(),
            version: text("/info/version").to_owned(),
            base_path: base_path(&reader.server(text("/servers/0/url"))?),
            resources: resources(&operations),
            operations,
            document: Arc::new(document),
        })
    }
}

/// The path of a server's address, without a final slash.
fn base_path(url: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    let path = path.trim_end_matches('/');
    match path.is_empty() || path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    }
}

struct Reader<'document> {
    name: &'document str,
    document: &'document Value,
}

impl<'document> Reader<'document> {
    fn malformed(&self, pointer: &str, message: &str) -> ReadError {
        ReadError::Malformed {
            document: self.name.to_owned(),
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        }
    }

    fn object(&self, pointer: &str) -> Option<&'document Map<String, Value>> {
        self.document.pointer(pointer)?.as_object()
    }

    /// The address of the first server with the defaults of its variables in place.
    fn server(&self, url: &str) -> Result<String, ReadError> {
        let variables = self.object("/servers/0/variables");
        let mut whole = String::new();
        let mut rest = url;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            whole.push_str(before);
            let variable = variables.and_then(|variables| variables.get(name));
            match variable.and_then(|variable| variable["default"].as_str()) {
                Some(value) => whole.push_str(value),
                // ETSI's documents write {apiRoot} for scheme and host, which the target is.
                None if whole.is_empty() => {}
                None => {
                    let message = format!("the server variable `{name}` has no default; give it one");
                    return Err(self.malformed("/servers/0/variables", &message));
                }
            }
            rest = after;
        }
        whole.push_str(rest);
        Ok(whole)
    }

    fn operations(&self) -> Result<Vec<Operation>, ReadError> {
        let paths = self.object("/paths").filter(|paths| !paths.is_empty());
        let paths = paths.ok_or_else(|| ReadError::NoPaths {
            document: self.name.to_owned(),
        })?;
        let mut operations = Vec::new();
        for path in paths.keys().filter(|path| path.starts_with('/')) {
            let item = resolve(self.document, &child("/paths", path));
            for method in METHODS {
                let pointer = child(&item, method);
                if self.object(&pointer).is_some() {
                    let operation = self.operation(operations.len(), path, method, &item, &pointer)?;
                    operations.extend(Some(operation).filter(Operation::may_succeed));
                }
            }
        }
        Ok(operations)
    }

    fn operation(
        &self,
        index: usize,
        path: &str,
        method: &str,
        item: &str,
        pointer: &str,
    ) -> Result<Operation, ReadError> {
        let node = self
            .object(pointer)
            .ok_or_else(|| self.malformed(pointer, "an operation is an object"))?;
        let method = method.to_ascii_uppercase();
        let template = Template::new(path);
        let text = |key: &str| node.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Operation {
            index,
            key: format!("{method} {path}"),
            method,
            parameters: self.parameters(item, pointer, &template)?,
            path: template,
            operation_id: text("operationId"),
            clause: text("x-etsi-ref"),
            pointer: pointer.to_owned(),
            body: self.body(&child(pointer, "requestBody")),
            responses: self.responses(&child(pointer, "responses"))?,
            callbacks: self.callbacks(&child(pointer, "callbacks")),
        })
    }

    /// Those of the operation hide those of the path item with the same name and place.
    fn parameters(
        &self,
        item: &str,
        operation: &str,
        template: &Template,
    ) -> Result<Vec<Parameter>, ReadError> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for owner in [item, operation] {
            let list = child(owner, "parameters");
            let length = self
                .document
                .pointer(&list)
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            for index in 0..length {
                let pointer = resolve(self.document, &child(&list, &index.to_string()));
                let parameter = self.parameter(&pointer)?;
                // Such definitions shall be ignored (OpenAPI 3.1.0, 4.8.12.1).
                let of_http = ["accept", "content-type", "authorization"];
                let name = parameter.name.to_ascii_lowercase();
                if parameter.location == Location::Header && of_http.contains(&name.as_str()) {
                    continue;
                }
                let same = |other: &Parameter| {
                    (&other.name, other.location) == (&parameter.name, parameter.location)
                };
                match parameters.iter().position(same) {
                    Some(at) => parameters[at] = parameter,
                    None => parameters.push(parameter),
                }
            }
        }
        let order: Vec<_> = template.parameters().map(str::to_owned).collect();
        parameters.sort_by_key(|parameter| match parameter.location {
            Location::Path => order
                .iter()
                .position(|name| *name == parameter.name)
                .unwrap_or(order.len()),
            _ => order.len() + 1,
        });
        Ok(parameters)
    }

    fn parameter(&self, pointer: &str) -> Result<Parameter, ReadError> {
        let node = self
            .object(pointer)
            .ok_or_else(|| self.malformed(pointer, "a parameter is an object"))?;
        let text = |key: &str| node.get(key).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| self.malformed(pointer, "a parameter has a name"))?;
        let location = match text("in") {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            _ => return Err(self.malformed(pointer, "`in` is path, query, header or cookie")),
        };
        let json = node
            .get("content")
            .and_then(Value::as_object)
            .and_then(|content| content.keys().next())
            .map(|media_type| child(&child(&child(pointer, "content"), media_type), "schema"));
        let style = match (json.is_some(), text("style")) {
            (true, _) => Style::Json,
            (_, Some("label")) => Style::Label,
            (_, Some("matrix")) => Style::Matrix,
            (_, Some("spaceDelimited")) => Style::SpaceDelimited,
            (_, Some("pipeDelimited")) => Style::PipeDelimited,
            (_, Some("deepObject")) => Style::DeepObject,
            _ if matches!(location, Location::Query | Location::Cookie) => Style::Form,
            _ => Style::Simple,
        };
        let flag = |key: &str| node.get(key).and_then(Value::as_bool);
        Ok(Parameter {
            name: name.to_owned(),
            location,
            required: location == Location::Path || flag("required").unwrap_or(false),
            schema: json.unwrap_or_else(|| child(pointer, "schema")),
            style,
            explode: flag("explode").unwrap_or(style == Style::Form),
            pointer: pointer.to_owned(),
        })
    }

    fn body(&self, pointer: &str) -> Option<Body> {
        let pointer = resolve(self.document, pointer);
        let node = self.object(&pointer)?;
        Some(Body {
            required: node.get("required").and_then(Value::as_bool).unwrap_or(false),
            content: self.content(&pointer),
            pointer,
        })
    }

    fn content(&self, owner: &str) -> Vec<Content> {
        let list = child(owner, "content");
        let types = self.object(&list).into_iter().flat_map(Map::keys);
        types
            .map(|media_type| {
                let schema = child(&child(&list, media_type), "schema");
                Content {
                    media_type: media_type.clone(),
                    schema: self.document.pointer(&schema).is_some().then_some(schema),
                }
            })
            .collect()
    }

    fn responses(&self, pointer: &str) -> Result<Vec<Response>, ReadError> {
        let mut responses = Vec::new();
        for key in self.object(pointer).into_iter().flat_map(Map::keys) {
            if key.starts_with("x-") {
                continue;
            }
            let bytes = key.as_bytes();
            let status = match (key.as_str(), key.parse::<u16>()) {
                ("default", _) => Status::Default,
                (_, Ok(code @ 100..=599)) => Status::Code(code),
                _ if matches!(bytes, [b'1'..=b'5', b'X' | b'x', b'X' | b'x']) => {
                    Status::Range(bytes[0] - b'0')
                }
                _ => return Err(self.malformed(pointer, &format!("`{key}` is no status"))),
            };
            let place = resolve(self.document, &child(pointer, key));
            responses.push(Response {
                status,
                headers: self.headers(&place),
                content: self.content(&place),
                pointer: place,
            });
        }
        responses.sort_by_key(|response| response.status);
        Ok(responses)
    }

    fn headers(&self, owner: &str) -> Vec<Header> {
        let list = child(owner, "headers");
        let names = self.object(&list).into_iter().flat_map(Map::keys);
        names
            .filter(|name| !name.eq_ignore_ascii_case("content-type"))
            .map(|name| {
                let place = resolve(self.document, &child(&list, name));
                let schema = child(&place, "schema");
                let required = self.document.pointer(&child(&place, "required"));
                Header {
                    name: name.clone(),
                    required: required.and_then(Value::as_bool).unwrap_or(false),
                    schema: self.document.pointer(&schema).is_some().then_some(schema),
                }
            })
            .collect()
    }

    fn callbacks(&self, pointer: &str) -> Vec<Callback> {
        let mut callbacks = Vec::new();
        for name in self.object(pointer).into_iter().flat_map(Map::keys) {
            let place = resolve(self.document, &child(pointer, name));
            for expression in self.object(&place).into_iter().flat_map(Map::keys) {
                let item = resolve(self.document, &child(&place, expression));
                for method in METHODS {
                    let place = child(&item, method);
                    let body = resolve(self.document, &child(&place, "requestBody"));
                    if self.object(&place).is_some() {
                        callbacks.push(Callback {
                            name: name.clone(),
                            expression: expression.clone(),
                            method: method.to_ascii_uppercase(),
                            content: self.content(&body),
                            pointer: place,
                        });
                    }
                }
            }
        }
        callbacks
    }
}
