//! The address under test: parsing it, and telling where a `Location` leads.

use std::fmt;

use crate::settings::ConfigError;

/// The base address of a platform: scheme, host, port and base path, without query, fragment or user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl {
    secure: bool,
    host: String,
    port: u16,
    base_path: String,
}

/// Where a reference such as the value of `Location` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To the same scheme, host and port: the path and query there.
    Here(String),
    /// To another place: the absolute address as it was given.
    Elsewhere(String),
}

impl TargetUrl {
    /// Reads an address such as `https://mep.example:8443/base`.
    ///
    /// # Errors
    /// [`ConfigError::Target`] where the scheme is not http or https, host or port is missing or wrong, or a user,
    /// a query or a fragment is given.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |reason: &str| ConfigError::Target {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .ok_or_else(|| wrong("it has no scheme; write http://HOST:PORT or https://HOST:PORT"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("its scheme is neither http nor https")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("a base address has neither a query nor a fragment"));
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(wrong("it names a user; give credentials by their own options"));
        }
        let (host, port) = split_authority(authority).ok_or_else(|| wrong("its host is missing or wrong"))?;
        let port = match port {
            None => default_port(secure),
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(wrong("its port is not a number from 1 to 65535")),
                Ok(port) => port,
            },
        };
        if path.parse::<http::Uri>().is_err() && !path.is_empty() {
            return Err(wrong("its path has characters that must be percent-encoded"));
        }
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
            base_path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Whether the scheme is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The host in lower case, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own where none was given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path without a slash at its end; empty for the root.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Host and port as `Host` carries them: without the scheme's own port.
    pub fn authority(&self) -> String {
        let host = self.bracketed();
        if self.port == default_port(self.secure) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// Host and port, always both: for messages.
    pub fn address(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// Scheme and authority: what stands before a path in an absolute address.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// The base path and a path below it.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.base_path)
    }

    /// The absolute address of a request target (path and query).
    pub fn url(&self, target: &str) -> String {
        if target.starts_with('/') {
            format!("{}{target}", self.origin())
        } else {
            target.to_owned()
        }
    }

    /// Resolves a reference against the target of the request that was answered with it (RFC 3986 clause 5.2).
    /// A fragment is left out; percent-encoding is untouched.
    pub fn resolve(&self, request_target: &str, reference: &str) -> Place {
        let reference = reference.trim();
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return self.place_of_absolute(reference);
        }
        if reference.starts_with("//") {
            return self.place_of_absolute(&format!("{}:{reference}", self.scheme()));
        }
        let (path, query) = split_query(reference);
        let (base, base_query) = split_query(request_target);
        if path.is_empty() {
            return Place::Here(format!(
                "{base}{}",
                if query.is_empty() { base_query } else { query }
            ));
        }
        let merged = if path.starts_with('/') {
            path.to_owned()
        } else {
            let directory = base.rfind('/').map_or("/", |at| &base[..=at]);
            format!("{directory}{path}")
        };
        Place::Here(format!("{}{query}", without_dots(&merged)))
    }

    fn place_of_absolute(&self, reference: &str) -> Place {
        let elsewhere = || Place::Elsewhere(reference.to_owned());
        let Some((head, rest)) = reference.split_once("://") else {
            return elsewhere();
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let Ok(other) = TargetUrl::parse(&format!("{head}://{authority}")) else {
            return elsewhere();
        };
        if (other.secure, other.host.as_str(), other.port) != (self.secure, self.host.as_str(), self.port) {
            return elsewhere();
        }
        let (path, query) = split_query(target);
        let path = if path.is_empty() {
            "/".to_owned()
        } else {
            without_dots(path)
        };
        Place::Here(format!("{path}{query}"))
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin(), self.base_path)
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn split_authority(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            _ => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    let (host, port) = authority
        .split_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(fits)).then_some((host, port))
}

fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|each| each.is_ascii_alphanumeric() || matches!(each, '+' | '-' | '.'))
    })
}

/// Path, and query with its question mark.
fn split_query(target: &str) -> (&str, &str) {
    target.find('?').map_or((target, ""), |at| target.split_at(at))
}

/// RFC 3986 clause 5.2.4 for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}
