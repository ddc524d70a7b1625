//! Subscriptions of every kind: kept in the store, listed, limited, expired.
//!
//! An API has one [`Subscriptions`] for each kind of subscription that it knows. It holds the requests as they came;
//! what they mean is the API's business, which may keep an [`Index`] of its own for finding those that match.
//!
//! A change becomes notifications in this order, so that a subscription that exists when the change is made misses
//! nothing, and none that is gone gets something:
//!
//! 1. [`Subscriptions::mark`];
//! 2. find the subscriptions that match;
//! 3. one transaction: the change, [`Mark::guard`], and [`Subscription::outgoing`] for each of them;
//! 4. on a conflict start again; after a few attempts with [`Subscriptions::hold`].
//!
//! What must not happen here: knowledge of any one API, and delivery.

mod expiry;
mod running;
mod subscription;
mod subscriptions;
mod view;

pub use expiry::{Announcement, Expiry};
pub use running::Running;
pub use subscription::Subscription;
pub use subscriptions::{Delivery, Hold, Limits, Subscriptions, Terms};
pub use view::{Index, Mark};
