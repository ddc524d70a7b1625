//! The envelope and the records of journal and snapshot files. All numbers are little-endian.
//!
//! ```text
//! frame   magic (4) | length of payload (4) | CRC-32 of length and payload (4) | payload
//! payload kind (1) | …
//!   batch     first revision (8) | count (4) | transactions: count (4) | writes
//!   write     key length (4) | key | 0  (deleted)   or   key length (4) | key | 1 | value length (4) | value
//!   entries   count (4) | entries: created (8) | modified (8) | key length (4) | key | value length (4) | value
//!   end       revision (8) | number of entries (8)
//! ```

use std::sync::Arc;

use bytes::Bytes;

use crate::state::Write;
use crate::store::{Entry, Revision};

const MAGIC: [u8; 4] = *b"mcf1";
/// Bytes before a frame's payload.
pub(crate) const ENVELOPE: usize = 12;

const BATCH: u8 = 1;
const ENTRIES: u8 = 2;
const END: u8 = 3;

/// What a frame says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Transactions that became durable together; the first one's revision, then one more each.
    Batch {
        first: Revision,
        transactions: Vec<Vec<Write>>,
    },
    /// A part of a snapshot.
    Entries(Vec<(Arc<str>, Entry)>),
    /// The end of a snapshot.
    End { revision: Revision, entries: u64 },
}

/// What was found at a place in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A frame and its length with envelope.
    Frame(Frame, usize),
    /// Nothing but zeros (or nothing at all) to the end of the file.
    Nothing,
    /// Bytes that are no whole frame.
    Broken(&'static str),
}

/// Builds one frame's bytes. The buffer is used again for the next frame.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    buffer: Vec<u8>,
    count: u32,
}

/// Where the count of a payload's items is: behind envelope, kind and (in a batch) revision.
const BATCH_COUNT: usize = ENVELOPE + 1 + 8;
const ENTRIES_COUNT: usize = ENVELOPE + 1;

impl Encoder {
    fn start(&mut self, kind: u8) {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; ENVELOPE]);
        self.buffer.push(kind);
        self.count = 0;
    }

    pub(crate) fn start_batch(&mut self, first: Revision) {
        self.start(BATCH);
        self.number(first.0);
        self.length(0);
    }

    pub(crate) fn transaction(&mut self, writes: &[Write]) {
        self.count += 1;
        self.length(writes.len());
        for (key, value) in writes {
            self.bytes(key.as_bytes());
            self.buffer.push(u8::from(value.is_some()));
            if let Some(value) = value {
                self.bytes(value);
            }
        }
    }

    pub(crate) fn start_entries(&mut self) {
        self.start(ENTRIES);
        self.length(0);
    }

    pub(crate) fn entry(&mut self, key: &str, entry: &Entry) {
        self.count += 1;
        self.number(entry.created.0);
        self.number(entry.modified.0);
        self.bytes(key.as_bytes());
        self.bytes(&entry.value);
    }

    pub(crate) fn end(&mut self, revision: Revision, entries: u64) -> &[u8] {
        self.start(END);
        self.number(revision.0);
        self.number(entries);
        self.finish(None)
    }

    pub(crate) fn finish_batch(&mut self) -> &[u8] {
        self.finish(Some(BATCH_COUNT))
    }

    pub(crate) fn finish_entries(&mut self) -> &[u8] {
        self.finish(Some(ENTRIES_COUNT))
    }

    /// Bytes so far, with envelope.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing was added since the frame was started.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn finish(&mut self, count_at: Option<usize>) -> &[u8] {
        if let Some(at) = count_at {
            self.buffer[at..at + 4].copy_from_slice(&self.count.to_le_bytes());
        }
        let length = to_u32(self.buffer.len() - ENVELOPE).to_le_bytes();
        let checksum = checksum(length, &self.buffer[ENVELOPE..]).to_le_bytes();
        self.buffer[..4].copy_from_slice(&MAGIC);
        self.buffer[4..8].copy_from_slice(&length);
        self.buffer[8..12].copy_from_slice(&checksum);
        &self.buffer
    }

    fn number(&mut self, number: u64) {
        self.buffer.extend_from_slice(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.buffer.extend_from_slice(&to_u32(length).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.buffer.extend_from_slice(bytes);
    }
}

/// Sizes are bounded by the limits on keys, values and batches, far below 4 GiB.
fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// Reads what is at the beginning of `bytes`, which reach to the end of the file.
pub(crate) fn read(bytes: &Bytes) -> Found {
    match envelope(bytes) {
        Ok(payload) => {
            let length = ENVELOPE + payload.len();
            match decode(payload) {
                Some(frame) => Found::Frame(frame, length),
                None => {
                    Found::Broken("a frame with a valid checksum holds no record that this version knows")
                }
            }
        }
        Err(_) if bytes.iter().all(|byte| *byte == 0) => Found::Nothing,
        Err(reason) => Found::Broken(reason),
    }
}

/// Whether a whole frame starts anywhere in `bytes`.
pub(crate) fn contains_frame(bytes: &Bytes) -> bool {
    let starts = bytes
        .windows(MAGIC.len())
        .enumerate()
        .filter(|(_, window)| *window == MAGIC);
    starts
        .map(|(offset, _)| offset)
        .any(|offset| envelope(&bytes.slice(offset..)).is_ok())
}

fn envelope(bytes: &Bytes) -> Result<Bytes, &'static str> {
    let Some((header, rest)) = bytes.split_first_chunk::<ENVELOPE>() else {
        return Err("the file ends in a frame");
    };
    let [m0, m1, m2, m3, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err("there is no frame");
    }
    let length_bytes = [l0, l1, l2, l3];
    let length = u32::from_le_bytes(length_bytes) as usize;
    let payload = rest.get(..length).ok_or("the file ends in a frame")?;
    if checksum(length_bytes, payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err("a frame's checksum is wrong");
    }
    Ok(bytes.slice(ENVELOPE..ENVELOPE + length))
}

fn decode(payload: Bytes) -> Option<Frame> {
    let mut reader = Reader { payload, position: 0 };
    let frame = match reader.byte()? {
        BATCH => {
            let first = Revision(reader.number()?);
            let count = reader.length()?;
            let transactions = (0..count).map(|_| reader.transaction()).collect::<Option<_>>()?;
            Frame::Batch { first, transactions }
        }
        ENTRIES => {
            let count = reader.length()?;
            Frame::Entries((0..count).map(|_| reader.entry()).collect::<Option<_>>()?)
        }
        END => Frame::End {
            revision: Revision(reader.number()?),
            entries: reader.number()?,
        },
        _ => return None,
    };
    (reader.position == reader.payload.len()).then_some(frame)
}

/// Takes records out of a payload; `None` when there is less than was announced.
struct Reader {
    payload: Bytes,
    position: usize,
}

impl Reader {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let end = self.position.checked_add(length)?;
        let bytes = self.payload.get(self.position..end)?;
        self.position = end;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn length(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize)
    }

    fn key(&mut self) -> Option<Arc<str>> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).ok().map(Arc::from)
    }

    /// Values are copied, so that one small live value does not keep a whole file in memory.
    fn value(&mut self) -> Option<Bytes> {
        let length = self.length()?;
        self.take(length).map(Bytes::copy_from_slice)
    }

    fn transaction(&mut self) -> Option<Vec<Write>> {
        let count = self.length()?;
        (0..count).map(|_| self.write()).collect()
    }

    fn write(&mut self) -> Option<Write> {
        let key = self.key()?;
        let value = match self.byte()? {
            0 => None,
            1 => Some(self.value()?),
            _ => return None,
        };
        Some((key, value))
    }

    fn entry(&mut self) -> Option<(Arc<str>, Entry)> {
        let created = Revision(self.number()?);
        let modified = Revision(self.number()?);
        let key = self.key()?;
        Some((
            key,
            Entry {
                value: self.value()?,
                created,
                modified,
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    fn batch() -> Bytes {
        let mut encoder = Encoder::default();
        encoder.start_batch(Revision(7));
        encoder.transaction(&[
            ("a/1".into(), Some(Bytes::from_static(b"one"))),
            ("a/2".into(), None),
        ]);
        encoder.transaction(&[("b".into(), Some(Bytes::new()))]);
        Bytes::copy_from_slice(encoder.finish_batch())
    }

    #[test]
    fn a_batch_reads_back_as_it_was_written() {
        let bytes = batch();
        let transactions = vec![
            vec![
                ("a/1".into(), Some(Bytes::from_static(b"one"))),
                ("a/2".into(), None),
            ],
            vec![("b".into(), Some(Bytes::new()))],
        ];
        assert_eq!(
            read(&bytes),
            Found::Frame(
                Frame::Batch {
                    first: Revision(7),
                    transactions
                },
                bytes.len()
            )
        );
    }

    #[test]
    fn every_single_bit_that_flips_is_noticed() {
        let bytes = batch();
        for bit in 0..bytes.len() * 8 {
            let mut spoilt = bytes.to_vec();
            spoilt[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read(&spoilt.into()), Found::Broken(_)), "bit {bit}");
        }
    }

    #[test]
    fn every_cut_is_noticed_and_zeros_are_nothing() {
        let bytes = batch();
        for length in 1..bytes.len() {
            assert!(
                matches!(read(&bytes.slice(..length)), Found::Broken(_)),
                "length {length}"
            );
        }
        assert_eq!(read(&Bytes::new()), Found::Nothing);
        assert_eq!(read(&Bytes::from_static(&[0; 64])), Found::Nothing);
    }

    #[test]
    fn a_later_frame_is_found_behind_rubbish() {
        let mut bytes = b"mcf1 rubbish mcf1".to_vec();
        assert!(!contains_frame(&bytes.clone().into()));
        bytes.extend_from_slice(&batch());
        assert!(contains_frame(&bytes.into()));
    }
}
