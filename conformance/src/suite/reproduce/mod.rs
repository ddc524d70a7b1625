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
    if request.version == super::RAW {
        return netcat(&request.url, request.body.as_deref().unwrap_or_default());
    }
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

/// A line that sends bytes as they are, which curl can't.
fn netcat(url: &str, bytes: &str) -> String {
    let (secure, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme == "https", rest),
        None => (false, url),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, if secure { "443" } else { "80" }),
    };
    let escaped = bytes
        .replace('\\', r"\\")
        .replace('%', "%%")
        .replace('\r', r"\r")
        .replace('\n', r"\n");
    let text = quoted(&escaped).replace("***", "'\"$SECRET\"'");
    match secure {
        true => format!("printf {text} | openssl s_client -quiet -connect {host}:{port}"),
        false => format!("printf {text} | nc -w 5 {} {port}", host.trim_matches(['[', ']'])),
    }
}

#[cfg(test)]
mod tests {
    use super::{netcat, quoted};

    #[test]
    fn writes_bytes_for_netcat() {
        let line = netcat("http://127.0.0.1:80/a", "GET /%2f HTTP/1.1\r\n\r\n");
        assert_eq!(
            line,
            r"printf 'GET /%%2f HTTP/1.1\r\n\r\n' | nc -w 5 127.0.0.1 80"
        );
    }

    #[test]
    fn quotes_for_the_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
