//! Reads a question out of a packet.

use super::{flag, record_type};
use crate::name::LONGEST_WIRE_NAME;

/// The length of a message's header.
pub(crate) const HEADER: usize = 12;
/// The smallest largest datagram (RFC 1035 clause 2.3.4).
const SMALLEST_LIMIT: u16 = 512;

/// What a packet turns out to be.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is on the stack while a packet is answered, which must not allocate"
)]
pub(crate) enum Packet<'a> {
    /// One question.
    Query(Query<'a>),
    /// Something that is broken, but has an identifier and flags, so that it can be said.
    Malformed { id: u16, flags: u16 },
    /// A request for something else than an answer to a question.
    OtherOperation { id: u16, flags: u16 },
    /// Nothing that should be answered: too short to have a header, or an answer.
    Noise,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) id: u16,
    pub(crate) flags: u16,
    /// Name, type and class as they were sent.
    pub(crate) question: &'a [u8],
    /// The name in lower case.
    pub(crate) name: LowerName,
    pub(crate) record_type: u16,
    pub(crate) class: u16,
    /// What the client says by RFC 6891.
    pub(crate) edns: Option<Edns>,
}

/// What a client says of itself by RFC 6891.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edns {
    /// The largest datagram that it takes, at least 512.
    pub(crate) limit: u16,
    pub(crate) version: u8,
    /// Whether it wants what RFC 4035 is about.
    pub(crate) dnssec: bool,
}

/// A name in lower case, as it travels.
#[derive(Clone, Debug)]
pub(crate) struct LowerName {
    bytes: [u8; LONGEST_WIRE_NAME],
    length: usize,
}

impl LowerName {
    pub(crate) fn wire(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl<'a> Packet<'a> {
    pub(crate) fn read(packet: &'a [u8]) -> Self {
        let mut reader = Reader { packet, position: 0 };
        let Some([id, flags, questions, answers, authorities, additionals]) = reader.header() else {
            return Self::Noise;
        };
        if flags & flag::RESPONSE != 0 {
            return Self::Noise;
        }
        if flags & flag::OPCODE != 0 {
            return Self::OtherOperation { id, flags };
        }
        if questions != 1 {
            return Self::Malformed { id, flags };
        }
        let others = usize::from(answers) + usize::from(authorities);
        match reader.query(id, flags, others, usize::from(additionals)) {
            Some(query) => Self::Query(query),
            None => Self::Malformed { id, flags },
        }
    }
}

struct Reader<'a> {
    packet: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(length)?;
        let taken = self.packet.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn word(&mut self) -> Option<u16> {
        self.take(2).map(|taken| u16::from_be_bytes([taken[0], taken[1]]))
    }

    fn header(&mut self) -> Option<[u16; 6]> {
        if self.packet.len() < HEADER {
            return None;
        }
        let mut words = [0; 6];
        for word in &mut words {
            *word = self.word()?;
        }
        Some(words)
    }

    fn query(&mut self, id: u16, flags: u16, others: usize, additionals: usize) -> Option<Query<'a>> {
        let begin = self.position;
        let name = self.whole_name()?;
        let (record_type, class) = (self.word()?, self.word()?);
        let question = self.packet.get(begin..self.position)?;
        if record_type == record_type::OPT || record_type == 0 {
            return None;
        }
        for _ in 0..others {
            self.record(None)?;
        }
        let mut edns = None;
        for _ in 0..additionals {
            self.record(Some(&mut edns))?;
        }
        (self.position == self.packet.len()).then_some(Query {
            id,
            flags,
            question,
            name,
            record_type,
            class,
            edns,
        })
    }

    /// A name without compression: there is nothing in front of a question that it could refer to.
    fn whole_name(&mut self) -> Option<LowerName> {
        let mut name = LowerName {
            bytes: [0; LONGEST_WIRE_NAME],
            length: 0,
        };
        loop {
            let length = self.byte()?;
            if length > 63 {
                return None;
            }
            let label = self.take(usize::from(length))?;
            let end = name.length + 1 + label.len();
            let place = name.bytes.get_mut(name.length..end)?;
            place[0] = length;
            place[1..].copy_from_slice(label);
            place[1..].make_ascii_lowercase();
            name.length = end;
            if length == 0 {
                return Some(name);
            }
        }
    }

    /// Skips a name that may be compressed; whether it is the root's is returned.
    fn skip_name(&mut self) -> Option<bool> {
        let begin = self.position;
        loop {
            match self.byte()? {
                0 => return Some(self.position == begin + 1),
                length @ 1..=63 => self.take(usize::from(length)).map(drop)?,
                192.. => return self.byte().map(|_| false),
                _ => return None,
            }
        }
    }

    /// Skips a record, except for what `edns` is to hold. `None`: there must be none of that here.
    fn record(&mut self, edns: Option<&mut Option<Edns>>) -> Option<()> {
        let is_root = self.skip_name()?;
        let (record_type, class) = (self.word()?, self.word()?);
        let rest = self.take(4)?;
        let length = self.word()?;
        let data = self.take(usize::from(length))?;
        if record_type != record_type::OPT {
            return Some(());
        }
        let place = edns.filter(|place| place.is_none() && is_root)?;
        check_options(data)?;
        *place = Some(Edns {
            limit: class.max(SMALLEST_LIMIT),
            version: rest[1],
            dnssec: rest[2] & 0x80 != 0,
        });
        Some(())
    }
}

/// Refuses options that do not fill their record exactly. None of them changes an answer.
fn check_options(mut data: &[u8]) -> Option<()> {
    while !data.is_empty() {
        let (head, rest) = data.split_at_checked(4)?;
        data = rest.get(usize::from(u16::from_be_bytes([head[2], head[3]]))..)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const PLAIN: &[u8] = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x01A\x02bC\0\0\x01\0\x01";

    /// The plain question with other counts, and more behind it.
    fn with(counts: [u8; 4], rest: &[u8]) -> Vec<u8> {
        let mut packet = PLAIN.to_vec();
        for (place, count) in counts.into_iter().enumerate() {
            packet[5 + 2 * place] = count;
        }
        packet.extend_from_slice(rest);
        packet
    }

    fn kind(packet: &[u8]) -> &'static str {
        match Packet::read(packet) {
            Packet::Query(_) => "query",
            Packet::Malformed { .. } => "malformed",
            Packet::OtherOperation { .. } => "other",
            Packet::Noise => "noise",
        }
    }

    #[test]
    fn a_question_is_read() {
        let Packet::Query(query) = Packet::read(PLAIN) else {
            panic!("no query");
        };
        assert_eq!((query.id, query.flags), (0x1234, 0x0100));
        assert_eq!(query.question, &PLAIN[HEADER..]);
        assert_eq!(query.name.wire(), b"\x01a\x02bc\0");
        assert_eq!((query.record_type, query.class, query.edns), (1, 1, None));
    }

    #[test]
    fn what_a_client_says_of_itself_is_read() {
        let option = b"\0\0\x29\x10\0\0\0\x80\0\0\x08\0\x0a\0\x04abcd";
        let packet = with([1, 0, 0, 1], option);
        let Packet::Query(query) = Packet::read(&packet) else {
            panic!("no query");
        };
        let expected = Edns {
            limit: 4096,
            version: 0,
            dnssec: true,
        };
        assert_eq!(query.edns, Some(expected));
        let small = b"\0\0\x29\0\x01\0\x07\0\0\0\0";
        let packet = with([1, 0, 0, 1], small);
        let Packet::Query(query) = Packet::read(&packet) else {
            panic!("no query");
        };
        let edns = query.edns.unwrap();
        assert_eq!((edns.limit, edns.version, edns.dnssec), (512, 7, false));
    }

    #[test]
    fn broken_packets_are_told_apart() {
        let option = b"\0\0\x29\x10\0\0\0\0\0\0\0";
        let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04abcd";
        let mut long = PLAIN[..HEADER].to_vec();
        for _ in 0..5 {
            long.push(63);
            long.extend([b'a'; 63]);
        }
        long.extend(b"\0\0\x01\0\x01");
        let mut response = PLAIN.to_vec();
        response[2] |= 0x80;
        let mut update = PLAIN.to_vec();
        update[2] |= 5 << 3;
        let cases: [(&[u8], &str); 17] = [
            (PLAIN, "query"),
            (&with([1, 0, 0, 1], option), "query"),
            (
                &with([1, 1, 1, 1], &[&record[..], record, record].concat()),
                "query",
            ),
            (&PLAIN[..11], "noise"),
            (b"", "noise"),
            (&response, "noise"),
            (&update, "other"),
            (&PLAIN[..PLAIN.len() - 1], "malformed"),
            (&with([0, 0, 0, 0], b""), "malformed"),
            (&with([2, 0, 0, 0], b"\x01a\0\0\x01\0\x01"), "malformed"),
            (&with([1, 0, 0, 1], b""), "malformed"),
            (&with([1, 0, 0, 0], b"x"), "malformed"),
            (&with([1, 0, 0, 2], &[&option[..], option].concat()), "malformed"),
            (&with([1, 1, 0, 0], option), "malformed"),
            (
                &with([1, 0, 0, 1], b"\x01a\0\0\x29\x10\0\0\0\0\0\0\0"),
                "malformed",
            ),
            (
                &with([1, 0, 0, 1], b"\0\0\x29\x10\0\0\0\0\0\0\x03\0\x0a\0"),
                "malformed",
            ),
            (&long, "malformed"),
        ];
        for (packet, expected) in cases {
            assert_eq!(kind(packet), expected, "{packet:?}");
        }
        assert_eq!(
            kind(b"\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01"),
            "malformed"
        );
        assert_eq!(kind(b"\0\0\0\0\0\x01\0\0\0\0\0\0\x40\0\0\x01\0\x01"), "malformed");
    }
}
