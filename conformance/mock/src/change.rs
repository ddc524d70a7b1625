//! What POST makes, PUT and PATCH change and DELETE removes: things of a family.

use std::time::Duration;

use axum::http::StatusCode;
use mecforge_api::Template;
use serde_json::Value;

use crate::mock::Call;
use crate::plan::Family;
use crate::problem::Problem;
use crate::read::Given;
use crate::represent::{Making, inner, merge, path_of};
use crate::respond::{Outcome, unable};
use crate::shape;
use crate::store::{FamilyKey, Object, Store};
use crate::{callback, conditions};

/// When a thing ends, if it says so and that is not over already: a subscription that has ended before it was made
/// would make no sense, so such a deadline is kept and not obeyed.
fn deadline(family: &Family, value: &Value, now: Duration) -> Option<Duration> {
    let seconds = inner(family, value)
        .get("expiryDeadline")?
        .get("seconds")?
        .as_f64()?;
    let end = Duration::from_secs(seconds.max(0.0) as u64);
    (end > now).then_some(end)
}

impl Call<'_> {
    /// The values of the path and the identifier are not a body's to change.
    fn check_names(&self, family: &Family, request: Option<&str>, value: &Value) -> Result<(), Problem> {
        let members = inner(family, value);
        for (name, text) in &self.values {
            let declared = request.is_none_or(|request| {
                let own = shape::property_names(&self.plan.api.document, request).contains(name);
                own || family.wrapped
            });
            let other = members
                .get(name)
                .and_then(Value::as_str)
                .filter(|other| *other != text);
            if other.is_some() && declared {
                let detail = format!("{name} is not the {name} of the path");
                return Err(Problem::bad_request(detail).with("pointer", format!("/{name}")));
            }
        }
        Ok(())
    }

    /// The identifier that a client gives, where the type lets it.
    fn wanted_id(
        &self,
        store: &Store,
        key: FamilyKey,
        request: Option<&str>,
        value: &Value,
    ) -> Result<Option<String>, Problem> {
        let family = &self.plan.families[key.1];
        let Some(name) = family
            .home
            .last_parameter()
            .filter(|name| family.identity.as_deref() == Some(*name))
        else {
            return Ok(None);
        };
        let declared = request.is_some_and(|request| {
            shape::property_names(&self.plan.api.document, request)
                .iter()
                .any(|other| other == name)
        });
        let Some(id) = inner(family, value)
            .get(name)
            .and_then(Value::as_str)
            .filter(|_| declared)
            .map(str::to_owned)
        else {
            return Ok(None);
        };
        if id.is_empty() || id == "." || id == ".." || id.len() > 256 || id.contains(char::is_control) {
            let detail = format!("{name} can't stand in an address");
            return Err(Problem::bad_request(detail).with("pointer", format!("/{name}")));
        }
        match store.has_id(key, &id) {
            false => Ok(Some(id)),
            // Who registers an application instance names something that is there already, so it can't get another
            // name (MEC 011, 7.2.13); all other identifiers are the server's to choose.
            true if name == "appInstanceId" => {
                Err(Problem::new(StatusCode::FORBIDDEN, "this appInstanceId is taken"))
            }
            true => Ok(None),
        }
    }

    /// Chooses the way in which a subscription is told of what happens.
    fn serve_by(&self, family: &Family, value: &mut Value, href: &str) {
        if self.mock.options.callbacks {
            crate::websocket::choose(self.plan, family, value, href);
        }
    }

    pub(crate) fn create(&self, store: &mut Store, index: usize, given: Given) -> Result<Outcome, Problem> {
        let key = (self.at, index);
        let family = &self.plan.families[index];
        let (value, request) = match given {
            Given::Json(value, request) => (value, request),
            _ => (Value::Object(Default::default()), None),
        };
        self.check_names(family, request.as_deref(), &value)?;
        callback::judge(&value)?;
        let (scope, id, path) = match self.operation.method.as_str() {
            // The client names what it makes.
            "PUT" => {
                let (scope, id) = self.place(&self.resource.path);
                let path = path_of(self.plan, &self.resource.path, &scope, &id);
                (scope, id, path)
            }
            _ => {
                let item = self.resource.items.as_deref().map(Template::new);
                let item = item.as_ref().unwrap_or(&family.home);
                let id = self
                    .wanted_id(store, key, request.as_deref(), &value)?
                    .unwrap_or_else(|| self.mock.identifier(self.plan, family, item));
                let path = path_of(self.plan, item, &self.values, &id);
                (self.values.clone(), id, path)
            }
        };
        let making = Making {
            plan: self.plan,
            family,
            id: &id,
            path: &path,
            origin: &self.origin,
            scope: &scope,
            now: self.now,
            previous: None,
        };
        let mut value = making
            .represent(request.as_deref(), &value)
            .ok_or_else(|| unable(&self.operation.key))?;
        self.serve_by(family, &mut value, &making.href());
        let object = Object {
            version: store.next_version(),
            beat: (self.now, 0),
            expires: deadline(family, &value, self.now),
            announced: false,
            scope: scope.clone(),
            id: id.clone(),
            path: path.clone(),
            value,
        };
        let mut outcome = Outcome::of(&object);
        store.put(key, object.clone())?;
        outcome.location = Some(path);
        self.mock
            .changed(self.at, store, None, Some(&object.value), &object);
        self.mock.subscribed(self.at, &object);
        self.mock.announce(store, self.now);
        Ok(outcome)
    }

    /// PUT replaces, PATCH merges (RFC 7396).
    pub(crate) fn change(&self, store: &mut Store, index: usize, given: Given) -> Result<Outcome, Problem> {
        let key = (self.at, index);
        let family = &self.plan.families[index];
        let existing = self.existing(store, index)?;
        if family.tagged {
            conditions::before_change(self.headers, Some(&existing.tag()))?;
        }
        let (given, request) = match given {
            Given::Json(value, request) => (value, request),
            _ => (Value::Object(Default::default()), None),
        };
        self.check_names(family, request.as_deref(), &given)?;
        callback::judge(&given)?;
        let patches = self.operation.method == "PATCH";
        let mut value = given;
        if patches {
            if let Some(request) = &request {
                shape::prune(&self.plan.api.document, std::slice::from_ref(request), &mut value);
            }
            let mut merged = existing.value.clone();
            merge(&mut merged, &value);
            let known = |pointer: &str| self.plan.schemas.is_valid(pointer, &merged);
            if !known(&family.schema) {
                return Err(Problem::bad_request(
                    "the resource would not be valid after this change",
                ));
            }
            value = merged;
        }
        let making = Making {
            plan: self.plan,
            family,
            id: &existing.id,
            path: &existing.path,
            origin: &self.origin,
            scope: &existing.scope,
            now: self.now,
            previous: Some(&existing.value),
        };
        let request = request.as_deref().filter(|_| !patches);
        let mut value = making
            .represent(request, &value)
            .ok_or_else(|| unable(&self.operation.key))?;
        self.serve_by(family, &mut value, &making.href());
        let object = Object {
            version: store.next_version(),
            beat: (self.now, existing.beat.1 + 1),
            expires: deadline(family, &value, self.now),
            announced: false,
            value,
            ..existing.clone()
        };
        store.put(key, object.clone())?;
        self.mock.changed(
            self.at,
            store,
            Some(&existing.value),
            Some(&object.value),
            &object,
        );
        self.mock.moved(family, &existing, &object);
        if !patches {
            self.mock.subscribed(self.at, &object);
        }
        self.mock.announce(store, self.now);
        Ok(Outcome::of(&object))
    }

    pub(crate) fn remove(&self, store: &mut Store, index: usize) -> Result<Outcome, Problem> {
        let key = (self.at, index);
        let existing = self.existing(store, index)?;
        if self.plan.families[index].tagged {
            conditions::before_change(self.headers, Some(&existing.tag()))?;
        }
        if self.plan.families[index].seeded {
            store.bury(key, &existing.path)?;
        }
        store.remove(key, &existing.scope, &existing.id);
        // What was below it goes with it.
        store.release_below(&existing.path);
        self.mock
            .changed(self.at, store, Some(&existing.value), None, &existing);
        // What an application has offered or subscribed ends with it.
        if self.plan.families[index].home.last_parameter() == Some("appInstanceId") {
            for ((api, _), gone) in store.leave("appInstanceId", &existing.id) {
                self.mock.changed(api, store, Some(&gone.value), None, &gone);
            }
        }
        Ok(Outcome::value(Some(existing.value)))
    }
}
