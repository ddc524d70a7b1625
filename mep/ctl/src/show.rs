//! Results on standard output: tables for people, JSON for scripts.

use std::io::Write;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::failure::Failure;

/// Where results go, and how they are written.
pub(crate) struct Output<'a> {
    writer: &'a mut dyn Write,
    json: bool,
}

impl<'a> Output<'a> {
    pub(crate) fn new(writer: &'a mut dyn Write, json: bool) -> Self {
        Self { writer, json }
    }

    /// Writes a list: its JSON, or a table of the rows that are made of it.
    pub(crate) fn list<T: Serialize, const COLUMNS: usize>(
        &mut self,
        items: &[T],
        header: [&str; COLUMNS],
        row: impl Fn(&T) -> [String; COLUMNS],
    ) -> Result<(), Failure> {
        if self.json {
            return self.value(&items);
        }
        if items.is_empty() {
            return self.line("there are none");
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header);
        for item in items {
            table.add_row(row(item).map(|text| clean(&text)));
        }
        for line in table.lines() {
            writeln!(self.writer, "{}", line.trim())?;
        }
        Ok(())
    }

    /// Writes one thing: its JSON, or a line for each of its properties that has a value.
    pub(crate) fn one(
        &mut self,
        thing: &impl Serialize,
        properties: &[(&str, Option<String>)],
    ) -> Result<(), Failure> {
        if self.json {
            return self.value(thing);
        }
        let shown = properties.iter().filter(|(_, text)| text.is_some());
        let width = shown.map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in properties {
            if let Some(text) = text {
                writeln!(self.writer, "{name:width$}  {}", clean(text))?;
            }
        }
        Ok(())
    }

    /// Writes what has been done: a sentence for people, and JSON for scripts.
    pub(crate) fn done(&mut self, sentence: &str, result: &impl Serialize) -> Result<(), Failure> {
        match self.json {
            true => self.value(result),
            false => self.line(sentence),
        }
    }

    /// Writes one of many results at once: a line of JSON, or a line.
    pub(crate) fn event(&mut self, event: &impl Serialize, line: &str) -> Result<(), Failure> {
        match self.json {
            true => {
                let json = serde_json::to_string(event).map_err(not_json)?;
                writeln!(self.writer, "{json}")?;
            }
            false => writeln!(self.writer, "{}", clean(line))?,
        }
        Ok(self.writer.flush()?)
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.writer.write_all(bytes)?)
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(value).map_err(not_json)?;
        Ok(writeln!(self.writer, "{json}")?)
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.writer, "{}", clean(text))?)
    }
}

fn not_json(error: serde_json::Error) -> Failure {
    Failure::Failed(format!("the result can't be written as JSON: {error}"))
}

/// Text without control characters: names come from strangers, and a terminal obeys some of them.
fn clean(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            _ if character.is_control() => char::REPLACEMENT_CHARACTER,
            // Marks that turn the direction of text could make one name look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            _ => character,
        })
        .collect()
}

/// A text for a cell, or a dash.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `yes` or `no`.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
