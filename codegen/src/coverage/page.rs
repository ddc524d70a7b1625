//! Prints coverage as Markdown.

use super::Row;

/// The page `generated/COVERAGE.md`.
pub fn markdown(rows: &[Row]) -> String {
    let mut page = String::new();
    for row in rows {
        page.push_str(&format!("## {}\n{:?}\n", row.id, row.surface));
        for difference in row.silent_losses() {
            page.push_str(&format!("{:?} {} {} => {:?} {}\n", difference.fact.kind, difference.fact.keyword, difference.fact.value, difference.now, difference.fact.places[0]));
        }
    }
    page
}
