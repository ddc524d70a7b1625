//! The web console: files that this binary carries, for an operator's browser.
//!
//! The console reads the operator's API below `/administration/v1/` and follows its events. It needs no other host, has
//! no inline scripts or styles, and puts what applications say of themselves into the page as text only; the headers
//! let the browser enforce that.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

/// Where the console is.
const PLACE: &str = "/console/";

/// What the pages may do: nothing that needs another host, another page or text that becomes code.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// One file of the console.
struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
    /// Changes with the content, so that a browser asks again after an update and only then.
    entity_tag: u64,
}

/// A [`File`] beside this one.
macro_rules! file {
    ($name:literal, $media_type:expr) => {{
        const CONTENT: &str = include_str!(concat!("console/", $name));
        File {
            name: $name,
            media_type: $media_type,
            content: CONTENT,
            entity_tag: const { digest(CONTENT.as_bytes()) },
        }
    }};
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static FILES: [File; 15] = [
    file!("index.html", "text/html; charset=utf-8"),
    file!("style.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("api.js", SCRIPT),
    file!("data.js", SCRIPT),
    file!("deliveries.js", SCRIPT),
    file!("dialog.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("format.js", SCRIPT),
    file!("listing.js", SCRIPT),
    file!("lists.js", SCRIPT),
    file!("live.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("overview.js", SCRIPT),
    file!("rules.js", SCRIPT),
];

/// The console's page or file at a path, if there is one. `headers` are the request's: a browser that has the file
/// already is answered `304`.
pub(crate) fn find(path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    if path == PLACE.trim_end_matches('/') {
        return Some(moved());
    }
    let name = match path.strip_prefix(PLACE)? {
        "" => "index.html",
        "index.html" => return Some(moved()),
        name => name,
    };
    let file = FILES.iter().find(|file| file.name == name)?;
    let tag = format!("\"{:016x}\"", file.entity_tag);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let mut tags = value.to_str().unwrap_or_default().split(',').map(str::trim);
        tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    });
    Some(respond(file, &tag, known))
}

fn respond(file: &File, tag: &str, known: bool) -> Response<Body> {
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(Bytes::from_static(file.content.as_bytes())))
    };
    let headers = response.headers_mut();
    if !known {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.content.len()));
    }
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, file.media_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The console's files refer to each other, so its page must be seen below a `/`.
fn moved() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static(PLACE));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    response
}

/// FNV-1a: tells versions of a file apart, nothing more.
const fn digest(bytes: &[u8]) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0;
    while index < bytes.len() {
        digest = (digest ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
        index += 1;
    }
    digest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use std::collections::BTreeSet;

    use super::*;

    fn get(path: &str) -> Response<Body> {
        find(path, &HeaderMap::new()).unwrap_or_else(|| panic!("{path} is not there"))
    }

    /// What stands in quotes after any of these, in all files.
    fn quoted_after(marks: &[&str]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in &FILES {
            for mark in marks {
                for (at, _) in file.content.match_indices(mark) {
                    let rest = &file.content[at + mark.len()..];
                    found.insert(rest[..rest.find('"').unwrap()].to_owned());
                }
            }
        }
        found
    }

    #[test]
    fn everything_that_is_referred_to_is_there() {
        let referred = quoted_after(&["src=\"", "href=\"", "from \"", "import \""]);
        let mut assets = 0;
        for name in referred {
            if !name.starts_with(['#', '.']) || name.starts_with("./") {
                get(&format!("{PLACE}{}", name.trim_start_matches("./")));
                assets += 1;
            }
        }
        let main = FILES.iter().find(|file| file.name == "main.js").unwrap().content;
        let views = main.lines().find(|line| line.starts_with("const VIEWS")).unwrap();
        let views: Vec<&str> = views.split([' ', ':', ',']).collect();
        // Links to views are in the page, and in scripts as texts.
        for name in quoted_after(&["href=\"#", "href: \"#", ", \"#"]) {
            let known =
                views.contains(&name.as_str()) || FILES[0].content.contains(&format!("id=\"{name}\""));
            assert!(known, "#{name} leads nowhere");
        }
        assert!(assets > 10, "{assets}");
    }

    #[test]
    fn every_file_is_served_and_needed() {
        let referred = quoted_after(&["src=\"", "href=\"", "from \""]);
        // The tests of `handlers/administration` include this file, to show the console to a browser.
        let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = ["src/pages/console", "../../mep/src/pages/console"].map(|place| manifest.join(place));
        let directory = places.iter().find(|place| place.is_dir()).unwrap();
        let mut files: BTreeSet<String> = BTreeSet::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            files.insert(entry.unwrap().file_name().into_string().unwrap());
        }
        let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(files, served);
        for name in served.iter().filter(|name| *name != "index.html") {
            assert!(
                referred.contains(name) || referred.contains(&format!("./{name}")),
                "nothing needs {name}"
            );
        }
    }

    #[test]
    fn nothing_comes_from_elsewhere_and_nothing_is_markup() {
        for file in &FILES {
            let text = file.content.replace("http://www.w3.org/2000/svg", "");
            for forbidden in [
                "http:",
                "https:",
                "src=\"//",
                "href=\"//",
                "url(",
                "@import",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "javascript:",
                " style=\"",
                " onclick=\"",
                "<style",
                "srcdoc",
            ] {
                assert!(!text.contains(forbidden), "{} has {forbidden}", file.name);
            }
        }
        let page = FILES[0].content;
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=").count()
        );
    }

    #[test]
    fn the_browser_is_told_to_enforce_that() {
        for file in &FILES {
            let path = match file.name {
                "index.html" => PLACE.to_owned(),
                name => format!("{PLACE}{name}"),
            };
            let response = get(&path);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()[header::CONTENT_TYPE], file.media_type);
            assert_eq!(
                response.headers()[header::CONTENT_LENGTH],
                file.content.len().to_string()
            );
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap();
            assert!(
                policy.starts_with("default-src 'self';") && !policy.contains("unsafe"),
                "{policy}"
            );
        }
    }

    #[test]
    fn files_are_sent_again_only_when_they_have_changed() {
        let tag = get("/console/main.js").headers()[header::ETAG].clone();
        assert_ne!(tag, get("/console/style.css").headers()[header::ETAG]);
        for (value, status) in [
            (tag.to_str().unwrap(), StatusCode::NOT_MODIFIED),
            (
                &format!("\"other\", W/{}", tag.to_str().unwrap()),
                StatusCode::NOT_MODIFIED,
            ),
            ("\"other\"", StatusCode::OK),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            let response = find("/console/main.js", &headers).unwrap();
            assert_eq!(response.status(), status, "{value}");
            assert_eq!(response.headers()[header::ETAG], tag);
        }
    }

    #[test]
    fn other_paths_lead_to_the_page_or_nowhere() {
        for path in ["/console", "/console/index.html"] {
            assert_eq!(get(path).headers()[header::LOCATION], PLACE);
        }
        for path in [
            "/console/nothing",
            "/console/../main.rs",
            "/consoles",
            "/console/console/main.js",
            "/",
        ] {
            assert!(find(path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
