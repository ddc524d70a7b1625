//! Which callback addresses may be called: judged when a subscription is made, and again at each delivery, then with
//! the address that the name has.

mod network;
mod rule;

use std::net::IpAddr;

use reqwest::Url;

pub use self::rule::{Rule, RuleError};

/// What is allowed that no rule mentions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyMode {
    /// Everything, loopback and private networks included: for a platform on one machine.
    #[default]
    Open,
    /// Addresses of the public internet only: no loopback, link-local, private, shared or otherwise special ones.
    PublicOnly,
    /// Nothing.
    Listed,
}

/// Which callback addresses may be called.
///
/// A rule that denies wins over one that allows, that over the mode. Addresses that name no host (unspecified,
/// multicast, broadcast) are never called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What is allowed that no rule mentions.
    pub mode: PolicyMode,
    /// Whether `http` is allowed besides `https`.
    pub plain_http: bool,
    /// What is allowed whatever the mode says. A rule with a name allows every address that the name has.
    pub allow: Vec<Rule>,
    /// What is never called. By default the addresses at which clouds tell machines their credentials.
    pub deny: Vec<Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: PolicyMode::Open,
            plain_http: true,
            allow: Vec::new(),
            deny: Rule::metadata_services(),
        }
    }
}

impl Policy {
    /// Judges a callback address as far as that is possible without asking for the addresses of its name.
    ///
    /// # Errors
    /// Why it must not be called, in words that complete "… must not be called: ".
    pub fn check_url(&self, url: &Url) -> Result<(), String> {
        match url.scheme() {
            "https" => {}
            "http" if self.plain_http => {}
            "http" => return Err("only https is allowed".to_owned()),
            scheme => return Err(format!("the scheme {scheme} is neither http nor https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it contains credentials".to_owned());
        }
        let host = normal(url.host_str().unwrap_or_default());
        let port = url.port_or_known_default().unwrap_or(0);
        if host.is_empty() || port == 0 {
            return Err("it names no host and port".to_owned());
        }
        match address_in(&host) {
            Some(address) => self.check_address(None, address, port),
            None => self.check_name(&host, port),
        }
    }

    /// Judges an address that is about to be called, and the name that led to it.
    ///
    /// # Errors
    /// Why it must not be called.
    pub fn check_address(&self, name: Option<&str>, address: IpAddr, port: u16) -> Result<(), String> {
        let address = address.to_canonical();
        let name = name.map(normal);
        let name = name.as_deref();
        // Behind an IPv6 address there may be an IPv4 one that a translator leads to.
        let behind = network::embedded(address);
        let led_to = std::iter::once(address).chain(behind);
        for led_to in led_to {
            if self.deny.iter().any(|rule| rule.covers(name, led_to, port)) {
                return Err(format!("{led_to} is denied"));
            }
        }
        if let Some(what) = network::no_host(address) {
            return Err(format!("{address} is {what}"));
        }
        if self.allow.iter().any(|rule| rule.covers(name, address, port)) {
            return Ok(());
        }
        match self.mode {
            PolicyMode::Open => Ok(()),
            PolicyMode::Listed => Err(format!("{address} is not allowed")),
            PolicyMode::PublicOnly => match network::special(address) {
                Some(what) => Err(format!("{address} is {what}, not a public address")),
                None => Ok(()),
            },
        }
    }

    fn check_name(&self, name: &str, port: u16) -> Result<(), String> {
        if self.deny.iter().any(|rule| rule.names(name, port)) {
            return Err(format!("{name} is denied"));
        }
        if self.allow.iter().any(|rule| rule.names(name, port)) {
            return Ok(());
        }
        let local = name == "localhost" || name.ends_with(".localhost");
        let may_have_allowed_address = self.allow.iter().any(|rule| rule.is_network());
        match self.mode {
            PolicyMode::Listed if !may_have_allowed_address => Err(format!("{name} is not allowed")),
            PolicyMode::PublicOnly if local && !may_have_allowed_address => {
                Err(format!("{name} is this machine, not a public address"))
            }
            _ => Ok(()),
        }
    }
}

/// A host as rules know it: in lower case, without the dot that may end a name.
fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The address that a host of a URL is, if it is no name. `Url` has made one of all the ways to write an IPv4 address.
fn address_in(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[track_caller]
    fn check(policy: &Policy, url: &str, expected: Result<(), &str>) {
        let actual = policy.check_url(&Url::parse(url).unwrap());
        let expected = expected.map_err(str::to_owned);
        assert_eq!(actual, expected, "{url}");
    }

    #[test]
    fn one_machine_may_call_itself_but_no_metadata_service() {
        let policy = Policy::default();
        for url in [
            "http://127.0.0.1:9/x",
            "https://localhost/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://example.org",
        ] {
            check(&policy, url, Ok(()));
        }
        for url in [
            "http://169.254.169.254/latest",
            "http://[::ffff:169.254.169.254]/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::]/",
        ] {
            check(&policy, url, Err("169.254.169.254 is denied"));
        }
        check(&policy, "http://[fd00:ec2::254]/", Err("fd00:ec2::254 is denied"));
        check(&policy, "http://0.0.0.0/", Err("0.0.0.0 is no address of a host"));
        check(&policy, "http://[::]/", Err(":: is no address of a host"));
        check(
            &policy,
            "http://224.0.0.1/",
            Err("224.0.0.1 is a multicast address"),
        );
        check(
            &policy,
            "ftp://a/",
            Err("the scheme ftp is neither http nor https"),
        );
        check(&policy, "http://u@a/", Err("it contains credentials"));
        check(&policy, "http://:p@a/", Err("it contains credentials"));
        check(&policy, "http://a:0/", Err("it names no host and port"));
    }

    #[test]
    fn public_only_refuses_everything_else() {
        let policy = Policy {
            mode: PolicyMode::PublicOnly,
            plain_http: false,
            ..Policy::default()
        };
        check(&policy, "http://example.org/", Err("only https is allowed"));
        for url in [
            "https://example.org/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
        ] {
            check(&policy, url, Ok(()));
        }
        let local = "this machine, not a public address";
        for (host, what) in [
            ("127.0.0.1", format!("127.0.0.1 is {local}")),
            ("127.1", format!("127.0.0.1 is {local}")),
            ("0x7f.1", format!("127.0.0.1 is {local}")),
            ("017700000001", format!("127.0.0.1 is {local}")),
            ("[::ffff:127.0.0.1]", format!("127.0.0.1 is {local}")),
            ("[::1]", format!("::1 is {local}")),
            ("LOCALHOST", format!("localhost is {local}")),
            ("localhost.", format!("localhost is {local}")),
            ("a.localhost", format!("a.localhost is {local}")),
        ] {
            check(&policy, &format!("https://{host}/"), Err(&what));
        }
        for host in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "240.0.0.1",
            "0.1.2.3",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fec0::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[64:ff9b::10.0.0.1]",
            "[::10.0.0.1]",
            "[2001::1]",
            "[100::1]",
        ] {
            let url = format!("https://{host}/");
            let refused = policy.check_url(&Url::parse(&url).unwrap()).unwrap_err();
            assert!(refused.ends_with("not a public address"), "{host}: {refused}");
        }
        check(&policy, "https://[64:ff9b::8.8.8.8]/", Ok(()));
    }

    #[test]
    fn deny_wins_over_allow_and_allow_over_the_mode() {
        let policy = Policy {
            mode: PolicyMode::Listed,
            allow: rules(&[
                "10.0.0.0/8",
                "*.apps.example",
                "one.example:8080",
                "[fd00::/8]:443",
            ]),
            deny: rules(&["10.6.0.0/16", "bad.apps.example", "10.0.0.1:22"]),
            ..Policy::default()
        };
        check(&policy, "http://10.1.1.1:80/", Ok(()));
        check(&policy, "http://10.6.1.1/", Err("10.6.1.1 is denied"));
        check(&policy, "http://10.0.0.1:22/", Err("10.0.0.1 is denied"));
        check(&policy, "http://10.0.0.1/", Ok(()));
        check(&policy, "http://11.0.0.1/", Err("11.0.0.1 is not allowed"));
        check(&policy, "https://[fd00::1]/", Ok(()));
        check(&policy, "http://[fd00::1]/", Err("fd00::1 is not allowed"));
        check(&policy, "http://x.Apps.example./", Ok(()));
        check(
            &policy,
            "http://bad.apps.example/",
            Err("bad.apps.example is denied"),
        );
        // Its address may be allowed: judged at delivery.
        check(&policy, "http://unknown.example/", Ok(()));

        let address =
            |name, address: &str, port| policy.check_address(Some(name), address.parse().unwrap(), port);
        assert_eq!(address("unknown.example", "10.1.1.1", 80), Ok(()));
        assert!(address("unknown.example", "1.1.1.1", 80).is_err());
        assert_eq!(address("x.apps.example", "1.1.1.1", 80), Ok(()));
        assert!(address("apps.example", "1.1.1.1", 80).is_err());
        assert!(address("x.apps.example", "10.6.0.1", 80).is_err());
        assert_eq!(address("one.example", "1.1.1.1", 8080), Ok(()));
        assert!(address("one.example", "1.1.1.1", 8081).is_err());

        let names_only = Policy {
            allow: rules(&["one.example"]),
            ..policy
        };
        check(
            &names_only,
            "http://unknown.example/",
            Err("unknown.example is not allowed"),
        );
    }
}
