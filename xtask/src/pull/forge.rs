//! Files from the forge, over HTTPS.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Client, Response, StatusCode, Url};

use super::origin::{FetchError, FileName};

/// Everything but RFC 3986's unreserved characters; the forge wants the slashes of names escaped too.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// How often a file is asked for before its failure counts.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// More than any OpenAPI document needs; the largest of the 17 has 0.4 MB.
const MAX_BYTES: usize = 32 << 20;

/// The forge's raw-file interface (GitLab's API, version 4).
#[derive(Debug)]
pub(crate) struct Forge {
    client: Client,
    base: String,
}

/// A failed attempt, and whether another one may do better.
struct Failure {
    error: FetchError,
    passing: bool,
}

impl Forge {
    /// The forge at `base`, trusting the system's certificates and the PEM file `ca`.
    pub(crate) fn new(base: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let url = Url::parse(base).with_context(|| format!("--forge {base} is not an address"))?;
        anyhow::ensure!(
            url.scheme() == "https",
            "--forge {base} does not begin with https://"
        );
        let mut builder = Client::builder()
            .user_agent(concat!("mecforge/", env!("CARGO_PKG_VERSION")))
            .https_only(true)
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30));
        if let Some(ca) = ca {
            let pem = std::fs::read(ca).with_context(|| format!("cannot read {}", ca.display()))?;
            let certificates = Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("{} holds no PEM certificates", ca.display()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().context("cannot set up TLS")?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// The bytes of a file, asked for again where the failure may pass.
    pub(crate) async fn fetch(&self, file: &FileName) -> Result<Vec<u8>, FetchError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(file).await {
                Err(Failure { passing: true, .. }) => {}
                Err(failure) => return Err(failure.error),
                Ok(bytes) => return Ok(bytes),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.attempt(file).await.map_err(|failure| failure.error)
    }

    fn address(&self, file: &FileName) -> String {
        let escape = |text| utf8_percent_encode(text, &ESCAPED);
        format!(
            "{}/api/v4/projects/{}%2F{}/repository/files/{}/raw?ref={}",
            self.base,
            escape(&file.group),
            escape(&file.project),
            escape(&file.path),
            escape(&file.reference)
        )
    }

    async fn attempt(&self, file: &FileName) -> Result<Vec<u8>, Failure> {
        let unreachable = |error: reqwest::Error| Failure {
            error: FetchError::Unreachable {
                forge: self.base.clone(),
                reason: innermost(&error),
            },
            passing: true,
        };
        let mut response = self
            .client
            .get(self.address(file))
            .send()
            .await
            .map_err(unreachable)?;
        self.check_status(file, response.status())?;
        let declared_html = is_html_type(&response);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > MAX_BYTES {
                return Err(Failure {
                    error: FetchError::TooLong(file.to_string(), MAX_BYTES),
                    passing: false,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        if declared_html {
            let error = FetchError::Html {
                origin: self.base.clone(),
                file: file.to_string(),
            };
            return Err(Failure {
                error,
                passing: false,
            });
        }
        Ok(bytes)
    }

    fn check_status(&self, file: &FileName, status: StatusCode) -> Result<(), Failure> {
        let (forge, file) = (self.base.clone(), file.to_string());
        match status {
            StatusCode::OK => Ok(()),
            StatusCode::NOT_FOUND => Err(Failure {
                error: FetchError::Missing { origin: forge, file },
                passing: false,
            }),
            status => Err(Failure {
                error: FetchError::Status {
                    forge,
                    file,
                    status: status.as_u16(),
                },
                passing: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
            }),
        }
    }
}

fn is_html_type(response: &Response) -> bool {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The message of the last cause: the outer ones only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut error: &dyn Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
