//! How the target is reached: TLS, credentials, header fields, limits.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use mecforge_transport::{Client, Credentials, HttpVersion, Secret, Settings, TargetUrl};

use crate::suite::{Clients, Fixtures};

/// How the target is reached.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConnectionArguments {
    /// A header field for every request, "Name: value"; its value is kept out of reports
    #[arg(long, value_name = "FIELD")]
    header: Vec<String>,
    /// A bearer token; better in the environment
    #[arg(
        long,
        env = "MEC_CONFORMANCE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// OAuth 2.0 client credentials: the token endpoint
    #[arg(long, value_name = "URL", requires = "oauth_client_id")]
    oauth_token_url: Option<String>,
    /// OAuth 2.0 client credentials: the client's identifier
    #[arg(long, value_name = "ID", requires = "oauth_token_url")]
    oauth_client_id: Option<String>,
    /// OAuth 2.0 client credentials: the client's secret; better in the environment
    #[arg(
        long,
        env = "MEC_CONFORMANCE_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    oauth_client_secret: Option<String>,
    /// OAuth 2.0 client credentials: the scope to ask for
    #[arg(long, value_name = "SCOPE")]
    oauth_scope: Option<String>,
    /// AK/SK: the access key
    #[arg(long, value_name = "KEY")]
    access_key: Option<String>,
    /// AK/SK: the secret key; better in the environment
    #[arg(
        long,
        env = "MEC_CONFORMANCE_SECRET_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    secret_key: Option<String>,
    /// AK/SK: where a signed request gets a token; without it every request is signed
    #[arg(long, value_name = "URL")]
    access_key_token_url: Option<String>,
    /// PEM file of the certificates to trust, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM file of our certificate, for mutual TLS
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// PEM file of our certificate's private key
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// Accept any certificate of the target
    #[arg(long)]
    insecure: bool,
    /// Speak HTTP/2 (with prior knowledge on http://)
    #[arg(long)]
    http2: bool,
    /// Requests per second at most
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Seconds that one answer may take at most
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    timeout: f64,
}

/// The options whose values are secrets.
const SECRETS: [&str; 4] = ["--header", "--token", "--oauth-client-secret", "--secret-key"];

/// The command line with `***` for secrets.
pub(super) fn masked_command() -> Vec<String> {
    let mut words = Vec::new();
    let mut hide = false;
    for word in std::env::args() {
        match (hide, word.split_once('=')) {
            (true, _) => words.push("***".to_owned()),
            (false, Some((option, _))) if SECRETS.contains(&option) => words.push(format!("{option}=***")),
            (false, _) => words.push(without_password(&word)),
        }
        hide = !hide && SECRETS.contains(&word.as_str());
    }
    words
}

/// An address without the user and password that it may have.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***@{}", &rest[at + 1..]),
        None => word.to_owned(),
    }
}

/// The settings without credentials, also without header fields that are some by their names.
fn anonymous(settings: &Settings) -> Settings {
    let tells = |name: &str| {
        let name = name.to_ascii_lowercase();
        let words = [
            "auth",
            "cookie",
            "token",
            "key",
            "secret",
            "session",
            "credential",
        ];
        words.iter().any(|word| name.contains(word))
    };
    let mut settings = settings.clone();
    settings.headers.retain(|(name, _)| !tells(name));
    settings.credentials = Credentials::None;
    settings
}

/// The token of the second identity, which no client of its own may have masked yet.
fn other_token(fixtures: &Fixtures) -> Option<String> {
    fixtures.identity.get(1)?.token()
}

impl ConnectionArguments {
    /// Clients of the main application, the other one, and nobody.
    pub(super) fn clients(&self, target: &str, fixtures: &Fixtures) -> anyhow::Result<Clients> {
        let mut settings = Settings::new(TargetUrl::parse(target)?);
        if !(self.timeout > 0.0 && self.timeout <= 600.0) {
            bail!("--timeout is more than 0 and at most 600 seconds");
        }
        settings.timeout = Duration::from_secs_f64(self.timeout);
        settings.rate = self.rate;
        if self.http2 {
            settings.http_version = HttpVersion::Http2Prior;
        }
        let read = |path: &PathBuf| std::fs::read(path).with_context(|| format!("{}", path.display()));
        settings.tls.roots = self.ca.as_ref().map(read).transpose()?;
        settings.tls.insecure = self.insecure;
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            settings.tls.client_certificate = Some((read(certificate)?, Secret::new(read(key)?)));
        }
        for field in &self.header {
            let (name, value) = field.split_once(':').with_context(|| {
                format!(
                    "--header {name:?} is no \"Name: value\"",
                    name = field.split(':').next().unwrap_or_default()
                )
            })?;
            settings
                .headers
                .push((name.trim().to_owned(), Secret::new(value.trim().to_owned())));
        }
        let token = |index: usize| {
            let token = fixtures.identity.get(index)?.token()?;
            Some(Credentials::Bearer(Secret::new(token)))
        };
        settings.credentials = self.credentials().or_else(|| token(0)).unwrap_or_default();
        let mut other_version = settings.clone();
        other_version.http_version = match self.http2 {
            true => HttpVersion::Http1,
            false => HttpVersion::Http2Prior,
        };
        let other_version = Client::new(other_version)?;
        let anonymous = anonymous(&settings);
        let credentials = !matches!(settings.credentials, Credentials::None)
            || anonymous.headers.len() < settings.headers.len();
        let authorizes = !matches!(settings.credentials, Credentials::None)
            || settings
                .headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let shares = anonymous.headers.len() == settings.headers.len();
        let main = Client::new(settings)?;
        let others = [
            fixtures.expired_token(),
            fixtures.foreign_audience_token(),
            other_token(fixtures),
        ];
        for secret in others.into_iter().flatten() {
            main.masker().add_secret(&secret);
        }
        let other = token(1)
            .map(|credentials| main.with_credentials(credentials))
            .transpose()?;
        let nobody = match shares {
            true => main.with_credentials(Credentials::None)?,
            false => Client::new(anonymous)?,
        };
        Ok(Clients {
            main,
            other,
            nobody,
            other_version,
            credentials,
            authorizes,
        })
    }

    fn credentials(&self) -> Option<Credentials> {
        if let Some(token) = &self.token {
            return Some(Credentials::Bearer(Secret::new(token.clone())));
        }
        if let (Some(token_url), Some(client_id)) = (&self.oauth_token_url, &self.oauth_client_id) {
            return Some(Credentials::ClientCredentials {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: Secret::new(self.oauth_client_secret.clone().unwrap_or_default()),
                scope: self.oauth_scope.clone(),
                audience: None,
            });
        }
        let access_key = self.access_key.clone()?;
        Some(Credentials::AccessKey {
            access_key,
            secret_key: Secret::new(self.secret_key.clone().unwrap_or_default()),
            token_url: self.access_key_token_url.clone(),
        })
    }
}
