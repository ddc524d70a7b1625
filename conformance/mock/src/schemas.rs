//! Compiled schemas of one document, made when they are first asked for, and making a value whole by them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mecforge_api::child;
use mecforge_instances::{Schema, Unsupported};
use serde_json::{Map, Value};

use crate::shape::{self, target};

/// How deep a value is made whole.
const DEPTH: usize = 24;

/// The schemas of one document.
pub(crate) struct Schemas {
    /// The document.
    pub(crate) document: Arc<Value>,
    compiled: Mutex<BTreeMap<String, Option<Schema>>>,
    generated: Mutex<BTreeMap<String, Option<Value>>>,
}

/// Values for required properties that a client did not give: name of the property, pointer of its schema.
pub(crate) type Assign<'a> = dyn Fn(&str, &str) -> Option<Value> + 'a;

impl Schemas {
    pub(crate) fn new(document: Arc<Value>) -> Self {
        Schemas {
            document,
            compiled: Mutex::default(),
            generated: Mutex::default(),
        }
    }

    /// Compiles a schema.
    ///
    /// # Errors
    /// A schema that can't be judged by.
    pub(crate) fn compile(&self, pointer: &str) -> Result<Schema, Unsupported> {
        let resolved = target(&self.document, pointer);
        if let Some(Some(schema)) = lock(&self.compiled).get(&resolved) {
            return Ok(schema.clone());
        }
        let schema = Schema::new(&self.document, &resolved);
        lock(&self.compiled).insert(resolved, schema.as_ref().ok().cloned());
        schema
    }

    /// Whether an instance is valid; a schema that can't be compiled judges nothing.
    pub(crate) fn is_valid(&self, pointer: &str, instance: &Value) -> bool {
        self.compile(pointer)
            .map_or(true, |schema| schema.is_valid(instance))
    }

    /// A small valid instance, the same each time.
    pub(crate) fn example(&self, pointer: &str) -> Option<Value> {
        let resolved = target(&self.document, pointer);
        if let Some(value) = lock(&self.generated).get(&resolved) {
            return value.clone();
        }
        let value = self.compile(&resolved).ok().and_then(|schema| schema.minimal());
        lock(&self.generated).insert(resolved, value.clone());
        value
    }

    /// A text as the value that a schema wants of it: a number where it is written as one and no text may be there.
    pub(crate) fn typed(&self, pointer: &str, text: &str) -> Value {
        let plain = Value::from(text);
        let number = || serde_json::from_str::<Value>(text).ok().filter(Value::is_number);
        match self.is_valid(pointer, &plain) {
            true => plain,
            false => number()
                .filter(|number| self.is_valid(pointer, number))
                .unwrap_or(plain),
        }
    }

    fn node(&self, pointer: &str) -> Option<&Map<String, Value>> {
        self.document.pointer(pointer)?.as_object()
    }

    /// Adds what the schema requires and the value lacks: from `assign`, else a small valid instance. Of alternatives
    /// the first is taken that the value can be made valid for.
    pub(crate) fn complete(&self, pointer: &str, value: &mut Value, assign: &Assign<'_>) {
        self.complete_at(pointer, pointer, value, assign, DEPTH);
    }

    /// `outer` is the outermost schema of the same instance: a condition may require what only that one declares.
    fn complete_at(&self, outer: &str, pointer: &str, value: &mut Value, assign: &Assign<'_>, depth: usize) {
        let pointer = target(&self.document, pointer);
        let Some(node) = self.node(&pointer).filter(|_| depth > 0) else {
            return;
        };
        if let Some(other) = shape::beside(&self.document, &pointer) {
            self.complete_at(outer, &other, value, assign, depth - 1);
        }
        if let Value::Object(members) = value {
            self.complete_object(outer, (&pointer, node), members, assign, depth);
        }
        if let (Value::Array(elements), true) = (&mut *value, node.contains_key("items")) {
            let items = child(&pointer, "items");
            for element in elements {
                self.complete_at(&items, &items, element, assign, depth - 1);
            }
        }
        let count = node.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
        for at in 0..count {
            let part = child(&child(&pointer, "allOf"), &at.to_string());
            self.complete_at(outer, &part, value, assign, depth - 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            let count = node.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
            self.complete_one_of(outer, (&child(&pointer, keyword), count), value, assign, depth);
        }
        if node.contains_key("if") {
            let holds = self.is_valid(&child(&pointer, "if"), value);
            let branch = if holds { "then" } else { "else" };
            self.complete_at(outer, &child(&pointer, branch), value, assign, depth - 1);
        }
    }

    fn complete_object(
        &self,
        outer: &str,
        (pointer, node): (&str, &Map<String, Value>),
        members: &mut Map<String, Value>,
        assign: &Assign<'_>,
        depth: usize,
    ) {
        let properties = child(pointer, "properties");
        for (name, member) in members.iter_mut() {
            let schema = child(&properties, name);
            self.complete_at(&schema, &schema, member, assign, depth - 1);
        }
        let required = node.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if members.contains_key(name) {
                continue;
            }
            let schema = self.property(outer, &properties, name);
            let given = assign(name, &schema).filter(|value| self.is_valid(&schema, value));
            if let Some(value) = given.or_else(|| self.node(&schema).and_then(|_| self.example(&schema))) {
                members.insert(name.to_owned(), value);
            }
        }
    }

    fn property(&self, outer: &str, properties: &str, name: &str) -> String {
        let here = child(properties, name);
        match self.node(&here) {
            Some(_) => here,
            None => shape::property(&self.document, &[outer.to_owned()], name)
                .pop()
                .unwrap_or(here),
        }
    }

    fn complete_one_of(
        &self,
        outer: &str,
        (list, count): (&str, usize),
        value: &mut Value,
        assign: &Assign<'_>,
        depth: usize,
    ) {
        let branches: Vec<String> = (0..count).map(|at| child(list, &at.to_string())).collect();
        if count == 0 || branches.iter().any(|branch| self.is_valid(branch, value)) {
            return;
        }
        for branch in &branches {
            let mut candidate = value.clone();
            self.complete_at(outer, branch, &mut candidate, assign, depth - 1);
            if self.is_valid(branch, &candidate) {
                *value = candidate;
                return;
            }
        }
    }

    /// A valid value that is as close to `value` as this can bring it: pruned, made whole, and if that does not do,
    /// built up from a small instance with all top-level members that leave it valid. None if there is no instance.
    pub(crate) fn fit(&self, pointer: &str, value: &Value, assign: &Assign<'_>) -> Option<Value> {
        let mut whole = value.clone();
        shape::prune(&self.document, &[pointer.to_owned()], &mut whole);
        self.complete(pointer, &mut whole, assign);
        if self.is_valid(pointer, &whole) {
            return Some(whole);
        }
        let base = self.example(pointer)?;
        let (Some(mut target), Value::Object(members)) = (base.as_object().cloned(), &whole) else {
            return Some(base);
        };
        for (name, member) in members {
            let before = target.insert(name.clone(), member.clone());
            if !self.is_valid(pointer, &Value::Object(target.clone())) {
                match before {
                    Some(before) => target.insert(name.clone(), before),
                    None => target.remove(name),
                };
            }
        }
        Some(Value::Object(target))
    }
}

/// A lock whose holder panicked is taken all the same: each change below is whole or not at all.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
