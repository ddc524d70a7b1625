//! Who calls, and what a handler needs to know of the request beyond its parameters and body.

use std::fmt;
use std::sync::Arc;

use axum::extract::NestedPath;
use http::request::Parts;
use http::{Extensions, HeaderMap, Uri, header};

/// Who makes a request. An authentication layer puts it into the request's extensions; without one,
/// every caller is anonymous.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// Nobody that we know.
    #[default]
    Anonymous,
    /// An application instance, by its `appInstanceId`.
    Application(Arc<str>),
    /// Another MEC platform or a MEC service, by its name.
    Platform(Arc<str>),
    /// A person or program that operates the platform, by name.
    Operator(Arc<str>),
}

impl Principal {
    /// The application instance, by its `appInstanceId`.
    pub fn application(id: impl AsRef<str>) -> Self {
        Self::Application(id.as_ref().into())
    }

    /// The operator, by name.
    pub fn operator(name: impl AsRef<str>) -> Self {
        Self::Operator(name.as_ref().into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::Application(id) => write!(formatter, "application {id}"),
            Self::Platform(name) => write!(formatter, "platform {name}"),
            Self::Operator(name) => write!(formatter, "operator {name}"),
        }
    }
}

/// Request extension: scheme and authority under which clients reach the server, for absolute links.
///
/// For example `https://mep.example.com`, with a path where the server hangs below one. Without it, links
/// are built from the request's `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// The address; a final `/` is dropped.
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').into())
    }

    /// The address without a final `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Request extension: the path under which the API's routes hang, for example `/mec_service_mgmt/v1`, where the request's
/// target no longer has it.
///
/// [`axum::Router::nest`] says so by itself; only servers that dispatch without it insert this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount(Arc<str>);

impl Mount {
    /// The path; a final `/` is dropped.
    pub fn new(path: &str) -> Self {
        Self(path.trim_end_matches('/').into())
    }

    /// The path without a final `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an API hangs, as a request's extensions say; empty at the root.
pub(super) fn mount_of(extensions: &Extensions) -> &str {
    match (extensions.get::<Mount>(), extensions.get::<NestedPath>()) {
        (Some(mount), _) => mount.as_str(),
        (None, Some(nested)) => nested.as_str().trim_end_matches('/'),
        (None, None) => "",
    }
}

/// Request extension: how the log names this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The identifier.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(id.as_ref().into())
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Request extension: whether the connection is encrypted, so that links say `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted(pub bool);

/// Who makes the request, and under which address the answer's links are to be found.
#[derive(Debug)]
pub struct Caller {
    parts: Parts,
}

impl Caller {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// A caller for calling a handler without HTTP, for example in its tests.
    pub fn local(principal: Principal) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.extensions.insert(principal);
        Self { parts }
    }

    /// Who makes the request.
    pub fn principal(&self) -> &Principal {
        static ANONYMOUS: Principal = Principal::Anonymous;
        self.parts.extensions.get::<Principal>().unwrap_or(&ANONYMOUS)
    }

    /// How the log names this request; empty where no layer has named it.
    pub fn request_id(&self) -> &str {
        self.parts
            .extensions
            .get::<RequestId>()
            .map_or("", RequestId::as_str)
    }

    /// The headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The target of the request as the router saw it.
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// A fact that a layer has put into the request's extensions.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.parts.extensions.get::<T>()
    }

    /// Scheme and authority for absolute links, without a final `/`: the [`PublicUrl`], else the request's
    /// `Host`; empty (so that links are relative) where there is neither.
    pub fn base_url(&self) -> String {
        if let Some(url) = self.extension::<PublicUrl>() {
            return url.as_str().to_owned();
        }
        let encrypted = self.extension::<Encrypted>().is_some_and(|encrypted| encrypted.0);
        let authority = self.parts.uri.authority().map(|authority| authority.as_str());
        let host = || {
            self.parts
                .headers
                .get(header::HOST)
                .and_then(|value| value.to_str().ok())
        };
        let authority = authority
            .or_else(host)
            .filter(|authority| is_authority(authority));
        match authority {
            Some(authority) => format!("{}://{authority}", if encrypted { "https" } else { "http" }),
            None => String::new(),
        }
    }

    /// The path under which this API hangs; empty at the root.
    pub fn mount(&self) -> &str {
        mount_of(&self.parts.extensions)
    }

    /// The absolute URL of a path of this API, for example `caller.url(&paths::service("id"))`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.base_url(), self.mount())
    }
}

/// Whether a text is host and port and nothing else: a `Host` header goes into links, so it must not carry a path.
fn is_authority(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(&byte);
    !text.is_empty() && text.bytes().all(valid) && text.parse::<http::uri::Authority>().is_ok()
}
