//! A finding as commands that repeat it: curl for everybody, a Rust test for users of the generated clients.

use mecforge_report::{Exchange, Message};

/// Header fields that are left out, as curl or the HTTP client adds them by itself.
const OWN: [&str; 4] = ["host", "user-agent", "content-length", "connection"];

/// A text for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One curl line that sends a request again. A secret is written as the variable `$SECRET`.
pub fn curl(exchange: &Exchange) -> String {
    let request = &exchange.request;
    if request.version == super::raw::VERSION {
        return raw(request);
    }
    let mut words = vec!["curl -i --path-as-is --globoff".to_owned()];
    match (request.version.as_str(), request.url.starts_with("https:")) {
        ("HTTP/2", true) => words.push("--http2".to_owned()),
        ("HTTP/2", false) => words.push("--http2-prior-knowledge".to_owned()),
        _ => {}
    }
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

/// A line that sends the bytes of a raw exchange again, as curl would mend them.
fn raw(request: &Message) -> String {
    let bytes = request.body.as_deref().unwrap_or_default();
    let mut text = String::new();
    for letter in bytes.chars() {
        match letter {
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\\' => text.push_str("\\\\"),
            '%' => text.push_str("%%"),
            other => text.push(other),
        }
    }
    let (secure, rest) = match request.url.split_once("://") {
        Some((scheme, rest)) => (scheme == "https", rest),
        None => (false, request.url.as_str()),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port),
        _ => (authority, if secure { "443" } else { "80" }),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match secure {
        true => format!(
            "printf {} | openssl s_client -quiet -connect {host}:{port}",
            quoted(&text)
        ),
        false => format!("printf {} | nc -w 5 {host} {port}", quoted(&text)),
    }
}

/// A Rust test that sends the same requests in the same order, with the HTTP client of the generated crates, and
/// expects what the finding says was expected.
pub fn rust_test(name: &str, expected: &str, exchanges: &[Exchange]) -> String {
    let mut lines = vec![
        "// [dev-dependencies] reqwest, tokio (macros, rt); the crates of `generated/` bring both along."
            .to_owned(),
        "#[tokio::test]".to_owned(),
        format!("async fn {name}() -> Result<(), Box<dyn std::error::Error>> {{"),
        "    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;"
            .to_owned(),
    ];
    let last = exchanges.len().saturating_sub(1);
    for (at, exchange) in exchanges.iter().enumerate() {
        let request = &exchange.request;
        let variable = if at == last { "answer" } else { "_" };
        lines.push(format!(
            "    let {variable} = client.request({:?}.parse()?, {:?})",
            request.method, request.url
        ));
        for (field, value) in &request.headers {
            if !OWN.contains(&field.to_ascii_lowercase().as_str()) {
                lines.push(format!("        .header({field:?}, {value:?})"));
            }
        }
        if let Some(body) = &request.body {
            lines.push(format!("        .body({body:?})"));
        }
        lines.push("        .send().await?;".to_owned());
    }
    let came = exchanges
        .last()
        .and_then(|exchange| exchange.response.as_ref())
        .map_or(0, |answer| answer.status);
    lines.push(format!("    // Expected: {}", expected.replace('\n', " ")));
    lines.push(format!(
        "    assert_ne!(answer.status().as_u16(), {came}, \"{{:?}}\", answer.text().await?);"
    ));
    lines.push("    Ok(())".to_owned());
    lines.push("}".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_for_the_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
