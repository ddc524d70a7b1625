//! A finding as commands that repeat it: curl for everybody, a Rust test for users of the generated clients.

mod rust_test;

use mecforge_report::Exchange;

pub use rust_test::{Origin, rust_test};

/// Header fields that are left out, as curl or the HTTP client adds them by itself.
const OWN: [&str; 4] = ["host", "user-agent", "content-length", "connection"];

/// A text for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One curl line that sends a request again. A secret is written as the variable `$SECRET`.
pub fn curl(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let mut words = vec!["curl -i --path-as-is --globoff".to_owned()];
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {}", quoted(method))),
    }
    for (name, value) in &request.headers {
        if !OWN.contains(&name.to_ascii_lowercase().as_str()) {
            let field = quoted(&format!("{name}: {value}"));
            words.push(format!("-H {}", field.replace("***", "'\"$SECRET\"'")));
        }
    }
    if let Some(body) = &request.body {
        words.push(format!("--data-binary {}", quoted(body)));
    }
    words.push(quoted(&request.url));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_for_the_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
