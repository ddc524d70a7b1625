//! Questions about names that are none of ours: asked upstream, and remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::op::{
    DnsRequest, DnsRequestOptions, Edns, Message, OpCode, Query as Question, ResponseCode,
};
use hickory_proto::rr::Record;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use hickory_resolver::net::NetError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::cache::Cache;
use crate::options::Options;
use crate::upstreams::{Said, Upstreams};
use crate::wire::query::Query;
use crate::wire::reply::{Reply, Transport, limit};
use crate::wire::{self, flag};

/// For how long it is remembered that no upstream answers (RFC 9520 clause 3.2: at least a second).
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// The longest that it is remembered that a name does not exist (RFC 2308 clause 5).
const LONGEST_NEGATIVE: Duration = Duration::from_secs(300);

/// What an upstream has said.
#[derive(Debug)]
pub(crate) struct Known {
    code: ResponseCode,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    authentic: bool,
    since: Instant,
    lifetime: Duration,
}

/// What makes questions the same: name in lower case, type, class, and the bits that an upstream's answer depends on.
type Key = Box<[u8]>;

/// Asks upstreams.
pub(crate) struct Forwarder {
    upstreams: Upstreams,
    cache: Mutex<Cache<Key, Arc<Known>>>,
    slots: Arc<Semaphore>,
    longest: Duration,
    largest_datagram: u16,
}

impl Forwarder {
    pub(crate) fn new(options: &Options) -> Result<Self, NetError> {
        Ok(Self {
            upstreams: Upstreams::new(options)?,
            cache: Mutex::new(Cache::new(options.cache_entries)),
            slots: Arc::new(Semaphore::new(options.concurrent_forwards)),
            longest: options.cache_longest,
            largest_datagram: options.largest_datagram,
        })
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Key, Arc<Known>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more question on its way, until it is dropped.
    pub(crate) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// What is remembered of a question.
    pub(crate) fn recall(&self, query: &Query<'_>) -> Option<Arc<Known>> {
        let key = key(query);
        let mut cache = self.cache();
        let known = cache.get(&key)?;
        if known.since.elapsed() < known.lifetime {
            return Some(known);
        }
        cache.remove(&key);
        None
    }

    /// Asks a question upstream. `Err` says why nobody answered, which is remembered for a moment.
    pub(crate) async fn ask(&self, query: &Query<'_>) -> (Arc<Known>, Result<(), String>) {
        let asked = match self.request(query) {
            Ok(request) => self.upstreams.ask(&request).await,
            Err(reason) => Err(reason),
        };
        let (known, result) = match asked {
            Ok(said) => (self.known(said), Ok(())),
            Err(reason) => (failure(), Err(reason)),
        };
        let known = Arc::new(known);
        if !known.lifetime.is_zero() {
            self.cache().insert(key(query), known.clone());
        }
        (known, result)
    }

    fn request(&self, query: &Query<'_>) -> Result<DnsRequest, String> {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = query.flags & flag::CHECKING_DISABLED != 0;
        message.add_query(question(query)?);
        let mut edns = Edns::new();
        edns.set_max_payload(self.largest_datagram)
            .set_dnssec_ok(wants_dnssec(query));
        message.set_edns(edns);
        Ok(DnsRequest::new(message, DnsRequestOptions::default()))
    }

    fn known(&self, said: Said) -> Known {
        let since = Instant::now();
        match said {
            Said::Records(message) => {
                let records = message.answers.iter().chain(&message.authorities);
                let ttl = records.map(|record| record.ttl).min().unwrap_or(0);
                Known {
                    code: message.metadata.response_code,
                    authentic: message.metadata.authentic_data,
                    answers: message.answers,
                    authorities: message.authorities,
                    since,
                    lifetime: Duration::from_secs(ttl.into()).min(self.longest),
                }
            }
            Said::Nothing(none) => {
                let lifetime = none.negative_ttl.map(u64::from).map(Duration::from_secs);
                Known {
                    code: none.response_code,
                    authentic: false,
                    answers: Vec::new(),
                    authorities: none
                        .authorities
                        .map(|records| records.to_vec())
                        .unwrap_or_default(),
                    since,
                    lifetime: lifetime
                        .unwrap_or_default()
                        .min(LONGEST_NEGATIVE)
                        .min(self.longest),
                }
            }
        }
    }

    /// Writes what is known as the reply to a question. Returns whether it was too long.
    pub(crate) fn write(
        &self,
        known: &Known,
        query: &Query<'_>,
        transport: Transport,
        out: &mut Vec<u8>,
    ) -> bool {
        match self.encode(known, query) {
            Some(encoded) if encoded.len() <= limit(query, transport, self.largest_datagram) => {
                out.clear();
                out.extend_from_slice(&encoded);
                false
            }
            encoded => {
                let (code, flags) = match encoded {
                    Some(_) => (wire::ResponseCode::NoError, flag::TRUNCATED),
                    None => (wire::ResponseCode::ServerFailure, 0),
                };
                let flags = flags | flag::RECURSION_AVAILABLE;
                Reply::new(out, query, flags, code, transport, self.largest_datagram).finish();
                flags & flag::TRUNCATED != 0
            }
        }
    }

    fn encode(&self, known: &Known, query: &Query<'_>) -> Option<Vec<u8>> {
        let mut message = Message::response(query.id, OpCode::Query);
        message.metadata.response_code = known.code;
        message.metadata.recursion_desired = true;
        message.metadata.recursion_available = true;
        message.metadata.checking_disabled = query.flags & flag::CHECKING_DISABLED != 0;
        message.metadata.authentic_data = known.authentic && wants_authenticity(query);
        message.add_query(question(query).ok()?);
        let age = u32::try_from(known.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        let longest = u32::try_from(self.longest.as_secs()).unwrap_or(u32::MAX);
        let aged = |records: &[Record]| -> Vec<Record> {
            let mut records = records.to_vec();
            for record in &mut records {
                record.ttl = record.ttl.min(longest).saturating_sub(age);
            }
            records
        };
        message.insert_answers(aged(&known.answers));
        message.insert_authorities(aged(&known.authorities));
        if let Some(edns) = query.edns {
            let mut ours = Edns::new();
            ours.set_max_payload(self.largest_datagram)
                .set_dnssec_ok(edns.dnssec);
            message.set_edns(ours);
        }
        message.to_vec().ok()
    }
}

impl Known {
    /// Whether this is that nobody has answered.
    pub(crate) fn is_failure(&self) -> bool {
        self.code == ResponseCode::ServFail
    }
}

fn failure() -> Known {
    Known {
        code: ResponseCode::ServFail,
        answers: Vec::new(),
        authorities: Vec::new(),
        authentic: false,
        since: Instant::now(),
        lifetime: FAILURE_KEPT,
    }
}

fn question(query: &Query<'_>) -> Result<Question, String> {
    Question::read(&mut BinDecoder::new(query.question)).map_err(|error| error.to_string())
}

fn wants_dnssec(query: &Query<'_>) -> bool {
    query.edns.is_some_and(|edns| edns.dnssec)
}

/// Whether the client understands that an answer is authentic (RFC 6840 clause 5.7).
fn wants_authenticity(query: &Query<'_>) -> bool {
    wants_dnssec(query) || query.flags & flag::AUTHENTIC != 0
}

fn key(query: &Query<'_>) -> Key {
    let name = query.name.wire();
    let mut key = Vec::with_capacity(name.len() + 5);
    key.extend_from_slice(name);
    key.extend_from_slice(&query.record_type.to_be_bytes());
    key.extend_from_slice(&query.class.to_be_bytes());
    key.push(u8::from(wants_dnssec(query)) | u8::from(query.flags & flag::CHECKING_DISABLED != 0) << 1);
    key.into()
}
