//! Proofs that faults are really there: the same requests, with and without the fault, must look different.
//!
//! A tour is a script of requests. Its transcript has everything that a client can see, with names in place of what
//! differs from run to run (identifiers, addresses, entity tags, the time). A fault is effective if the transcript of
//! some tour differs from that of the same tour through a proxy without a fault.

mod receiver;
mod session;
mod tours;
mod tours_of_state;
mod tours_of_subscriptions;
mod transcript;

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::fault::{Class, Fault};
use crate::faults::find;
use crate::platform::{INSTANCES, Platform, PlatformError};
use crate::proxy::{Proxy, StartError};
use session::Session;

/// A tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tour {
    Services,
    Variants,
    Refusals,
    Filters,
    Subscriptions,
    Notifications,
    Rules,
    Registrations,
    Http,
    Strangers,
    Crowd,
    Clocks,
    Many,
    Silence,
}

const ALL: [Tour; 14] = [
    Tour::Services,
    Tour::Variants,
    Tour::Refusals,
    Tour::Filters,
    Tour::Subscriptions,
    Tour::Rules,
    Tour::Registrations,
    Tour::Http,
    Tour::Strangers,
    Tour::Crowd,
    Tour::Notifications,
    Tour::Many,
    Tour::Clocks,
    Tour::Silence,
];

/// A demonstration that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemonstrationError {
    /// The platform could not be set up.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// The proxy did not start.
    #[error(transparent)]
    Proxy(#[from] StartError),
    /// A socket of the demonstration's own.
    #[error("a local socket could not be had")]
    Socket(#[from] std::io::Error),
    /// There is no such fault.
    #[error("there is no fault {0}")]
    Unknown(String),
    /// The same requests without a fault looked different a second time.
    #[error("the tour {tour} is not repeatable: {difference}")]
    Unstable {
        /// The tour.
        tour: String,
        /// The first line that differs.
        difference: String,
    },
}

/// How a fault shows.
#[derive(Clone, Debug)]
pub struct Demonstration {
    /// The tour that shows it.
    pub tour: String,
    /// The first line of the transcript that differs: without the fault, and with it.
    pub difference: String,
}

/// A platform on which faults are demonstrated one after another.
#[derive(Debug)]
pub struct Stage {
    platform: Platform,
    correct: HashMap<Tour, Vec<String>>,
}

impl Stage {
    /// A stage on a fresh platform.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            correct: HashMap::new(),
        }
    }

    /// Shows a fault: none if no tour shows any difference.
    ///
    /// # Errors
    /// [`DemonstrationError`] if there is no such fault, or something of the demonstration itself fails.
    pub async fn show(&mut self, id: &str) -> Result<Option<Demonstration>, DemonstrationError> {
        let fault = || find(id).ok_or_else(|| DemonstrationError::Unknown(id.to_owned()));
        let likely = likely(fault()?.class);
        let others = ALL.iter().filter(|tour| !likely.contains(tour));
        for tour in likely.iter().chain(others).copied() {
            let correct = self.correct(tour).await?;
            let faulty = self.travel(tour, fault()?).await?;
            if let Some(difference) = difference(&correct, &faulty) {
                let tour = format!("{tour:?}");
                return Ok(Some(Demonstration { tour, difference }));
            }
        }
        Ok(None)
    }

    /// The transcript without a fault, made twice the first time.
    async fn correct(&mut self, tour: Tour) -> Result<Vec<String>, DemonstrationError> {
        if let Some(known) = self.correct.get(&tour) {
            return Ok(known.clone());
        }
        let first = self.travel(tour, Fault::none()).await?;
        let second = self.travel(tour, Fault::none()).await?;
        if let Some(difference) = difference(&first, &second) {
            let tour = format!("{tour:?}");
            return Err(DemonstrationError::Unstable { tour, difference });
        }
        self.correct.insert(tour, first.clone());
        Ok(first)
    }

    /// Makes a tour through a proxy with a fault, and brings the platform back to where it was.
    async fn travel(&self, tour: Tour, fault: Fault) -> Result<Vec<String>, DemonstrationError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let proxy = Proxy::bind(any, self.platform.address(), fault, 7).await?;
        let address = proxy.address()?;
        let serving = tokio::spawn(proxy.serve());
        let mut session = Session::start(address, self.platform.address()).await?;
        match tour {
            Tour::Services => tours::services(&mut session).await,
            Tour::Variants => tours::variants(&mut session).await,
            Tour::Refusals => tours::refusals(&mut session).await,
            Tour::Filters => tours::filters(&mut session).await,
            Tour::Http => tours::http_rules(&mut session).await,
            Tour::Many => tours::many(&mut session).await,
            Tour::Subscriptions => tours_of_subscriptions::subscriptions(&mut session).await,
            Tour::Notifications => tours_of_subscriptions::notifications(&mut session).await,
            Tour::Rules => tours_of_state::rules(&mut session).await,
            Tour::Registrations => tours_of_state::registrations(&mut session).await,
            Tour::Strangers => tours_of_state::strangers(&mut session).await,
            Tour::Crowd => tours_of_state::crowd(&mut session).await,
            Tour::Clocks => tours_of_state::clocks(&mut session).await,
            Tour::Silence => tours_of_state::silence(&mut session).await,
        }
        serving.abort();
        let lines = session.end().await;
        for instance in INSTANCES {
            self.platform.configure(instance).await?;
        }
        Ok(lines)
    }
}

/// The tours that most probably show faults of a class.
fn likely(class: Class) -> &'static [Tour] {
    match class {
        Class::Filter => &[Tour::Filters],
        Class::Acceptance | Class::Limit | Class::Refusal => &[Tour::Refusals, Tour::Variants],
        Class::Notifications => &[Tour::Notifications],
        Class::Time => &[Tour::Clocks, Tour::Silence],
        Class::Rules => &[Tour::Rules],
        Class::Registration => &[Tour::Registrations],
        Class::Http | Class::Problems => &[Tour::Http],
        Class::Concurrency => &[Tour::Crowd],
        Class::Isolation => &[Tour::Strangers],
        Class::Security | Class::Robustness => &[Tour::Variants, Tour::Http],
        _ => &[Tour::Services],
    }
}

/// The first line that differs.
fn difference(correct: &[String], faulty: &[String]) -> Option<String> {
    let nothing = String::from("(nothing)");
    (0..correct.len().max(faulty.len())).find_map(|number| {
        let (left, right) = (
            correct.get(number).unwrap_or(&nothing),
            faulty.get(number).unwrap_or(&nothing),
        );
        (left != right).then(|| format!("{left} => {right}"))
    })
}
