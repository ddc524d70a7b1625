//! Requests to where a link leads, wherever that is on the target.

use super::Suite;
use super::call::Call;
use super::outcome::Stop;

/// A request to where a link leads.
#[derive(Clone, Debug)]
pub(crate) struct Linked {
    /// The request.
    pub(crate) call: Call,
    /// Why 404 says nothing there; none where it does.
    pub(crate) doubt: Option<String>,
}

/// Sends a request to where a link leads instead: literally, but for the prefix by which a gateway is asked.
///
/// # Errors
/// [`Stop::Inconclusive`] for a link that is relative to something that it does not name.
pub(crate) fn follow(suite: &Suite, mut call: Call, link: &str) -> Result<Linked, Stop> {
    let state = &suite.apis[call.api];
    let Some((authority, rest)) = parts(link) else {
        return Err(Stop::Inconclusive(format!(
            "the link {link} is relative, and nothing says to what"
        )));
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (rest, None),
    };
    let below = below(path, &state.base_path, &state.api.base_path);
    call.rooted = below.is_none();
    call.path = below.unwrap_or(path).to_owned();
    call.raw_query = query;
    let own = parts(&suite.target).and_then(|(own, _)| own);
    // A platform behind a gateway, or in a container, may name an address that only others reach.
    let foreign = authority.is_some_and(|authority| own != Some(authority));
    let moved = state.base_path != state.api.base_path;
    let doubt = (call.rooted && (foreign || moved)).then(|| {
        format!(
            "the link {link} leads beyond the API at an address that is not the target's, and was asked there"
        )
    });
    Ok(Linked { call, doubt })
}

/// Authority, path and query of a link, without fragment; none of one that begins with neither authority nor path.
pub(super) fn parts(link: &str) -> Option<(Option<&str>, &str)> {
    let link = link.split('#').next()?;
    let hierarchy = match link.split_once("://") {
        // A URI may stand in a query.
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => Some(rest),
        _ => link.strip_prefix("//"),
    };
    match hierarchy {
        Some(rest) => {
            let at = rest.find(['/', '?']).unwrap_or(rest.len());
            let path = if rest[at..].starts_with('/') {
                &rest[at..]
            } else {
                "/"
            };
            Some((Some(&rest[..at]), path))
        }
        None => link.starts_with('/').then_some((None, link)),
    }
}

/// The part of a path below the base path that is asked, or below the API's own where another one is asked.
fn below<'path>(path: &'path str, base: &str, own: &str) -> Option<&'path str> {
    let rest = path.strip_prefix(base).filter(|rest| rest.starts_with('/'));
    rest.or_else(|| {
        let at = path.find(own).filter(|_| base != own && !own.is_empty())?;
        Some(&path[at + own.len()..]).filter(|rest| rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::{below, parts};

    #[test]
    fn a_link_is_taken_as_it_is() {
        for (link, expected) in [
            ("http://mep:80/hb/1#now", Some((Some("mep:80"), "/hb/1"))),
            ("//mep/hb/1", Some((Some("mep"), "/hb/1"))),
            ("http://mep", Some((Some("mep"), "/"))),
            ("/hb?of=http://other/1", Some((None, "/hb?of=http://other/1"))),
            ("hb/1", None),
            ("", None),
        ] {
            assert_eq!(parts(link), expected, "{link}");
        }
    }

    #[test]
    fn a_gateways_prefix_is_exchanged_and_nothing_else() {
        for (path, base, expected) in [
            ("/api/v1/heartbeats/1", "/api/v1", Some("/heartbeats/1")),
            ("/api/v10/heartbeats/1", "/api/v1", None),
            ("/hb/api/v1/1", "/api/v1", None),
            ("/api/v1/hb/1", "/gateway/api/v1", Some("/hb/1")),
            ("/hb/1", "/gateway/api/v1", None),
        ] {
            assert_eq!(below(path, base, "/api/v1"), expected, "{path}");
        }
    }
}
