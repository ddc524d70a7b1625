//! What the agent is to do: read from a file and the environment, checked before anything is sent.

mod environment;
mod file;
mod predecessor;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use mec011_app_support::AppInfo;
use mec011_service_management::{SerAvailabilityNotificationSubscriptionRequest, ServiceInfoRequest};
use mecforge_runtime::Decode;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use environment::Environment;

/// Where the agent listens for its application unless it is told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8180";

/// The platform's address unless the agent is told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 1024 * 1024;

/// What the agent is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// The platform that the services are registered with.
    pub platform: Platform,
    /// The application instance that the services belong to.
    pub application: Application,
    /// The services.
    pub services: Vec<ServiceInfoRequest>,
    /// Subscriptions to the availability of other services.
    pub subscriptions: Vec<SerAvailabilityNotificationSubscriptionRequest>,
    /// Where the agent answers its application; `None` for nowhere.
    pub listen: Option<SocketAddr>,
    /// Where the agent keeps what the platform has assigned, so that it finds it again after a crash.
    pub state_file: Option<PathBuf>,
    /// How often it is checked that the platform still has everything.
    pub check_interval: Duration,
    /// The longest wait between two attempts to reach the platform.
    pub longest_delay: Duration,
    /// Whether services, subscriptions and an own registration are removed when the agent stops.
    pub remove_on_stop: bool,
    /// How long removing them may take.
    pub stop_timeout: Duration,
}

/// How the platform is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The address, without the paths of the APIs.
    pub url: String,
    /// Certificates (PEM) of authorities to be trusted besides the system's.
    pub ca_certificate: Option<Vec<u8>>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// The application instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Application {
    /// Its identifier; `None` where the platform is to assign one at the registration.
    pub app_instance_id: Option<String>,
    /// What to register it with; `None` where somebody else has made it known to the platform.
    pub registration: Option<AppInfo>,
    /// Whether the platform is told that the application is ready, once all its services are registered.
    pub confirm_ready: bool,
}

impl Configuration {
    /// Reads a file: TOML where its name ends in `.toml`, else YAML; the agent's own format, or the one of
    /// EdgeGallery's mep-agent where it has `serviceInfoPosts`. The environment has precedence.
    ///
    /// # Errors
    /// A file that can't be read, and anything in it that breaks a rule, with its place.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self> {
        let name = path.display().to_string();
        let text = read(path)?;
        let read = match path.extension().is_some_and(|extension| extension == "toml") {
            true => Self::from_text(&text, Format::Toml, environment),
            false => Self::from_text(&text, Format::Yaml, environment),
        };
        let mut configuration = read.with_context(|| name.clone())?;
        if configuration.needs_state() && configuration.state_file.is_none() {
            configuration.state_file = Some(PathBuf::from(format!("{name}.state.json")));
        }
        Ok(configuration)
    }

    /// Reads a configuration from text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_text(text: &str, format: Format, environment: &Environment) -> Result<Self> {
        let configuration = match format.parse::<predecessor::Marks>(text) {
            Ok(marks) if marks.is_predecessor() => {
                format.parse::<predecessor::File>(text)?.resolve(environment)?
            }
            _ => format.parse::<file::File>(text)?.resolve(environment)?,
        };
        configuration.check()?;
        Ok(configuration)
    }

    /// Whether the platform assigns an identifier that the agent must remember.
    fn needs_state(&self) -> bool {
        self.application.registration.is_some() && self.application.app_instance_id.is_none()
    }

    fn check(&self) -> Result<()> {
        if self.application.app_instance_id.is_none() && self.application.registration.is_none() {
            bail!(
                "the application instance is not named: set application.appInstanceId or the environment \
                 variable APPINSTID, or let the agent register it with application.registration"
            );
        }
        for (index, service) in self.services.iter().enumerate() {
            if let Some(earlier) = self.services[..index].iter().position(|other| other == service) {
                bail!("services[{index}] is the same as services[{earlier}]");
            }
        }
        crate::platform::Platform::new(&self.platform)?;
        Ok(())
    }
}

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2, of which JSON is a part.
    Yaml,
    /// TOML 1.0.
    Toml,
}

impl Format {
    fn parse<T: DeserializeOwned>(self, text: &str) -> Result<T> {
        match self {
            Self::Yaml => serde_saphyr::from_str(text).map_err(|error| anyhow!("{error}")),
            Self::Toml => toml::from_str(text).map_err(|error| anyhow!("{error}")),
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let name = path.display();
    let length = std::fs::metadata(path)
        .with_context(|| format!("cannot read the configuration {name}"))?
        .len();
    if length > LONGEST_FILE {
        bail!("{name} has {length} bytes, more than the {LONGEST_FILE} that are read");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {name}"))
}

/// A value of the file as the API's type, which checks the API's rules.
fn typed<T: Decode>(place: &str, value: &impl Serialize) -> Result<T> {
    let json = serde_json::to_vec(value).with_context(|| format!("{place} can't be written as JSON"))?;
    mecforge_runtime::from_slice(&json)
        .map_err(|invalid| anyhow!("{place}{} {}", invalid.pointer(), invalid.message()))
}
