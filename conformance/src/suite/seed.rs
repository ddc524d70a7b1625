//! Seeds: the same seed and the same name give the same random numbers, whatever ran before.

use sha2::{Digest, Sha256};

/// A number from a seed and names; stable across versions and machines.
pub fn hash(seed: u64, names: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    for name in names {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name.as_bytes());
    }
    let bytes = digest.finalize();
    bytes
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A short text of eight hexadecimal digits for a number.
pub fn short(number: u64) -> String {
    format!("{:08x}", number >> 32)
}
