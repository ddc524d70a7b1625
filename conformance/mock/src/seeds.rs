//! What is there although nobody made it: things of families that no operation makes.

use crate::mock::{Mock, stir};
use crate::represent::{Making, path_of};
use crate::store::{FamilyKey, Object, Scope, Store};

/// How many things there are of what nobody can make.
const SEEDED: u64 = 2;

impl Mock {
    /// The things of a family that nobody made, in a scope: the same each time.
    pub(crate) fn seeds(&self, key: FamilyKey, scope: &Scope, origin: &str) -> Vec<Object> {
        let plan = &self.plans[key.0];
        let family = &plan.families[key.1];
        let mut names: Vec<&str> = family.home.parameters().collect();
        names.pop();
        if !family.seeded || names.iter().any(|name| !scope.contains_key(*name)) {
            return Vec::new();
        }
        let scope: Scope = scope
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(own)
            .collect();
        let place = family.home.expand(&scope);
        let start = place
            .bytes()
            .fold(self.options.seed, |hash, byte| stir(hash ^ u64::from(byte)));
        let seeds = (1..=SEEDED).filter_map(|count| {
            let id = plan.identifier(family, &family.home, stir(start.wrapping_add(count)), count);
            let path = path_of(plan, &family.home, &scope, &id);
            let making = Making {
                plan,
                family,
                id: &id,
                path: &path,
                origin,
                scope: &scope,
                now: self.started,
                previous: None,
            };
            let example = plan.schemas.example(&family.schema)?;
            let value = making.represent(None, &example)?;
            Some(Object {
                value,
                version: 0,
                beat: (self.started, 0),
                expires: None,
                announced: false,
                scope: scope.clone(),
                id: id.clone(),
                path,
            })
        });
        seeds.collect()
    }

    /// The thing of an identifier, made or seeded.
    pub(crate) fn lookup(
        &self,
        store: &Store,
        key: FamilyKey,
        scope: &Scope,
        id: &str,
        origin: &str,
    ) -> Option<Object> {
        if let Some(object) = store.get(key, scope, id) {
            return Some(object.clone());
        }
        let seeded = self
            .seeds(key, scope, origin)
            .into_iter()
            .find(|object| object.id == id);
        seeded.filter(|object| !store.is_buried(key, &object.path))
    }
}

/// A pair of its own.
pub(crate) fn own((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}
