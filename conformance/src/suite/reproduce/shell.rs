//! A finding as curl commands for a POSIX shell.

use mecforge_report::Exchange;

use super::super::record::SECOND;
use super::{OWN, Variables, field, identifier, mentions};

/// The commands, one line for each exchange: the last shows the finding, those before make what it needs. Identifiers
/// and entity tags that an answer gave are variables of the shell, as the platform will give others; a secret is
/// `$SECRET`, that of the second identity `$SECOND_SECRET`.
pub fn curl(exchanges: &[Exchange]) -> String {
    let mut variables = Variables::default();
    let mut lines = Vec::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        if exchange.request.version == crate::suite::raw::VERSION {
            lines.push(super::bytes::command(&exchange.request, &variables));
            continue;
        }
        let later = &exchanges[at + 1..];
        let is_used = |text: &str| later.iter().any(|later| mentions(later, text));
        let identifier = identifier(exchange).filter(|identifier| is_used(identifier));
        let tag = field(exchange, "etag").filter(|tag| is_used(tag));
        let command = command(exchange, &variables);
        if identifier.is_none() && tag.is_none() {
            lines.push(format!("curl -i {command}"));
            continue;
        }
        let number = at + 1;
        let mut line = format!("HEAD_{number}=$(curl -s -D - -o /dev/null {command})");
        let mut take = |name: &str, value: Option<&str>, pattern: &str| {
            if let Some(value) = value {
                line.push_str(&format!(
                    r#"; {name}_{number}=$(echo "$HEAD_{number}" | tr -d '\r' | sed -n 's|^{pattern}||p')"#
                ));
                variables.0.insert(value.to_owned(), format!("{name}_{number}"));
            }
        };
        take("ID", identifier, "[Ll]ocation: .*/");
        take("TAG", tag, "[Ee][Tt]ag: ");
        lines.push(line);
    }
    lines.join("\n")
}

fn command(exchange: &Exchange, variables: &Variables) -> String {
    let request = &exchange.request;
    let mut words = vec!["--path-as-is --globoff".to_owned()];
    match (request.version.as_str(), request.url.starts_with("https:")) {
        ("HTTP/2", true) => words.push("--http2".to_owned()),
        ("HTTP/2", false) => words.push("--http2-prior-knowledge".to_owned()),
        _ => {}
    }
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {method}")),
    }
    for (name, value) in &request.headers {
        if !OWN.contains(&name.to_ascii_lowercase().as_str()) {
            let field = quoted(&format!("{name}: {value}"), variables);
            let field = field.replace(SECOND, "'\"$SECOND_SECRET\"'");
            words.push(format!("-H {}", field.replace("***", "'\"$SECRET\"'")));
        }
    }
    if let Some(body) = &request.body {
        words.push(format!("--data-binary {}", quoted(body, variables)));
    }
    words.push(quoted(&request.url, variables));
    words.join(" ")
}

/// A text for the shell, with variables for the values that an answer gave.
pub(super) fn quoted(text: &str, variables: &Variables) -> String {
    let mut whole = format!("'{}'", text.replace('\'', r"'\''"));
    for (value, variable) in &variables.0 {
        whole = whole.replace(value.as_str(), &format!("'\"${variable}\"'"));
    }
    whole.strip_suffix("''").map_or(whole.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use mecforge_report::{Answer, Exchange, Message};

    use super::{Variables, curl, quoted};

    #[test]
    fn quotes_for_the_shell() {
        assert_eq!(quoted("it's", &Variables::default()), r"'it'\''s'");
    }

    #[test]
    fn what_the_platform_named_is_a_variable() {
        let make = Exchange {
            request: Message {
                method: "POST".to_owned(),
                url: "http://h/things".to_owned(),
                body: Some("{}".to_owned()),
                ..Message::default()
            },
            response: Some(Answer {
                headers: vec![("location".to_owned(), "http://h/things/abcd".to_owned())],
                ..Answer::default()
            }),
            ..Exchange::default()
        };
        let read = Exchange {
            request: Message {
                method: "GET".to_owned(),
                url: "http://h/things/abcd".to_owned(),
                ..Message::default()
            },
            ..Exchange::default()
        };
        let expected = r#"HEAD_1=$(curl -s -D - -o /dev/null --path-as-is --globoff -X POST --data-binary '{}' 'http://h/things'); ID_1=$(echo "$HEAD_1" | tr -d '\r' | sed -n 's|^[Ll]ocation: .*/||p')
curl -i --path-as-is --globoff 'http://h/things/'"$ID_1""#;
        assert_eq!(curl(&[make, read]), expected);
    }
}
