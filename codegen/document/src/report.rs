//! Collects findings while a pass holds the document for changing.

use crate::{Document, Finding, Origin, Pointer};

/// The findings of a stage in the order in which its passes made them.
pub(crate) struct Report {
    files: Vec<String>,
    /// What was found so far.
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    /// An empty report on `document`.
    pub(crate) fn new(document: &Document) -> Self {
        Self {
            files: document.files.clone(),
            findings: Vec::new(),
        }
    }

    /// Records a defect; the result can be marked further.
    pub(crate) fn add(
        &mut self,
        origin: Origin,
        pointer: &Pointer,
        class: &str,
        defect: impl Into<String>,
        repair: impl Into<String>,
    ) {
        let file = match origin.line {
            0 => String::new(),
            _ => self.files.get(origin.file as usize).cloned().unwrap_or_default(),
        };
        self.findings.push(Finding {
            file,
            line: origin.line,
            pointer: pointer.clone(),
            class: class.to_owned(),
            defect: defect.into(),
            repair: repair.into(),
            widened: false,
        });
    }

    /// Records a defect whose repair accepts more than the standard may mean.
    pub(crate) fn add_widened(
        &mut self,
        origin: Origin,
        pointer: &Pointer,
        class: &str,
        defect: impl Into<String>,
        repair: impl Into<String>,
    ) {
        self.add(origin, pointer, class, defect, repair);
        if let Some(finding) = self.findings.last_mut() {
            finding.widened = true;
        }
    }
}
