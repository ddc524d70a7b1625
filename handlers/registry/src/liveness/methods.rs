//! Heartbeats by the methods of other releases.

use http::{Method, Request, header};

/// Makes a heartbeat of other releases, which use PUT or POST, the PATCH that the document declares (MEC 011 clause
/// 8.2.10.3.3). To be called before the generated service routes a request, with its path below the API's root.
///
/// Nothing but PATCH is declared for the liveness resource, so that neither method can be meant otherwise there. Only
/// a request with a JSON body is changed; all others, and HEAD and OPTIONS, are answered as the document says, with
/// the declared methods in `Allow`.
pub fn accept_other_methods<B>(request: &mut Request<B>) {
    if matches!(*request.method(), Method::PUT | Method::POST)
        && is_liveness(request.uri().path())
        && is_json(request)
    {
        *request.method_mut() = Method::PATCH;
    }
}

fn is_liveness(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    let ["", "applications", application, "services", service, "liveness"] = segments.as_slice() else {
        return false;
    };
    !application.is_empty() && !service.is_empty()
}

fn is_json<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let essence = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    #[test]
    fn only_heartbeats_are_changed() {
        let heartbeat = "/applications/a%2Fb/services/1/liveness";
        for (method, path, content_type, expected) in [
            ("PUT", heartbeat, "application/json", "PATCH"),
            ("POST", heartbeat, "Application/JSON; charset=utf-8", "PATCH"),
            ("POST", heartbeat, "text/plain", "POST"),
            ("PATCH", heartbeat, "application/json", "PATCH"),
            ("DELETE", heartbeat, "application/json", "DELETE"),
            ("OPTIONS", heartbeat, "application/json", "OPTIONS"),
            (
                "PUT",
                "/applications/a/services/1/liveness?x=y",
                "application/json",
                "PATCH",
            ),
            (
                "PUT",
                "/applications/a/services/liveness",
                "application/json",
                "PUT",
            ),
            (
                "PUT",
                "/applications/a/services/1/liveness/",
                "application/json",
                "PUT",
            ),
            (
                "PUT",
                "/applications//services/1/liveness",
                "application/json",
                "PUT",
            ),
            ("POST", "/applications/a/services", "application/json", "POST"),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", content_type);
            let mut request = request.body(()).unwrap();
            accept_other_methods(&mut request);
            assert_eq!(
                request.method().as_str(),
                expected,
                "{method} {path} {content_type}"
            );
        }
    }
}
