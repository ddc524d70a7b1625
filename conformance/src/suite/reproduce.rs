//! A finding as commands that repeat it: curl for everybody, a Rust test for users of the generated clients.

use mecforge_report::Exchange;

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
