//! The operations: what each method does to what is kept, and what it answers.

use axum::http::{HeaderName, StatusCode, header};
use bytes::Bytes;
use mecforge_api::{Response, Status, Template};
use serde_json::Value;

use crate::answer::Answer;
use crate::conditions;
use crate::list;
use crate::mock::Call;
use crate::negotiate;
use crate::plan::creates;
use crate::problem::Problem;
use crate::read::Given;
use crate::represent::{generated, inner};
use crate::schemas::lock;
use crate::seeds::own;
use crate::shape;
use crate::store::{Object, Scope, Store};

/// An archive without files, for contents that are archives.
const EMPTY_ARCHIVE: [u8; 22] = *b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What an operation came to.
pub(crate) struct Outcome {
    pub(crate) value: Option<Value>,
    pub(crate) tag: Option<String>,
    pub(crate) location: Option<String>,
}

impl Outcome {
    pub(crate) fn of(object: &Object) -> Outcome {
        Outcome {
            value: Some(object.value.clone()),
            tag: Some(object.tag()),
            location: None,
        }
    }

    pub(crate) fn value(value: Option<Value>) -> Outcome {
        Outcome {
            value,
            tag: None,
            location: None,
        }
    }
}

/// The fault of this server, or of a document that nothing can satisfy.
pub(crate) fn unable(what: &str) -> Problem {
    tracing::error!(what, "no valid answer can be made");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("the document's schema for {what} has no instance that this server can make"),
    )
}

pub(crate) fn gone() -> Problem {
    Problem::not_found("there is no such resource")
}

impl Call<'_> {
    /// The values of the parameters before the identifier, and the identifier, of a template that the path fits.
    pub(crate) fn place(&self, template: &Template) -> (Scope, String) {
        let last = template.last_parameter().unwrap_or_default();
        let before =
            |(name, _): &(&String, &String)| template.parameters().any(|other| other == name.as_str());
        let mut values: Scope = self.values.iter().filter(before).map(own).collect();
        let id = values.remove(last).unwrap_or_default();
        (values, id)
    }

    /// The path's things must be there: the items above it, and the application instance that it names.
    fn check_ancestors(&self, store: &Store) -> Result<(), Problem> {
        let ancestors = self.plan.ancestors.get(self.resource.path.text());
        for template in ancestors.into_iter().flatten() {
            let (scope, id) = self.place(template);
            let Some(family) = self.plan.family(template) else {
                continue;
            };
            if self
                .mock
                .lookup(store, (self.at, family), &scope, &id, &self.origin)
                .is_none()
            {
                return Err(gone());
            }
        }
        let Some(known) = &self.mock.options.known_instances else {
            return Ok(());
        };
        let is_item = self.resource.path.last_parameter();
        let instance = self
            .values
            .iter()
            .find(|(name, _)| shape::plain(name) == "appinstanceid" && is_item != Some(name.as_str()));
        let Some((_, instance)) = instance else {
            return Ok(());
        };
        let registered = self.mock.plans.iter().enumerate().any(|(at, plan)| {
            let families = plan.families.iter().enumerate();
            let mut named =
                families.filter(|(_, family)| family.home.last_parameter() == Some("appInstanceId"));
            named.any(|(family, _)| store.has_id((at, family), instance))
        });
        match registered || known.contains(instance) {
            true => Ok(()),
            false => Err(Problem::not_found("there is no such application instance")),
        }
    }

    /// The response that a success has, and the media type that the client takes of it.
    fn success(&self, made: bool) -> Result<(&Response, Option<&str>), Problem> {
        let is_made = |response: &&Response| response.status == Status::Code(201);
        let wanted = self
            .operation
            .successes()
            .find(|response| is_made(response) == made);
        let response = wanted.or_else(|| self.operation.successes().next());
        let response = response.ok_or_else(|| unable("this operation"))?;
        let mut offers: Vec<&str> = response
            .content
            .iter()
            .map(|content| content.media_type.as_str())
            .collect();
        offers.sort_by_key(|offer| !offer.to_ascii_lowercase().contains("json"));
        let chosen = negotiate::choose(self.headers, &offers);
        if chosen.is_none() && !offers.is_empty() {
            let detail = format!("this operation answers with {}", offers.join(", "));
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail));
        }
        Ok((response, chosen))
    }

    /// Does what the method does, and answers.
    pub(crate) fn respond(&self, given: Given) -> Result<Answer, Problem> {
        let mut store = lock(&self.mock.store);
        let is_item = self.resource.path.last_parameter().is_some();
        let family = self.plan.family(&self.resource.path);
        let puts = family.filter(|_| self.operation.method == "PUT" && self.resource.upsert.is_some());
        let new = puts.is_some_and(|family| self.existing(&store, family).is_err());
        let (response, media_type) = self.success(new || creates(self.operation))?;
        self.check_ancestors(&store)?;
        let outcome = match (self.operation.method.as_str(), family) {
            _ if self.is_liveness() => self.liveness(&mut store)?,
            ("GET" | "HEAD", Some(family)) if is_item => Outcome::of(&self.existing(&store, family)?),
            ("GET" | "HEAD", Some(family)) => self.list(&store, family, response)?,
            ("GET" | "HEAD", None) => return self.single(&store, response, media_type),
            ("POST", Some(family)) if creates(self.operation) => self.create(&mut store, family, given)?,
            ("PUT", Some(family)) if new => self.create(&mut store, family, given)?,
            ("PUT" | "PATCH", Some(family)) if is_item => self.change(&mut store, family, given)?,
            ("DELETE", Some(family)) if is_item => self.remove(&mut store, family)?,
            ("PUT" | "PATCH", None) => self.hold(&mut store, response, given)?,
            ("DELETE", None) => {
                store.release(&self.path);
                Outcome::value(None)
            }
            _ => self.task(&mut store, response, given)?,
        };
        self.finish(response, media_type, outcome)
    }

    pub(crate) fn finish(
        &self,
        response: &Response,
        media_type: Option<&str>,
        outcome: Outcome,
    ) -> Result<Answer, Problem> {
        let Status::Code(code) = response.status else {
            return Err(unable("this status"));
        };
        let status = StatusCode::from_u16(code).map_err(|_| unable("this status"))?;
        let tag = outcome.tag.filter(|_| response.header("etag").is_some());
        let reads = matches!(self.operation.method.as_str(), "GET" | "HEAD");
        if let Some(tag) = tag.as_ref().filter(|_| reads) {
            conditions::before_reading(self.headers, tag)?;
            if conditions::not_modified(self.headers, tag) {
                return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with(header::ETAG, tag));
            }
        }
        let schema = response.json().and_then(|content| content.schema.as_deref());
        let mut answer = match (media_type, outcome.value) {
            (None, _) => Answer::empty(status),
            (Some(media_type), Some(value)) if media_type.to_ascii_lowercase().contains("json") => {
                let value = match schema {
                    Some(schema) => self.as_declared(schema, value)?,
                    None => value,
                };
                Answer::json(status, media_type, &value)
            }
            (Some(media_type), value) => Answer::bytes(status, media_type, plain_body(media_type, value)),
        };
        if let Some(tag) = tag {
            answer = answer.with(header::ETAG, &tag);
        }
        for declared in &response.headers {
            let is_location = declared.name.eq_ignore_ascii_case("location");
            let is_tag = declared.name.eq_ignore_ascii_case("etag");
            let value = match (&outcome.location, &declared.schema) {
                (Some(location), _) if is_location => Some(format!("{}{location}", self.origin)),
                (None, _) if is_location && declared.required => {
                    Some(format!("{}{}", self.origin, self.path))
                }
                (_, Some(schema)) if declared.required && !is_location && !is_tag => self
                    .plan
                    .schemas
                    .example(schema)
                    .map(|value| value.as_str().map_or(value.to_string(), str::to_owned)),
                _ => None,
            };
            if let (Some(value), Ok(name)) = (value, HeaderName::from_bytes(declared.name.as_bytes())) {
                answer = answer.with(name, &value);
            }
        }
        Ok(answer)
    }

    /// A value in the type of this response: what is kept may have more than it shows.
    fn as_declared(&self, schema: &str, value: Value) -> Result<Value, Problem> {
        if self.plan.schemas.is_valid(schema, &value) {
            return Ok(value);
        }
        let fitted = self.plan.schemas.fit(schema, &value, &|_, _| None);
        fitted
            .filter(|value| self.plan.schemas.is_valid(schema, value))
            .ok_or_else(|| unable(&self.operation.key))
    }

    pub(crate) fn existing(&self, store: &Store, family: usize) -> Result<Object, Problem> {
        let (scope, id) = self.place(&self.resource.path);
        self.mock
            .lookup(store, (self.at, family), &scope, &id, &self.origin)
            .ok_or_else(gone)
    }

    fn list(&self, store: &Store, index: usize, response: &Response) -> Result<Outcome, Problem> {
        let family = &self.plan.families[index];
        let identifying = ["ser_instance_id", "ser_name", "ser_category_id"];
        if identifying
            .iter()
            .filter(|name| self.query.contains_key(**name))
            .count()
            > 1
        {
            let detail = "at most one of ser_instance_id, ser_name and ser_category_id selects services";
            return Err(Problem::bad_request(detail).with("parameter", identifying[1]));
        }
        let key = (self.at, index);
        let seeds = self.mock.seeds(key, &self.values, &self.origin);
        let known = |object: &&Object| {
            !store.is_buried(key, &object.path) && store.get(key, &object.scope, &object.id).is_none()
        };
        let all = seeds.iter().filter(known).chain(store.list(key, &self.values));
        let selected: Vec<&Object> = all
            .filter(|object| {
                let mut members = inner(family, &object.value);
                // `ser_instance_id` and its like may name the identifier under which the thing is reached.
                members.entry("id").or_insert_with(|| object.id.as_str().into());
                list::selects(self.plan, &family.schema, &members, &self.query)
            })
            .collect();
        let schema = response.json().and_then(|content| content.schema.as_deref());
        let href = format!("{}{}", self.origin, self.path);
        let rendered = schema.and_then(|schema| {
            list::render(self.plan, family, schema, (&self.origin, &href), &selected).or_else(|| {
                generated(
                    self.plan,
                    schema,
                    &href,
                    &self.values,
                    &Value::Object(Default::default()),
                    self.now,
                )
            })
        });
        Ok(Outcome::value(Some(
            rendered.ok_or_else(|| unable(&self.operation.key))?,
        )))
    }
}

/// A body for a media type that is not JSON.
fn plain_body(media_type: &str, value: Option<Value>) -> Bytes {
    match negotiate::essence(media_type).as_str() {
        "application/zip" => Bytes::from_static(&EMPTY_ARCHIVE),
        _ => Bytes::from(value.map(|value| value.to_string()).unwrap_or_default()),
    }
}
