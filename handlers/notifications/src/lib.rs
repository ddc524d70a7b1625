//! Deliveries of notifications: a persisted outbox, queues for each receiver, retries and dead letters.
//!
//! A handler that changes something writes the notifications that this causes into the outbox, in the same
//! transaction ([`mecforge_contracts::outbox`]). [`Notifications`] watches the outbox and delivers:
//!
//! - **In order**: notifications of one subscription go out one after the other, in the order of the revisions that
//!   created them; the next is sent when the one before was acknowledged or given up.
//! - **At least once**: an entry leaves the outbox after the acknowledgement, so that a platform that dies in between
//!   delivers again. The header `X-Notification-Id` is the same for every attempt at a notification, also after a
//!   restart and a replay.
//! - **Nobody waits for another**: subscriptions that notify the same scheme, host and port share a receiver, with a
//!   limit of its own; receivers that are new or fail get one attempt at a time, out of a share of all attempts that
//!   is theirs. A failing receiver that acknowledges again wakes all that waits for it.
//! - **Failures** are tried again with exponentially growing, random waits, or when the receiver says (`Retry-After`),
//!   until a number of attempts or an age is reached; refusals (4xx other than 408, 425 and 429) are final. What is
//!   given up becomes a dead letter with its reason, which operators see and replay ([`mecforge_contracts::deliveries`]).
//! - **Bounds**: how many notifications of a subscription wait, how large all of them are, how many dead letters there
//!   are. The oldest give way, and it is counted.
//! - **Addresses** are judged by a [`Policy`], when a subscription is made and at each delivery, then with the address
//!   that the name has at that moment; nothing else is connected to. Redirects are not followed, proxies not used.
//!
//! What is in the store survives: what waits and what was given up. Attempts made, waits, and when a delivery last
//! succeeded or failed are in memory and start anew with the platform.
//!
//! What must not happen here: knowledge of any API's notifications.

mod courier;
mod dead_letters;
mod dispatcher;
mod ledger;
mod letter;
mod metrics;
mod notifications;
mod options;
mod policy;
mod queue;
mod queues;
mod receivers;
mod resolver;
mod websocket;

pub use courier::NOTIFICATION_ID;
pub use notifications::{Notifications, Running};
pub use options::Options;
pub use policy::{Policy, PolicyMode, Rule, RuleError};
pub use resolver::{Addresses, Lookup, SystemLookup};
pub use websocket::WebSockets;
