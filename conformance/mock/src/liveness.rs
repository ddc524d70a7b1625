//! Heartbeats of services (MEC 011, 8.1.2.4 and 8.2.10): the resource `liveness` below a service that asked for them.

use std::time::Duration;

use mecforge_api::{Template, resolve};
use serde_json::{Value, json};

use crate::conditions;
use crate::mock::{Call, Mock};
use crate::plan::answered;
use crate::problem::Problem;
use crate::represent::timestamp;
use crate::respond::{Outcome, gone};
use crate::shape;
use crate::store::{Object, Store};

/// The property of a service by which it asks for heartbeats, in seconds.
const INTERVAL: &str = "livenessInterval";

/// The interval of a service; 0 leaves it to the server, which says 30 seconds.
pub(crate) fn interval(value: &Value) -> Option<u64> {
    let seconds = value.get(INTERVAL)?.as_f64()?;
    // A float becomes the nearest integer; the conversion saturates.
    Some(if seconds < 1.0 { 30 } else { seconds as u64 })
}

/// The liveness of a service.
pub(crate) fn view(object: &Object) -> Option<Value> {
    Some(json!({
        "state": object.value.get("state")?,
        "timeStamp": timestamp(object.beat.0),
        "interval": interval(&object.value)?,
    }))
}

/// The entity tag of the liveness resource: every heartbeat changes it.
pub(crate) fn tag(object: &Object) -> String {
    format!("\"{}.{}\"", object.version, object.beat.1)
}

/// Makes services `SUSPENDED` that are a quarter of their interval late.
pub(crate) fn suspend(mock: &Mock, store: &mut Store, now: Duration) {
    for (at, plan) in mock.plans.iter().enumerate() {
        for family in 0..plan.families.len() {
            let silent = |object: &&Object| {
                let Some(seconds) = interval(&object.value) else {
                    return false;
                };
                let patience = Duration::from_secs(seconds).saturating_add(Duration::from_secs(seconds) / 4);
                let active = object.value.get("state").is_some_and(|state| state == "ACTIVE");
                active && now > object.beat.0.saturating_add(patience)
            };
            let key = (at, family);
            let silent: Vec<Object> = store
                .list(key, &Default::default())
                .filter(silent)
                .cloned()
                .collect();
            for mut object in silent {
                let before = object.value.clone();
                if let Some(state) = object.value.get_mut("state") {
                    *state = "SUSPENDED".into();
                }
                if !plan
                    .schemas
                    .is_valid(&plan.families[family].schema, &object.value)
                {
                    continue;
                }
                object.version = store.next_version();
                let after = object.clone();
                if store.put(key, object).is_ok() {
                    mock.changed(at, store, Some(&before), Some(&after.value), &after);
                }
            }
        }
    }
}

impl Call<'_> {
    pub(crate) fn is_liveness(&self) -> bool {
        let path = self.resource.path.text();
        let document = &self.plan.api.document;
        path.ends_with("/liveness")
            && answered(&self.plan.api, self.operation).is_some_and(|schema| {
                let names = shape::property_names(document, &resolve(document, &schema));
                ["state", "timeStamp", "interval"]
                    .iter()
                    .all(|name| names.iter().any(|other| other == name))
            })
    }

    pub(crate) fn liveness(&self, store: &mut Store) -> Result<Outcome, Problem> {
        let template = self.resource.path.parent().map(Template::new).ok_or_else(gone)?;
        let index = self.plan.family(&template).ok_or_else(gone)?;
        let key = (self.at, index);
        let (scope, id) = self.place(&template);
        let mut object = self
            .mock
            .lookup(store, key, &scope, &id, &self.origin)
            .ok_or_else(gone)?;
        if interval(&object.value).is_none() {
            return Err(Problem::not_found("this service has not asked for heartbeats"));
        }
        if self.operation.method != "GET" {
            conditions::before_change(self.headers, Some(&tag(&object)))?;
            let before = object.value.clone();
            object.beat = (self.now, object.beat.1 + 1);
            if object
                .value
                .get("state")
                .is_some_and(|state| state == "SUSPENDED")
            {
                if let Some(state) = object.value.get_mut("state") {
                    *state = "ACTIVE".into();
                }
                object.version = store.next_version();
                self.mock
                    .changed(self.at, store, Some(&before), Some(&object.value), &object);
            }
            store.put(key, object.clone())?;
        }
        Ok(Outcome {
            value: view(&object),
            tag: Some(tag(&object)),
            location: None,
        })
    }
}
