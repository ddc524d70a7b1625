//! What the run reached, what it did not, and why.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html as template};

use super::parts::{more, table};
use crate::model::{Coverage, OperationCoverage, Report, SchemaCoverage, StatusCoverage};
use crate::wording::{number, plural};

/// Rows of one table; what is not shown is counted.
const MOST_ROWS: usize = 1_000;

pub(super) fn coverage(report: &Report) -> Markup {
    let coverage = &report.coverage;
    let nothing =
        coverage.operations.is_empty() && coverage.schemas.is_empty() && coverage.transitions.is_empty();
    template! {
        @if !nothing {
            section aria-labelledby="coverage" {
                h2 id="coverage" { "Coverage" }
                (statuses(coverage))
                (parameters(coverage))
                (schemas(coverage))
                (transitions(coverage))
            }
        }
    }
}

fn statuses(coverage: &Coverage) -> Markup {
    let columns: BTreeSet<&str> = coverage
        .operations
        .iter()
        .flat_map(|entry| entry.statuses.iter().map(|status| status.status.as_str()))
        .collect();
    let declared = || {
        coverage
            .operations
            .iter()
            .flat_map(|entry| &entry.statuses)
            .filter(|status| status.declared)
    };
    let reached = declared().filter(|status| status.count > 0).count();
    template! {
        @if !coverage.operations.is_empty() {
            h3 { "Statuses" }
            p.quiet {
                (number(reached as u64)) " of " (plural(declared().count() as u64, "declared status").replace("statuss", "statuses")) " came. "
                span.cell data-reached="yes" { "12" } " came 12 times "
                span.cell data-reached="no" { "0" } " declared, never came "
                span.cell data-reached="undeclared" { "3!" } " came, not declared"
            }
            div.wide tabindex="0" role="region" aria-label="Operations and statuses" {
                table.matrix {
                    thead { tr { th scope="col" { "Operation" } @for column in &columns { th scope="col" { (column) } } } }
                    tbody {
                        @for entry in coverage.operations.iter().take(MOST_ROWS) {
                            tr.filterable {
                                th scope="row" { code { (entry.operation) } " " span.quiet { (plural(entry.requests, "request")) } }
                                @for column in &columns { (cell(entry, column)) }
                            }
                        }
                    }
                }
            }
            (more(coverage.operations.len(), MOST_ROWS))
            (not_reached(coverage))
        }
    }
}

fn cell(entry: &OperationCoverage, column: &str) -> Markup {
    let Some(status) = entry.statuses.iter().find(|status| status.status == column) else {
        return template! { td.empty {} };
    };
    let (reached, shown) = match (status.declared, status.count) {
        (true, 0) => ("no", "0".to_owned()),
        (true, count) => ("yes", number(count)),
        (false, count) => ("undeclared", format!("{}!", number(count))),
    };
    template! { td data-label=(column) { span.cell data-reached=(reached) title=[status.reason.as_ref()] { (shown) } } }
}

/// Declared statuses that never came, by reason.
fn not_reached(coverage: &Coverage) -> Markup {
    let mut reasons: BTreeMap<&str, Vec<(&str, &StatusCoverage)>> = BTreeMap::new();
    for entry in &coverage.operations {
        for status in entry
            .statuses
            .iter()
            .filter(|status| status.declared && status.count == 0)
        {
            let reason = status
                .reason
                .as_deref()
                .unwrap_or("no request of the run led to it");
            reasons
                .entry(reason)
                .or_default()
                .push((&entry.operation, status));
        }
    }
    template! {
        @if !reasons.is_empty() {
            details {
                summary { "Declared statuses that never came, and why" }
                (table(&["Why", "Operation and status"], reasons.iter().take(MOST_ROWS).map(|(reason, places)| vec![
                    template! { (reason) },
                    template! {
                        @for (operation, status) in places.iter().take(MOST_ROWS) { code { (operation) } " → " (status.status) br; }
                        (more(places.len(), MOST_ROWS))
                    },
                ])))
                (more(reasons.len(), MOST_ROWS))
            }
        }
    }
}

fn parameters(coverage: &Coverage) -> Markup {
    let all: Vec<_> = coverage
        .operations
        .iter()
        .flat_map(|entry| {
            entry
                .parameters
                .iter()
                .map(|parameter| (entry.operation.as_str(), parameter))
        })
        .collect();
    template! {
        @if !all.is_empty() {
            details {
                summary { "Parameters " span.quiet { "(" (number(all.len() as u64)) ")" } }
                (table(&["Operation", "Parameter", "Valid", "Invalid", "Absent"], all.iter().take(MOST_ROWS).map(|(operation, parameter)| vec![
                    template! { code { (operation) } },
                    template! { code { (parameter.name) } " " span.quiet { (parameter.location) } },
                    count(parameter.valid),
                    count(parameter.invalid),
                    count(parameter.absent),
                ])))
                (more(all.len(), MOST_ROWS))
            }
        }
    }
}

/// A count in which 0 stands out.
fn count(value: u64) -> Markup {
    template! { @if value == 0 { span.zero { "0" } } @else { (number(value)) } }
}

fn schemas(coverage: &Coverage) -> Markup {
    let constraints: Vec<_> = coverage
        .schemas
        .iter()
        .flat_map(|schema| {
            schema
                .constraints
                .iter()
                .map(|constraint| (schema.api.as_str(), constraint))
        })
        .collect();
    let both =
        |constraint: &crate::model::ConstraintCoverage| constraint.satisfied > 0 && constraint.violated > 0;
    let complete = constraints
        .iter()
        .filter(|(_, constraint)| both(constraint))
        .count();
    let mut ordered = constraints.clone();
    ordered.sort_by_key(|(_, constraint)| both(constraint));
    template! {
        @if !constraints.is_empty() {
            h3 { "Constraints" }
            p.quiet {
                (number(complete as u64)) " of " (plural(constraints.len() as u64, "constraint"))
                " were both satisfied and violated, the latter with nothing else wrong in the request."
            }
            details {
                summary { "Each constraint, those not reached first" }
                (table(&["Constraint", "Satisfied", "Violated", "Why not"], ordered.iter().take(MOST_ROWS).map(|(api, constraint)| vec![
                    template! { code { (constraint.pointer) } br; span.quiet { (api) } },
                    count(constraint.satisfied),
                    count(constraint.violated),
                    template! { (constraint.reason.as_deref().unwrap_or_default()) },
                ])))
                (more(ordered.len(), MOST_ROWS))
            }
        }
        (properties(&coverage.schemas))
    }
}

fn properties(schemas: &[SchemaCoverage]) -> Markup {
    let all: Vec<_> = schemas
        .iter()
        .flat_map(|schema| {
            schema
                .properties
                .iter()
                .map(|property| (schema.pointer.as_str(), property))
        })
        .collect();
    template! {
        @if !all.is_empty() {
            details {
                summary { "Properties " span.quiet { "(" (number(all.len() as u64)) ")" } }
                (table(&["Property", "Schema", "Sent", "Received"], all.iter().take(MOST_ROWS).map(|(pointer, property)| vec![
                    template! { code { (property.name) } },
                    template! { code { (pointer) } },
                    count(property.sent),
                    count(property.received),
                ])))
                (more(all.len(), MOST_ROWS))
            }
        }
    }
}

fn transitions(coverage: &Coverage) -> Markup {
    let all = &coverage.transitions;
    let taken = all.iter().filter(|transition| transition.count > 0).count();
    template! {
        @if !all.is_empty() {
            h3 { "States" }
            p.quiet { (number(taken as u64)) " of " (plural(all.len() as u64, "transition")) " of the state models were taken." }
            details {
                summary { "Each transition" }
                (table(&["Model", "From", "Action", "To", "Times"], all.iter().take(MOST_ROWS).map(|transition| vec![
                    template! { (transition.model) },
                    template! { (transition.from) },
                    template! { code { (transition.action) } },
                    template! { (transition.to) },
                    count(transition.count),
                ])))
                (more(all.len(), MOST_ROWS))
            }
        }
    }
}
