//! Credentials as headers: bearer tokens that we have, that an endpoint issues, and signatures.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::access_key::{Signed, sign};
use crate::compose::compose;
use crate::connect::Connector;
use crate::exchange::{Request, Response};
use crate::perform::{Limits, perform};
use crate::pool::Pool;
use crate::secret::Masker;
use crate::settings::{ConfigError, Credentials, Settings};
use crate::target::TargetUrl;

/// A token is renewed this long before it expires.
const MARGIN: Duration = Duration::from_secs(30);

/// A token that is refused is asked for anew only if it is at least this old, so that a server that refuses every
/// token does not make two requests of each.
const LEAST_AGE: Duration = Duration::from_secs(5);

/// Proves who asks.
pub(crate) struct Authorizer {
    credentials: Credentials,
    endpoint: Option<Endpoint>,
    masker: Arc<Masker>,
}

/// Where tokens come from.
struct Endpoint {
    pool: Pool,
    target: TargetUrl,
    /// Path and query of the endpoint.
    path: String,
    limits: Limits,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    header: String,
    issued: Instant,
    /// When it is to be renewed, and when it expires; unknown where the server does not say.
    renewal: Option<Instant>,
    expiry: Option<Instant>,
}

impl Authorizer {
    /// An authorizer for the credentials; its requests to a token endpoint use the TLS and the limits of `settings`.
    pub(crate) fn new(
        credentials: Credentials,
        settings: &Settings,
        masker: Arc<Masker>,
    ) -> Result<Self, ConfigError> {
        let url = match &credentials {
            Credentials::ClientCredentials {
                token_url,
                client_id,
                client_secret,
                ..
            } => {
                masker.add_secret(client_secret.expose());
                masker.add_secret(&basic(client_id, client_secret.expose()));
                Some(token_url)
            }
            Credentials::AccessKey {
                secret_key,
                token_url,
                ..
            } => {
                masker.add_secret(secret_key.expose());
                token_url.as_ref()
            }
            Credentials::Bearer(token) => {
                masker.add_secret(token.expose());
                if crate::compose::header("authorization", token.expose()).is_none() {
                    return Err(ConfigError::Header("authorization".to_owned()));
                }
                None
            }
            Credentials::None => None,
        };
        let endpoint = url.map(|url| Endpoint::new(url, settings)).transpose()?;
        Ok(Self {
            credentials,
            endpoint,
            masker,
        })
    }

    /// The headers for a request.
    ///
    /// # Errors
    /// One sentence that says why there is no token.
    pub(crate) async fn headers(
        &self,
        target: &TargetUrl,
        request: &Request,
    ) -> Result<Vec<(String, String)>, String> {
        if let Some(endpoint) = &self.endpoint {
            let token = self.token(endpoint, None).await?;
            return Ok(authorization(token.header));
        }
        match &self.credentials {
            Credentials::Bearer(token) => Ok(authorization(format!("Bearer {}", token.expose()))),
            Credentials::AccessKey {
                access_key,
                secret_key,
                ..
            } => {
                let find = |name: &str| {
                    let found = request
                        .headers
                        .iter()
                        .find(|(other, _)| other.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.as_str())
                };
                let authority = target.authority();
                let signed = Signed {
                    method: &request.method,
                    target: &request.target,
                    host: find("host").unwrap_or(&authority),
                    content_type: find("content-type"),
                    body: request.body.as_deref().unwrap_or_default(),
                };
                sign(access_key, secret_key.expose(), &signed, SystemTime::now())
            }
            Credentials::ClientCredentials { .. } | Credentials::None => Ok(Vec::new()),
        }
    }

    /// Headers for a second try after 401, if the token was to blame: it has expired, or the server calls it invalid.
    pub(crate) async fn after_refusal(
        &self,
        sent: &[(String, String)],
        refusal: &Response,
    ) -> Option<Vec<(String, String)>> {
        let endpoint = self.endpoint.as_ref()?;
        let used = &sent.iter().find(|(name, _)| name == "authorization")?.1;
        let invalid = refusal
            .header_all("www-authenticate")
            .any(|value| value.contains("invalid_token"));
        let now = Instant::now();
        {
            let token = endpoint.token.lock().await;
            let current = token.as_ref()?;
            let expired = current.expiry.is_some_and(|expiry| expiry <= now);
            let old = current.issued + LEAST_AGE <= now;
            if current.header == *used && !(expired || old && (invalid || current.expiry.is_none())) {
                return None;
            }
        }
        let token = self.token(endpoint, Some(used)).await.ok()?;
        Some(authorization(token.header))
    }

    /// The cached token, or a new one if there is none, if it is about to expire, or if it is the refused one.
    async fn token(&self, endpoint: &Endpoint, refused: Option<&str>) -> Result<Token, String> {
        // The lock is held while a token is asked for, so that many tasks ask once.
        let mut cached = endpoint.token.lock().await;
        if let Some(token) = &*cached {
            let fresh = token.renewal.is_none_or(|renewal| Instant::now() < renewal);
            if fresh && refused != Some(token.header.as_str()) {
                return Ok(token.clone());
            }
        }
        let value = match &self.credentials {
            Credentials::AccessKey {
                access_key,
                secret_key,
                ..
            } => endpoint.by_signature(access_key, secret_key.expose()).await,
            Credentials::ClientCredentials {
                client_id,
                client_secret,
                scope,
                audience,
                ..
            } => {
                let fields = [("scope", scope.as_deref()), ("audience", audience.as_deref())];
                endpoint
                    .by_secret(client_id, client_secret.expose(), &fields)
                    .await
            }
            Credentials::None | Credentials::Bearer(_) => return Err("no token endpoint".to_owned()),
        };
        let issued = value
            .and_then(|response| read_token(&response))
            .map_err(|reason| {
                format!(
                    "{}{} gave no token: {reason}",
                    endpoint.target.origin(),
                    endpoint.path
                )
            })?;
        self.masker.add_secret(&issued.0);
        let now = Instant::now();
        let token = Token {
            header: format!("Bearer {}", issued.0),
            issued: now,
            // A token that lives for less than a minute is used for half of its life.
            renewal: issued
                .1
                .map(|life| now + life.saturating_sub(MARGIN).max(life / 2)),
            expiry: issued.1.map(|life| now + life),
        };
        *cached = Some(token.clone());
        Ok(token)
    }
}

impl Endpoint {
    fn new(url: &str, settings: &Settings) -> Result<Self, ConfigError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let target = TargetUrl::parse(base).map_err(|error| ConfigError::TokenUrl(error.to_string()))?;
        let path = base
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
        let mut path = path.unwrap_or_else(|| "/".to_owned());
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        let connector = Connector::new(target.clone(), settings)?;
        Ok(Self {
            pool: Pool::new(connector, settings.header_limit),
            target,
            path,
            limits: Limits {
                timeout: settings.timeout,
                body: settings.body_limit.min(1 << 20),
            },
            token: Mutex::new(None),
        })
    }

    /// RFC 6749 clause 4.4.2, authenticated by Basic, which every server must support (clause 2.3.1); servers that
    /// do not are asked again with the secret in the body.
    async fn by_secret(
        &self,
        client_id: &str,
        client_secret: &str,
        fields: &[(&str, Option<&str>)],
    ) -> Result<Response, String> {
        let mut form = "grant_type=client_credentials".to_owned();
        for (name, value) in fields.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            form = format!("{form}&{name}={}", escape(value));
        }
        let media_type = "application/x-www-form-urlencoded";
        let request = Request::new("POST", self.path.clone()).header("accept", "application/json");
        let authenticated = request.clone().body(media_type, form.clone()).header(
            "authorization",
            format!("Basic {}", basic(client_id, client_secret)),
        );
        let response = self.ask(&authenticated).await?;
        if !matches!(response.status, 400 | 401) {
            return Ok(response);
        }
        let form = format!(
            "{form}&client_id={}&client_secret={}",
            escape(client_id),
            escape(client_secret)
        );
        let second = self.ask(&request.body(media_type, form)).await?;
        // The first refusal is the one that the standard defines.
        Ok(if second.status == 200 { second } else { response })
    }

    async fn by_signature(&self, access_key: &str, secret_key: &str) -> Result<Response, String> {
        let authority = self.target.authority();
        let signed = Signed {
            method: "POST",
            target: &self.path,
            host: &authority,
            content_type: Some("application/json"),
            body: &[],
        };
        let mut request = Request::new("POST", self.path.clone()).body("application/json", "");
        request
            .headers
            .extend(sign(access_key, secret_key, &signed, SystemTime::now())?);
        self.ask(&request).await
    }

    async fn ask(&self, request: &Request) -> Result<Response, String> {
        let composed = compose(&self.target, &[], request, &[]).map_err(|fault| fault.to_string())?;
        perform(&self.pool, &composed, self.limits, false)
            .await
            .outcome
            .map_err(|fault| fault.to_string())
    }
}

fn authorization(value: String) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), value)]
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn basic(client_id: &str, client_secret: &str) -> String {
    BASE64_STANDARD.encode(format!("{}:{}", escape(client_id), escape(client_secret)))
}

/// The token and its life (RFC 6749 clause 5.1), or what the server said instead (clause 5.2).
fn read_token(response: &Response) -> Result<(String, Option<Duration>), String> {
    let json = response.json();
    if response.status != 200 {
        let error = json
            .ok()
            .and_then(|json| json.get("error"))
            .and_then(Value::as_str);
        let detail = json
            .ok()
            .and_then(|json| json.get("error_description"))
            .and_then(Value::as_str);
        return Err(match (error, detail) {
            (Some(error), Some(detail)) => format!("status {}, {error}: {detail}", response.status),
            (Some(error), None) => format!("status {}, {error}", response.status),
            (None, _) => format!("status {}", response.status),
        });
    }
    let json = json.map_err(|error| format!("its body is not JSON: {error}"))?;
    let token = json
        .get("access_token")
        .and_then(Value::as_str)
        .ok_or("access_token is missing")?;
    if token.is_empty() || crate::compose::header("authorization", token).is_none() {
        return Err("access_token has characters that no header can carry".to_owned());
    }
    match json.get("token_type").and_then(Value::as_str) {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
            return Err(format!("token_type is {kind:?}, and only Bearer is understood"));
        }
        _ => {}
    }
    // Some servers write the number as a string.
    let seconds = json
        .get("expires_in")
        .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    // A life beyond a century would overflow the clock.
    let life = seconds.map(|seconds| Duration::from_secs(seconds.min(3_000_000_000)));
    Ok((token.to_owned(), life))
}
