//! Objects that a case makes: one, some, and on behalf of somebody.

use serde_json::Value;

use super::call::Identity;
use super::context::Context;
use super::outcome::Stop;
use super::world::{Made, Values};

/// What is made of a generated body for a maker (API and operation).
pub(super) type Change = fn(&Context, (usize, usize), Value) -> Value;

impl Context {
    /// Makes an object by its collection's operation, with [`Context::body`] or a body of the caller's.
    ///
    /// # Errors
    /// [`Stop::Fail`] if the platform refuses what the document allows, [`Stop::Inconclusive`] if it refuses for a reason
    /// that may lie in what the operator has to give.
    pub async fn make(
        &mut self,
        api: usize,
        maker: usize,
        values: &Values,
        body: Option<Value>,
    ) -> Result<Made, Stop> {
        super::world::make(self, api, maker, values, body).await
    }

    /// As many objects as the platform takes, up to a number and at least one, with [`Context::body`] or what is made
    /// of it.
    ///
    /// # Errors
    /// As of [`Context::make`] for the first; then a platform may have enough, and what it says is judged elsewhere.
    pub async fn make_some(
        &mut self,
        (api, maker): (usize, usize),
        values: &Values,
        most: usize,
        changed: Option<Change>,
    ) -> Result<Vec<Made>, Stop> {
        let mut all = Vec::new();
        while all.len() < most {
            let body = match changed {
                Some(changed) => {
                    let body = self.body(api, maker, values)?;
                    Some(changed(self, (api, maker), body))
                }
                None => None,
            };
            match self.make(api, maker, values, body).await {
                Ok(made) => all.push(made),
                Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
                Err(stop) if all.is_empty() => return Err(stop),
                Err(_) => break,
            }
        }
        Ok(all)
    }

    /// [`Context::make`] on behalf of somebody.
    ///
    /// # Errors
    /// As there.
    pub async fn make_as(
        &mut self,
        identity: Identity,
        (api, maker): (usize, usize),
        values: &Values,
        body: Option<Value>,
    ) -> Result<Made, Stop> {
        let before = std::mem::replace(&mut self.acting, identity);
        let made = self.make(api, maker, values, body).await;
        self.acting = before;
        made
    }
}
