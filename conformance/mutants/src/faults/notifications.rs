//! Notifications that are lost, repeated, late, wrong, or meant for somebody else.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::behaviour::{Handler, handler, transparent, within};
use crate::callbacks::{Courier, Delivery, courier};
use crate::context::{Context, Shared};
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::scopes;
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    deliveries()
}

pub(super) fn delivered(
    id: &'static str,
    clause: &'static str,
    what: &'static str,
    courier: Courier,
) -> Fault {
    fault(
        Class::Notifications,
        id,
        clause,
        "notifications",
        what,
        transparent(),
    )
    .with_courier(courier)
}

fn deliveries() -> Vec<Fault> {
    vec![
        delivered(
            "notifications/none",
            "8.1.4.2",
            "No notification is ever sent",
            courier(|_, _| async { StatusCode::NO_CONTENT }),
        ),
        delivered(
            "notifications/every-second-lost",
            "8.1.4.2",
            "Every second notification of a subscription is lost",
            courier(|delivery, shared| async move {
                if shared
                    .count(&format!("delivery {}", delivery.number))
                    .is_multiple_of(2)
                {
                    return StatusCode::NO_CONTENT;
                }
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/first-lost",
            "8.1.4.2",
            "The first notification of each subscription is lost",
            courier(|delivery, shared| async move {
                if shared.count(&format!("delivery {}", delivery.number)) == 1 {
                    return StatusCode::NO_CONTENT;
                }
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/duplicated",
            "8.1.4.2",
            "Each notification is sent twice",
            courier(|delivery, _| async move {
                delivery.forward().await;
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/reordered",
            "8.1.4.2",
            "Two notifications that follow each other come in the other order",
            courier(reordered),
        ),
        delivered(
            "notifications/delayed",
            "8.1.4.2",
            "Notifications come a minute late",
            courier(|delivery, _| async move {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    delivery.forward().await;
                });
                StatusCode::NO_CONTENT
            }),
        ),
        delivered(
            "notifications/not-retried",
            "6.12 of MEC 009",
            "A notification that the receiver failed to take is not sent again",
            courier(|delivery, _| async move {
                delivery.forward().await;
                StatusCode::NO_CONTENT
            }),
        ),
        delivered(
            "notifications/retried-though-taken",
            "6.12 of MEC 009",
            "A notification that was acknowledged is sent again until the platform gives up",
            courier(|delivery, _| async move {
                delivery.forward().await;
                StatusCode::SERVICE_UNAVAILABLE
            }),
        ),
        delivered(
            "notifications/to-all-subscribers",
            "8.1.4.2",
            "Each notification goes to all who have subscribed",
            courier(|delivery, shared| async move {
                for callback in shared.callbacks.all() {
                    if callback != delivery.callback {
                        delivery.forward_to(&callback).await;
                    }
                }
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/to-first-subscriber",
            "8.1.4.2",
            "All notifications go to who subscribed first",
            courier(|delivery, shared| async move {
                let first = shared.callbacks.all().into_iter().next().unwrap_or_default();
                delivery.forward_to(&first).await
            }),
        ),
        delivered(
            "notifications/by-put",
            "8.1.4.2",
            "Notifications are sent with PUT",
            courier(|mut delivery, _| async move {
                delivery.request.parts.method = http::Method::PUT;
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/as-text",
            "8.1.4.2",
            "Notifications are sent as text/plain",
            courier(|mut delivery, _| async move {
                delivery.request.parts.headers.insert(
                    http::header::CONTENT_TYPE,
                    http::HeaderValue::from_static("text/plain"),
                );
                delivery.forward().await
            }),
        ),
        delivered(
            "notifications/path-cut",
            "8.1.3.2",
            "Notifications go to the root of the callback address",
            courier(|delivery, _| async move {
                let root = delivery
                    .callback
                    .splitn(4, '/')
                    .take(3)
                    .collect::<Vec<_>>()
                    .join("/");
                delivery.forward_to(&format!("{root}/")).await
            }),
        ),
        delivered(
            "notifications/query-cut",
            "8.1.3.2",
            "Notifications go to the callback address without its query",
            courier(|delivery, _| async move {
                let address = delivery.callback.split('?').next().unwrap_or_default().to_owned();
                delivery.forward_to(&address).await
            }),
        ),
        delivered(
            "notifications/one-hangs-all",
            "6.12 of MEC 009",
            "A receiver that does not answer delays all others",
            courier(serial),
        ),
        delivered(
            "notifications/after-unsubscribing",
            "8.2.9.3.5",
            "Notifications go on after unsubscribing",
            transparent_courier(),
        )
        .with_handler(handler(hidden)),
        delivered(
            "notifications/test-of-callback-fails",
            "8.2.8.3.4",
            "Before a subscription is made, an unannounced notification goes to the callback",
            transparent_courier(),
        )
        .with_handler(within(scopes::SUBSCRIBE, |request, context| async move {
            let answer = context.pass(request.clone()).await?;
            if answer.is_success() {
                announce(&context, &request).await;
            }
            Ok(answer)
        })),
        delivered(
            "notifications/webhook-once",
            "8.1.4.2",
            "A subscription is over after its first notification",
            courier(|delivery, shared| async move {
                if shared.count(&format!("delivery {}", delivery.number)) > 1 {
                    return StatusCode::NO_CONTENT;
                }
                delivery.forward().await
            }),
        ),
    ]
}

impl Fault {
    fn with_handler(mut self, handler: Handler) -> Self {
        self.handler = handler;
        self
    }
}

fn transparent_courier() -> Courier {
    courier(|delivery, _| async move { delivery.forward().await })
}

/// Holds a notification back until the next one was sent, or half a second is over.
async fn reordered(delivery: Delivery, shared: Arc<Shared>) -> StatusCode {
    let key = format!("order {}", delivery.number);
    let next = shared.count(&key);
    if next % 2 == 1 {
        tokio::spawn(async move {
            for _ in 0..50 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if shared.is_marked(&format!("{key} {}", next + 1)) {
                    break;
                }
            }
            delivery.forward().await;
        });
        return StatusCode::NO_CONTENT;
    }
    let status = delivery.forward().await;
    shared.mark(&format!("{key} {next}"));
    status
}

/// One delivery at a time.
async fn serial(delivery: Delivery, shared: Arc<Shared>) -> StatusCode {
    tokio::spawn(async move {
        while shared.count("serial") > 1 {
            shared.count_down("serial");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        delivery.forward().await;
        shared.count_down("serial");
    });
    StatusCode::NO_CONTENT
}

/// Unsubscribing hides a subscription and leaves it in force.
async fn hidden(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("hidden {}", request.path());
    if request.is_in(scopes::UNSUBSCRIBE)
        && !context.is_marked(&key)
        && context.read(request.path(), &request).await.is_some()
    {
        context.mark(&key);
        return Ok(Answer::empty(204));
    }
    if context.is_marked(&key) {
        return Ok(Answer::problem(404, &request, "there is no such subscription"));
    }
    let listing = request.is_in(scopes::SUBSCRIPTION_LISTS);
    let mut answer = context.pass(request).await?;
    if let (true, Some(mut body)) = (listing, answer.json())
        && let Some(Value::Array(list)) = body.pointer_mut("/_links/subscriptions")
    {
        list.retain(|each| {
            let path = each["href"]
                .as_str()
                .and_then(|href| href.parse::<http::Uri>().ok());
            path.is_none_or(|path| !context.is_marked(&format!("hidden {}", path.path())))
        });
        answer.set_json(&body);
    }
    Ok(answer)
}

/// Sends a notification of nothing to the callback that was named last.
async fn announce(context: &Context, request: &Request) {
    let (Some(callback), Some(mut notification)) = (
        context.callbacks.all().pop(),
        Request::to(http::Method::POST, "/", request),
    ) else {
        return;
    };
    notification.parts.headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    notification.set_json(&json!({
        "notificationType": "SerAvailabilityNotification",
        "serviceReferences": [{"serName": "test", "serInstanceId": "test", "state": "ACTIVE", "changeType": "ADDED"}],
        "_links": {"subscription": {"href": "/"}},
    }));
    let delivery = Delivery {
        request: notification,
        number: 0,
        callback,
    };
    delivery.forward().await;
}
