//! An HTTP client for servers that are not to be trusted: exact requests, bounded answers, credentials kept secret.
//!
//! What is asked for is sent byte for byte, and all that is added (`Host`, `User-Agent`, `Content-Length`, credentials)
//! is in the record of the [`Exchange`]. Whatever comes back, an exchange ends in time, in bounded memory and with an
//! answer or a [`Fault`] of one sentence. Redirects are not followed, cookies are not kept, compression is not asked
//! for. What is shown to people goes through [`Exchange::masked`].
//!
//! The crate knows neither OpenAPI nor MEC.

mod access_key;
mod client;
mod compose;
mod connect;
mod decode;
mod exchange;
mod fault;
mod meter;
mod perform;
mod pool;
mod rate;
mod raw;
mod secret;
mod settings;
mod target;
mod tls;
mod tls_versions;
mod token;
mod websocket;

pub use client::Client;
pub use exchange::{Exchange, Request, Response, SentRequest, Version};
pub use fault::{Fault, Phase};
pub use raw::{RawAnswer, RawEnd, RawResponse, RawResponses};
pub use secret::{MASK, Masker, Secret};
pub use settings::{ConfigError, Credentials, HttpVersion, Settings, TlsSettings};
pub use target::{Place, TargetUrl};
pub use tls_versions::{Probe, TlsVersions};
pub use websocket::{SocketFault, SocketMessage, WebSocket};
