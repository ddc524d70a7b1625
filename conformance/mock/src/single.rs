//! Paths that hold one thing or do one: queries, singletons, tasks.

use axum::http::StatusCode;
use bytes::Bytes;
use mecforge_api::Response;
use serde_json::Value;

use crate::answer::Answer;
use crate::conditions;
use crate::list;
use crate::mock::Call;
use crate::plan::answered;
use crate::problem::Problem;
use crate::read::Given;
use crate::represent::{Making, generated, merge, path_of, timestamp};
use crate::respond::{Outcome, unable};
use crate::shape;
use crate::store::{Held, Object, Scope, Store};

impl Call<'_> {
    /// What a path holds that is no thing of a family: what was put there, else something generated.
    pub(crate) fn single(
        &self,
        store: &Store,
        response: &Response,
        media_type: Option<&str>,
    ) -> Result<Answer, Problem> {
        let held = store.held(&self.path);
        if let (Some(held), Some(media_type)) = (held, media_type)
            && !held.media_type.contains("json")
        {
            return Ok(Answer::bytes(StatusCode::OK, media_type, held.body.clone()));
        }
        let tag = held.map_or_else(|| "\"0\"".to_owned(), |held| format!("\"{}\"", held.version));
        let kept = held.and_then(|held| serde_json::from_slice(&held.body).ok());
        let value = match kept {
            Some(value) => Some(value),
            None => self.made_up(response, &Value::Object(Default::default()))?,
        };
        let outcome = Outcome {
            value: value.map(|value| self.filtered(response, value)),
            tag: Some(tag),
            location: None,
        };
        self.finish(response, media_type, outcome)
    }

    fn made_up(&self, response: &Response, given: &Value) -> Result<Option<Value>, Problem> {
        let Some(schema) = response.json().and_then(|content| content.schema.as_deref()) else {
            return Ok(None);
        };
        let href = format!("{}{}", self.origin, self.path);
        // Only the clock tells another time each time; everything else is from when the server began.
        let is_clock = self.resource.path.text().ends_with("/current_time");
        let now = if is_clock { self.now } else { self.mock.started };
        let mut value = generated(self.plan, schema, &href, &self.values, given, now)
            .ok_or_else(|| unable(&self.operation.key))?;
        if let (true, Some(members)) = (is_clock, value.as_object_mut()) {
            for (name, part) in timestamp(self.now).as_object().into_iter().flatten() {
                members.insert(name.clone(), part.clone());
            }
        }
        Ok(Some(value))
    }

    /// The elements of a list that a query selects, where fewer are allowed.
    fn filtered(&self, response: &Response, value: Value) -> Value {
        let schema = response.json().and_then(|content| content.schema.clone());
        let (Some(schema), Value::Array(elements)) = (schema, &value) else {
            return value;
        };
        let items = shape::items(&self.plan.api.document, std::slice::from_ref(&schema));
        let Some(items) = items.first() else {
            return value;
        };
        let selected = elements.iter().filter(|element| {
            element
                .as_object()
                .is_none_or(|members| list::selects(self.plan, items, members, &self.query))
        });
        let selected = Value::Array(selected.cloned().collect());
        match self.plan.schemas.is_valid(&schema, &selected) {
            true => selected,
            false => value,
        }
    }

    /// PUT or PATCH of what is no thing of a family.
    pub(crate) fn hold(
        &self,
        store: &mut Store,
        response: &Response,
        given: Given,
    ) -> Result<Outcome, Problem> {
        let get = self
            .resource
            .operation("GET")
            .and_then(|index| self.plan.api.operations.get(index));
        let shown = get.and_then(|get| get.successes().next());
        let current = store
            .held(&self.path)
            .map_or_else(|| "\"0\"".to_owned(), |held| format!("\"{}\"", held.version));
        if shown.is_some_and(|shown| shown.header("etag").is_some()) {
            conditions::before_change(self.headers, Some(&current))?;
        }
        let (media_type, body, value) = match given {
            Given::Bytes(media_type, body) => (media_type, body, None),
            Given::Nothing => (String::new(), Bytes::new(), None),
            Given::Json(mut value, request) => {
                if self.operation.method == "PATCH" {
                    let before = store
                        .held(&self.path)
                        .and_then(|held| serde_json::from_slice(&held.body).ok());
                    let mut merged = before
                        .or(self.made_up(shown.unwrap_or(response), &Value::Null)?)
                        .unwrap_or_default();
                    merge(&mut merged, &value);
                    value = merged;
                } else if let Some(request) = request {
                    shape::prune(&self.plan.api.document, &[request], &mut value);
                }
                if let Some(fitted) = self.made_up(shown.unwrap_or(response), &value)? {
                    value = fitted;
                }
                (
                    "application/json".to_owned(),
                    Bytes::from(value.to_string()),
                    Some(value),
                )
            }
        };
        let version = store.next_version();
        let held = Held {
            media_type,
            body,
            version,
        };
        store.hold(&self.path, held)?;
        Ok(Outcome {
            value,
            tag: Some(format!("\"{version}\"")),
            location: None,
        })
    }

    /// A POST that makes nothing: its answer is what was sent, made whole; if it answers with what it was sent to, that.
    pub(crate) fn task(
        &self,
        store: &mut Store,
        response: &Response,
        given: Given,
    ) -> Result<Outcome, Problem> {
        let given = match given {
            Given::Json(value, _) => value,
            _ => Value::Object(Default::default()),
        };
        let mut outcome = Outcome::value(None);
        if let Some(schema) = answered(&self.plan.api, self.operation) {
            let ancestors = self.plan.ancestors.get(self.resource.path.text());
            let above = ancestors.into_iter().flatten().find_map(|template| {
                let family = self
                    .plan
                    .family(template)
                    .filter(|family| self.plan.families[*family].schema == schema)?;
                let (scope, id) = self.place(template);
                self.mock
                    .lookup(store, (self.at, family), &scope, &id, &self.origin)
            });
            outcome.value = match above {
                Some(object) => Some(object.value),
                None => self.made_up(response, &given)?,
            };
        }
        if response.header("location").is_some() {
            outcome.location = self.occurrence(store)?;
        }
        Ok(outcome)
    }

    /// Where a long operation can be watched: a new thing of a family that nobody else can make, if there is one.
    fn occurrence(&self, store: &mut Store) -> Result<Option<String>, Problem> {
        let families = self.plan.families.iter().enumerate();
        let mut watched =
            families.filter(|(_, family)| family.seeded && family.home.parameters().count() == 1);
        let Some((index, family)) = watched.next() else {
            return Ok(None);
        };
        let id = self.mock.identifier(self.plan, family, &family.home);
        let path = path_of(self.plan, &family.home, &Scope::new(), &id);
        let making = Making {
            plan: self.plan,
            family,
            id: &id,
            path: &path,
            origin: &self.origin,
            scope: &Scope::new(),
            now: self.now,
            previous: None,
        };
        let value = making
            .represent(None, &Value::Object(Default::default()))
            .ok_or_else(|| unable(&self.operation.key))?;
        let object = Object {
            version: store.next_version(),
            beat: (self.now, 0),
            expires: None,
            announced: false,
            scope: Scope::new(),
            id,
            path: path.clone(),
            value,
        };
        store.put((self.at, index), object)?;
        Ok(Some(path))
    }
}
