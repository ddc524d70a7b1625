//! One platform: the store, the handlers behind their APIs, the pages, and how a request finds its way.

use std::any::Any;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::body::Body;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use mecforge_contracts::rules::DnsRules;
use mecforge_runtime::operation::Operation;
use mecforge_runtime::server::{Answered, ApiService, BodyLimit, Mount, Problem, PublicUrl, RequestId};
use mecforge_store::{Embedded, Store};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::answers::{Answers, Question};
use crate::config::Settings;
use crate::pages::{Pages, console};
use crate::telemetry::access::{self, Access, REQUEST_ID, RequestIds};
use crate::telemetry::metrics::{Metrics, Series};
use crate::telemetry::panics;
use crate::wiring;

/// One API and where it hangs.
pub struct Api {
    /// The API's identifier, for example `mec011-service-management`.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The path below which its resources are.
    pub base_path: &'static str,
    /// What describes it, if anything does.
    pub document: Option<Document>,
    /// [`Api::base_path`] as requests carry it, where [`Api::service`] sees targets from below it; `None` where it
    /// sees whole ones.
    pub mount: Option<Mount>,
    /// What is done to a request before the service sees it.
    pub adapt: Option<fn(&mut Request<Body>)>,
    /// What answers its requests.
    pub service: Service,
}

/// An OpenAPI document and where it is served.
pub struct Document {
    /// The path, for example `/openapi/mec011-service-management.json`.
    pub path: &'static str,
    /// The document, as JSON.
    pub text: Cow<'static, str>,
}

/// What answers the requests of an API.
pub enum Service {
    /// Routes of the runtime: all APIs that are generated, and some that are not.
    Routes(ApiService),
    /// A router of axum.
    Router(axum::Router),
}

/// A platform that is open for requests.
pub struct Platform {
    store: Arc<dyn Store>,
    apis: Vec<Api>,
    pages: Pages,
    metrics: Metrics,
    answers: Arc<Answers>,
    request_ids: RequestIds,
    public_url: Option<PublicUrl>,
    body_limit: BodyLimit,
    header_limit: usize,
    patience: Duration,
    access_log: bool,
    draining: watch::Sender<bool>,
    name_server: Arc<dyn DnsRules>,
    /// What works in the background as long as this is kept.
    _running: Vec<Box<dyn Any + Send + Sync>>,
}

impl Platform {
    /// Opens the store and puts everything together. `address` is where the platform listens.
    ///
    /// # Errors
    /// A store that cannot be opened, or settings that the handlers refuse.
    pub async fn open(settings: &Settings, address: SocketAddr) -> Result<Self> {
        let store = Embedded::open(&settings.data_dir).context("cannot open the store")?;
        Self::with_store(Arc::new(store), settings, address).await
    }

    /// A platform on a store that is open already.
    ///
    /// # Errors
    /// Settings that the handlers refuse, or a store that takes no writes.
    pub async fn with_store(store: Arc<dyn Store>, settings: &Settings, address: SocketAddr) -> Result<Self> {
        let wired = wiring::wire(&store, settings, address).await?;
        // After the handlers have attached their indices.
        let answers = Arc::new(Answers::new(wired.kept));
        for prefix in wired.kept_from {
            store.attach(prefix, answers.clone());
        }
        Ok(Self {
            pages: Pages::new(&wired.apis),
            metrics: wired.metrics,
            answers,
            store,
            apis: wired.apis,
            request_ids: RequestIds::default(),
            public_url: settings.public_url.as_deref().map(PublicUrl::new),
            body_limit: BodyLimit(settings.limits.body_bytes),
            header_limit: settings.limits.header_bytes,
            patience: Duration::from_secs(settings.limits.request_seconds),
            access_log: settings.log.access,
            draining: watch::Sender::new(false),
            name_server: wired.name_server,
            _running: wired.running,
        })
    }

    /// Where the name server answers; nowhere if it is off.
    #[must_use]
    pub fn name_server(&self) -> Vec<SocketAddr> {
        self.name_server.listens_on()
    }

    /// Makes `/readyz` say that no more requests should be sent here, and ends streams of events.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Answers one request, whatever it is.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let begun = Instant::now();
        let request_id = self.request_ids.identify(request.headers());
        let line = self
            .access_log
            .then(|| (request.method().clone(), request.uri().clone()));
        let question = self
            .answers
            .question(&request)
            .filter(|_| has_valid_host(&request));
        let kept = question.as_ref().and_then(|question| self.answers.get(question));
        let (mut response, operation, series) = match kept {
            Some(kept) => (kept.response(), Some(kept.operation), kept.series.clone()),
            None => self.compute(request, &request_id, question).await,
        };
        let elapsed = begun.elapsed();
        series.count(elapsed);
        if let Some((method, uri)) = line {
            let (status, operation) = (response.status(), operation.map(|operation| operation.name));
            let request_id = access::text_of(&request_id);
            Access {
                request_id,
                method: &method,
                path: uri.path(),
                operation,
                status,
                elapsed,
            }
            .log();
        }
        response.headers_mut().insert(REQUEST_ID, request_id);
        response
    }

    /// Answers a request that is not answered by what was kept.
    async fn compute(
        &self,
        mut request: Request<Body>,
        request_id: &HeaderValue,
        question: Option<Question>,
    ) -> (Response<Body>, Option<&'static Operation>, Series) {
        request
            .extensions_mut()
            .insert(RequestId::new(access::text_of(request_id)));
        let (api, mut response) = match self.mounted(request.uri().path()) {
            _ if head_size(&request) > self.header_limit => ("", self.refuse_head()),
            _ if !has_valid_host(&request) => ("", refuse_host()),
            Some(_) if is_of_another_site(&request, self.public_url.as_ref()) => ("", refuse_other_site()),
            Some(api) => {
                let response = self.ask(api, request).await;
                match question {
                    Some(question) => {
                        let series = |operation| {
                            self.metrics
                                .series(api.id, Some(operation), StatusCode::OK.as_u16())
                        };
                        (api.id, self.answers.keep(question, response, series).await)
                    }
                    None => (api.id, response),
                }
            }
            None => ("", self.page(&request)),
        };
        let operation = response
            .extensions_mut()
            .remove::<Answered>()
            .map(|answered| answered.0);
        let series = self.metrics.series(api, operation, response.status().as_u16());
        (response, operation, series)
    }

    /// The API that a path belongs to.
    fn mounted(&self, path: &str) -> Option<&Api> {
        self.apis.iter().find(|api| {
            path.strip_prefix(api.base_path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn refuse_head(&self) -> Response<Body> {
        let detail = format!(
            "the head of the request is longer than the limit of {} bytes",
            self.header_limit
        );
        Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail).into_http()
    }

    async fn ask(&self, api: &Api, mut request: Request<Body>) -> Response<Body> {
        if let Some(mount) = &api.mount {
            let Some(uri) = below(request.uri(), api.base_path) else {
                return Problem::bad_request("the request target is not valid").into_http();
            };
            *request.uri_mut() = uri;
            request.extensions_mut().insert(mount.clone());
        }
        if let Some(adapt) = api.adapt {
            adapt(&mut request);
        }
        let extensions = request.extensions_mut();
        if let Some(public_url) = &self.public_url {
            extensions.insert(public_url.clone());
        }
        if self.body_limit != BodyLimit::DEFAULT {
            extensions.insert(self.body_limit);
        }
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return self.serve(&api.service, request).await;
        }
        // A client that sends its body too slowly must not hold on to a place for ever.
        match tokio::time::timeout(self.patience, self.serve(&api.service, request)).await {
            Ok(response) => response,
            Err(_) => {
                let detail = format!("the request was not complete after {} s", self.patience.as_secs());
                Problem::new(StatusCode::REQUEST_TIMEOUT, detail).into_http()
            }
        }
    }

    async fn serve(&self, service: &Service, request: Request<Body>) -> Response<Body> {
        match service {
            Service::Routes(service) => service.answer(request).await,
            Service::Router(router) => {
                let Ok(response) = router.clone().oneshot(request).await;
                self.until_drained(response)
            }
        }
    }

    /// A stream of events would go on for ever: it ends when the platform does.
    fn until_drained(&self, response: Response<Body>) -> Response<Body> {
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if !media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/event-stream")) {
            return response;
        }
        let mut draining = self.draining.subscribe();
        response.map(|body| {
            let drained = async move {
                // An error means that the platform is gone, which ends the stream as well.
                let _ = draining.wait_for(|draining| *draining).await;
            };
            Body::from_stream(body.into_data_stream().take_until(Box::pin(drained)))
        })
    }

    /// Everything that is no API: pages for people, and figures for machines.
    fn page(&self, request: &Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        let Some(page) = self.find_page(path, request) else {
            return Problem::not_found(format!("there is nothing at {path}"))
                .with_instance(path)
                .into_http();
        };
        match *request.method() {
            Method::GET => page,
            Method::HEAD => page.map(|_| Body::empty()),
            _ => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this page can only be read")
                .with_header(header::ALLOW, "GET, HEAD")
                .with_instance(path)
                .into_http(),
        }
    }

    fn find_page(&self, path: &str, request: &Request<Body>) -> Option<Response<Body>> {
        match path {
            "/healthz" => Some(Pages::text(StatusCode::OK, "alive\n".to_owned())),
            "/readyz" => Some(self.readiness()),
            "/metrics" => Some(self.pages.metrics(self.metrics.render())),
            _ => console::find(path, request.headers()).or_else(|| {
                self.pages
                    .find(path, &self.apis, self.public_url.as_ref(), request)
            }),
        }
    }

    fn readiness(&self) -> Response<Body> {
        let not_ready =
            |reason: String| Pages::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"));
        if *self.draining.borrow() {
            return not_ready("the platform is stopping".to_owned());
        }
        if panics::count() > 0 {
            return not_ready(
                "a task has panicked, the log tells where; start the platform again".to_owned(),
            );
        }
        match self.store.health() {
            Ok(()) => Pages::text(StatusCode::OK, "ready\n".to_owned()),
            Err(reason) => not_ready(reason),
        }
    }
}

/// Whether `Host` is there as RFC 9112 section 3.2 asks: once (HTTP/1.0 may do without), and host and port only.
fn has_valid_host(request: &Request<Body>) -> bool {
    let mut values = request.headers().get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => host.is_empty() || is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

fn is_host(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(byte);
    text.iter().all(plain) && http::uri::Authority::try_from(text).is_ok()
}

/// Whether a page of another origin makes a browser change something here.
///
/// The platform sends no CORS headers, which keeps other pages from reading; what a page can send without being asked
/// first (Fetch, "no-cors") must not change anything either: nobody is authenticated on a developer's machine.
fn is_of_another_site(request: &Request<Body>, public_url: Option<&PublicUrl>) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let header = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    if let Some(site) = header(&HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, b"same-origin" | b"none");
    }
    let Some(origin) = header(&header::ORIGIN) else {
        return false;
    };
    let own = public_url.is_some_and(|url| url.as_str().as_bytes().starts_with(origin));
    let authority = origin
        .windows(3)
        .position(|window| window == b"://")
        .map(|place| &origin[place + 3..]);
    !own && (authority.is_none() || authority != header(&header::HOST))
}

fn refuse_other_site() -> Response<Body> {
    Problem::forbidden("a page of another origin must not change anything on this platform")
        .with_parameter("Origin")
        .into_http()
}

fn refuse_host() -> Response<Body> {
    Problem::bad_request("the request must have one Host header with a host, and a port if need be")
        .with_parameter("Host")
        .into_http()
}

/// Bytes of target and headers, as they are sent.
fn head_size(request: &Request<Body>) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    request.headers().iter().fold(target, |size, (name, value)| {
        size + name.as_str().len() + value.len() + 4
    })
}

/// The same target as seen from below `base`, with its query.
fn below(uri: &Uri, base: &str) -> Option<Uri> {
    let target = uri.path_and_query()?.as_str().get(base.len()..)?;
    if target.is_empty() || target.starts_with('?') {
        format!("/{target}").parse().ok()
    } else {
        target.parse().ok()
    }
}
