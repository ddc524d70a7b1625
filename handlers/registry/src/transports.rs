//! The transports that the platform offers to services (MEC 011 clause 8.2.5).

use mec011_service_management::{EndPointInfo, SecurityInfo, TransportInfo, TransportType};
use mecforge_runtime::Invalid;

/// The offered transports, in the order in which they are listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Transports(Vec<TransportInfo>);

/// A transport in the configuration that is none.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTransport {
    /// It breaks a rule of `TransportInfo`.
    #[error("transport {number} of the configuration: {invalid}")]
    Rule {
        /// Which one, counted from 1.
        number: usize,
        /// Where and what.
        invalid: Invalid,
    },
    /// Two have one identifier.
    #[error("two transports of the configuration have the identifier {0:?}")]
    Twice(String),
}

impl Transports {
    /// The transport that a platform offers if nothing is configured: REST over HTTP, reached through the platform's
    /// own address. Its identifier is `rest-http` in every platform and release.
    #[must_use]
    pub fn standard(platform_url: &str) -> Self {
        let endpoint = EndPointInfo::default().uris(vec![platform_url.to_owned()]);
        let transport = TransportInfo::new(
            "rest-http",
            "REST",
            TransportType::RestHttp,
            "HTTP",
            "1.1",
            endpoint,
            SecurityInfo::default(),
        );
        Self(vec![transport.description("REST over HTTP")])
    }

    /// Transports from a configuration, each an object as `TransportInfo` has it.
    ///
    /// # Errors
    /// The first transport that breaks a rule, or has the identifier of another.
    pub fn configured(transports: &[serde_json::Value]) -> Result<Self, InvalidTransport> {
        let mut read: Vec<TransportInfo> = Vec::new();
        for (index, value) in transports.iter().enumerate() {
            let rule = |invalid| InvalidTransport::Rule {
                number: index + 1,
                invalid,
            };
            let transport: TransportInfo =
                mecforge_runtime::from_slice(value.to_string().as_bytes()).map_err(rule)?;
            if read.iter().any(|known| known.id == transport.id) {
                return Err(InvalidTransport::Twice(transport.id));
            }
            read.push(transport);
        }
        Ok(Self(read))
    }

    /// The transport with an identifier.
    pub(crate) fn get(&self, id: &str) -> Option<&TransportInfo> {
        self.0.iter().find(|transport| transport.id == id)
    }

    /// All of them.
    pub fn all(&self) -> &[TransportInfo] {
        &self.0
    }
}
