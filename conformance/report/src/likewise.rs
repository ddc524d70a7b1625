//! Findings that say the same of several operations, told once.

use crate::model::Finding;

/// A finding, and those of the same check that say the same elsewhere.
pub(crate) struct Group<'report> {
    pub(crate) first: &'report Finding,
    pub(crate) others: Vec<&'report Finding>,
}

/// Groups findings by severity, check and title: errors first, else in the order of the report.
pub(crate) fn groups(findings: &[Finding]) -> Vec<Group<'_>> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in sorted {
        let same = groups.iter_mut().find(|group| {
            let first = group.first;
            first.severity == finding.severity && first.check == finding.check && first.title == finding.title
        });
        match same {
            Some(group) => group.others.push(finding),
            None => groups.push(Group {
                first: finding,
                others: Vec::new(),
            }),
        }
    }
    groups
}
