//! The platform's side of Mp1, and what its refusals mean to the agent.

use anyhow::{Context, Result};
use mec011_app_support as support;
use mec011_service_management as services;
use mecforge_runtime::client::{ApiClient, ClientBuilder, Error, RetryPolicy};

use crate::config;

/// The clients of a platform; cheap to clone.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Service management.
    pub services: services::Client,
    /// Application support.
    pub support: support::Client,
}

impl Platform {
    /// The clients of a platform. Nothing is sent yet.
    ///
    /// # Errors
    /// An address or certificate that is none.
    pub fn new(platform: &config::Platform) -> Result<Self> {
        Ok(Self {
            services: client(services::Client::builder(&platform.url), platform)?,
            support: client(support::Client::builder(&platform.url), platform)?,
        })
    }
}

/// One attempt per call: the agent knows better than the client when to try again.
fn client<C: ApiClient>(builder: ClientBuilder<C>, platform: &config::Platform) -> Result<C> {
    let mut builder = builder.timeout(platform.timeout).retry(RetryPolicy::NEVER);
    if let Some(certificate) = &platform.ca_certificate {
        builder = builder.root_certificate(certificate.clone());
    }
    builder.build().context("the platform's address")
}

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The platform can't be reached, or can't answer now: try the same again later.
    Away(String),
    /// The platform does not know what the request is about.
    Unknown(String),
    /// The platform refuses the request.
    Refused(String),
}

impl Trouble {
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Away(message) | Self::Unknown(message) | Self::Refused(message) => message,
        }
    }

    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl<R: 'static> From<Error<R>> for Trouble {
    fn from(error: Error<R>) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        match error.status().map(|status| status.as_u16()) {
            _ if error.is_temporary() => Self::Away(message),
            Some(500..=599) => Self::Away(message),
            Some(404) => Self::Unknown(message),
            _ => Self::Refused(message),
        }
    }
}
