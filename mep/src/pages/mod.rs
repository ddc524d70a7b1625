//! What the platform shows apart from its APIs: an index, the API documents and an explorer for them, the console.
//!
//! Everything comes from the binary itself; no page refers to another host.

pub(crate) mod console;
mod document;

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use mecforge_runtime::server::{Caller, Principal, Problem, PublicUrl};
use utoipa_swagger_ui::{Config, Url};

use crate::platform::Api;
use crate::telemetry::metrics;

/// The pages of one platform.
pub struct Pages {
    index: String,
    explorer: Arc<Config<'static>>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    /// Pages about these APIs.
    #[must_use]
    pub fn new(apis: &[Api]) -> Self {
        let urls = apis
            .iter()
            .filter_map(|api| Some(Url::new(api.title, api.document.as_ref()?.path)));
        Self {
            index: index(apis),
            explorer: Arc::new(Config::new(urls)),
        }
    }

    /// The page at a path, if there is one.
    pub(crate) fn find(
        &self,
        path: &str,
        apis: &[Api],
        public_url: Option<&PublicUrl>,
        request: &Request<Body>,
    ) -> Option<Response<Body>> {
        match path {
            "/" => Some(respond(
                StatusCode::OK,
                "text/html; charset=utf-8",
                self.index.clone(),
            )),
            "/explorer" => Some(redirect("/explorer/")),
            _ => {
                if let Some(file) = path.strip_prefix("/explorer/") {
                    return self.explorer(file);
                }
                let described = apis.iter().filter_map(|api| Some((api, api.document.as_ref()?)));
                let (api, document) = described
                    .into_iter()
                    .find(|(_, document)| document.path == path)?;
                let base = base_url(request, public_url) + api.base_path;
                Some(document::with_server(&document.text, &base).map_or_else(
                    |error| Problem::internal(error).into_http(),
                    |document| respond(StatusCode::OK, "application/json", document),
                ))
            }
        }
    }

    fn explorer(&self, file: &str) -> Option<Response<Body>> {
        match utoipa_swagger_ui::serve(file, self.explorer.clone()) {
            Ok(Some(file)) => Some(respond(
                StatusCode::OK,
                &file.content_type,
                file.bytes.into_owned(),
            )),
            Ok(None) => None,
            Err(error) => Some(Problem::internal(error.to_string()).into_http()),
        }
    }

    /// The answer to a scrape.
    pub(crate) fn metrics(&self, rendered: Result<String, fmt::Error>) -> Response<Body> {
        match rendered {
            Ok(text) => respond(StatusCode::OK, metrics::MEDIA_TYPE, text),
            Err(error) => Problem::internal(error).into_http(),
        }
    }

    /// A line of plain text.
    pub(crate) fn text(status: StatusCode, text: String) -> Response<Body> {
        respond(status, "text/plain; charset=utf-8", text)
    }
}

/// Scheme and authority of this platform as the client sees them.
fn base_url(request: &Request<Body>, public_url: Option<&PublicUrl>) -> String {
    if let Some(url) = public_url {
        return url.as_str().to_owned();
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.map_or_else(
        || Caller::local(Principal::Anonymous).base_url(),
        |host| format!("http://{host}"),
    )
}

fn respond(status: StatusCode, media_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let media_type =
        HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn redirect(to: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static(to));
    response
}

fn index(apis: &[Api]) -> String {
    let rows: String = apis
        .iter()
        .map(|api| {
            let Api {
                id,
                title,
                base_path,
                document,
                ..
            } = api;
            let document = document.as_ref().map_or_else(
                || "none".to_owned(),
                |document| format!("<a href=\"{}\">{id}.json</a>", document.path),
            );
            format!("<tr><td>{title}</td><td><code>{base_path}</code></td><td>{document}</td></tr>\n")
        })
        .collect();
    include_str!("index.html")
        .replace("{{rows}}", &rows)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}
