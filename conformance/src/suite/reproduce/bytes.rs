//! A request that is bytes, as a command and as a test: an HTTP client would mend it.

use mecforge_report::{Exchange, Message};

use super::Variables;
use super::shell::quoted;

/// A Rust test that sends the bytes of an exchange and asserts that the answer is another than it was.
pub(super) fn test(name: &str, expected: &str, exchange: &Exchange) -> String {
    let (_, host, port) = address(&exchange.request.url);
    let bytes = exchange.request.body.as_deref().unwrap_or_default();
    let came = exchange.response.as_ref().map_or(0, |answer| answer.status);
    let comment = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        r#"// Bytes, as no HTTP client would send them; for https put a TLS stream in place of the connection.
#[test]
fn {name}() -> std::io::Result<()> {{
    use std::io::{{Read, Write}};
    let mut stream = std::net::TcpStream::connect("{host}:{port}")?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    stream.write_all({bytes:?}.as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    // Expected: {comment}
    assert_ne!(&answer[9..], b"{came}", "{{}}", String::from_utf8_lossy(&answer));
    Ok(())
}}
"#
    )
}

/// Scheme, host and port of an address.
fn address(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (scheme, host, port),
        _ if scheme == "https" => (scheme, authority, "443"),
        _ => (scheme, authority, "80"),
    }
}

/// The command that sends the bytes: `printf` into `nc`, or into `openssl s_client` for https.
pub(super) fn command(request: &Message, variables: &Variables) -> String {
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
    let (scheme, host, port) = address(&request.url);
    let secure = scheme == "https";
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let text = quoted(&text, variables);
    match secure {
        true => format!("printf {text} | openssl s_client -quiet -connect {host}:{port}"),
        false => format!("printf {text} | nc -w 5 {bare} {port}"),
    }
}

#[cfg(test)]
mod tests {
    use mecforge_report::Message;

    use super::{Variables, command};

    #[test]
    fn bytes_go_through_printf() {
        let request = Message {
            url: "http://127.0.0.1:8080/".to_owned(),
            body: Some("GET /a%zz HTTP/1.1\r\n\r\n".to_owned()),
            ..Message::default()
        };
        let expected = r"printf 'GET /a%%zz HTTP/1.1\r\n\r\n' | nc -w 5 127.0.0.1 8080";
        assert_eq!(command(&request, &Variables::default()), expected);
    }
}
