//! Several faults that stop a verb, each told in a line of its own.

use std::fmt;

/// What went wrong, in the order in which it is told; never empty when it is returned as an error.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    /// Notes a fault; one that was noted already is not repeated.
    pub(crate) fn push(&mut self, problem: impl fmt::Display) {
        let problem = problem.to_string();
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// A single fault, as the error of a function that collects several.
    pub(crate) fn one<T>(problem: impl fmt::Display) -> Result<T, Self> {
        Err(Self(vec![problem.to_string()]))
    }

    /// Each fault.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// `value` where nothing went wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl FromIterator<String> for Problems {
    fn from_iter<I: IntoIterator<Item = String>>(problems: I) -> Self {
        let mut collected = Self::default();
        problems.into_iter().for_each(|problem| collected.push(problem));
        collected
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}
