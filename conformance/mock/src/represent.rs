//! From what a client gives to what the server answers: what is not declared goes, what is the server's comes.
//!
//! Undeclared properties of a request are dropped, as MEC 009 lets a server ignore what it doesn't know, and as
//! keeping them would let a client set what is the server's to say.

use std::time::Duration;

use mecforge_api::Template;
use serde_json::{Map, Value, json};

use crate::plan::{Family, Plan};
use crate::shape;
use crate::store::Scope;

/// The names under which types carry their links.
const LINKS: &str = "_links";

/// One thing that is being made or changed.
pub(crate) struct Making<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) family: &'a Family,
    pub(crate) id: &'a str,
    /// Its path, base path included.
    pub(crate) path: &'a str,
    /// Scheme and host under which the client sees the server; may be empty.
    pub(crate) origin: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) now: Duration,
    /// What it was before.
    pub(crate) previous: Option<&'a Value>,
}

/// A moment as MEC's documents write it.
pub(crate) fn timestamp(moment: Duration) -> Value {
    let seconds = moment.as_secs().min(u64::from(u32::MAX));
    json!({"seconds": seconds, "nanoSeconds": moment.subsec_nanos()})
}

/// The members of a value, or of what a wrapper wraps.
pub(crate) fn inner(family: &Family, value: &Value) -> Map<String, Value> {
    let Some(members) = value.as_object() else {
        return Map::new();
    };
    let within = members
        .values()
        .find_map(Value::as_object)
        .filter(|_| family.wrapped);
    within.unwrap_or(members).clone()
}

/// The same, to be changed; of several things that a wrapper wraps the first.
pub(crate) fn inner_mut<'value>(
    family: &Family,
    value: &'value mut Value,
) -> Option<&'value mut Map<String, Value>> {
    let members = value.as_object_mut()?;
    let wraps = family.wrapped && members.values().any(Value::is_object);
    match wraps {
        true => members.values_mut().find_map(Value::as_object_mut),
        false => Some(members),
    }
}

impl Making<'_> {
    pub(crate) fn href(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// The address that a link of this name has: a path below the thing, if the document has one of that name.
    fn link(&self, name: &str) -> String {
        let wanted = shape::plain(name);
        let own = self.family.home.text();
        let below = self.plan.api.resources.iter().find_map(|resource| {
            let rest = resource.path.text().strip_prefix(own)?.strip_prefix('/')?;
            let fits = shape::plain(rest) == wanted || wanted.ends_with(&shape::plain(rest));
            (fits && !rest.contains(['{', '/'])).then(|| rest.to_owned())
        });
        match below {
            Some(rest) => format!("{}/{rest}", self.href()),
            None => self.href(),
        }
    }

    /// What the server gives for a required property that is missing.
    fn assign(&self, name: &str, schema: &str) -> Option<Value> {
        let document = &self.plan.api.document;
        let declares = |wanted: &str| !shape::property(document, &[schema.to_owned()], wanted).is_empty();
        if let Some(before) = self
            .previous
            .and_then(|value| inner(self.family, value).remove(name))
        {
            return Some(before);
        }
        if declares("href") {
            return Some(json!({"href": self.link(name)}));
        }
        if declares("seconds") && declares("nanoSeconds") {
            return Some(timestamp(self.now));
        }
        match name {
            LINKS => Some(json!({"self": {"href": self.href()}})),
            "href" => Some(self.href().into()),
            "id" => Some(self.plan.schemas.typed(schema, self.id)),
            _ if Some(name) == self.family.identity.as_deref() => {
                Some(self.plan.schemas.typed(schema, self.id))
            }
            _ => self
                .scope
                .get(name)
                .map(|value| self.plan.schemas.typed(schema, value)),
        }
    }

    /// Sets what is the server's to say, whether it is required or not.
    fn decorate(&self, value: &mut Value) {
        let schemas = [self.family.schema.clone()];
        let Some(members) = value.as_object_mut() else {
            return;
        };
        if !self.family.wrapped {
            return self.decorate_members(&schemas, members);
        }
        for (name, member) in members.iter_mut() {
            let schemas = shape::property(&self.plan.api.document, &schemas, name);
            if let Value::Object(members) = member {
                self.decorate_members(&schemas, members);
            }
        }
    }

    fn decorate_members(&self, schemas: &[String], members: &mut Map<String, Value>) {
        let document = &self.plan.api.document;
        let declared = |name: &str| shape::property(document, schemas, name);
        if let Some(name) = self.family.identity.as_deref()
            && let Some(schema) = declared(name).first()
        {
            members.insert(name.to_owned(), self.plan.schemas.typed(schema, self.id));
        }
        for (name, value) in self
            .scope
            .iter()
            .filter(|(name, _)| !members.contains_key(*name))
            .collect::<Vec<_>>()
        {
            if let Some(schema) = declared(name).first() {
                members.insert(name.clone(), self.plan.schemas.typed(schema, value));
            }
        }
        let links = declared(LINKS);
        if !links.is_empty() {
            // What a request may say of links, it has said; of the rest, what was there stays.
            let before = self.previous.map(|value| inner(self.family, value));
            let before = before.and_then(|members| members.get(LINKS)?.as_object().cloned());
            let mut own = before.unwrap_or_default();
            let given = members.get(LINKS).and_then(Value::as_object).cloned();
            own.extend(given.unwrap_or_default());
            if !shape::property(document, &links, "self").is_empty() {
                own.insert("self".to_owned(), json!({"href": self.href()}));
            }
            own.remove("liveness");
            let beats = members.get("livenessInterval").is_some_and(Value::is_number);
            if beats && !shape::property(document, &links, "liveness").is_empty() {
                own.insert("liveness".to_owned(), json!({"href": self.link("liveness")}));
            }
            members.insert(LINKS.to_owned(), Value::Object(own));
        }
        if let Some(schema) = declared("resourceURL").first() {
            let own = match shape::property(document, std::slice::from_ref(schema), "href").is_empty() {
                true => Value::String(self.href()),
                false => json!({"href": self.href()}),
            };
            members.insert("resourceURL".to_owned(), own);
        }
    }

    /// The thing as it is answered, from what a client gave, which is valid for `request`, the schema of the body.
    /// None if the document's type has no instance at all.
    pub(crate) fn represent(&self, request: Option<&str>, given: &Value) -> Option<Value> {
        let mut value = given.clone();
        if let Some(request) = request {
            let request = [request.to_owned()];
            shape::prune(&self.plan.api.document, &request, &mut value);
            shape::drop_read_only(&self.plan.api.document, &request, &mut value);
        }
        self.name_transport(&mut value);
        shape::prune(
            &self.plan.api.document,
            std::slice::from_ref(&self.family.schema),
            &mut value,
        );
        let own = std::slice::from_ref(&self.family.schema);
        shape::drop_write_only(&self.plan.api.document, own, &mut value);
        self.decorate(&mut value);
        let schemas = &self.plan.schemas;
        let fitted = schemas.fit(&self.family.schema, &value, &|name, schema| {
            self.assign(name, schema)
        })?;
        let mut whole = fitted.clone();
        self.decorate(&mut whole);
        Some(match schemas.is_valid(&self.family.schema, &whole) {
            true => whole,
            false => fitted,
        })
    }

    /// MEC 011, 8.1.2.2: who names a transport by `transportId` is answered with all of it in `transportInfo`.
    fn name_transport(&self, value: &mut Value) {
        let Some(id) = value
            .get("transportId")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            return;
        };
        let schema = shape::property(
            &self.plan.api.document,
            std::slice::from_ref(&self.family.schema),
            "transportInfo",
        );
        let example = schema
            .first()
            .and_then(|schema| self.plan.schemas.example(schema));
        if let (Some(Value::Object(mut transport)), Some(members)) = (example, value.as_object_mut()) {
            transport.insert("id".to_owned(), id.into());
            members.entry("transportInfo").or_insert(Value::Object(transport));
        }
    }
}

/// An answer that no thing is behind: valid, and the same for the same path. Names of the path's parameters have the
/// path's values, links lead to the path itself.
pub(crate) fn generated(
    plan: &Plan,
    schema: &str,
    href: &str,
    values: &Scope,
    given: &Value,
    now: Duration,
) -> Option<Value> {
    let document = &plan.api.document;
    let assign = |name: &str, schema: &str| {
        let declares = |wanted: &str| !shape::property(document, &[schema.to_owned()], wanted).is_empty();
        match name {
            _ if declares("href") => Some(json!({"href": href})),
            "self" | "resourceURL" | "href" => Some(Value::String(href.to_owned())),
            "seconds" => Some(now.as_secs().into()),
            "nanoSeconds" => Some(now.subsec_nanos().into()),
            _ => values.get(name).map(|value| value.as_str().into()),
        }
    };
    let start = match shape::target(document, schema) {
        pointer if shape::has_type(document, &pointer, "array") => plan.schemas.example(&pointer)?,
        _ => given.clone(),
    };
    plan.schemas.fit(schema, &start, &assign)
}

/// RFC 7396: a merge patch.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        match value {
            Value::Null => {
                members.remove(name);
            }
            value => merge(members.entry(name.clone()).or_insert(Value::Null), value),
        }
    }
}

/// The path of a thing, base path included.
pub(crate) fn path_of(plan: &Plan, template: &Template, scope: &Scope, id: &str) -> String {
    let mut values = scope.clone();
    if let Some(name) = template.last_parameter() {
        values.insert(name.to_owned(), id.to_owned());
    }
    format!("{}{}", plan.api.base_path, template.expand(&values))
}
