//! Answers by what the name server knows itself.

use std::net::{Ipv4Addr, Ipv6Addr};

use indexmap::IndexMap;

use crate::metrics::Outcome;
use crate::name::HostName;
use crate::names::{AddressSet, Endpoint, Found, Names, Records, Source};
use crate::options::Options;
use crate::wire::query::Query;
use crate::wire::reply::{Reply, Transport, pointer};
use crate::wire::{ResponseCode, flag, record_type};

/// How many services one answer names at most; which ones they are changes from answer to answer.
const SERVICES_IN_ANSWER: usize = 64;
/// What secondary servers would go by, in seconds: refresh, retry and expire of SOA records. We serve none.
const SOA_TIMES: [u32; 3] = [3600, 600, 86_400];

/// What answers are made of.
pub(crate) struct Authority<'a> {
    pub(crate) names: &'a Names,
    pub(crate) server_name: Option<&'a HostName>,
    pub(crate) options: &'a Options,
    /// Which of several records comes first.
    pub(crate) turn: usize,
    pub(crate) transport: Transport,
    /// Whether this client may have other names looked up.
    pub(crate) recursion: bool,
}

/// The records that answer a question.
enum Chosen<'a> {
    V4(&'a Records),
    V6(&'a Records),
    Endpoints(&'a Records),
    StartOfAuthority,
    NameServer,
    Nothing,
}

impl Authority<'_> {
    /// Answers a question of class IN; `None` if the name is none of ours.
    pub(crate) fn answer(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Option<Outcome> {
        let (chosen, apex) = match self.names.find(query.name.wire()) {
            Found::Elsewhere => return None,
            Found::Nothing { apex } => {
                return Some(self.negative(query, apex, ResponseCode::NoSuchName, out));
            }
            Found::Empty { apex } => (choose(query.record_type, None, apex == 0), apex),
            Found::Name { records, apex } => (choose(query.record_type, Some(records), apex == 0), apex),
        };
        if matches!(chosen, Chosen::Nothing) {
            return Some(self.negative(query, apex, ResponseCode::NoError, out));
        }
        let mut reply = self.reply(query, ResponseCode::NoError, out);
        match chosen {
            Chosen::V4(records) => {
                self.addresses(
                    &mut reply,
                    record_type::A,
                    records.v4.as_ref(),
                    &records.service_v4,
                );
            }
            Chosen::V6(records) => {
                self.addresses(
                    &mut reply,
                    record_type::AAAA,
                    records.v6.as_ref(),
                    &records.service_v6,
                );
            }
            Chosen::Endpoints(records) => self.endpoints(&mut reply, &records.endpoints),
            Chosen::StartOfAuthority => {
                self.start_of_authority(self.options.default_ttl, apex, |ttl, data| {
                    reply.answer(apex, record_type::SOA, ttl, data);
                });
            }
            Chosen::NameServer => {
                let here = pointer(apex);
                let name = self.server_name.map_or(&here[..], HostName::wire);
                reply.answer(apex, record_type::NS, self.options.default_ttl, &[name]);
            }
            Chosen::Nothing => {}
        }
        Some(if reply.finish() {
            Outcome::Truncated
        } else {
            Outcome::Answered
        })
    }

    fn reply<'o>(&self, query: &Query<'_>, code: ResponseCode, out: &'o mut Vec<u8>) -> Reply<'o> {
        let recursion = if self.recursion {
            flag::RECURSION_AVAILABLE
        } else {
            0
        };
        let flags = flag::AUTHORITATIVE | recursion;
        Reply::new(
            out,
            query,
            flags,
            code,
            self.transport,
            self.options.largest_datagram,
        )
    }

    /// There is no such name, or nothing of that type, and how long that may be remembered (RFC 2308 clauses 2 and 3).
    fn negative(&self, query: &Query<'_>, apex: usize, code: ResponseCode, out: &mut Vec<u8>) -> Outcome {
        let mut reply = self.reply(query, code, out);
        self.start_of_authority(self.options.negative_ttl, apex, |ttl, data| {
            reply.authority(apex, record_type::SOA, ttl, data);
        });
        reply.finish();
        match code {
            ResponseCode::NoSuchName => Outcome::NoSuchName,
            _ => Outcome::NoData,
        }
    }

    fn start_of_authority(&self, ttl: u32, apex: usize, write: impl FnOnce(u32, &[&[u8]])) {
        let here = pointer(apex);
        let server = self.server_name.map_or(&here[..], HostName::wire);
        let [refresh, retry, expire] = SOA_TIMES.map(u32::to_be_bytes);
        let serial = self.names.serial.to_be_bytes();
        let minimum = self.options.negative_ttl.to_be_bytes();
        let data = [
            server,
            b"\x0ahostmaster",
            &here,
            &serial,
            &refresh,
            &retry,
            &expire,
            &minimum,
        ];
        write(ttl, &data);
    }

    fn addresses<A: Address>(
        &self,
        reply: &mut Reply<'_>,
        record_type: u16,
        rules: Option<&AddressSet<A>>,
        services: &IndexMap<Source, A>,
    ) {
        if let Some(set) = rules {
            for place in rotation(set.addresses.len(), self.turn) {
                if let Some(address) = set.addresses.get(place) {
                    reply.answer(0, record_type, set.ttl, &[address.bytes().as_ref()]);
                }
            }
            return;
        }
        let mut written: [Option<A>; SERVICES_IN_ANSWER] = [None; SERVICES_IN_ANSWER];
        let mut places = rotation(services.len(), self.turn);
        for free in 0..written.len() {
            let next = places.find_map(|place| {
                let (_, address) = services.get_index(place)?;
                (!written.contains(&Some(*address))).then_some(*address)
            });
            let Some(address) = next else { break };
            reply.answer(
                0,
                record_type,
                self.options.service_ttl,
                &[address.bytes().as_ref()],
            );
            if let Some(place) = written.get_mut(free) {
                *place = Some(address);
            }
        }
    }

    /// SRV records, all of the same priority and weight (RFC 2782).
    fn endpoints(&self, reply: &mut Reply<'_>, endpoints: &IndexMap<Source, Endpoint>) {
        for place in rotation(endpoints.len(), self.turn).take(SERVICES_IN_ANSWER) {
            if let Some((_, endpoint)) = endpoints.get_index(place) {
                let port = endpoint.port.to_be_bytes();
                let data = [&[0; 4][..], &port, endpoint.target.wire()];
                reply.answer(0, record_type::SRV, self.options.service_ttl, &data);
            }
        }
    }
}

/// What answers a type of question about a name. "Any" is answered by one set only (RFC 8482 clause 4.1).
fn choose(asked: u16, records: Option<&Records>, is_apex: bool) -> Chosen<'_> {
    let any = asked == record_type::ANY;
    if let Some(records) = records {
        let v4 = records.v4.is_some() || !records.service_v4.is_empty();
        let v6 = records.v6.is_some() || !records.service_v6.is_empty();
        if v4 && (any || asked == record_type::A) {
            return Chosen::V4(records);
        }
        if v6 && (any || asked == record_type::AAAA) {
            return Chosen::V6(records);
        }
        if !records.endpoints.is_empty() && (any || asked == record_type::SRV) {
            return Chosen::Endpoints(records);
        }
    }
    match asked {
        record_type::SOA | record_type::ANY if is_apex => Chosen::StartOfAuthority,
        record_type::NS if is_apex => Chosen::NameServer,
        _ => Chosen::Nothing,
    }
}

/// All places of a list, beginning with another one each turn.
fn rotation(length: usize, turn: usize) -> impl Iterator<Item = usize> {
    let begin = turn.checked_rem(length).unwrap_or(0);
    (begin..length).chain(0..begin)
}

trait Address: Copy + Eq {
    fn bytes(self) -> impl AsRef<[u8]>;
}

impl Address for Ipv4Addr {
    fn bytes(self) -> impl AsRef<[u8]> {
        self.octets()
    }
}

impl Address for Ipv6Addr {
    fn bytes(self) -> impl AsRef<[u8]> {
        self.octets()
    }
}
