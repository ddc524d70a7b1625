//! Where access tokens come from.

use std::future::Future;
use std::pin::Pin;

use super::BoxError;

/// A token on its way.
pub type TokenFuture<'provider> = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send + 'provider>>;

/// Provides access tokens, which go into `Authorization: Bearer …` (RFC 6750).
pub trait TokenProvider: Send + Sync + 'static {
    /// A token that is valid now. `refused` is the token that the server has just answered 401 to, so that a provider
    /// that keeps tokens does not give the same one again.
    fn token<'provider>(&'provider self, refused: Option<&'provider str>) -> TokenFuture<'provider>;
}

/// One token that never changes.
impl TokenProvider for String {
    fn token<'provider>(&'provider self, _: Option<&'provider str>) -> TokenFuture<'provider> {
        Box::pin(async move { Ok(self.clone()) })
    }
}

/// One token that never changes.
impl TokenProvider for &'static str {
    fn token<'provider>(&'provider self, _: Option<&'provider str>) -> TokenFuture<'provider> {
        Box::pin(async move { Ok((*self).to_owned()) })
    }
}
