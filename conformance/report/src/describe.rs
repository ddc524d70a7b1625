//! Parts of a report in one line of words.

use crate::model::{Expectation, Finding, Reference};

impl Reference {
    /// Document and place: `RFC 9110, section 15.5.6`.
    #[must_use]
    pub fn describe(&self) -> String {
        if self.place.is_empty() {
            return self.document.clone();
        }
        format!("{}, {}", self.document, self.place)
    }
}

impl Expectation {
    /// What it matches and why, in one line.
    #[must_use]
    pub fn describe(&self) -> String {
        let reason = if self.reason.is_empty() {
            "no reason given"
        } else {
            &self.reason
        };
        let until = self
            .until
            .as_ref()
            .map(|day| format!(", until {day}"))
            .unwrap_or_default();
        format!("{} ({reason}{until})", self.matches())
    }

    /// What it matches, in words.
    #[must_use]
    pub fn matches(&self) -> String {
        let parts = [
            ("", &self.id),
            ("check ", &self.check),
            ("API ", &self.api),
            ("", &self.operation),
        ];
        let named: Vec<String> = parts
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}{}", value.as_ref()?)))
            .collect();
        if named.is_empty() {
            "every finding".to_owned()
        } else {
            named.join(", ")
        }
    }
}

impl Finding {
    /// The operation, or that it is about the whole API.
    #[must_use]
    pub fn place(&self) -> &str {
        self.operation.as_deref().unwrap_or("whole API")
    }
}
