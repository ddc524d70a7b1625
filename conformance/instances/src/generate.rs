//! Builds one valid value from a set of demands: choices are tried one combination after the other,
//! children are built first, and every value is checked against all demands of its place before it is used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::chooser::{Chooser, Wishes};
use crate::facets::{self, Demand, Facets};
use crate::formats;
use crate::model::{Model, ROOT, Types};
use crate::options::{Binding, Options};
use crate::pointer;
use crate::scalars;
use crate::sites;

/// Which optional properties a value gets.
#[derive(Clone, Debug, Default)]
pub(crate) enum Inclusion {
    /// None.
    #[default]
    Required,
    /// As many as may stand together.
    All,
    /// Each with this probability, in percent.
    Chance(u8),
    /// Those at these places (with `*` for an index).
    Only(BTreeSet<String>),
}

/// What a value shall be like, as far as the schema lets it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) inclusion: Inclusion,
    pub(crate) wishes: Wishes,
    /// A place (with `*`) that shall exist.
    pub(crate) wanted: Option<String>,
    /// The value that a place shall have.
    pub(crate) pin: Option<(String, Value)>,
    /// How many items the array at a place shall have.
    pub(crate) count: Option<(String, usize)>,
}

/// A builder of values for one model.
pub(crate) struct Generator<'a> {
    pub(crate) model: &'a Model,
    pub(crate) options: &'a Options,
    pub(crate) plan: &'a Plan,
    pub(crate) rng: Option<fastrand::Rng>,
    stack: Vec<Vec<Demand>>,
    memo: BTreeMap<Vec<Demand>, Option<Value>>,
    budget: usize,
    pub(crate) variant: usize,
}

/// How many values one instance may try to build.
const BUDGET: usize = 6_000;
/// How many combinations of choices are looked at for one value.
const COMBINATIONS: usize = 400;

pub(crate) type Children = BTreeMap<(String, Vec<Demand>), Option<Value>>;

impl<'a> Generator<'a> {
    pub(crate) fn new(
        model: &'a Model,
        options: &'a Options,
        plan: &'a Plan,
        rng: Option<fastrand::Rng>,
    ) -> Generator<'a> {
        Generator {
            model,
            options,
            plan,
            rng,
            stack: Vec::new(),
            memo: BTreeMap::new(),
            budget: BUDGET,
            variant: 0,
        }
    }

    /// A value for the root.
    pub(crate) fn root(&mut self) -> Option<Value> {
        self.value(&[Demand::Hold(ROOT)], "")
    }

    /// A value that meets the demands at a place.
    pub(crate) fn value(&mut self, demands: &[Demand], place: &str) -> Option<Value> {
        if let Some(fixed) = self.fixed(place) {
            return self.meets(demands, &fixed).then_some(fixed);
        }
        let recursive = !demands.is_empty() && self.stack.iter().any(|above| above == demands);
        if self.budget == 0 || self.stack.len() > 48 || (recursive && !self.leads_further(place)) {
            return None;
        }
        self.budget -= 1;
        let memorable = self.is_plain();
        if memorable && let Some(known) = self.memo.get(demands) {
            return known.clone();
        }
        self.stack.push(demands.to_vec());
        let value = self.combinations(demands, place);
        self.stack.pop();
        // What failed inside a recursion may succeed elsewhere.
        if memorable && (value.is_some() || self.stack.is_empty()) {
            self.memo.insert(demands.to_vec(), value.clone());
        }
        value
    }

    /// Whether the value depends on nothing but its demands.
    fn is_plain(&self) -> bool {
        let plan = self.plan;
        self.rng.is_none()
            && self.variant == 0
            && matches!(plan.inclusion, Inclusion::Required)
            && plan.wanted.is_none()
            && plan.pin.is_none()
            && plan.count.is_none()
            && self.options.bindings.is_empty()
    }

    fn combinations(&mut self, demands: &[Demand], place: &str) -> Option<Value> {
        let seed = self.rng.as_mut().map(fastrand::Rng::fork);
        let model = self.model;
        let wishes = &self.plan.wishes;
        let mut chooser = Chooser::new(wishes, seed);
        let mut children = Children::new();
        let mut best: Option<(usize, Value)> = None;
        let patience = match self.plan.inclusion {
            Inclusion::All => 3,
            _ => 12,
        };
        let mut built = 0;
        for _ in 0..COMBINATIONS {
            if let Some(mut facets) = facets::fold(model, demands, &mut chooser) {
                self.narrow(&mut facets, place);
                if let Some((unmet, value)) = self.build(&facets, demands, place, &mut children) {
                    if unmet == 0 {
                        return Some(value);
                    }
                    if best.as_ref().is_none_or(|(before, _)| unmet < *before) {
                        best = Some((unmet, value));
                    }
                    built += 1;
                }
            }
            if built >= patience || self.budget == 0 || !chooser.advance() {
                break;
            }
        }
        best.map(|(_, value)| value)
    }

    /// Builds a value of the facets: how many wishes it leaves unmet, and the value.
    fn build(
        &mut self,
        facets: &Facets,
        demands: &[Demand],
        place: &str,
        children: &mut Children,
    ) -> Option<(usize, Value)> {
        if let Some(allowed) = &facets.allowed {
            let mut allowed = allowed.clone();
            let start = self
                .rng
                .as_mut()
                .map_or(self.variant, |rng| rng.usize(0..allowed.len().max(1)));
            if !allowed.is_empty() {
                let length = allowed.len();
                allowed.rotate_left(start % length);
            }
            return allowed
                .into_iter()
                .find(|value| self.fits(demands, value, place))
                .map(|value| (0, value));
        }
        for types in self.types(facets) {
            let found = match types {
                Types::OBJECT => self.object(facets, demands, place, children),
                Types::ARRAY => self.array(facets, demands, place).map(|value| (0, value)),
                _ => {
                    let candidates = scalars::candidates(facets, types, self.variant, self.rng.as_mut());
                    candidates
                        .into_iter()
                        .find(|value| self.fits(demands, value, place))
                        .map(|value| (0, value))
                }
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The types to try, in order.
    fn types(&mut self, facets: &Facets) -> Vec<Types> {
        let hinted = facets.types.and(facets.hinted);
        let free = facets.types == Types::ALL;
        let mut types = sites::single_types(if free && hinted != Types(0) {
            hinted
        } else {
            facets.types
        });
        if !free && let Some(rng) = &mut self.rng {
            rng.shuffle(&mut types);
        }
        for id in &facets.objects {
            if let Some(wish) = self.plan.wishes.get(&sites::Fork::Type(*id)) {
                types.sort_by_key(|one| usize::from(one.0) != *wish);
            }
        }
        if facets.types.and(Types::NUMBER) == Types::NUMBER {
            let after = types
                .iter()
                .position(|one| *one == Types::INTEGER)
                .map_or(types.len(), |at| at + 1);
            types.insert(after, Types::FRACTION);
        }
        types
    }

    /// Whether all demands are met.
    pub(crate) fn meets(&self, demands: &[Demand], value: &Value) -> bool {
        demands.iter().all(|demand| match demand {
            Demand::Hold(id) => self.model.accepts(*id, value),
            Demand::Fail(id) => !self.model.accepts(*id, value),
        })
    }

    /// Whether all demands and the caller's rules for this place are met.
    pub(crate) fn fits(&self, demands: &[Demand], value: &Value, place: &str) -> bool {
        self.meets(demands, value) && self.options.permits(place, value)
    }

    /// The value that the plan or the options give a place.
    pub(crate) fn fixed(&self, place: &str) -> Option<Value> {
        if let Some((_, value)) = self.plan.pin.as_ref().filter(|(pinned, _)| pinned == place) {
            return Some(value.clone());
        }
        self.options.at(place).find_map(|binding| match binding {
            Binding::Fixed(value) => Some(value.clone()),
            _ => None,
        })
    }

    /// Whether the plan wants something below a place.
    pub(crate) fn leads_further(&self, place: &str) -> bool {
        self.targets().any(|target| below(target, place).is_some())
    }

    /// The places that the plan wants to exist.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        let pin = self.plan.pin.as_ref().map(|(place, _)| place.as_str());
        let count = self.plan.count.as_ref().map(|(place, _)| place.as_str());
        self.plan.wanted.as_deref().into_iter().chain(pin).chain(count)
    }

    /// Applies the caller's rules and the ranges of integer formats.
    fn narrow(&self, facets: &mut Facets, place: &str) {
        let ranges: Vec<(i128, i128)> = facets
            .formats
            .iter()
            .filter_map(|format| formats::range(format))
            .collect();
        for (low, high) in ranges {
            for (bound, lower) in [(low, true), (high, false)] {
                if let Some(Value::Number(number)) = crate::numbers::integer(bound) {
                    if lower {
                        facets.raise(number, false)
                    } else {
                        facets.cap(number, false)
                    }
                }
            }
        }
        for binding in self.options.at(place) {
            match binding {
                Binding::AtLeast(least) => facets.raise((*least).into(), false),
                Binding::AtMost(most) => facets.cap((*most).into(), false),
                Binding::MaxLength(most) => {
                    facets.max_length = facets::least(facets.max_length, Some(*most as u64))
                }
                Binding::MaxItems(most) => {
                    facets.max_items = facets::least(facets.max_items, Some(*most as u64))
                }
                Binding::Pattern(source) => facets.patterns.push(source.clone()),
                Binding::OneOf(values) => facets.allow(values),
                Binding::Fixed(_) | Binding::Absent => {}
            }
        }
    }

    fn array(&mut self, facets: &Facets, demands: &[Demand], place: &str) -> Option<Value> {
        let most = facets.max_items.unwrap_or(u64::MAX);
        let needed: u64 = facets.contains.iter().map(|(_, count)| *count).sum();
        let least = usize::try_from(facets.min_items.max(needed))
            .ok()
            .filter(|least| *least <= 10_000)?;
        let count = self.item_count(least, most, place);
        let variant = self.variant;
        let mut items = Vec::new();
        for index in 0..count {
            let mut wanted = facets
                .prefix
                .get(&index)
                .cloned()
                .unwrap_or_else(|| facets.items.clone());
            let mut before = 0;
            for (demand, times) in &facets.contains {
                if (before..before + times).contains(&(index as u64)) {
                    wanted.push(*demand);
                }
                before += times;
            }
            if facets.unique {
                self.variant = variant + index;
            }
            let item = self.value(&wanted, &pointer::item(place, index));
            self.variant = variant;
            match item {
                Some(item)
                    if !facets.unique || !items.iter().any(|other| crate::numbers::equal(other, &item)) =>
                {
                    items.push(item)
                }
                // Fewer will do, or this can't be built.
                _ if index >= least => break,
                _ => return None,
            }
        }
        let value = Value::Array(items);
        self.fits(demands, &value, place).then_some(value)
    }

    fn item_count(&mut self, least: usize, most: u64, place: &str) -> usize {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if let Some((_, count)) = self.plan.count.as_ref().filter(|(counted, _)| counted == place) {
            return *count;
        }
        let index = self
            .targets()
            .filter_map(|target| below(target, place))
            .map(|step| step.parse::<usize>().map_or(1, |index| index + 1))
            .max();
        let wanted = index.unwrap_or(0).max(match &self.plan.inclusion {
            Inclusion::Required => 0,
            Inclusion::All => 1,
            Inclusion::Only(places) => {
                usize::from(places.iter().any(|target| below(target, place).is_some()))
            }
            Inclusion::Chance(_) => {
                let extra = if self.stack.len() > 8 { 0 } else { 3 };
                self.rng
                    .as_mut()
                    .map_or(0, |rng| rng.usize(least..=least + extra))
            }
        });
        least.max(wanted).min(most.max(least))
    }
}

/// The next step from `place` towards `target`, if it lies below.
pub(crate) fn below(target: &str, place: &str) -> Option<String> {
    let mut wanted = target.split('/');
    for step in place.split('/') {
        let next = wanted.next()?;
        if next != step && next != "*" {
            return None;
        }
    }
    wanted.next().map(pointer::unescape)
}

impl Options {
    /// The rules for a place.
    pub(crate) fn at(&self, place: &str) -> impl Iterator<Item = &Binding> {
        self.bindings
            .iter()
            .filter(move |(pattern, _)| pointer::matches(pattern, place))
            .map(|(_, binding)| binding)
    }

    /// Whether the rules for a place allow a value there.
    pub(crate) fn permits(&self, place: &str, value: &Value) -> bool {
        self.at(place).all(|binding| match (binding, value) {
            (Binding::Fixed(fixed), _) => crate::numbers::equal(fixed, value),
            (Binding::Absent, _) => false,
            (Binding::OneOf(values), _) => values.iter().any(|other| crate::numbers::equal(other, value)),
            (Binding::AtLeast(least), Value::Number(number)) => {
                crate::numbers::float(number) >= *least as f64
            }
            (Binding::AtMost(most), Value::Number(number)) => crate::numbers::float(number) <= *most as f64,
            (Binding::MaxLength(most), Value::String(text)) => text.chars().count() <= *most,
            (Binding::MaxItems(most), Value::Array(items)) => items.len() <= *most,
            (Binding::Pattern(source), Value::String(text)) => {
                crate::read::judge_of("pattern", source).is_some_and(|judge| judge.matches(text))
            }
            _ => true,
        })
    }

    /// Whether the rules allow a whole instance.
    pub(crate) fn permits_all(&self, value: &Value) -> bool {
        self.bindings.is_empty() || self.permits_below(value, "")
    }

    fn permits_below(&self, value: &Value, place: &str) -> bool {
        self.permits(place, value)
            && match value {
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .all(|(index, item)| self.permits_below(item, &pointer::item(place, index))),
                Value::Object(object) => {
                    object
                        .iter()
                        .all(|(name, inner)| self.permits_below(inner, &pointer::child(place, name)))
                        && self.holds_fixed(object, place)
                }
                _ => true,
            }
    }

    /// Whether the fixed properties of an object are there.
    fn holds_fixed(&self, object: &serde_json::Map<String, Value>, place: &str) -> bool {
        self.fixed_names(place).all(|name| object.contains_key(&name))
    }

    /// The names of the properties with a fixed value in the object at a place.
    pub(crate) fn fixed_names<'a>(&'a self, place: &'a str) -> impl Iterator<Item = String> + 'a {
        self.bindings
            .iter()
            .filter(|(_, binding)| matches!(binding, Binding::Fixed(_)))
            .filter_map(move |(pattern, _)| {
                let (parent, name) = pointer::split_last(pattern)?;
                (pointer::matches(parent, place) && name != "*").then_some(name)
            })
    }
}
