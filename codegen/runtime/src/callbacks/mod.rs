//! Notifications: sent by a platform to the address that a subscriber has given, received by the subscriber.

mod receiver;
mod sender;

use serde::Serialize;

use crate::Decode;

pub use receiver::{Acknowledgement, Receiver, router};
pub use sender::{Delivered, DeliveryError, NotificationSender, SenderBuilder};

/// A body that is sent to a callback address. Generated code implements it for the notifications of an API.
pub trait Notification: Serialize + Decode + Send + Sync + 'static {
    /// The schema's name in the document.
    const NAME: &'static str;

    /// What `notificationType` says in every such notification, where the API fixes it.
    const NOTIFICATION_TYPE: Option<&'static str>;
}
