//! The client's side: from typed arguments to an HTTP request, and from the response to a typed value.

mod answer;
mod builder;
mod error;
mod form;
mod http_client;
mod request;
mod retry;
mod token;

pub use answer::{Answer, Responses};
pub use builder::{ApiClient, BuildError, ClientBuilder};
pub use error::{BoxError, Error, Unexpected};
pub use http_client::HttpClient;
pub use request::Request;
pub use retry::RetryPolicy;
pub use token::{TokenFuture, TokenProvider};

#[cfg(feature = "callbacks")]
pub(crate) use builder::new_http_client;
#[cfg(feature = "callbacks")]
pub(crate) use error::Failure;
#[cfg(feature = "callbacks")]
pub(crate) use http_client::receive;
#[cfg(feature = "callbacks")]
pub(crate) use retry::retry_after;
