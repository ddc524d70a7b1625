//! Valid samples of the formats, and strings that are unmistakably none of them.

/// Valid samples, the plainest first, each with what is special about it.
pub(crate) fn valid(format: &str) -> &'static [(&'static str, &'static str)] {
    match format {
        "date-time" => &[
            ("2026-01-02T03:04:05Z", "in UTC"),
            ("2026-01-02T03:04:05.678Z", "with a fraction of a second"),
            ("2026-01-02T03:04:05+05:30", "with an offset"),
            ("2024-02-29T23:59:59-11:00", "on a leap day"),
        ],
        "date" => &[("2026-01-02", "plain"), ("2024-02-29", "on a leap day")],
        "time" => &[
            ("03:04:05Z", "in UTC"),
            ("23:59:59.5+05:30", "with fraction and offset"),
        ],
        "duration" => &[
            ("PT1S", "a second"),
            ("P1DT12H", "days and hours"),
            ("P2W", "weeks"),
        ],
        "email" | "idn-email" => &[
            ("a@example.com", "plain"),
            ("a.b+c@sub.example.com", "with a tag"),
        ],
        "hostname" | "idn-hostname" => &[
            ("example.com", "plain"),
            ("a", "a single label"),
            ("xn--nxasmq6b.example", "punycode"),
        ],
        "ipv4" => &[
            ("192.0.2.1", "plain"),
            ("0.0.0.0", "unspecified"),
            ("255.255.255.255", "broadcast"),
        ],
        "ipv6" => &[
            ("2001:db8::1", "compressed"),
            ("2001:db8:0:0:0:0:0:1", "in full"),
            ("::ffff:192.0.2.1", "with an IPv4 address"),
        ],
        "uri" | "iri" => &[
            ("http://example.com/a", "plain"),
            (
                "https://user@example.com:8443/a/b%20c;d=e?f=g&h#i",
                "with every part",
            ),
            ("http://[2001:db8::1]/", "with an IPv6 address"),
            ("urn:example:a:b", "without an authority"),
        ],
        "uri-reference" | "iri-reference" => &[
            ("http://example.com/a", "absolute"),
            ("/a/b?c=d#e", "an absolute path"),
            ("a/../b", "a relative path"),
        ],
        "uri-template" => &[
            ("http://example.com/{a}", "with a variable"),
            ("/a", "without a variable"),
        ],
        "uuid" => &[
            ("3f2b8c1e-5d4a-4b6c-8e7f-0a1b2c3d4e5f", "version 4"),
            ("3F2B8C1E-5D4A-4B6C-8E7F-0A1B2C3D4E5F", "in upper case"),
            ("00000000-0000-0000-0000-000000000000", "nil"),
        ],
        "json-pointer" => &[("/a/b~1c", "with an escape"), ("", "empty")],
        "relative-json-pointer" => &[("0", "itself"), ("1/a", "a sibling")],
        "regex" => &[("^a+$", "plain")],
        _ => &[],
    }
}

/// Strings that no reader may take for the format. None for `idn-email` and `idn-hostname`:
/// without its Unicode tables the judge accepts any string for them.
pub(crate) fn invalid(format: &str) -> &'static [&'static str] {
    match format {
        "date-time" => &["not a date", "2026-13-45T99:99:99Z", "2026-01-02"],
        "date" => &["not a date", "2026-13-45"],
        "time" => &["not a time", "99:99:99Z"],
        "duration" => &["not a duration", "P"],
        "email" => &["not an address", "@"],
        "hostname" => &["not a host name", "-.-"],
        "ipv4" => &["not an address", "256.256.256.256", "1.2.3"],
        "ipv6" => &["not an address", "1::2::3", "12345::"],
        "uri" | "iri" => &["not a uri", "http://[not-an-address/", "://"],
        "uri-reference" | "iri-reference" => &["not a uri <>", "http://[not-an-address/"],
        "uri-template" => &["{unclosed"],
        "uuid" => &[
            "not a uuid",
            "3f2b8c1e-5d4a-4b6c-8e7f-0a1b2c3d4e5",
            "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz",
        ],
        "json-pointer" => &["no slash"],
        "relative-json-pointer" => &["no digit"],
        "regex" => &["(unclosed"],
        _ => &[],
    }
}

/// The whole numbers that OpenAPI's registry of formats means by a name.
pub(crate) fn range(format: &str) -> Option<(i128, i128)> {
    let (sign, bits) = match format.strip_prefix("uint") {
        Some(bits) => (false, bits),
        None => (true, format.strip_prefix("int")?),
    };
    let bits: u32 = bits.parse().ok().filter(|bits| (1..=128).contains(bits))?;
    let bits = bits.min(64);
    Some(if sign {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (0, (1 << bits) - 1)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const FORMATS: &[&str] = &[
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "iri",
        "uri-reference",
        "iri-reference",
        "uri-template",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ];

    #[test]
    fn the_judge_agrees_with_every_sample() {
        for format in FORMATS {
            let judge = crate::read::judge_of("format", format).unwrap();
            assert!(
                !valid(format).is_empty() && !invalid(format).is_empty(),
                "{format}"
            );
            for (sample, _) in valid(format) {
                assert!(judge.matches(sample), "{format}: {sample:?} must be valid");
            }
            for sample in invalid(format) {
                assert!(!judge.matches(sample), "{format}: {sample:?} must be invalid");
            }
        }
    }

    #[test]
    fn knows_the_ranges_of_integer_formats() {
        assert_eq!(range("uint8"), Some((0, 255)));
        assert_eq!(range("int32"), Some((i128::from(i32::MIN), i128::from(i32::MAX))));
        assert_eq!(range("uint128"), Some((0, i128::from(u64::MAX))));
        assert_eq!(range("float"), None);
    }
}
