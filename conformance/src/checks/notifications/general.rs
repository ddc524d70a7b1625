//! What every API with subscriptions has: test notifications, delivery over WebSocket, deadlines.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mecforge_api::resolve;
use serde_json::{Value, json};

use super::scene::not_delivered;
use super::{EXPIRES, TEST, WEBSOCKET, letters};
use crate::suite::{Context, Failure, Made, Mailbox, Outcome, Role, Stop, Suite, Values, declares, reading};

/// Types of subscriptions of one operation that are tried.
const TYPES: usize = 16;
/// Bodies among which they are looked for.
const CANDIDATES: usize = 200;

/// A callback that an operation's body names.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) api: usize,
    pub(super) operation: usize,
    /// Where in the body the object is that has the callback address.
    parent: String,
    /// The name of the address there.
    member: String,
}

impl Asking {
    /// The callbacks of an API whose address stands in the body of a POST that makes something.
    pub(super) fn all(suite: &Suite, api: usize) -> Vec<Self> {
        let document = &suite.apis[api].api;
        let makers = document.resources.iter().filter_map(|resource| resource.maker);
        let mut all = Vec::new();
        for operation in makers {
            for callback in &document.operations[operation].callbacks {
                let pointer = callback
                    .expression
                    .strip_prefix("{$request.body#")
                    .and_then(|rest| rest.strip_suffix('}'));
                let Some((parent, member)) = pointer.and_then(|pointer| pointer.rsplit_once('/')) else {
                    continue;
                };
                let same = |other: &Asking| other.operation == operation && other.parent == parent;
                if !all.iter().any(same) {
                    all.push(Asking {
                        api,
                        operation,
                        parent: parent.to_owned(),
                        member: member.to_owned(),
                    });
                }
            }
        }
        all
    }

    /// Tells the cases of one operation from each other.
    pub(super) fn name(&self, what: &str) -> String {
        match self.parent.is_empty() {
            true => what.to_owned(),
            false => format!("{what}{}", self.parent.replace('/', "-")),
        }
    }

    /// Whether the schema of the body declares a property beside the callback address.
    pub(super) fn declares(&self, suite: &Suite, property: &str) -> bool {
        let document = &suite.apis[self.api].api;
        let body = document.operations[self.operation].json_body();
        let Some(pointer) = body.and_then(|content| content.schema.as_deref()) else {
            return false;
        };
        let mut pointer = resolve(&document.document, pointer);
        for part in self.parent.split('/').skip(1) {
            pointer = resolve(&document.document, &format!("{pointer}/properties/{part}"));
        }
        declares(&document.document, &pointer, property, 0)
    }

    /// Bodies that have the object with the callback: one of each type of subscription.
    fn bodies(&self, context: &mut Context) -> Result<Vec<Value>, Stop> {
        let mut candidates = vec![context.body(self.api, self.operation, &Values::new())?];
        let schema = context.suite.apis[self.api].body_schema(self.operation);
        let more = schema.map(|schema| schema.valid_cases_within(CANDIDATES).cases);
        candidates.extend(more.unwrap_or_default().into_iter().map(|case| case.value));
        let mut types = Vec::new();
        let mut bodies = Vec::new();
        for body in candidates {
            let Some(object) = body.pointer(&self.parent).filter(|object| object.is_object()) else {
                continue;
            };
            let kind = object["subscriptionType"].clone();
            if bodies.len() < TYPES && !types.contains(&kind) {
                types.push(kind);
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    /// A body whose callback is this address (or none), with more properties beside it.
    fn with(
        &self,
        context: &Context,
        mut body: Value,
        address: Option<&str>,
        more: &[(&str, Value)],
    ) -> Option<Value> {
        let members = body.pointer_mut(&self.parent).and_then(Value::as_object_mut)?;
        members.remove("websockNotifConfig");
        members.remove(&self.member);
        if let Some(address) = address {
            members.insert(self.member.clone(), json!(address));
        }
        for (name, value) in more {
            members.insert((*name).to_owned(), value.clone());
        }
        let schema = context.suite.apis[self.api].schema(&self.schema(context)?)?;
        schema.is_valid(&body).then_some(body)
    }

    fn schema(&self, context: &Context) -> Option<String> {
        let operation = &context.suite.apis[self.api].api.operations[self.operation];
        operation.json_body()?.schema.clone()
    }

    /// Makes a subscription of the first type.
    async fn make(
        &self,
        context: &mut Context,
        address: Option<&str>,
        more: &[(&str, Value)],
    ) -> Result<Made, Stop> {
        let bodies = self.bodies(context)?;
        let body = bodies
            .into_iter()
            .find_map(|body| self.with(context, body, address, more));
        let body = body.ok_or_else(|| self.unfit(more))?;
        self.send(context, body).await
    }

    async fn send(&self, context: &mut Context, mut body: Value) -> Result<Made, Stop> {
        let values = context.values(self.api, self.operation).await?;
        context.bind(&mut body, &values);
        context.make(self.api, self.operation, &values, Some(body)).await
    }

    fn unfit(&self, more: &[(&str, Value)]) -> Stop {
        let what = more.first().map_or("a callback", |(name, _)| name);
        Stop::Inconclusive(format!(
            "{what} can't be asked for in any body that the suite can make here"
        ))
    }
}

/// Who asks for a test notification gets one, whatever the subscription is for.
pub(super) async fn test(context: &mut Context, asking: Asking) -> Outcome {
    let wish = [("requestTestNotification", json!(true))];
    let mut asked = Vec::new();
    for body in asking.bodies(context)? {
        let mailbox = context.mailbox()?;
        let address = mailbox.url.clone();
        let Some(body) = asking.with(context, body, Some(&address), &wish) else {
            continue;
        };
        match asking.send(context, body).await {
            Ok(made) => asked.push((mailbox, made)),
            // A platform need not have every type.
            Err(Stop::Inconclusive(_)) if !asked.is_empty() => {}
            Err(stop) => return Err(stop),
        }
    }
    if asked.is_empty() {
        return Err(asking.unfit(&wish));
    }
    for (mailbox, made) in asked {
        came(context, &asking, &mailbox, &made).await?;
    }
    Ok(())
}

/// The test notification of one subscription.
async fn came(context: &mut Context, asking: &Asking, mailbox: &Mailbox, made: &Made) -> Outcome {
    let came = context.until(mailbox, |letters| !letters.is_empty()).await?;
    let Some(letter) = mailbox.letters().first().cloned().filter(|_| came) else {
        return match not_delivered(context, mailbox, "a test that was asked for", &[]) {
            Stop::Fail(failure) => Err(failure.of(TEST.id).stop()),
            stop => Err(stop),
        };
    };
    context.show(&letter);
    let state = &context.suite.apis[asking.api];
    let schema = state.schema("/components/schemas/TestNotification");
    let judged = letters::envelope(&letter).and_then(|body| {
        let body = unwrapped(&body);
        if let Some(schema) = &schema {
            letters::obeys(schema, body)?;
        }
        if body["notificationType"] != "TestNotification" {
            let actual = body["notificationType"].to_string();
            let failure = Failure::new("the first notification is no test", "TestNotification", actual);
            return Err(Box::new(failure));
        }
        letters::names_subscription(body, &made.path)
    });
    judged.map_err(|failure| failure.of(TEST.id).stop())
}

/// Some releases put the notification into an object with one member.
fn unwrapped(body: &Value) -> &Value {
    let only = body.as_object().filter(|members| members.len() == 1);
    only.and_then(|members| members.values().next())
        .filter(|inner| inner.is_object())
        .unwrap_or(body)
}

/// Who asks for a WebSocket gets an address at which one is opened.
pub(super) async fn websocket(context: &mut Context, asking: Asking) -> Outcome {
    let wish = [("websockNotifConfig", json!({"requestWebsocketUri": true}))];
    let made = match asking.make(context, None, &wish).await {
        Err(Stop::Fail(_)) => {
            return Err(Stop::NotApplicable(
                "the platform does not take subscriptions that ask for a WebSocket".to_owned(),
            ));
        }
        made => made?,
    };
    let address = made
        .answered
        .pointer(&format!("{}/websockNotifConfig/websocketUri", asking.parent))
        .and_then(Value::as_str)
        .map(str::to_owned);
    let Some(address) = address else {
        return Err(Stop::NotApplicable("the platform offers no WebSocket".to_owned()));
    };
    let opened = tokio::time::timeout(context.patience(), tokio_tungstenite::connect_async(&address)).await;
    let actual = match opened {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) if address.starts_with("wss:") => {
            return Err(Stop::Inconclusive(format!(
                "{address} can't be opened ({error}); the suite opens WebSockets without TLS only"
            )));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing within {:?}", context.patience()),
    };
    Err(Failure::new(
        "the WebSocket that the platform offers can't be opened",
        "101 Switching Protocols at websocketUri",
        actual,
    )
    .of(WEBSOCKET.id)
    .stop())
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// A subscription whose deadline is over is gone.
pub(super) async fn expires(context: &mut Context, asking: Asking) -> Outcome {
    let mailbox = context.mailbox()?;
    let address = mailbox.url.clone();
    let bodies = asking.bodies(context)?;
    // Whole seconds: three, and what is left of the one that has begun.
    let asked = now().ceil() + 3.0;
    let wish = [(
        "expiryDeadline",
        json!({"seconds": asked as u64, "nanoSeconds": 0}),
    )];
    let body = bodies
        .into_iter()
        .find_map(|body| asking.with(context, body, Some(&address), &wish));
    let body = body.ok_or_else(|| asking.unfit(&wish))?;
    let made = asking.send(context, body).await?;
    // What a deadline means that is over when the subscription is made, no standard says.
    if now() + 0.5 > asked {
        return Err(Stop::Inconclusive(
            "making a subscription took about three seconds; try again when the target is less busy"
                .to_owned(),
        ));
    }
    let granted = made
        .answered
        .pointer(&format!("{}/expiryDeadline/seconds", asking.parent));
    let Some(granted) = granted.and_then(Value::as_f64) else {
        return Err(Stop::NotApplicable("the platform grants no deadline".to_owned()));
    };
    let budget = context.suite.options.clock.expiry;
    let left = granted - now();
    if left + 2.0 > budget.as_secs_f64() {
        return Err(Stop::Inconclusive(format!(
            "the platform grants {left:.0} s until the subscription expires; give --clock {:.0}s",
            left + 5.0
        )));
    }
    let Some(call) = reading(&context.suite, asking.api, &made.path) else {
        return Err(Stop::NotApplicable(
            "the API has no GET for subscriptions".to_owned(),
        ));
    };
    let control = context.send(call.clone()).await?;
    if !control.is_success() && now() < granted {
        return Err(Failure::new(
            "a subscription can't be read before its deadline",
            "200",
            control.summary(),
        )
        .shown_by(&control.call)
        .stop());
    }
    context
        .pause(Duration::from_secs_f64((granted - now()).max(0.0)))
        .await?;
    let end = Instant::now() + context.patience();
    loop {
        let read = context.send(call.clone().role(Role::Judged)).await?;
        if !read.is_success() {
            return Ok(());
        }
        if Instant::now() > end {
            let actual = read.summary();
            let failure = Failure::new("a subscription is there after its deadline", "404", actual);
            return Err(failure.of(EXPIRES.id).stop());
        }
        context.pause(Duration::from_millis(250)).await?;
    }
}
