//! What the servers of others keep and answer.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mecforge_api::Operation;
use serde_json::{Value, json};

use super::{Fault, Form, Kept, Server, Thing};

/// Whether the conditions of a change fail for what has a tag (RFC 9110, 13.1).
fn fails(headers: &HeaderMap, tag: &str) -> bool {
    let tags = |name| {
        let fields = headers
            .get_all(name)
            .iter()
            .filter_map(|field| field.to_str().ok());
        let tags: Vec<String> = fields
            .flat_map(|field| field.split(','))
            .map(|tag| tag.trim().to_owned())
            .collect();
        tags
    };
    let (wanted, unwanted) = (tags(header::IF_MATCH), tags(header::IF_NONE_MATCH));
    let lacks = !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == tag || wanted == "*");
    lacks
        || unwanted
            .iter()
            .any(|other| other.trim_start_matches("W/") == tag || other == "*")
}

impl Server {
    fn identifier(&self, count: u64) -> String {
        match self.manner.form {
            Form::Number => count.to_string(),
            Form::Uuid => format!("00000000-0000-4000-8000-{count:012x}"),
            Form::Text => format!("s{count}"),
        }
    }

    /// A thing as it is kept: without what the server alone says and what is never shown.
    fn kept(&self, mut value: Value, id: &str) -> Value {
        if self.manner.id.is_empty() || !value.is_object() {
            return value;
        }
        for name in ["chip", "registered"] {
            value.as_object_mut().unwrap().remove(name);
        }
        value[self.manner.id] = match self.manner.form {
            Form::Number => json!(id.parse::<u64>().unwrap()),
            _ => json!(id),
        };
        if self.fault == Fault::LacksIdentifier {
            value.as_object_mut().unwrap().remove(self.manner.id);
        }
        if self.fault == Fault::ChangesText && value.get("name").is_some() {
            value["name"] = json!("other");
        }
        value
    }

    pub(super) fn act(
        &self,
        operation: &Operation,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        given: Value,
    ) -> Response {
        let mut kept = self.kept.lock().unwrap();
        let template = operation.path.text();
        let parent = template
            .match_indices('/')
            .filter(|(at, _)| template[..*at].ends_with('}'));
        for (at, _) in parent {
            let depth = template[..at].matches('/').count();
            let end = path
                .match_indices('/')
                .nth(depth)
                .map_or(path.len(), |(at, _)| at);
            if !kept.things.contains_key(&path[..end]) {
                return self.refuse(StatusCode::NOT_FOUND, "no such thing");
            }
        }
        let resource = self.api.resource(template).unwrap();
        if let (true, Some(thing)) = (self.manner.tags, kept.things.get(path))
            && operation.method != "GET"
            && fails(headers, &thing.tag())
        {
            return self.refuse(StatusCode::PRECONDITION_FAILED, "it has changed");
        }
        match operation.method.as_str() {
            "GET" => self.read(&kept, operation, path, query, headers),
            "POST"
                if operation
                    .response(201)
                    .is_some_and(|made| made.pointer.ends_with("/201")) =>
            {
                kept.count += 1;
                kept.versions += 1;
                let id = self.identifier(kept.count);
                let (value, version) = (self.kept(given, &id), kept.versions);
                let path = format!("{path}/{id}");
                kept.things.insert(
                    path.clone(),
                    Thing {
                        value: value.clone(),
                        version,
                    },
                );
                self.made(&path, self.manner.shows.then_some(value))
            }
            "PUT" | "PATCH" if resource.path.last_parameter().is_some() || template.ends_with("/latest") => {
                self.write(&mut kept, operation, path, given)
            }
            "DELETE" => match kept.things.get(path).cloned() {
                None => self.refuse(StatusCode::NOT_FOUND, "no such thing"),
                Some(thing) => {
                    if self.fault != Fault::KeepsRemoved {
                        let below = format!("{path}/");
                        kept.things
                            .retain(|other, _| other != path && !other.starts_with(&below));
                    }
                    match operation
                        .responses
                        .iter()
                        .any(|response| response.status.to_string() == "200")
                    {
                        true => axum::Json(thing.value).into_response(),
                        false => StatusCode::NO_CONTENT.into_response(),
                    }
                }
            },
            _ if template.ends_with("/sales") => axum::Json(given).into_response(),
            _ if template == "/trees" => {
                let mut tree = given;
                if tree.is_object() {
                    tree["size"] = json!(1);
                }
                axum::Json(tree).into_response()
            }
            _ => StatusCode::NO_CONTENT.into_response(),
        }
    }

    fn made(&self, path: &str, value: Option<Value>) -> Response {
        let mut response = match value {
            Some(value) => (StatusCode::CREATED, axum::Json(value)).into_response(),
            None => StatusCode::CREATED.into_response(),
        };
        if self.manner.location {
            let address = format!("{}{path}", self.api.base_path);
            response
                .headers_mut()
                .insert(header::LOCATION, address.parse().unwrap());
        }
        response
    }

    fn write(&self, kept: &mut Kept, operation: &Operation, path: &str, given: Value) -> Response {
        let before = kept.things.get(path).cloned();
        let makes = operation
            .responses
            .iter()
            .any(|response| response.status.to_string() == "201");
        let alone = path.ends_with("/latest");
        if before.is_none() && !makes && !alone {
            return self.refuse(StatusCode::NOT_FOUND, "no such thing");
        }
        let id = path.rsplit('/').next().unwrap();
        let value = match (operation.method.as_str(), &before) {
            ("PATCH", Some(before)) => {
                let mut value = before.value.clone();
                for (name, member) in given.as_object().into_iter().flatten() {
                    match member {
                        Value::Null => value.as_object_mut().unwrap().remove(name),
                        member => value
                            .as_object_mut()
                            .unwrap()
                            .insert(name.clone(), member.clone()),
                    };
                }
                if value.get("label").is_none() {
                    return self.refuse(StatusCode::BAD_REQUEST, "there has to be a label");
                }
                value
            }
            _ if alone => given,
            _ => self.kept(given, id),
        };
        kept.versions += 1;
        let version = kept.versions;
        kept.things.insert(
            path.to_owned(),
            Thing {
                value: value.clone(),
                version,
            },
        );
        match (before.is_none() && makes, makes || alone) {
            (true, _) => (StatusCode::CREATED, axum::Json(value)).into_response(),
            (false, true) => StatusCode::NO_CONTENT.into_response(),
            (false, false) => axum::Json(value).into_response(),
        }
    }

    fn read(
        &self,
        kept: &Kept,
        operation: &Operation,
        path: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Response {
        let template = operation.path.text();
        if template == "/inventory" {
            return axum::Json(json!({"available": kept.things.len()})).into_response();
        }
        if template.ends_with("/receipt") {
            return ([(header::CONTENT_TYPE, "image/png")], &b"\x89PNG\r\n\x1a\n"[..]).into_response();
        }
        if template.ends_with("/label") {
            return "a label".into_response();
        }
        if let Some(thing) = kept.things.get(path) {
            return self.one(thing, headers);
        }
        if operation.path.last_parameter().is_some() || template.ends_with("/latest") {
            return self.refuse(StatusCode::NOT_FOUND, "no such thing");
        }
        let limit = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("limit=")?.parse().ok());
        let mut members: Vec<(&String, &Thing)> = kept
            .things
            .iter()
            .filter(|(other, _)| other.rsplit_once('/').map(|(parent, _)| parent) == Some(path))
            .collect();
        members.sort_by_key(|(path, _)| path.len());
        let all = members.len();
        members.truncate(limit.unwrap_or(self.manner.page));
        let list: Vec<Value> = members
            .into_iter()
            .map(|(path, thing)| match template {
                "/rooms" => json!(path.trim_start_matches("/rooms/")),
                _ => thing.value.clone(),
            })
            .collect();
        let body = match self.manner.wrapped {
            Some(name) => json!({ name: list }),
            None => json!(list),
        };
        ([("x-total-count", all.to_string())], axum::Json(body)).into_response()
    }

    fn one(&self, thing: &Thing, headers: &HeaderMap) -> Response {
        let tag = thing.tag();
        if !self.manner.tags {
            return axum::Json(thing.value.clone()).into_response();
        }
        let asked = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|field| field.to_str().ok());
        let wanted = headers
            .get(header::IF_MATCH)
            .and_then(|field| field.to_str().ok());
        let fits = |wanted: &str| {
            wanted
                .split(',')
                .any(|one| one.trim() == tag || one.trim() == "*")
        };
        if wanted.is_some_and(|wanted| !fits(wanted)) {
            return self.refuse(StatusCode::PRECONDITION_FAILED, "it is another one now");
        }
        let same = asked.is_some_and(|asked| {
            let mut tags = asked.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
            tags.any(|asked| asked == tag || asked == "*")
        });
        match same {
            true => (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response(),
            false => ([(header::ETAG, tag)], axum::Json(thing.value.clone())).into_response(),
        }
    }
}
