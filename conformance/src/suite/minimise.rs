//! Making a request smaller while it still shows the same fault.

use std::collections::BTreeSet;

use mecforge_instances::Binding;
use serde_json::Value;

use super::call::{Call, Exchange, Payload, Role};
use super::context::Context;
use super::outcome::Failure;
use super::{Intent, is_constant, name_like_path, responses};

/// The most requests that are spent on one fault.
const MOST: usize = 60;

/// So many bytes of JSON are long: less of them may still show that it is too much.
const LONG: usize = 200;

/// Tries smaller forms of the request that showed a fault, each at the target; gives back the smallest that still shows
/// it, with what came. None if nothing smaller shows it, or if no single request does.
pub async fn minimise(context: &mut Context, failure: &Failure) -> Option<(Call, Exchange)> {
    let first = failure.call.as_deref()?.clone();
    let mut best: Option<(Call, Exchange)> = None;
    context.quiet = true;
    let mut spent = 0;
    let mut original = Original::of(context, failure, first.clone());
    if failure.check == Some("accepts-valid") {
        // Once more as it was: what the platform says then is what it has to say of each smaller one.
        let again = context.send(first.clone()).await;
        let again = again.ok().filter(|again| original.shows(context, again));
        original.blamed = again.map(|again| original.blamed(&again));
        if original.blamed.is_none() {
            context.quiet = false;
            return None;
        }
    }
    loop {
        let current = best.as_ref().map_or(&first, |(call, _)| call).clone();
        let mut improved = false;
        for candidate in smaller(&current) {
            if spent >= MOST {
                break;
            }
            if !original.is_like(context, &candidate) {
                continue;
            }
            spent += 1;
            let Ok(exchange) = context.send(candidate.clone()).await else {
                break;
            };
            if original.shows(context, &exchange) {
                best = Some((candidate, exchange));
                improved = true;
                break;
            }
        }
        if !improved {
            break;
        }
    }
    context.quiet = false;
    if let Some((_, exchange)) = &best {
        context.trace.push(exchange.record.clone());
    }
    best
}

/// What a smaller request has in common with the one that showed the fault, so that it shows the same one.
struct Original<'failure> {
    failure: &'failure Failure,
    call: Call,
    /// The rules that its body breaks.
    broken: BTreeSet<String>,
    /// Whether what is named like a parameter of the path has the value that is in the path.
    named: bool,
    /// Members with their values at places where the suite decides what stands there.
    bound: Vec<(String, Value)>,
    /// The name of the member that is at fault, where the place of the rule tells it, and all its values.
    member: Option<(String, Vec<Value>)>,
    /// What the platform blames.
    blamed: Option<Blamed>,
}

/// What a refusal says of its reason.
#[derive(Debug, PartialEq, Eq)]
struct Blamed {
    status: u16,
    /// The names of members and of the query's fields that are words of the answer.
    names: BTreeSet<String>,
    /// `type` and `title` of a problem.
    problem: [Option<Value>; 2],
}

impl<'failure> Original<'failure> {
    fn of(context: &Context, failure: &'failure Failure, call: Call) -> Self {
        let mut bound = Vec::new();
        let mut member = None;
        if let (Payload::Json(body), Some(operation)) = (&call.payload, call.operation) {
            let state = &context.suite.apis[call.api];
            let rules = state.knowledge.generation(&state.api.operations[operation].key);
            for (pointer, binding) in rules.bindings {
                let found = body.pointer(&pointer).cloned();
                if let (Binding::Fixed(_), Some(found)) = (binding, found) {
                    bound.push((pointer, found));
                }
            }
            let name = failure.pointer.as_deref().and_then(member_of);
            member = name.map(|name| {
                let mut all = Vec::new();
                values_of(body, &name, &mut all);
                (name, all)
            });
        }
        Original {
            failure,
            broken: broken(context, &call),
            named: is_named_like_its_path(context, &call),
            bound,
            member: member.filter(|(_, all)| !all.is_empty()),
            blamed: None,
            call,
        }
    }

    /// Whether a candidate still obeys what the original obeys, or still breaks the one rule that it is meant to break.
    fn is_like(&self, context: &Context, call: &Call) -> bool {
        let required = call
            .operation
            .is_none_or(|operation| has_what_it_must(context, call, operation));
        if !required || (self.named && !is_named_like_its_path(context, call)) {
            return false;
        }
        let broken = broken(context, call);
        let kept = match &call.intent {
            Intent::Valid | Intent::Odd => true,
            Intent::Breaks(pointer) if self.broken.contains(pointer) => broken.contains(pointer),
            Intent::Breaks(_) => self.broken.is_empty() == broken.is_empty(),
        };
        kept && broken.is_subset(&self.broken) && self.is_plausible(context, call) && self.has_kept(call)
    }

    /// Whether a body that a client might send has not become one that nobody would send.
    fn is_plausible(&self, context: &Context, call: &Call) -> bool {
        let state = &context.suite.apis[call.api];
        let is = |call: &Call| match (&call.payload, call.operation) {
            (Payload::Json(body), Some(operation)) => state.is_plausible(operation, body),
            _ => true,
        };
        !is(&self.call) || is(call)
    }

    /// Whether the members that are bound, and the one that is at fault, are as they were; only what is long may shrink.
    fn has_kept(&self, call: &Call) -> bool {
        let Payload::Json(body) = &call.payload else {
            return true;
        };
        let bound = |(pointer, value): &(String, Value)| body.pointer(pointer) == Some(value);
        let member = self.member.as_ref().is_none_or(|(name, before)| {
            let mut now = Vec::new();
            values_of(body, name, &mut now);
            let same = |(before, now): (&Value, &Value)| before == now || (is_long(before) && is_long(now));
            before.len() == now.len() && before.iter().zip(&now).all(same)
        });
        self.bound.iter().all(bound) && member
    }

    /// What a refusal blames, by the names that are in the original.
    fn blamed(&self, exchange: &Exchange) -> Blamed {
        let mut names = BTreeSet::new();
        if let Payload::Json(body) = &self.call.payload {
            names_in(body, &mut names);
        }
        names.extend(self.call.query.iter().map(|(name, _)| name.clone()));
        let text = exchange.outcome.as_ref().map(|answer| answer.text().into_owned());
        let text = text.unwrap_or_default();
        let words: BTreeSet<&str> = text
            .split(|letter: char| !letter.is_alphanumeric() && !"_-$@".contains(letter))
            .collect();
        names.retain(|name| words.contains(name.as_str()));
        let body = exchange.json();
        let part = |name: &str| body.as_ref().and_then(|body| body.get(name)).cloned();
        Blamed {
            status: exchange.status(),
            names,
            problem: [part("type"), part("title")],
        }
    }

    /// Whether an exchange shows the fault again.
    fn shows(&self, context: &Context, exchange: &Exchange) -> bool {
        match self.failure.check {
            // Another status is another reason, and so is another name in the answer.
            Some("accepts-valid" | "no-limits-of-its-own") => {
                let status = exchange.status().to_string();
                exchange.is_refusal()
                    && self.failure.actual.starts_with(&status)
                    && self
                        .blamed
                        .as_ref()
                        .is_none_or(|blamed| *blamed == self.blamed(exchange))
            }
            Some("refuses-invalid") => exchange.is_success(),
            Some(check) => {
                let (_, failures) = responses::judge(&context.suite, exchange);
                failures.iter().any(|other| {
                    other.check == Some(check)
                        && other.signature == self.failure.signature
                        && other.pointer == self.failure.pointer
                })
            }
            None => false,
        }
    }
}

/// A value whose length alone may be its fault.
fn is_long(value: &Value) -> bool {
    value.to_string().len() > LONG
}

/// The member that a rule of a document is about: the last one that the rule's place leads through.
fn member_of(pointer: &str) -> Option<String> {
    let (_, rest) = pointer.rsplit_once("/properties/")?;
    let name = rest.split('/').next()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

/// The values of all members of a name, in order.
fn values_of(value: &Value, name: &str, all: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            all.extend(members.get(name).cloned());
            members.values().for_each(|member| values_of(member, name, all));
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, name, all)),
        _ => {}
    }
}

/// The names of all members.
fn names_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            names.extend(members.keys().cloned());
            members.values().for_each(|member| names_in(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        _ => {}
    }
}

/// The rules that a request's body breaks.
fn broken(context: &Context, call: &Call) -> BTreeSet<String> {
    let schema = call
        .operation
        .and_then(|operation| context.suite.apis[call.api].body_schema(operation));
    match (&call.payload, schema) {
        (Payload::Json(body), Some(schema)) => {
            let breaches = schema.errors(body).into_iter();
            breaches.map(|breach| breach.schema_pointer).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Whether what is named like a parameter of the path has the value that is in the path.
fn is_named_like_its_path(context: &Context, call: &Call) -> bool {
    let (Payload::Json(body), Some(operation)) = (&call.payload, call.operation) else {
        return true;
    };
    let template = &context.suite.apis[call.api].api.operations[operation].path;
    let mut named = body.clone();
    if let Some(values) = template.matches(&call.path) {
        name_like_path(&mut named, &values, "");
    }
    named == *body
}

/// Whether a candidate still carries the parameters that the operation can't be asked without.
fn has_what_it_must(context: &Context, call: &Call, operation: usize) -> bool {
    let (query, headers) = context.suite.apis[call.api].required_parameters(operation);
    let names = |pairs: &[(String, String)], name: &str| {
        pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    query.iter().all(|(name, _)| names(&call.query, name))
        && headers.iter().all(|(name, _)| names(&call.headers, name))
}

/// Forms of a request that are smaller by one thing, the greatest savings first.
fn smaller(call: &Call) -> Vec<Call> {
    let mut all = Vec::new();
    for at in 0..call.query.len() {
        let mut less = call.clone();
        less.query.remove(at);
        all.push(less);
    }
    for at in 0..call.headers.len() {
        let mut less = call.clone();
        less.headers.remove(at);
        all.push(less);
    }
    if let Payload::Json(body) = &call.payload {
        for body in reduced(body) {
            let mut less = call.clone();
            less.payload = Payload::Json(body);
            all.push(less);
        }
    }
    for less in &mut all {
        less.role = Role::Judged;
    }
    all
}

/// Values with one member, element or half of a long text less.
fn reduced(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            for name in members.keys() {
                let mut less = members.clone();
                less.remove(name);
                all.push(Value::Object(less));
            }
            for (name, member) in members {
                for member in reduced(member) {
                    let mut less = members.clone();
                    less.insert(name.clone(), member);
                    all.push(Value::Object(less));
                }
            }
        }
        Value::Array(items) => {
            for at in 0..items.len().min(8) {
                let mut less = items.clone();
                less.remove(at);
                all.push(Value::Array(less));
            }
            for (at, item) in items.iter().enumerate().take(8) {
                for item in reduced(item) {
                    let mut less = items.clone();
                    less[at] = item;
                    all.push(Value::Array(less));
                }
            }
        }
        // Half a constant is another fault where its enumeration is closed.
        Value::String(text) if text.chars().count() > 8 && !is_constant(text) => {
            let half = text.chars().count() / 2;
            all.push(Value::String(text.chars().take(half).collect()));
        }
        _ => {}
    }
    all
}
