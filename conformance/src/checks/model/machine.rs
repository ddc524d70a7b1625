//! One run of a sequence: each step is done at the platform and at the model, and what is read is compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::content;
use super::family::Family;
use super::judge::{Judge, Wrong};
use super::sequence::Step;
use crate::checks::state::comparison::{is_part, items, last, lost, same};
use crate::suite::{Call, Context, Exchange, Failure, Identity, Made, Outcome, Stop, Values};

/// The most objects that exist at a time.
const MOST: usize = 6;

/// What the model knows of one object.
pub(super) struct Object {
    /// The values that name it.
    pub(super) values: Values,
    /// Its path.
    pub(super) path: String,
    /// Whose it is: 0 of the first application instance, 1 of the second.
    pub(super) base: usize,
    /// Whether it exists.
    pub(super) alive: bool,
    /// What was written last.
    pub(super) sent: Value,
    /// How the platform showed it since then.
    pub(super) shown: Option<Value>,
}

impl Object {
    /// Its identifier, not percent-encoded.
    pub(super) fn identifier(&self, parameter: &str) -> &str {
        self.values
            .get(parameter)
            .map_or_else(|| last(&self.path), String::as_str)
    }

    /// Its state for the record of transitions.
    pub(super) fn state(&self, stays: bool) -> String {
        let state = self.sent.get("state").and_then(Value::as_str);
        match (self.alive, state) {
            (false, _) => "deleted".to_owned(),
            (true, Some(state)) if stays => state.to_owned(),
            (true, _) => "exists".to_owned(),
        }
    }
}

/// The platform and its model.
pub(super) struct Machine<'run> {
    pub(super) context: &'run mut Context,
    pub(super) family: &'run Family,
    /// The values above the objects: of the first application instance, and of the second where there is one.
    pub(super) bases: Vec<Values>,
    pub(super) objects: Vec<Object>,
    pub(super) kept: BTreeSet<String>,
}

impl Step {
    pub(super) const READ: u8 = 0;
    pub(super) const LIST: u8 = 18;
    pub(super) const CREATE: u8 = 36;
    pub(super) const REPLACE: u8 = 52;
    /// From here on a part is changed, where that is offered.
    pub(super) const PATCH: u8 = 65;
    pub(super) const DELETE: u8 = 70;
    pub(super) const GONE: u8 = 82;
    pub(super) const FOREIGN: u8 = 92;
}

impl<'run> Machine<'run> {
    /// Runs a sequence; what it made and what still exists is removed afterwards.
    pub(super) async fn run(context: &'run mut Context, family: &'run Family, steps: &[Step]) -> Outcome {
        let first = context.values(family.api, family.maker).await?;
        let mut bases = vec![first];
        let suite = Arc::clone(&context.suite);
        if family.by_application
            && let Some(second) = suite.second_instance()
        {
            bases.push(Values::from([("appInstanceId".to_owned(), second)]));
        }
        context.begin();
        let mut machine = Machine {
            context,
            family,
            bases,
            objects: Vec::new(),
            kept: BTreeSet::new(),
        };
        let mut outcome = Ok(());
        for step in steps {
            outcome = machine.step(*step).await;
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_ok() || matches!(outcome, Err(Stop::Fail(_))) {
            let evidence = machine.context.trace.len();
            machine.clear().await;
            machine.context.trace.truncate(evidence);
        }
        outcome
    }

    async fn step(&mut self, step: Step) -> Outcome {
        let exists = self.objects.iter().any(|object| object.alive);
        let full = self.objects.iter().filter(|object| object.alive).count() >= MOST;
        match step.action {
            Step::READ..Step::LIST => self.read(step).await,
            Step::LIST..Step::CREATE => self.list(step).await,
            Step::CREATE..Step::REPLACE if !full => self.create(step).await,
            Step::REPLACE..Step::DELETE if exists && self.patches(step) => self.patch(step).await,
            Step::REPLACE..Step::DELETE if exists => self.replace(step).await,
            Step::CREATE..Step::GONE if exists => self.delete(step).await,
            Step::GONE..Step::FOREIGN => self.gone(step).await,
            _ if exists => self.foreign(step).await,
            _ => self.create(step).await,
        }
    }

    /// Whether a change is one of a part of an object: where both are offered, for some steps.
    fn patches(&self, step: Step) -> bool {
        self.family.patch.is_some() && (step.action >= Step::PATCH || self.family.put.is_none())
    }

    pub(super) fn pick(&self, step: Step, alive: bool) -> Option<usize> {
        let fitting: Vec<_> = (0..self.objects.len())
            .filter(|at| self.objects[*at].alive == alive)
            .collect();
        let at = usize::from(step.which).checked_rem(fitting.len())?;
        fitting.get(at).copied()
    }

    /// A request on behalf of an application.
    pub(super) fn call(&self, operation: usize, values: &Values, base: usize) -> Call {
        self.context
            .call(self.family.api, operation, values)
            .identity(identity(base))
    }

    pub(super) async fn send(&mut self, call: Call) -> Result<Exchange, Stop> {
        let exchange = self.context.send(call).await?;
        if exchange.outcome.is_err() || exchange.status() >= 500 {
            return Err(Stop::Inconclusive(format!(
                "after {} nobody knows what exists",
                exchange.summary()
            )));
        }
        Ok(exchange)
    }

    pub(super) fn judging<T>(&self, judge: impl FnOnce(&Judge<'_>) -> T) -> T {
        let state = &self.context.suite.apis[self.family.api];
        let assigned = state
            .knowledge
            .assigned(&state.api.operations[self.family.maker].key);
        judge(&Judge {
            family: self.family,
            kept: &self.kept,
            assigned,
        })
    }

    pub(super) fn fail(&self, operation: usize, wrong: Wrong) -> Stop {
        let key = self.context.suite.apis[self.family.api].api.operations[operation]
            .key
            .clone();
        Failure::new(wrong.title, wrong.expected, wrong.actual)
            .signature(wrong.signature)
            .at(key)
            .stop()
    }

    pub(super) fn note(&self, from: &str, action: &str, at: usize) {
        let to = self.objects[at].state(self.family.stays);
        self.context
            .suite
            .recorder
            .transition(&self.family.name, from, action, &to);
    }

    async fn create(&mut self, step: Step) -> Outcome {
        let (api, maker) = (self.family.api, self.family.maker);
        let base = usize::from(self.bases.len() > 1 && step.which % 3 == 2);
        let values = self.bases[base].clone();
        let body = content::body(self.context, self.family, maker, &values, step.content)?;
        let made = self
            .context
            .make_as(identity(base), (api, maker), &values, Some(body))
            .await;
        let made = match made {
            Ok(made) => made,
            // Whether it may refuse this body is judged elsewhere; a sequence without it is one as well.
            Err(Stop::Fail(_)) if step.content != 0 => return Ok(()),
            Err(Stop::Inconclusive(_)) if base == 1 || !self.objects.is_empty() => return Ok(()),
            Err(stop) => return Err(stop),
        };
        self.enter(made, base)
    }

    /// Enters what was made into the model.
    fn enter(&mut self, made: Made, base: usize) -> Outcome {
        if made.exchange.status() == 202 {
            return Ok(());
        }
        let known = self.objects.iter().position(|object| object.path == made.path);
        let chosen = content::chosen_by_client(&made, &self.family.parameter);
        if let Some(at) = known {
            if self.objects[at].alive && !chosen {
                let wrong = Wrong::new(
                    "one identifier for two objects",
                    "a new object has the identifier of one that exists",
                    "another identifier",
                    &made.path,
                );
                return Err(self.fail(self.family.maker, wrong));
            }
            let failure = Failure::new(
                "a new object has the identifier of a deleted one",
                "an identifier that was not used before",
                made.path.clone(),
            );
            if !chosen {
                self.context.report(failure.of(super::REUSED.id));
            }
            self.objects.remove(at);
        }
        if let (Some(sent), Some(shown)) = (made.sent.as_object(), made.answered.as_object()) {
            let kept = sent
                .iter()
                .filter(|(name, value)| shown.get(*name).is_some_and(|shown| same(value, shown)));
            self.kept.extend(kept.map(|(name, _)| name.clone()));
        }
        self.objects.push(Object {
            values: made.values,
            path: made.path,
            base,
            alive: true,
            sent: made.sent,
            shown: Some(made.answered).filter(Value::is_object),
        });
        self.note("absent", "POST", self.objects.len() - 1);
        self.shown_as_sent(self.family.maker, self.objects.len() - 1)
    }

    async fn replace(&mut self, step: Step) -> Outcome {
        let (Some(put), Some(at)) = (self.family.put, self.pick(step, true)) else {
            return Ok(());
        };
        let values = self.objects[at].values.clone();
        let mut body = content::body(self.context, self.family, put, &values, step.content)?;
        let object = &self.objects[at];
        let identifier = object.identifier(&self.family.parameter);
        content::keep_identifier(&mut body, object.shown.as_ref(), identifier);
        let call = self.call(put, &values, object.base).json(body.clone());
        let exchange = self.send(call).await?;
        self.known_here(put, at, &exchange)?;
        if exchange.status() == 202 {
            self.objects.remove(at);
            return Ok(());
        }
        if exchange.is_success() {
            let from = self.objects[at].state(self.family.stays);
            self.objects[at].sent = body;
            self.objects[at].shown = exchange.json().filter(Value::is_object);
            self.note(&from, "PUT", at);
            return self.shown_as_sent(put, at);
        }
        Ok(())
    }

    async fn delete(&mut self, step: Step) -> Outcome {
        let (Some(delete), Some(at)) = (self.family.delete, self.pick(step, true)) else {
            return Ok(());
        };
        let object = &self.objects[at];
        let call = self.call(delete, &object.values, object.base);
        let exchange = self.send(call).await?;
        self.known_here(delete, at, &exchange)?;
        if exchange.status() == 202 {
            self.objects.remove(at);
        } else if exchange.is_success() {
            let from = self.objects[at].state(self.family.stays);
            self.objects[at].alive = false;
            self.note(&from, "DELETE", at);
        }
        Ok(())
    }

    /// The answer to a change has what was sent, where nothing else but what the platform assigns may be in it.
    fn shown_as_sent(&self, operation: usize, at: usize) -> Outcome {
        let object = &self.objects[at];
        let Some(shown) = object.shown.as_ref().filter(|_| self.family.stays) else {
            return Ok(());
        };
        match self.judging(|judge| lost(&object.sent, shown, judge.assigned, false)) {
            None => Ok(()),
            Some(difference) => {
                let place = difference.place().to_owned();
                let wrong = Wrong::new(
                    format!("answer: {place}"),
                    format!("the answer to a change does not have what was sent, at {place}"),
                    difference.expected,
                    difference.actual,
                );
                Err(self.fail(operation, wrong))
            }
        }
    }

    /// An object that exists must not be answered 404.
    pub(super) fn known_here(&mut self, operation: usize, at: usize, exchange: &Exchange) -> Outcome {
        let api = self.family.api;
        self.context.judge(super::MODEL.id, api, Some(operation));
        if !matches!(exchange.status(), 404 | 410) {
            return Ok(());
        }
        let method = exchange.call.method.clone();
        let wrong = Wrong::new(
            "exists and is not found",
            format!(
                "{method} of an object that exists is answered {}",
                exchange.status()
            ),
            format!("{} exists since the request that made it", self.objects[at].path),
            exchange.summary(),
        );
        Err(self.fail(operation, wrong))
    }

    async fn read(&mut self, step: Step) -> Outcome {
        let Some(at) = self.pick(step, true) else {
            return Ok(());
        };
        let chosen = usize::from(step.content) % self.family.gets.len();
        self.read_one(at, chosen).await
    }

    /// Reads an object at its own path (0) or in a view, and compares it.
    pub(super) async fn read_one(&mut self, at: usize, chosen: usize) -> Outcome {
        let get = self.family.gets[chosen];
        let object = &self.objects[at];
        let call = self.call(get, &object.values, object.base);
        let exchange = self.send(call).await?;
        self.known_here(get, at, &exchange)?;
        let Some(read) = exchange.json().filter(|_| exchange.status() == 200) else {
            return Ok(());
        };
        let object = &self.objects[at];
        if let Some(difference) = self.judging(|judge| judge.difference(object, &read, chosen > 0)) {
            let wrong = Wrong::new(
                format!("read: {}", difference.place()),
                format!(
                    "what is read is not what was written last, at {}",
                    difference.place()
                ),
                difference.expected,
                difference.actual,
            );
            return Err(self.fail(get, wrong));
        }
        let state = self.objects[at].state(self.family.stays);
        if chosen == 0 && self.objects[at].shown.is_none() {
            self.objects[at].shown = Some(read);
        }
        self.note(&state, "GET", at);
        Ok(())
    }

    async fn list(&mut self, step: Step) -> Outcome {
        let chosen = usize::from(step.content).checked_rem(self.family.lists.len());
        let Some(list) = chosen.and_then(|chosen| self.family.lists.get(chosen)) else {
            return Ok(());
        };
        let (operation, shared) = (list.operation, list.shared);
        let base = usize::from(step.which) % self.bases.len();
        let values = self.bases[base].clone();
        let call = self.call(operation, &values, base);
        let exchange = self.send(call).await?;
        let Some(body) = exchange.json().filter(|_| exchange.status() == 200) else {
            return Ok(());
        };
        self.context
            .judge(super::MODEL.id, self.family.api, Some(operation));
        let none = Vec::new();
        let found = items(&body).unwrap_or(&none);
        let part = is_part(&self.context.suite, &exchange);
        let wrong = self.judging(|judge| judge.list(&self.objects, found, (shared, base, part)));
        match wrong {
            Some(wrong) => Err(self.fail(operation, wrong)),
            None => Ok(()),
        }
    }

    /// Asks for something that was deleted.
    async fn gone(&mut self, step: Step) -> Outcome {
        let Some(at) = self.pick(step, false) else {
            return Ok(());
        };
        let object = &self.objects[at];
        let (values, base) = (object.values.clone(), object.base);
        let get = self.family.gets[usize::from(step.content / 3) % self.family.gets.len()];
        match (step.content % 3, self.family.put, self.family.delete) {
            (1, Some(put), _) => {
                let body = content::body(self.context, self.family, put, &values, step.content)?;
                let exchange = self.send(self.call(put, &values, base).json(body)).await?;
                self.note("deleted", "PUT", at);
                if matches!(exchange.status(), 201 | 202) {
                    // HTTP lets PUT make what does not exist; it is not in the model any more.
                    self.objects.remove(at);
                } else if exchange.is_success() {
                    let wrong = Wrong::new(
                        "replaced after deletion",
                        format!("PUT of a deleted object is answered {}", exchange.status()),
                        "404",
                        exchange.summary(),
                    );
                    return Err(self.fail(put, wrong));
                }
                Ok(())
            }
            (2, _, Some(delete)) => {
                self.send(self.call(delete, &values, base)).await?;
                self.note("deleted", "DELETE", at);
                Ok(())
            }
            _ => {
                let exchange = self.send(self.call(get, &values, base)).await?;
                self.note("deleted", "GET", at);
                let read = exchange.json().filter(|_| exchange.status() == 200);
                let object = &self.objects[at];
                if read.is_some_and(|read| self.judging(|judge| judge.is(object, &read))) {
                    let wrong = Wrong::new(
                        "read after deletion",
                        "a deleted object can be read",
                        "404",
                        exchange.summary(),
                    );
                    return Err(self.fail(get, wrong));
                }
                Ok(())
            }
        }
    }

    /// Removes what still exists, so that tries don't pile up.
    async fn clear(&mut self) {
        let Some(delete) = self.family.delete else { return };
        let left: Vec<_> = self.objects.iter().filter(|object| object.alive).collect();
        let calls: Vec<_> = left
            .iter()
            .map(|object| self.call(delete, &object.values, object.base))
            .collect();
        for call in calls {
            let _ = self.context.send(call.role(crate::suite::Role::CleanUp)).await;
        }
    }
}

/// Whose credentials an application's requests have.
fn identity(base: usize) -> Identity {
    match base {
        0 => Identity::Main,
        _ => Identity::Other,
    }
}
