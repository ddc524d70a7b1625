//! What the name server knows by itself: names, their addresses and services, and the zones that they are in.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::name::{HostName, suffixes};

/// Where a record comes from: a key of the store, and which of the records that it gives.
pub(crate) type Source = (Arc<str>, u16);

/// Addresses of one family that one name has by rules.
#[derive(Debug)]
pub(crate) struct AddressSet<A> {
    /// Without duplicates, in the order of their rules.
    pub(crate) addresses: Vec<A>,
    /// The smallest TTL of the rules: the records of a set must have one (RFC 2181 clause 5.2).
    pub(crate) ttl: u32,
}

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) target: HostName,
    pub(crate) port: u16,
}

/// What one name has.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// By active rules, in the order of their keys.
    rules: Vec<(Arc<str>, IpAddr, u32)>,
    pub(crate) v4: Option<AddressSet<Ipv4Addr>>,
    pub(crate) v6: Option<AddressSet<Ipv6Addr>>,
    pub(crate) service_v4: IndexMap<Source, Ipv4Addr>,
    pub(crate) service_v6: IndexMap<Source, Ipv6Addr>,
    pub(crate) endpoints: IndexMap<Source, Endpoint>,
    /// Whether it is there without having anything.
    fixed: bool,
}

impl Records {
    fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.service_v4.is_empty()
            && self.service_v6.is_empty()
            && self.endpoints.is_empty()
            && !self.fixed
    }

    fn collect_rules(&mut self) {
        fn set<A: std::hash::Hash + Eq + Copy>(
            rules: &[(Arc<str>, IpAddr, u32)],
            family: impl Fn(IpAddr) -> Option<A>,
        ) -> Option<AddressSet<A>> {
            let of_family = || {
                rules
                    .iter()
                    .filter_map(|(_, address, ttl)| Some((family(*address)?, *ttl)))
            };
            let ttl = of_family().map(|(_, ttl)| ttl).min()?;
            let addresses: IndexSet<A> = of_family().map(|(address, _)| address).collect();
            Some(AddressSet {
                addresses: addresses.into_iter().collect(),
                ttl,
            })
        }
        self.v4 = set(&self.rules, |address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        self.v6 = set(&self.rules, |address| match address {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        });
    }
}

/// What is known of a name that was asked for.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// The name exists.
    Name {
        records: &'a Records,
        /// Where in the name the zone begins that it is in.
        apex: usize,
    },
    /// The name exists, but has nothing: the zone itself, or a name above one that exists.
    Empty { apex: usize },
    /// There is no such name in our zone.
    Nothing { apex: usize },
    /// The name is none of ours.
    Elsewhere,
}

/// All that the name server knows by itself.
#[derive(Debug, Default)]
pub(crate) struct Names {
    zones: HashSet<HostName>,
    names: HashMap<HostName, Records>,
    /// Names in our zones that have nothing but names below them, and how many.
    above: HashMap<Box<[u8]>, usize>,
    /// The revision of the last change, as far as it fits (RFC 1982: serial numbers wrap).
    pub(crate) serial: u32,
}

impl Names {
    pub(crate) fn new(zones: impl IntoIterator<Item = HostName>) -> Self {
        Self {
            zones: zones.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Looks up a name: in lower case, as it travels.
    pub(crate) fn find(&self, wire: &[u8]) -> Found<'_> {
        let zone = self.zone_of(wire);
        match (self.names.get(wire), zone) {
            (Some(records), apex) => Found::Name {
                records,
                apex: apex.unwrap_or(0),
            },
            (None, Some(0)) => Found::Empty { apex: 0 },
            (None, Some(apex)) if self.above.contains_key(wire) => Found::Empty { apex },
            (None, Some(apex)) => Found::Nothing { apex },
            (None, None) => Found::Elsewhere,
        }
    }

    /// Where in a name the closest of our zones begins.
    fn zone_of(&self, wire: &[u8]) -> Option<usize> {
        if self.zones.is_empty() {
            return None;
        }
        suffixes(wire).find(|offset| wire.get(*offset..).is_some_and(|rest| self.zones.contains(rest)))
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Puts an address of a rule in force.
    pub(crate) fn add_rule(&mut self, name: &HostName, key: &Arc<str>, address: IpAddr, ttl: u32) {
        self.change(name, |records| {
            let place = records.rules.partition_point(|(other, _, _)| other < key);
            records.rules.insert(place, (key.clone(), address, ttl));
            records.collect_rules();
        });
    }

    /// Takes an address of a rule out of force.
    pub(crate) fn remove_rule(&mut self, name: &HostName, key: &str) {
        self.change(name, |records| {
            records.rules.retain(|(other, _, _)| **other != *key);
            records.collect_rules();
        });
    }

    /// Gives a name an address of a service.
    pub(crate) fn add_address(&mut self, name: &HostName, source: Source, address: IpAddr) {
        self.change(name, |records| match address {
            IpAddr::V4(address) => drop(records.service_v4.insert(source, address)),
            IpAddr::V6(address) => drop(records.service_v6.insert(source, address)),
        });
    }

    /// Gives a name an endpoint of a service.
    pub(crate) fn add_endpoint(&mut self, name: &HostName, source: Source, endpoint: Endpoint) {
        self.change(name, |records| drop(records.endpoints.insert(source, endpoint)));
    }

    /// Takes from a name what a service gave it.
    pub(crate) fn remove_source(&mut self, name: &HostName, source: &Source) {
        self.change(name, |records| {
            records.service_v4.swap_remove(source);
            records.service_v6.swap_remove(source);
            records.endpoints.swap_remove(source);
        });
    }

    /// Lets a name exist, and, for as long as it has no others, have these addresses.
    pub(crate) fn set_fixed(&mut self, name: &HostName, addresses: &[IpAddr]) {
        self.change(name, |records| {
            records.fixed = true;
            records.service_v4.retain(|(key, _), _| !key.is_empty());
            records.service_v6.retain(|(key, _), _| !key.is_empty());
        });
        for (address, place) in addresses.iter().zip(0..) {
            self.add_address(name, ("".into(), place), *address);
        }
    }

    fn change(&mut self, name: &HostName, change: impl FnOnce(&mut Records)) {
        let is_new = !self.names.contains_key(name);
        let records = self.names.entry(name.clone()).or_default();
        change(records);
        let is_gone = records.is_empty();
        if is_gone {
            self.names.remove(name);
        }
        match (is_new, is_gone) {
            (true, false) => self.count_above(name, 1),
            (false, true) => self.count_above(name, -1),
            _ => {}
        }
    }

    /// Adds to what names between a name and its zone know of names below them.
    fn count_above(&mut self, name: &HostName, difference: isize) {
        let wire = name.wire();
        let Some(apex) = self.zone_of(wire) else { return };
        for offset in suffixes(wire).skip(1).take_while(|offset| *offset < apex) {
            let Some(suffix) = wire.get(offset..) else {
                continue;
            };
            let count = self.above.entry(suffix.into()).or_default();
            *count = count.saturating_add_signed(difference);
            if *count == 0 {
                self.above.remove(suffix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    fn find(names: &Names, text: &str) -> String {
        match names.find(name(text).wire()) {
            Found::Name { records, apex } => {
                let v4 = records.v4.as_ref().map(|set| (set.addresses.len(), set.ttl));
                format!("name {apex} {v4:?}")
            }
            Found::Empty { apex } => format!("empty {apex}"),
            Found::Nothing { apex } => format!("nothing {apex}"),
            Found::Elsewhere => "elsewhere".to_owned(),
        }
    }

    #[test]
    fn names_are_found_in_the_closest_zone() {
        let mut names = Names::new([name("internal"), name("mec.internal")]);
        let key: Arc<str> = "key".into();
        for text in ["a.b.mec.internal", "app.example"] {
            names.add_rule(&name(text), &key, [192, 0, 2, 1].into(), 5);
        }
        for (text, expected) in [
            ("a.b.mec.internal", "name 4 Some((1, 5))"),
            ("b.mec.internal", "empty 2"),
            ("c.mec.internal", "nothing 2"),
            ("x.a.b.mec.internal", "nothing 6"),
            ("mec.internal", "empty 0"),
            ("other.internal", "nothing 6"),
            ("internal", "empty 0"),
            ("app.example", "name 0 Some((1, 5))"),
            ("x.app.example", "elsewhere"),
            ("example", "elsewhere"),
        ] {
            assert_eq!(find(&names, text), expected, "{text}");
        }
        names.remove_rule(&name("a.b.mec.internal"), "other key");
        assert_eq!(find(&names, "b.mec.internal"), "empty 2");
        for text in ["a.b.mec.internal", "app.example"] {
            names.remove_rule(&name(text), &key);
        }
        assert_eq!(find(&names, "b.mec.internal"), "nothing 2");
        assert_eq!(find(&names, "app.example"), "elsewhere");
        assert_eq!((names.len(), names.above.len()), (0, 0));
    }

    #[test]
    fn a_set_has_one_ttl_and_no_duplicates() {
        let mut names = Names::new([]);
        let app = name("app.example");
        for (key, address, ttl) in [("b", 2, 30), ("a", 1, 60), ("c", 1, 90)] {
            names.add_rule(&app, &key.into(), [192, 0, 2, address].into(), ttl);
        }
        names.add_rule(&app, &"d".into(), "2001:db8::1".parse().unwrap(), 5);
        let Found::Name { records, .. } = names.find(app.wire()) else {
            panic!("no name");
        };
        let set = records.v4.as_ref().unwrap();
        assert_eq!(
            set.addresses,
            [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)]
        );
        assert_eq!((set.ttl, records.v6.as_ref().unwrap().ttl), (30, 5));
        names.remove_rule(&app, "b");
        assert_eq!(find(&names, "app.example"), "name 0 Some((1, 60))");
    }
}
