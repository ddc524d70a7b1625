//! Steps that change a part of an object (PATCH): what they name is as they say afterwards, what they don't name stays.

use serde_json::Value;

use super::content;
use super::judge::Wrong;
use super::machine::Machine;
use super::sequence::Step;
use crate::checks::state::comparison::same;
use crate::suite::{Outcome, Stop, declares};

impl Machine<'_> {
    /// Reads an object, changes a part of it, and reads it again.
    pub(super) async fn patch(&mut self, step: Step) -> Outcome {
        let (Some(patch), Some(at)) = (self.family.patch, self.pick(step, true)) else {
            return Ok(());
        };
        let Some(before) = self.present(at).await? else {
            return Ok(());
        };
        let values = self.objects[at].values.clone();
        let body = content::patch(self.context, (self.family, patch), &values, &before, step.content)?;
        let call = self
            .call(patch, &values, self.objects[at].base)
            .json(body.clone());
        let exchange = self.send(call).await?;
        self.known_here(patch, at, &exchange)?;
        if exchange.status() == 202 {
            self.objects.remove(at);
            return Ok(());
        }
        if !exchange.is_success() {
            // Nothing may have come of it.
            return self.read_one(at, 0).await;
        }
        let from = self.objects[at].state(self.family.stays);
        let Some(after) = self.present(at).await? else {
            return Ok(());
        };
        self.note(&from, "PATCH", at);
        self.applied((patch, at), (&before, &body, &after))?;
        self.remember(at, &body, after);
        Ok(())
    }

    /// The object as it is read now; none where it is not shown.
    async fn present(&mut self, at: usize) -> Result<Option<Value>, Stop> {
        let get = self.family.gets[0];
        let object = &self.objects[at];
        let call = self.call(get, &object.values, object.base);
        let exchange = self.send(call).await?;
        self.known_here(get, at, &exchange)?;
        let shown = exchange.json().filter(|_| exchange.status() == 200);
        Ok(shown.filter(Value::is_object))
    }

    /// Judges a change that was accepted, by readings before and after it. Only scalars are looked at that the document
    /// lets clients change and that the platform keeps as they are sent; a value that is neither the old nor the new one
    /// may be what the platform makes of it.
    fn applied(
        &self,
        (patch, at): (usize, usize),
        (before, body, after): (&Value, &Value, &Value),
    ) -> Outcome {
        let scalar = |value: &Value| !value.is_object() && !value.is_array();
        for (name, old) in before.as_object().into_iter().flatten() {
            let kept = self.kept.contains(name);
            // What was never sent, as only a PATCH may, was not seen to be kept.
            let first = body.get(name).is_some() && self.objects[at].sent.get(name).is_none();
            if !(kept || first) || !scalar(old) || !self.is_changeable(patch, name) {
                continue;
            }
            let now = after.get(name);
            let stays = now.is_some_and(|now| same(now, old));
            let wrong = match body.get(name).filter(|new| scalar(new)) {
                Some(new) if !same(new, old) && (stays || (kept && now.is_none())) => Wrong::new(
                    format!("patch not made: /{name}"),
                    format!("a PATCH is accepted and not made, at /{name}"),
                    new.to_string(),
                    now.map_or("nothing".to_owned(), Value::to_string),
                ),
                None if body.get(name).is_none() && !stays => Wrong::new(
                    format!("patch changes more: /{name}"),
                    format!("a PATCH changes what it does not name, at /{name}"),
                    old.to_string(),
                    now.map_or("nothing".to_owned(), Value::to_string),
                ),
                _ => continue,
            };
            return Err(self.fail(patch, wrong));
        }
        Ok(())
    }

    /// Whether the body of a PATCH may have a property.
    fn is_changeable(&self, patch: usize, name: &str) -> bool {
        let api = &self.context.suite.apis[self.family.api].api;
        let schema = api.operations[patch]
            .json_body()
            .and_then(|content| content.schema.as_deref());
        schema.is_some_and(|schema| declares(&api.document, schema, name, 0))
    }

    /// What the model knows of the object now: what was sent before and is shown as it was, and what is new. Anything
    /// else may follow from the change.
    fn remember(&mut self, at: usize, body: &Value, after: Value) {
        let mut known = self.objects[at].sent.as_object().cloned().unwrap_or_default();
        known.extend(body.as_object().cloned().unwrap_or_default());
        known.retain(|name, value| after.get(name).is_some_and(|now| same(now, value)));
        self.objects[at].sent = Value::Object(known);
        self.objects[at].shown = Some(after);
    }
}
