//! The clients of a platform: the generated ones of Mp1, and one for the platform's own APIs.

use std::time::Duration;

use mec011_app_support as support;
use mec011_service_management as services;
use mecforge_runtime::Bytes;
use mecforge_runtime::client::{Answer, ApiClient, ClientBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Url, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::Connection;
use crate::failure::{Failure, causes};

/// The API for managers.
pub(crate) const MM5: &str = "/mm5/v1";
/// The API for operators.
pub(crate) const ADMINISTRATION: &str = "/administration/v1";

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The most pages of a list that are read, so that a broken platform can't keep a command forever.
const MOST_PAGES: usize = 10_000;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A platform.
pub(crate) struct Platform {
    pub(crate) services: services::Client,
    pub(crate) support: support::Client,
    http: reqwest::Client,
    url: Url,
    timeout: Duration,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

/// A text as one segment of a path, or as a value in a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl Platform {
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        let http = http_client(connection)?;
        let timeout = Duration::from_secs(connection.timeout);
        let usage = |error: &dyn std::error::Error| Failure::Usage(format!("--url: {}", causes(error)));
        Ok(Self {
            services: client(services::Client::builder(&connection.url), &http, timeout)?,
            support: client(support::Client::builder(&connection.url), &http, timeout)?,
            url: Url::parse(&connection.url).map_err(|error| usage(&error))?,
            http,
            timeout,
        })
    }

    /// All items of a list of the platform's own APIs.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = query.to_vec();
            query.push(("limit", "1000"));
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page = self.get(&with_query(path, &query)).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(items),
            }
        }
        Err(Failure::Failed(format!("the list at {path} does not end")))
    }

    /// Something of the platform's own APIs.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.send(Method::GET, path, None).await?;
        decode(&answer, path)
    }

    /// A request to one of the platform's own APIs; the answer is a success.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut request = self.request(method.clone(), path)?.timeout(self.timeout);
        if method != Method::GET {
            // Even without a body: administration takes nothing that a web page elsewhere could send.
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let answer = read(response).await?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(Failure::refused(&answer)),
        }
    }

    /// A response whose body has no end, such as events.
    pub(crate) async fn follow(&self, path: &str) -> Result<reqwest::Response, Failure> {
        let request = self
            .request(Method::GET, path)?
            .header(header::ACCEPT, "text/event-stream");
        // Only the head must come in time.
        let response = tokio::time::timeout(self.timeout, request.send()).await;
        let response = response
            .map_err(|_| Failure::Failed("the platform gave no response in time".to_owned()))?
            .map_err(|error| unreachable(&error))?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(Failure::refused(&read(response).await?)),
        }
    }

    /// A request to a path below the platform's address.
    fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, Failure> {
        let url = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|error| Failure::Failed(format!("{url}: {error}")))?;
        Ok(self.http.request(method, url))
    }
}

/// What an answer has in its body.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer, path: &str) -> Result<T, Failure> {
    serde_json::from_slice(answer.body())
        .map_err(|error| Failure::Failed(format!("the answer of {path} can't be understood: {error}")))
}

/// A path with a query.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    match pairs.collect::<Vec<_>>() {
        pairs if pairs.is_empty() => path.to_owned(),
        pairs => format!("{path}?{}", pairs.join("&")),
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, Failure> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::Failed(format!(
                "the answer is longer than {LONGEST_ANSWER} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer::new(status, headers, Bytes::from(body)))
}

pub(crate) fn unreachable(error: &reqwest::Error) -> Failure {
    Failure::Failed(format!(
        "no response could be had from the server: {}",
        causes(error)
    ))
}

fn client<C: ApiClient>(
    builder: ClientBuilder<C>,
    http: &reqwest::Client,
    timeout: Duration,
) -> Result<C, Failure> {
    let built = builder.http_client(http.clone()).timeout(timeout).build();
    built.map_err(|error| Failure::Usage(format!("--url: {}", causes(&error))))
}

fn http_client(connection: &Connection) -> Result<reqwest::Client, Failure> {
    let mut certificates = Vec::new();
    if let Some(path) = &connection.ca_certificate {
        let usage = |error: &dyn std::error::Error| {
            Failure::Usage(format!("--ca-certificate {}: {}", path.display(), causes(error)))
        };
        let pem = std::fs::read(path).map_err(|error| usage(&error))?;
        certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| usage(&error))?;
        if certificates.is_empty() {
            let name = path.display();
            return Err(Failure::Usage(format!(
                "--ca-certificate {name}: there is no certificate in it"
            )));
        }
    }
    let builder = || {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("mepctl/", env!("CARGO_PKG_VERSION")))
    };
    let with_system_roots = builder().tls_certs_merge(certificates.clone()).build();
    // A system without any certificate authorities, such as a small container, still may speak plain HTTP.
    with_system_roots
        .or_else(|_| builder().tls_certs_only(certificates).build())
        .map_err(|error| Failure::Failed(causes(&error)))
}
