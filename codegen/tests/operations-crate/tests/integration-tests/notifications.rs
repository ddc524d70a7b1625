//! The generated notifications, sent and received.

use std::sync::{Arc, Mutex};

use fixture_operations::callbacks::{Notification, NotificationSender, Receiver};
use fixture_operations::*;

#[tokio::test]
async fn notifications_are_told_apart_by_their_type() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let (things, others) = (Arc::clone(&received), Arc::clone(&received));
    let receiver = Receiver::new()
        .on(move |notification: ThingNotification| {
            things
                .lock()
                .unwrap()
                .push(format!("thing {:?}", notification.thing.map(|thing| thing.name)));
            async {}
        })
        .on(move |notification: OtherNotification| {
            others
                .lock()
                .unwrap()
                .push(format!("other {}", notification.note));
            async {}
        });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    let router = axum::Router::new().nest("/callback", receiver.into_router());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let sender = NotificationSender::new().unwrap();
    sender
        .send(&url, &ThingNotification::new().thing(Thing::new("a")))
        .await
        .unwrap();
    sender.send(&url, &OtherNotification::new("b")).await.unwrap();
    assert_eq!(*received.lock().unwrap(), ["thing Some(\"a\")", "other b"]);
    assert_eq!(ThingNotification::NOTIFICATION_TYPE, Some("ThingNotification"));
}
