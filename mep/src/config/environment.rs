//! Environment variables: `MEP_` and a key's path in capitals, joined by `_`.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use toml::{Table, Value};

use super::keys::{KEYS, Known, nearest};

/// Names that Kubernetes sets in every container of a namespace that has a service called `mep`. They are not ours.
const SERVICE_LINKS: [&str; 3] = ["MEP_PORT", "MEP_SERVICE_HOST", "MEP_SERVICE_PORT"];

/// Names that `mepctl` and `mep-agent` read, the last two of them as EdgeGallery's agent did.
const TOOLS: [&str; 4] = ["MEP_URL", "MEP_CA_CERTIFICATE", "MEP_IP", "MEP_APIGW_PORT"];

/// Puts the values of `MEP_*` variables over those of a file.
pub(super) fn apply(table: &mut Table, variables: &BTreeMap<String, String>) -> Result<()> {
    let known = known();
    for (name, text) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("MEP_") && !is_service_link(name) && !is_of_tools(name))
    {
        if name == "MEP_CONFIG" {
            continue;
        }
        let Some((path, kind)) = known.get(name.as_str()) else {
            let names = known.keys().map(String::as_str).chain(["MEP_CONFIG"]);
            let meant =
                nearest(name, names).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            bail!("unknown environment variable {name}{meant}");
        };
        let value =
            parse(text, *kind).map_err(|expected| anyhow!("{name} must be {expected}, not {text:?}"))?;
        set(table, path, value);
    }
    Ok(())
}

/// Whether a variable is for `mepctl` or `mep-agent`, which may run in the same environment.
fn is_of_tools(name: &str) -> bool {
    TOOLS.contains(&name) || name.starts_with("MEP_AGENT_")
}

fn is_service_link(name: &str) -> bool {
    SERVICE_LINKS.iter().any(|link| {
        name.strip_prefix(link)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

/// Variables and the path and kind of their keys. Lists of tables can only be given in a file.
fn known() -> BTreeMap<String, (Vec<&'static str>, Known)> {
    let mut known = BTreeMap::new();
    for (key, kind) in KEYS {
        match kind {
            Known::Table(keys) => {
                for (inner, kind) in *keys {
                    known.insert(variable(&[key, inner]), (vec![*key, *inner], *kind));
                }
            }
            Known::Text | Known::Texts | Known::Number | Known::Boolean => {
                known.insert(variable(&[key]), (vec![*key], *kind));
            }
            Known::Tables(_) | Known::Open => {}
        }
    }
    known
}

fn variable(path: &[&str]) -> String {
    format!("MEP_{}", path.join("_").to_uppercase())
}

fn parse(text: &str, kind: Known) -> Result<Value, &'static str> {
    match kind {
        Known::Number => {
            let number = text.parse::<u32>().map_err(|_| "a whole number of at least 0")?;
            Ok(Value::Integer(number.into()))
        }
        Known::Boolean => text.parse().map(Value::Boolean).map_err(|_| "true or false"),
        Known::Texts => {
            let texts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::Array(
                texts.map(|part| Value::String(part.to_owned())).collect(),
            ))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn set(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert((*key).to_owned(), value);
        }
        [key, rest @ ..] => {
            let inner = table
                .entry((*key).to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    fn applied(variables: &[(&str, &str)]) -> Result<Table, String> {
        let mut table: Table = toml::from_str("listen = \"a\"\n[log]\nfilter = \"info\"\n").unwrap();
        let variables = variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        apply(&mut table, &variables)
            .map(|()| table)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn variables_override_the_file() {
        let table = applied(&[
            ("MEP_LISTEN", "b"),
            ("MEP_LOG_ACCESS", "false"),
            ("MEP_LIMITS_BODY_BYTES", "7"),
            ("MEP_DNS_ZONES", "mec.internal, edge.example"),
        ])
        .unwrap();
        let expected = "listen = \"b\"\n[log]\nfilter = \"info\"\naccess = false\n[limits]\nbody_bytes = 7\n\
                        [dns]\nzones = [\"mec.internal\", \"edge.example\"]\n";
        assert_eq!(table, toml::from_str(expected).unwrap());
    }

    #[test]
    fn what_is_wrong_with_a_variable_is_said() {
        for (name, text, message) in [
            (
                "MEP_LISEN",
                "b",
                "unknown environment variable MEP_LISEN; did you mean MEP_LISTEN?",
            ),
            (
                "MEP_LOG_ACCESS",
                "yes",
                "MEP_LOG_ACCESS must be true or false, not \"yes\"",
            ),
            (
                "MEP_LIMITS_BODY_BYTES",
                "-1",
                "MEP_LIMITS_BODY_BYTES must be a whole number of at least 0, not \"-1\"",
            ),
        ] {
            assert_eq!(applied(&[(name, text)]), Err(message.to_owned()));
        }
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        applied(&[
            ("MEP_PORT_8080_TCP", "tcp://10.0.0.1"),
            ("MEP_SERVICE_HOST", "10.0.0.1"),
            ("MEP_URL", "http://127.0.0.1:8080"),
            ("MEP_AGENT_LISTEN", "off"),
            ("PATH", "/bin"),
        ])
        .unwrap();
    }
}
