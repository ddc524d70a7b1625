//! How a case ends.

use super::call::Call;

/// The end of a case: everything that it judged holds, or [`Stop`].
pub type Outcome = Result<(), Stop>;

/// Why a case ends before its end.
#[derive(Clone, Debug)]
pub enum Stop {
    /// A breach that leaves nothing more to judge. (Breaches that don't are told by `Context::report`.)
    Fail(Box<Failure>),
    /// It can't be judged: what is missing, as a clause that says what the operator can do.
    Inconclusive(String),
    /// It doesn't apply to this target: why.
    NotApplicable(String),
    /// The target can't be reached any more.
    Gone(String),
    /// The run is over (time, number of cases, interruption).
    Over,
}

/// A breach.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The check that is breached, where it is another than the case's.
    pub check: Option<&'static str>,
    /// The operation's key, where it is another than the case's.
    pub operation: Option<String>,
    /// What is wrong, in one line, with the names of fields; no identifiers of objects, no random values.
    pub title: String,
    /// What was expected and why.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What makes two breaches of one check at one operation the same fault, for example the JSON pointer of a rule.
    /// It must not change from run to run.
    pub signature: String,
    /// A pointer into the document, where the breach is of a rule there.
    pub pointer: Option<String>,
    /// The request that showed it, where one request shows it. The report tries to make it smaller.
    pub call: Option<Box<Call>>,
    /// Whether the exchanges before it are already the fewest that show it, all of them.
    pub minimal: bool,
}

impl Failure {
    /// A breach whose signature is its title.
    pub fn new(title: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let title = title.into();
        Failure {
            check: None,
            operation: None,
            signature: title.clone(),
            title,
            expected: expected.into(),
            actual: actual.into(),
            pointer: None,
            call: None,
            minimal: false,
        }
    }

    /// Of another check than the case's.
    pub fn of(mut self, check: &'static str) -> Self {
        self.check = Some(check);
        self
    }

    /// At another operation than the case's.
    pub fn at(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// With a signature of its own.
    pub fn signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = signature.into();
        self
    }

    /// With the place of the rule in the document.
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// With the request that shows it.
    pub fn shown_by(mut self, call: &Call) -> Self {
        self.call = Some(Box::new(call.clone()));
        self
    }

    /// Shown by the exchanges since [`Context::begin`](super::Context::begin), which are already the fewest.
    pub fn minimal(mut self) -> Self {
        self.minimal = true;
        self
    }

    /// As the end of a case.
    pub fn stop(self) -> Stop {
        Stop::Fail(Box::new(self))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        failure.stop()
    }
}
