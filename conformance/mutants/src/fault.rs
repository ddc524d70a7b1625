//! What a fault is, and the classes of faults.

use std::fmt;

use crate::behaviour::{Handler, handler, transparent};
use crate::callbacks::Courier;
use crate::message::Answer;

/// The kind of mistake that a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A property is missing in answers.
    DropsProperty,
    /// A property has another type.
    WrongType,
    /// A property has another value of the right type.
    WrongValue,
    /// A limit is off by one.
    Limit,
    /// A filter or query parameter is ignored, or means something else.
    Filter,
    /// What is read or kept is not what was written.
    Storage,
    /// `Location`, `_links` and other references lead elsewhere.
    Links,
    /// Another status than the right one.
    Status,
    /// Entity tags and conditions.
    Conditions,
    /// Resources that come back, stay away, or are twice there.
    Existence,
    /// What belongs to another application.
    Isolation,
    /// What must be refused is taken.
    Acceptance,
    /// What must be taken is refused.
    Refusal,
    /// Media types and problem details.
    Problems,
    /// HTTP's own rules.
    Http,
    /// Identifiers.
    Identifiers,
    /// Requests at the same time.
    Concurrency,
    /// Notifications.
    Notifications,
    /// Heartbeats, expiry and clocks.
    Time,
    /// Text that is changed on its way, internals that are betrayed, requests that are forged.
    Security,
    /// Answers that are late, broken off, or 5xx.
    Robustness,
    /// DNS and traffic rules.
    Rules,
    /// Registrations, readiness and the end of application instances.
    Registration,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 23] = [
        Self::DropsProperty,
        Self::WrongType,
        Self::WrongValue,
        Self::Limit,
        Self::Filter,
        Self::Storage,
        Self::Links,
        Self::Status,
        Self::Conditions,
        Self::Existence,
        Self::Isolation,
        Self::Acceptance,
        Self::Refusal,
        Self::Problems,
        Self::Http,
        Self::Identifiers,
        Self::Concurrency,
        Self::Notifications,
        Self::Time,
        Self::Security,
        Self::Robustness,
        Self::Rules,
        Self::Registration,
    ];

    /// Its name, which the ids of its faults begin with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropsProperty => "drops-property",
            Self::WrongType => "wrong-type",
            Self::WrongValue => "wrong-value",
            Self::Limit => "limit",
            Self::Filter => "filter",
            Self::Storage => "storage",
            Self::Links => "links",
            Self::Status => "status",
            Self::Conditions => "conditions",
            Self::Existence => "existence",
            Self::Isolation => "isolation",
            Self::Acceptance => "acceptance",
            Self::Refusal => "refusal",
            Self::Problems => "problems",
            Self::Http => "http",
            Self::Identifiers => "identifiers",
            Self::Concurrency => "concurrency",
            Self::Notifications => "notifications",
            Self::Time => "time",
            Self::Security => "security",
            Self::Robustness => "robustness",
            Self::Rules => "rules",
            Self::Registration => "registration",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// One fault: what it is, and how the proxy makes it.
pub struct Fault {
    /// Its id: the class, a slash, and what is wrong.
    pub id: &'static str,
    /// Its class.
    pub class: Class,
    /// What the platform does wrong, in one sentence.
    pub what: &'static str,
    /// What it breaks: a clause of ETSI GS MEC 011 V3.1.1, or a section of another document where that is named.
    pub clause: &'static str,
    /// The operations that it shows at.
    pub operations: &'static str,
    /// Why a platform with it is within its rights; such a fault is not counted.
    pub permitted: Option<&'static str>,
    pub(crate) handler: Handler,
    pub(crate) courier: Option<Courier>,
}

impl Fault {
    /// No fault: everything is passed on as it is.
    #[must_use]
    pub fn none() -> Self {
        Self {
            id: "none",
            class: Class::Http,
            what: "Passes everything on as it is",
            clause: "",
            operations: "all",
            permitted: None,
            handler: transparent(),
            courier: None,
        }
    }

    /// No fault, but each request waits a moment, as where the platform is some way off.
    #[must_use]
    pub fn distance(delay: std::time::Duration) -> Self {
        Self {
            handler: handler(move |request, context| async move {
                tokio::time::sleep(delay).await;
                context.pass(request).await
            }),
            ..Self::none()
        }
    }

    /// A server that does nothing: a moment after each request it answers with an empty object, whatever is asked. Only
    /// documents are the platform's.
    #[must_use]
    pub fn trivial(delay: std::time::Duration) -> Self {
        Self {
            handler: handler(move |request, context| async move {
                if request.path().starts_with("/openapi/") {
                    return context.pass(request).await;
                }
                tokio::time::sleep(delay).await;
                Ok(Answer::json_with(200, &serde_json::json!({})))
            }),
            ..Self::none()
        }
    }

    /// Lets notifications pass through a courier.
    pub(crate) fn with_courier(mut self, courier: Courier) -> Self {
        self.courier = Some(courier);
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fault")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A fault in requests and answers. The class is the id's first part.
pub(crate) fn fault(
    class: Class,
    id: &'static str,
    clause: &'static str,
    operations: &'static str,
    what: &'static str,
    handler: Handler,
) -> Fault {
    Fault {
        id,
        class,
        what,
        clause,
        operations,
        permitted: crate::permitted::reason(id),
        handler,
        courier: None,
    }
}
