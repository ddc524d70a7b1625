//! Messages as they travel (RFC 1035 clause 4): questions that come in, answers that go out.
//!
//! Written by hand for what we answer by ourselves, because it is asked for most: no allocation, and every packet,
//! however broken, has exactly one outcome. What upstreams send is read and written by `hickory-proto`.

pub(crate) mod query;
pub(crate) mod reply;

/// Types of records and questions (RFC 1035 clause 3.2.2 and the IANA registry).
pub(crate) mod record_type {
    pub(crate) const A: u16 = 1;
    pub(crate) const NS: u16 = 2;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const SRV: u16 = 33;
    pub(crate) const OPT: u16 = 41;
    /// The first type that stands for no record, but for something to do (RFC 6895 clause 3.1).
    pub(crate) const FIRST_OF_ACTIONS: u16 = 128;
    /// Any type at all.
    pub(crate) const ANY: u16 = 255;
}

/// The class of the Internet.
pub(crate) const CLASS_IN: u16 = 1;

/// Bits of a message's second word.
pub(crate) mod flag {
    pub(crate) const RESPONSE: u16 = 0x8000;
    pub(crate) const OPCODE: u16 = 0x7800;
    pub(crate) const AUTHORITATIVE: u16 = 0x0400;
    pub(crate) const TRUNCATED: u16 = 0x0200;
    pub(crate) const RECURSION_DESIRED: u16 = 0x0100;
    pub(crate) const RECURSION_AVAILABLE: u16 = 0x0080;
    pub(crate) const AUTHENTIC: u16 = 0x0020;
    pub(crate) const CHECKING_DISABLED: u16 = 0x0010;
}

/// Why there is no answer, or that there is one (RFC 1035 clause 4.1.1, RFC 6891 clause 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseCode {
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NoSuchName = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
