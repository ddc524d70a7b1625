//! Tabs in the indentation of lines, which YAML forbids and which the parser does not find everywhere.

use std::collections::HashMap;

use crate::Origin;

/// The lines of a text that have a tab before their first letter.
pub(super) struct Tabs<'text> {
    /// The column of the first tab and the whole line, by the number of the line.
    lines: HashMap<u32, (u32, &'text str)>,
    text: &'text str,
}

impl<'text> Tabs<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        let mut lines = HashMap::new();
        if text.contains('\t') {
            for (number, line) in (1..).zip(text.lines()) {
                let indentation = line.len() - line.trim_start().len();
                if let Some(tab) = line[..indentation].find('\t') {
                    lines.insert(number, (u32::try_from(tab + 1).unwrap_or(u32::MAX), line));
                }
            }
        }
        Self { lines, text }
    }

    /// The place of the tab that indents what begins at `origin`, where it is the first thing on its line.
    pub(super) fn before(&self, origin: Origin) -> Option<Origin> {
        let (column, line) = self.lines.get(&origin.line)?;
        let is_first = line.chars().take_while(|letter| letter.is_whitespace()).count() + 1;
        (is_first == origin.column as usize).then_some(Origin {
            column: *column,
            ..origin
        })
    }

    /// The first tab at or after the line of `origin`, as far as `reach` lines.
    pub(super) fn after(&self, origin: Origin, reach: u32) -> Option<Origin> {
        let last = origin.line.saturating_add(reach);
        let line = self
            .lines
            .keys()
            .filter(|line| (origin.line..last).contains(line))
            .min()?;
        self.lines.get(line).map(|(column, _)| Origin {
            line: *line,
            column: *column,
            ..origin
        })
    }

    /// Whether a mapping or sequence that begins at `origin` is written with brackets, where tabs are free.
    pub(super) fn is_flow(&self, origin: Origin) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        let line = self
            .text
            .lines()
            .nth(origin.line.saturating_sub(1) as usize)
            .unwrap_or_default();
        let letter = line.chars().nth(origin.column.saturating_sub(1) as usize);
        matches!(letter, Some('{' | '['))
    }
}
