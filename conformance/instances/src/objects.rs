//! Builds objects: what is required first, then as many of the wished properties as may stand together.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::facets::{Demand, Facets};
use crate::generate::{Children, Generator, Inclusion, below};
use crate::options::{Binding, Direction};
use crate::pointer;

impl Generator<'_> {
    /// An object of the facets: how many wished properties it lacks, and the object.
    pub(crate) fn object(
        &mut self,
        facets: &Facets,
        demands: &[Demand],
        place: &str,
        children: &mut Children,
    ) -> Option<(usize, Value)> {
        let mut object = Map::new();
        for name in self.required(facets, place) {
            let value = self.child(facets, &name, place, children)?;
            object.insert(name, value);
        }
        let (wished, forbidden) = self.wished(facets, place, &object);
        self.fill_up(facets, place, children, &mut object);
        let mut value = Value::Object(object);
        let mut found: Vec<(String, Value)> = Vec::new();
        for name in &wished {
            if let Some(inner) = self.child(facets, name, place, children) {
                found.push((name.clone(), inner));
            }
        }
        if !found.is_empty() {
            let mut all = value.clone();
            extend(&mut all, &found);
            if self.fits(demands, &all, place) {
                return Some((forbidden + wished.len() - found.len(), all));
            }
        }
        if !self.fits(demands, &value, place) {
            return None;
        }
        let unbuilt = wished.len() - found.len();
        let left = self.add_one_by_one(facets, demands, place, &mut value, found);
        Some((forbidden + unbuilt + left, value))
    }

    /// Adds properties while the object stays valid; twice, for one may make room for another.
    fn add_one_by_one(
        &self,
        facets: &Facets,
        demands: &[Demand],
        place: &str,
        value: &mut Value,
        found: Vec<(String, Value)>,
    ) -> usize {
        let mut left = found;
        for _ in 0..2 {
            let mut refused = Vec::new();
            for (name, inner) in &left {
                let mut group = vec![(name.clone(), inner.clone())];
                for dependent in facets.dependents.get(name).into_iter().flatten() {
                    group.extend(left.iter().filter(|(other, _)| other == dependent).cloned());
                }
                let mut more = value.clone();
                extend(&mut more, &group);
                if self.fits(demands, &more, place) {
                    *value = more;
                } else {
                    refused.push((name.clone(), inner.clone()));
                }
            }
            if refused.len() == left.len() {
                break;
            }
            left = refused;
        }
        left.len()
    }

    /// The names that must be there, those that others and the caller's rules demand included.
    fn required(&self, facets: &Facets, place: &str) -> BTreeSet<String> {
        let mut names = facets.required.clone();
        names.extend(
            self.options
                .fixed_names(place)
                .filter(|name| facets.property(self.model, name).is_some()),
        );
        loop {
            let more: Vec<String> = names
                .iter()
                .filter_map(|name| facets.dependents.get(name))
                .flatten()
                .filter(|name| !names.contains(*name))
                .cloned()
                .collect();
            if more.is_empty() {
                return names;
            }
            names.extend(more);
        }
    }

    /// The optional names to try, the plan's own first, and how many more the choices that were taken forbid.
    fn wished(&mut self, facets: &Facets, place: &str, object: &Map<String, Value>) -> (Vec<String>, usize) {
        let mut names: Vec<String> = self.targets().filter_map(|target| below(target, place)).collect();
        for name in &mut names {
            if name == "*" {
                "key".clone_into(name);
            }
        }
        let known: Vec<String> = facets.properties.keys().cloned().collect();
        let is_map = known.is_empty()
            && facets.objects.iter().any(|id| {
                self.model[*id]
                    .additional
                    .is_some_and(|inner| self.model[inner].boolean.is_none())
            });
        let optional = known.into_iter().chain(is_map.then(|| "key".to_owned()));
        for name in optional {
            let chosen = match &self.plan.inclusion {
                Inclusion::Required => false,
                Inclusion::All => true,
                Inclusion::Chance(percent) => {
                    let percent = percent
                        / u8::try_from(place.matches('/').count().clamp(1, 8))
                            .unwrap_or(1)
                            .max(1);
                    self.rng.as_mut().is_some_and(|rng| rng.u8(0..100) < percent)
                }
                Inclusion::Only(places) => {
                    let here = pointer::child(place, &name);
                    places
                        .iter()
                        .any(|target| pointer::matches(target, &here) || below(target, &here).is_some())
                }
            };
            if chosen {
                names.push(name);
            }
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| {
            !object.contains_key(name) && seen.insert(name.clone()) && !self.is_barred(facets, name, place)
        });
        let before = names.len();
        names.retain(|name| !facets.forbidden.contains(name));
        let forbidden = before - names.len();
        (names, forbidden)
    }

    /// Whether a property is never to be generated, by the caller's rules or because only servers may set it.
    fn is_barred(&self, facets: &Facets, name: &str, place: &str) -> bool {
        let here = pointer::child(place, name);
        if self.options.at(&here).any(|binding| *binding == Binding::Absent) {
            return true;
        }
        self.options.direction == Direction::Request
            && facets.properties.get(name).is_some_and(|demands| {
                demands
                    .iter()
                    .any(|demand| matches!(demand, Demand::Hold(id) if self.is_read_only(*id)))
            })
    }

    fn is_read_only(&self, id: crate::model::NodeId) -> bool {
        std::iter::successors(Some(id), |id| self.model[*id].reference)
            .take(8)
            .any(|id| self.model[id].read_only)
    }

    fn child(&mut self, facets: &Facets, name: &str, place: &str, children: &mut Children) -> Option<Value> {
        let here = pointer::child(place, name);
        if self.options.at(&here).any(|binding| *binding == Binding::Absent) {
            return None;
        }
        let demands = facets.property(self.model, name)?;
        let key = (name.to_owned(), demands);
        if let Some(known) = children.get(&key) {
            return known.clone();
        }
        let value = self.value(&key.1, &here);
        children.insert(key, value.clone());
        value
    }

    /// Adds properties until there are enough of them.
    fn fill_up(
        &mut self,
        facets: &Facets,
        place: &str,
        children: &mut Children,
        object: &mut Map<String, Value>,
    ) {
        let invented: Vec<String> = self.invented_names(facets);
        let known: Vec<String> = facets.properties.keys().cloned().collect();
        for name in known.into_iter().chain(invented) {
            if object.len() as u64 >= facets.min_properties {
                return;
            }
            if !object.contains_key(&name)
                && !facets.forbidden.contains(&name)
                && !self.is_barred(facets, &name, place)
                && let Some(value) = self.child(facets, &name, place, children)
            {
                object.insert(name, value);
            }
        }
    }

    fn invented_names(&mut self, facets: &Facets) -> Vec<String> {
        if facets.min_properties == 0 {
            return Vec::new();
        }
        let variant = self.variant;
        let mut names = Vec::new();
        for index in 0..facets.min_properties.min(64) {
            self.variant = usize::try_from(index).unwrap_or(0);
            let name = if facets.names.is_empty() {
                Some(Value::String(format!("key{index}")))
            } else {
                self.value(&facets.names.clone(), "/propertyNames")
            };
            names.extend(name.and_then(|name| name.as_str().map(str::to_owned)));
        }
        self.variant = variant;
        names
    }
}

fn extend(value: &mut Value, more: &[(String, Value)]) {
    if let Value::Object(object) = value {
        object.extend(more.iter().cloned());
    }
}
