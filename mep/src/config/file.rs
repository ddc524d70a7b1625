//! Reading a configuration file so that every error names file, line and what was probably meant.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Known, nearest};
use super::settings::Settings;

/// Reads a file and checks its keys and the types of its values.
pub(super) fn read(path: &Path) -> Result<toml::Table> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let name = path.display().to_string();
    let document = DeTable::parse(&text).map_err(|error| syntax(&name, &text, &error))?;
    check_table(
        &Place {
            name: &name,
            text: &text,
            above: "",
        },
        document.get_ref(),
        KEYS,
    )?;
    // Types are checked here, where the lines are still known, and not only after merging.
    toml::from_str::<Settings>(&text).map_err(|error| syntax(&name, &text, &error))?;
    toml::from_str(&text).map_err(|error| syntax(&name, &text, &error))
}

/// Where in a file we are.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
    /// The keys above, joined by dots and followed by one if there are any.
    above: &'a str,
}

impl Place<'_> {
    fn line(&self, span: &Range<usize>) -> String {
        format!("{} line {}", self.name, line(self.text, span.start))
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn syntax(name: &str, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let place = error
        .span()
        .map_or_else(String::new, |span| format!(" line {}", line(text, span.start)));
    anyhow!(
        "{name}{place}: {}",
        error.message().trim_end().replace('\n', ", ")
    )
}

fn check_table(place: &Place<'_>, table: &DeTable<'_>, keys: &[(&str, Known)]) -> Result<()> {
    for (key, value) in table {
        let key_name = key.get_ref().as_ref();
        let Some((_, known)) = keys.iter().find(|(name, _)| *name == key_name) else {
            let meant = nearest(key_name, keys.iter().map(|(name, _)| *name)).map_or_else(
                || {
                    format!(
                        "known keys here are {}",
                        keys.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
                    )
                },
                |meant| format!("did you mean {}{meant}?", place.above),
            );
            bail!(
                "{}: unknown key {}{key_name}; {meant}",
                place.line(&key.span()),
                place.above
            );
        };
        let above = format!("{}{key_name}.", place.above);
        check_value(
            &Place {
                above: &above,
                ..*place
            },
            value,
            *known,
        )?;
    }
    Ok(())
}

fn check_value(place: &Place<'_>, value: &Spanned<DeValue<'_>>, known: Known) -> Result<()> {
    let key = place.above.trim_end_matches('.');
    match (known, value.get_ref()) {
        (Known::Table(keys), DeValue::Table(table)) => check_table(place, table, keys),
        (Known::Tables(keys), DeValue::Array(array)) => array
            .iter()
            .try_for_each(|value| check_value(place, value, Known::Table(keys))),
        (Known::Texts, DeValue::Array(array)) => array
            .iter()
            .try_for_each(|value| check_value(place, value, Known::Text)),
        (Known::Text, DeValue::String(_)) | (Known::Boolean, DeValue::Boolean(_)) | (Known::Open, _) => {
            Ok(())
        }
        (Known::Number, DeValue::Integer(number)) if !number.as_str().starts_with('-') => Ok(()),
        _ => bail!("{}: {key} must be {}", place.line(&value.span()), describe(known)),
    }
}

fn describe(known: Known) -> &'static str {
    match known {
        Known::Text => "a text in quotes",
        Known::Number => "a whole number of at least 0",
        Known::Boolean => "true or false",
        Known::Texts => "a list of texts",
        Known::Table(_) => "a table",
        Known::Tables(_) => "a list of tables, each headed by [[…]]",
        Known::Open => "a value",
    }
}
