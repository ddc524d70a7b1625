//! What is kept: things by family and scope, the states of paths that hold one thing, and how much there may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::Value;

use crate::problem::Problem;

/// At most so many things; a further one is refused with 507, as nothing may vanish that somebody made.
const MAX_OBJECTS: usize = 100_000;
/// At most so many bytes of JSON text in all of them.
const MAX_BYTES: usize = 256 << 20;

/// The values of the path's parameters that stand before the identifier.
pub(crate) type Scope = BTreeMap<String, String>;

/// A family of an API: the API's place among those served, the family's in its plan.
pub(crate) type FamilyKey = (usize, usize);

/// One thing.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    /// As it is answered.
    pub(crate) value: Value,
    /// Changes with each change, and is never the same for two things.
    pub(crate) version: u64,
    /// Its own path, base path included.
    pub(crate) path: String,
    /// When it was last heard of, since 1970, and how often.
    pub(crate) beat: (Duration, u64),
    /// When it ends, since 1970.
    pub(crate) expires: Option<Duration>,
    /// Whether its end has been announced.
    pub(crate) announced: bool,
}

impl Object {
    /// The strong entity tag.
    pub(crate) fn tag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

/// What a path holds that is neither a collection nor one of a collection.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) media_type: String,
    pub(crate) body: Bytes,
    pub(crate) version: u64,
}

/// Everything that is kept.
#[derive(Default)]
pub(crate) struct Store {
    objects: BTreeMap<FamilyKey, BTreeMap<u64, Object>>,
    by_id: BTreeMap<(FamilyKey, String), Vec<u64>>,
    /// Seeded things that were removed.
    removed: BTreeSet<(FamilyKey, String)>,
    held: BTreeMap<String, Held>,
    count: usize,
    bytes: usize,
    versions: u64,
    births: u64,
    /// Whether anything is kept that time has an effect on.
    timed: bool,
}

/// Whether a thing is seen where the path gives these values.
fn within(object: &Object, scope: &Scope) -> bool {
    scope
        .iter()
        .all(|(name, value)| object.scope.get(name) == Some(value))
}

fn full() -> Problem {
    let detail = "this server keeps everything in memory and has no room for more; remove something first";
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
}

impl Store {
    /// Whether time may have an effect on what is kept.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed
    }

    /// A version that nothing had before.
    pub(crate) fn next_version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    fn born(&self, family: FamilyKey, scope: &Scope, id: &str) -> Option<u64> {
        let births = self.by_id.get(&(family, id.to_owned()))?;
        let objects = self.objects.get(&family)?;
        births
            .iter()
            .copied()
            .find(|birth| objects.get(birth).is_some_and(|object| within(object, scope)))
    }

    /// The thing of an identifier, if it is seen in a scope.
    pub(crate) fn get(&self, family: FamilyKey, scope: &Scope, id: &str) -> Option<&Object> {
        let birth = self.born(family, scope, id)?;
        self.objects.get(&family)?.get(&birth)
    }

    /// Whether any thing of a family has an identifier.
    pub(crate) fn has_id(&self, family: FamilyKey, id: &str) -> bool {
        self.by_id.contains_key(&(family, id.to_owned()))
    }

    /// All things of a family that are seen in a scope, oldest first.
    pub(crate) fn list<'store>(
        &'store self,
        family: FamilyKey,
        scope: &'store Scope,
    ) -> impl Iterator<Item = &'store Object> {
        let objects = self.objects.get(&family).into_iter().flat_map(BTreeMap::values);
        objects.filter(move |object| within(object, scope))
    }

    /// Keeps a thing, in place of the one with its identifier and scope.
    ///
    /// # Errors
    /// 507.
    pub(crate) fn put(&mut self, family: FamilyKey, object: Object) -> Result<(), Problem> {
        let size = object.value.to_string().len() + 256;
        let known = self.born(family, &object.scope, &object.id);
        let before = known.and_then(|birth| self.objects.get(&family)?.get(&birth));
        let freed = before.map_or(0, |before| before.value.to_string().len() + 256);
        if (known.is_none() && self.count >= MAX_OBJECTS) || self.bytes + size > MAX_BYTES + freed {
            return Err(full());
        }
        self.bytes = (self.bytes + size).saturating_sub(freed);
        let birth = known.unwrap_or_else(|| {
            self.births += 1;
            self.count += 1;
            self.by_id
                .entry((family, object.id.clone()))
                .or_default()
                .push(self.births);
            self.births
        });
        self.timed |= object.expires.is_some() || object.value.get("livenessInterval").is_some();
        self.objects.entry(family).or_default().insert(birth, object);
        Ok(())
    }

    /// Removes a thing and returns it.
    pub(crate) fn remove(&mut self, family: FamilyKey, scope: &Scope, id: &str) -> Option<Object> {
        let birth = self.born(family, scope, id)?;
        let object = self.objects.get_mut(&family)?.remove(&birth)?;
        let key = (family, id.to_owned());
        if let Some(births) = self.by_id.get_mut(&key) {
            births.retain(|other| *other != birth);
            if births.is_empty() {
                self.by_id.remove(&key);
            }
        }
        self.count -= 1;
        self.bytes = self.bytes.saturating_sub(object.value.to_string().len() + 256);
        Some(object)
    }

    /// Removes everything that was made below a value of a path parameter, and returns it.
    pub(crate) fn leave(&mut self, parameter: &str, value: &str) -> Vec<(FamilyKey, Object)> {
        let mut all = Vec::new();
        for (family, objects) in &self.objects {
            let below = |object: &&Object| object.scope.get(parameter).is_some_and(|has| has == value);
            let below = objects.values().filter(below);
            all.extend(below.map(|object| (*family, object.scope.clone(), object.id.clone())));
        }
        all.into_iter()
            .filter_map(|(family, scope, id)| Some((family, self.remove(family, &scope, &id)?)))
            .collect()
    }

    /// Notes that a seeded thing is gone, for good.
    ///
    /// # Errors
    /// 507.
    pub(crate) fn bury(&mut self, family: FamilyKey, path: &str) -> Result<(), Problem> {
        if self.removed.len() >= MAX_OBJECTS {
            return Err(full());
        }
        self.removed.insert((family, path.to_owned()));
        Ok(())
    }

    /// Whether a seeded thing is gone.
    pub(crate) fn is_buried(&self, family: FamilyKey, path: &str) -> bool {
        self.removed.contains(&(family, path.to_owned()))
    }

    /// What ends until a moment and was not asked for here before.
    pub(crate) fn ending(&mut self, until: Duration) -> Vec<(FamilyKey, Object)> {
        let mut ending = Vec::new();
        for (family, objects) in &mut self.objects {
            for object in objects.values_mut() {
                if !object.announced && object.expires.is_some_and(|end| end <= until) {
                    object.announced = true;
                    ending.push((*family, object.clone()));
                }
            }
        }
        ending
    }

    /// Removes what has ended; their paths.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<String> {
        let mut over = Vec::new();
        for (family, objects) in &self.objects {
            let ended = objects
                .values()
                .filter(|object| object.expires.is_some_and(|end| end <= now));
            over.extend(ended.map(|object| (*family, object.scope.clone(), object.id.clone())));
        }
        let gone = over
            .into_iter()
            .filter_map(|(family, scope, id)| self.remove(family, &scope, &id));
        gone.map(|object| object.path).collect()
    }

    /// What a path holds.
    pub(crate) fn held(&self, path: &str) -> Option<&Held> {
        self.held.get(path)
    }

    /// Lets a path hold something.
    ///
    /// # Errors
    /// 507.
    pub(crate) fn hold(&mut self, path: &str, held: Held) -> Result<(), Problem> {
        let freed = self.held.get(path).map_or(0, |before| before.body.len());
        let fits = self.bytes + held.body.len() <= MAX_BYTES + freed;
        if (!self.held.contains_key(path) && self.held.len() >= MAX_OBJECTS) || !fits {
            return Err(full());
        }
        self.bytes = (self.bytes + held.body.len()).saturating_sub(freed);
        self.held.insert(path.to_owned(), held);
        Ok(())
    }

    /// Lets go what the paths below a path hold.
    pub(crate) fn release_below(&mut self, path: &str) {
        let below = format!("{path}/");
        let paths: Vec<String> = self
            .held
            .keys()
            .filter(|path| path.starts_with(&below))
            .cloned()
            .collect();
        paths.iter().for_each(|path| self.release(path));
    }

    /// Lets go what a path holds.
    pub(crate) fn release(&mut self, path: &str) {
        if let Some(held) = self.held.remove(path) {
            self.bytes = self.bytes.saturating_sub(held.body.len());
        }
    }
}
