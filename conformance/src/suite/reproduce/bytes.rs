//! Bytes that no HTTP client sends, as a command.

/// A line for a POSIX shell that sends bytes as they are to the host of an address. A secret is `$SECRET`.
pub(super) fn netcat(url: &str, bytes: &str) -> String {
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
        .replace('\n', r"\n")
        .replace('\'', r"'\''")
        .replace("***", "'\"$SECRET\"'");
    match secure {
        true => format!("printf '{escaped}' | openssl s_client -quiet -connect {host}:{port}"),
        false => format!(
            "printf '{escaped}' | nc -w 5 {} {port}",
            host.trim_matches(['[', ']'])
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::netcat;

    #[test]
    fn writes_bytes_for_netcat() {
        let line = netcat("http://127.0.0.1:80/a", "GET /%2f HTTP/1.1\r\n\r\n");
        assert_eq!(
            line,
            r"printf 'GET /%%2f HTTP/1.1\r\n\r\n' | nc -w 5 127.0.0.1 80"
        );
    }
}
