//! Identifiers of findings.

use sha2::{Digest, Sha256};

/// The identifier of a fault at a place: `F-` and eight hexadecimal digits.
///
/// The same check, API, operation and signature give the same identifier in every run and every release of the suite,
/// so that reports can be compared and known failures be listed. The signature tells faults of one check at one
/// operation apart; it must not hold anything that differs between runs (identifiers that the target gave, times).
#[must_use]
pub fn finding_id(check: &str, api: &str, operation: Option<&str>, signature: &str) -> String {
    let mut hash = Sha256::new();
    for part in [check, api, operation.unwrap_or_default(), signature] {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update(part.len().to_string().as_bytes());
        hash.update([0]);
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("F-{digits}")
}

#[cfg(test)]
mod tests {
    use super::finding_id;

    #[test]
    fn stays_the_same_for_ever() {
        let id = finding_id(
            "response-schema",
            "mec011-service-management",
            Some("GET /services"),
            "/0/state",
        );
        assert_eq!(id, "F-c78a56f4");
    }

    #[test]
    fn tells_parts_apart() {
        assert_ne!(finding_id("ab", "c", None, "d"), finding_id("a", "bc", None, "d"));
        assert_ne!(
            finding_id("a", "b", Some("c"), ""),
            finding_id("a", "b", None, "c")
        );
    }
}
