//! Addresses that are read otherwise than RFC 3986 says: plus signs, slashes that are encoded or at the end.

use crate::behaviour::{before, handler};
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::scopes;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        fault(
            Class::Filter,
            "filter/encoded-plus-is-blank",
            "RFC 3986 2.4",
            "GET lists of services",
            "%2B in a query is taken for a blank, as it is decoded twice",
            before(scopes::SERVICE_LISTS, |request, _| {
                let query = request.parts.uri.query().unwrap_or_default();
                if query.to_ascii_uppercase().contains("%2B") {
                    let query = query.replace("%2B", "%20").replace("%2b", "%20");
                    request.set_path(&format!("{}?{query}", request.path()));
                }
            }),
        ),
        fault(
            Class::Http,
            "http/encoded-slash-separates",
            "RFC 3986 2.2",
            "all",
            "%2F in a path is taken for a slash that separates segments",
            handler(|mut request: Request, context| async move {
                let path = request.path().replace("%2F", "/").replace("%2f", "/");
                if path != request.path() {
                    let query = request.parts.uri.query().map(|query| format!("?{query}"));
                    request.set_path(&format!("{path}{}", query.unwrap_or_default()));
                }
                context.pass(request).await
            }),
        ),
        fault(
            Class::Http,
            "http/refused-with-slash-and-removed",
            "RFC 9110 15.5",
            "DELETE",
            "DELETE with a slash at the end of the path is answered 404, and made all the same",
            handler(|mut request: Request, context| async move {
                let path = request.path().to_owned();
                if request.method() != "DELETE" || !path.ends_with('/') {
                    return context.pass(request).await;
                }
                let original = request.clone();
                request.set_path(path.trim_end_matches('/'));
                context.pass(request).await?;
                Ok(Answer::problem(
                    404,
                    &original,
                    "there is nothing at this address",
                ))
            }),
        ),
    ]
}
