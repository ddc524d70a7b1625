//! The subscriber's side: an axum router that decodes notifications and hands them to typed handlers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Notification;
use crate::Invalid;
use crate::json::Json;
use crate::operation::{Operation, RequestBody};
use crate::server::{Call, Problem, Reply, Routes};

/// The one operation of a callback address.
static RECEIVE: Operation = Operation {
    name: "receive_notification",
    method: "POST",
    path: "/",
    parameters: &[],
    body: RequestBody::Required(&["application/json"]),
    produces: &[],
};

type HandlerFuture = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>>;
type HandlerFunction = Box<dyn Fn(&Json<'_>) -> Result<HandlerFuture, Invalid> + Send + Sync>;

/// What a handler of notifications returns: nothing, or a refusal.
pub trait Acknowledgement: Send {
    /// The refusal, where it is one.
    ///
    /// # Errors
    /// The problem that the sender is to see.
    fn acknowledge(self) -> Result<(), Problem>;
}

impl Acknowledgement for () {
    fn acknowledge(self) -> Result<(), Problem> {
        Ok(())
    }
}

impl Acknowledgement for Result<(), Problem> {
    fn acknowledge(self) -> Result<(), Problem> {
        self
    }
}

/// A router that answers `POST /` with 204 once `handler` has taken the notification.
///
/// [Nest](axum::Router::nest) it at the path of the callback address. A body that is no such notification is answered
/// with 400 and a problem that names the place and the rule.
pub fn router<N, F, O>(handler: F) -> axum::Router
where
    N: Notification,
    F: Fn(N) -> O + Send + Sync + 'static,
    O: Future<Output: Acknowledgement> + Send + 'static,
{
    Receiver::new().on(handler).into_router()
}

/// Receives several kinds of notifications at one address.
///
/// They are told apart by `notificationType`, where the API fixes its value, else by which of them the body is.
#[derive(Default)]
pub struct Receiver {
    handlers: Vec<Handler>,
}

struct Handler {
    name: &'static str,
    notification_type: Option<&'static str>,
    function: HandlerFunction,
}

impl Receiver {
    /// A receiver that takes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands notifications of one kind to a handler. The kind is the type of its argument.
    #[must_use]
    pub fn on<N, F, O>(mut self, handler: F) -> Self
    where
        N: Notification,
        F: Fn(N) -> O + Send + Sync + 'static,
        O: Future<Output: Acknowledgement> + Send + 'static,
    {
        let function = move |json: &Json<'_>| -> Result<HandlerFuture, Invalid> {
            let outcome = handler(N::decode(json)?);
            Ok(Box::pin(async move { outcome.await.acknowledge() }))
        };
        self.handlers.push(Handler {
            name: N::NAME,
            notification_type: N::NOTIFICATION_TYPE,
            function: Box::new(function),
        });
        self
    }

    /// The router, which answers `POST /`; see [`router`].
    pub fn into_router(self) -> axum::Router {
        Routes::new()
            .route(&RECEIVE, &Arc::new(self), receive)
            .into_router()
    }

    /// Finds the handler that a body is meant for and starts it.
    fn start(&self, json: &Json<'_>) -> Result<HandlerFuture, Problem> {
        if let [handler] = self.handlers.as_slice() {
            return Ok((handler.function)(json)?);
        }
        let named = json.get("notificationType").and_then(Json::as_str);
        let fixed =
            |handler: &&Handler| handler.notification_type.is_some() && handler.notification_type == named;
        if let Some(handler) = self.handlers.iter().find(fixed) {
            return Ok((handler.function)(json)?);
        }
        let mut nearest: Option<Invalid> = None;
        for handler in self
            .handlers
            .iter()
            .filter(|handler| handler.notification_type.is_none())
        {
            match (handler.function)(json) {
                Ok(started) => return Ok(started),
                // The kind that was meant is the one whose check got furthest.
                Err(invalid) => {
                    if nearest
                        .as_ref()
                        .is_none_or(|known| invalid.depth() > known.depth())
                    {
                        nearest = Some(invalid);
                    }
                }
            }
        }
        Err(nearest.map_or_else(|| self.unknown(named), Problem::from))
    }

    fn unknown(&self, named: Option<&str>) -> Problem {
        let known = |handler: &Handler| handler.notification_type.unwrap_or(handler.name);
        let known = self.handlers.iter().map(known).collect::<Vec<_>>().join(", ");
        let detail = match named {
            Some(named) => format!("/notificationType must be one of {known}, not {named:?}"),
            None => format!("must have the property notificationType, one of {known}"),
        };
        let problem = Problem::bad_request(detail);
        match named {
            Some(_) => problem.with_pointer("/notificationType").with_rule("enum"),
            None => problem.with_pointer("").with_rule("required"),
        }
    }
}

async fn receive(receiver: Arc<Receiver>, call: Call) -> Result<Reply, Problem> {
    let bytes = call.bytes();
    // Decoded in a block of its own: the tree borrows from the body and need not outlive the handler's start.
    let started = {
        let json = Json::parse(&bytes)?;
        receiver.start(&json)?
    };
    started.await?;
    Ok(Reply::empty(204))
}
