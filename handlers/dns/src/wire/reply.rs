//! Writes answers.

use super::query::{HEADER, Query};
use super::{CLASS_IN, ResponseCode, flag, record_type};

/// Where a reply can go, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// The size of the OPT record in replies.
const OPTION_RECORD: usize = 11;

/// A reply that is being written.
pub(crate) struct Reply<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    /// What the reply says of us by RFC 6891, if the client did: our limit, the upper bits of the code, and flags.
    option: Option<[u8; OPTION_RECORD]>,
    question_end: usize,
    answers: u16,
    authorities: u16,
}

/// A reply to what is no question or a broken one: a header.
pub(crate) fn bare(out: &mut Vec<u8>, id: u16, flags: u16, code: ResponseCode) {
    let flags = flag::RESPONSE | flags & (flag::OPCODE | flag::RECURSION_DESIRED) | code as u16;
    out.clear();
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&flags.to_be_bytes());
    out.extend_from_slice(&[0; HEADER - 4]);
}

/// The largest reply that a client takes.
pub(crate) fn limit(query: &Query<'_>, transport: Transport, largest_datagram: u16) -> usize {
    match transport {
        Transport::Tcp => usize::from(u16::MAX),
        Transport::Udp => {
            let limit = query
                .edns
                .map_or(512, |edns| edns.limit.min(largest_datagram.max(512)));
            usize::from(limit)
        }
    }
}

impl<'a> Reply<'a> {
    /// A reply with the question, and nothing else yet. `flags` are bits of [`flag`] beyond those that follow from
    /// the question.
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        query: &Query<'_>,
        flags: u16,
        code: ResponseCode,
        transport: Transport,
        largest_datagram: u16,
    ) -> Self {
        let code = code as u16;
        let kept = query.flags & (flag::RECURSION_DESIRED | flag::CHECKING_DISABLED);
        let flags = flag::RESPONSE | kept | flags | code & 0x0F;
        out.clear();
        out.extend_from_slice(&query.id.to_be_bytes());
        out.extend_from_slice(&flags.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(query.question);
        let option = query.edns.map(|edns| {
            let [high, low] = record_type::OPT.to_be_bytes();
            let [size_high, size_low] = largest_datagram.max(512).to_be_bytes();
            let extended = u8::try_from(code >> 4).unwrap_or_default();
            let dnssec = if edns.dnssec { 0x80 } else { 0 };
            [0, high, low, size_high, size_low, extended, 0, dnssec, 0, 0, 0]
        });
        let reserved = if option.is_some() { OPTION_RECORD } else { 0 };
        Self {
            question_end: out.len(),
            out,
            limit: limit(query, transport, largest_datagram).saturating_sub(reserved),
            option,
            answers: 0,
            authorities: 0,
        }
    }

    /// Adds a record to the answer, of the name that was asked for or, at an offset in it, of one that it is below.
    pub(crate) fn answer(&mut self, owner: usize, record_type: u16, ttl: u32, data: &[&[u8]]) {
        self.record(owner, record_type, ttl, data);
        self.answers += 1;
    }

    /// Adds a record to the section that says who is the authority.
    pub(crate) fn authority(&mut self, owner: usize, record_type: u16, ttl: u32, data: &[&[u8]]) {
        self.record(owner, record_type, ttl, data);
        self.authorities += 1;
    }

    fn record(&mut self, owner: usize, record_type: u16, ttl: u32, data: &[&[u8]]) {
        self.out.extend_from_slice(&pointer(owner));
        self.out.extend_from_slice(&record_type.to_be_bytes());
        self.out.extend_from_slice(&CLASS_IN.to_be_bytes());
        self.out.extend_from_slice(&ttl.to_be_bytes());
        let length: usize = data.iter().map(|part| part.len()).sum();
        self.out
            .extend_from_slice(&u16::try_from(length).unwrap_or_default().to_be_bytes());
        for part in data {
            self.out.extend_from_slice(part);
        }
    }

    /// Ends the reply. What is too long is left out whole, and the reply marked, so that the client asks by TCP
    /// (RFC 2181 clause 9). Returns whether that was so.
    pub(crate) fn finish(mut self) -> bool {
        let truncated = self.out.len() > self.limit;
        if truncated {
            self.out.truncate(self.question_end);
            (self.answers, self.authorities) = (0, 0);
            if let Some(flags) = self.out.get_mut(2) {
                *flags |= flag::TRUNCATED.to_be_bytes()[0];
            }
        }
        if let Some(option) = self.option {
            self.out.extend_from_slice(&option);
        }
        let counts = [self.answers, self.authorities, u16::from(self.option.is_some())];
        if let Some(place) = self.out.get_mut(6..HEADER) {
            for (place, count) in place.chunks_exact_mut(2).zip(counts) {
                place.copy_from_slice(&count.to_be_bytes());
            }
        }
        truncated
    }
}

/// A reference to the name that was asked for, or to one that it is below.
pub(crate) fn pointer(offset: usize) -> [u8; 2] {
    let place = u16::try_from(HEADER + offset).unwrap_or_default();
    (0xC000 | place).to_be_bytes()
}
