//! What every API with subscriptions has: test notifications, delivery over WebSocket, deadlines, changes.

mod change;
mod deadline;
mod test;
mod websocket;

use std::sync::Arc;

use mecforge_api::resolve;
use mecforge_report::Severity;
use serde_json::{Value, json};

use super::{FORM, PRINCIPLES, Step};
use crate::statement::Behaviour;
use crate::suite::{
    Check, Context, Failure, Group, Letter, Made, Outcome, Plan, Source, Stop, Suite, Values, declares,
};

static TEST: Check = Check {
    id: "notification-test",
    group: Group::Notifications,
    title: "a test notification that is asked for is sent",
    severity: Severity::Error,
    explanation: "A subscription with requestTestNotification, where the document has it. The notification must come within --patience, obey its schema and name the subscription; notifications of what happens may come before it.",
    sources: &[Source::Etsi(PRINCIPLES, "6.12a"), Source::Document],
};

static WEBSOCKET: Check = Check {
    id: "notification-websocket",
    group: Group::Notifications,
    title: "the WebSocket that a platform offers for notifications can be opened and brings them",
    severity: Severity::Error,
    explanation: "A subscription with requestWebsocketUri and without a callback, where the document has it, asks for a test notification and for a deadline too. websocketUri must be the address of a WebSocket and open it; what comes first must be a notification of the document's, as JSON, alone or behind header lines. A platform that refuses the wish or offers no address does not offer WebSockets, which is not held against it. Neither is that nothing comes, as the test is promised for callbacks only, nor a binary message in another form: both are inconclusive, as is an address on another host, which the suite does not talk to. At most 256 KiB are read of a message. Credentials are shown at the target's own host and port only.",
    sources: &[
        Source::Etsi(PRINCIPLES, "6.12a"),
        Source::Rfc(6455, "3"),
        Source::Rfc(6455, "4.2.2"),
        Source::Document,
    ],
};

static ONE_WAY: Check = Check {
    id: "subscription-one-way",
    group: Group::Notifications,
    title: "a subscription that offers a callback and asks for a WebSocket is answered with one of them",
    severity: Severity::Warning,
    explanation: "A subscription with callbackReference and requestWebsocketUri: the platform chooses, and its answer tells which: callbackReference and websocketUri are not both there, nor neither. It is a note of the documents that says so.",
    sources: &[Source::Etsi(PRINCIPLES, "6.12a"), Source::Document],
};

static EXPIRES: Check = Check {
    id: "subscription-expires",
    group: Group::Time,
    title: "a subscription is gone after its deadline",
    severity: Severity::Warning,
    explanation: "A subscription with an expiryDeadline in some seconds, where the document has it. What the platform grants counts; where that is further away than --clock, it is inconclusive.",
    sources: &[Source::Etsi(PRINCIPLES, "6.12"), Source::Document],
};

static BEFORE: Check = Check {
    id: "notification-before-expiry",
    group: Group::Time,
    title: "a subscriber is told before its subscription ends",
    severity: Severity::Warning,
    explanation: "A subscription with an expiryDeadline in some seconds, where the document has a type ExpiryNotification, which has to come before the deadline that the platform grants (one second later is not held against it). Its form is judged by notification-schema, its contents by notification-content. Where the deadline is further away than --clock, or the two clocks differ, it is inconclusive.",
    sources: &[Source::Document],
};

static CHANGED: Check = Check {
    id: "subscription-changed",
    group: Group::Notifications,
    title: "after a change of a subscription its old callback address is not used any more",
    severity: Severity::Error,
    explanation: "A subscription is replaced by one with another callback address that asks for a test notification. GET must tell what was put, and nothing may come to the old address: no test at all, nothing else a second after the answer.",
    sources: &[Source::Rfc(9110, "9.3.4"), Source::Document],
};

static FOLLOWS: Check = Check {
    id: "notification-follows-change",
    group: Group::Notifications,
    title: "a test notification that a change of a subscription asks for comes to the new address",
    severity: Severity::Warning,
    explanation: "The same subscription as in subscription-changed. That PUT with requestTestNotification sends a test as POST does is in the type of its body, and said nowhere else.",
    sources: &[Source::Etsi(PRINCIPLES, "6.12a"), Source::Document],
};

/// The checks of this module.
pub(super) const CHECKS: &[&Check] = &[&TEST, &WEBSOCKET, &ONE_WAY, &EXPIRES, &BEFORE, &CHANGED, &FOLLOWS];

type Ask = for<'a> fn(&'a mut Context, Asking) -> Step<'a>;

/// The cases of what a body can ask for: the check, the property, what is done.
const WISHES: [(&Check, &str, Ask); 3] = [
    (&TEST, "requestTestNotification", |context, asking| {
        Box::pin(test::test(context, asking))
    }),
    (&WEBSOCKET, "websockNotifConfig", |context, asking| {
        Box::pin(websocket::websocket(context, asking))
    }),
    (&EXPIRES, "expiryDeadline", |context, asking| {
        Box::pin(deadline::expires(context, asking))
    }),
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for asking in Asking::all(suite, api) {
        for (check, property, run) in WISHES {
            if asking.declares(suite, property) {
                add(suite, plan, (check, property), &asking, run);
            }
        }
        if asking.declares(suite, "websockNotifConfig") {
            add(suite, plan, (&ONE_WAY, "one-way"), &asking, |context, asking| {
                Box::pin(websocket::one_way(context, asking))
            });
        }
        if asking.declares(suite, "expiryDeadline") && deadline::is_announced(suite, api) {
            add(suite, plan, (&BEFORE, "before"), &asking, |context, asking| {
                Box::pin(deadline::announced(context, asking))
            });
        }
        match asking.replace {
            Some(_) => add(suite, plan, (&CHANGED, "changed"), &asking, |context, asking| {
                Box::pin(change::changed(context, asking))
            }),
            None => {
                let reason = "the document has no PUT for subscriptions";
                plan.not_applicable(&CHANGED, api, Some(asking.operation), reason);
            }
        }
    }
}

/// Adds a case that runs beside the others.
fn add(
    suite: &Arc<Suite>,
    plan: &mut Plan,
    (check, what): (&'static Check, &str),
    asking: &Asking,
    run: Ask,
) {
    let own = asking.clone();
    let operation = match check.id == CHANGED.id {
        true => asking.replace,
        false => Some(asking.operation),
    };
    let name = asking.name(what);
    plan.add(suite, check, asking.api, operation, &name, move |context| {
        run(context, own.clone())
    })
    .stage = 3;
}

/// Adds what shows that a platform does what its vendor claims: the same that the checks do, but that what is not
/// offered is a breach of `claimed`.
pub(in crate::checks) fn claim(
    suite: &Arc<Suite>,
    plan: &mut Plan,
    api: usize,
    behaviour: Behaviour,
    claimed: &'static Check,
) {
    let wanted = match behaviour {
        Behaviour::TestNotifications => &TEST,
        Behaviour::Websockets => &WEBSOCKET,
        Behaviour::Expiry => &EXPIRES,
        Behaviour::EntityTags | Behaviour::Head | Behaviour::Http2 => return,
    };
    let of_wish = |(check, _, _): &(&Check, &str, Ask)| check.id == wanted.id;
    let Some((_, property, run)) = WISHES.into_iter().find(of_wish) else {
        return;
    };
    for asking in Asking::all(suite, api) {
        if !asking.declares(suite, property) {
            continue;
        }
        let name = asking.name(behaviour.name());
        let operation = Some(asking.operation);
        plan.add(suite, claimed, api, operation, &name, move |context| {
            let asking = asking.clone();
            Box::pin(async move { shown(run(context, asking).await, behaviour, claimed) })
        })
        .stage = 3;
    }
}

/// What the outcome of a check says of the claim that the platform does it.
fn shown(outcome: Outcome, behaviour: Behaviour, claimed: &'static Check) -> Outcome {
    let title = format!("the statement claims {}, and it is not offered", behaviour.name());
    match outcome {
        Err(Stop::NotApplicable(reason)) => Err(Failure::new(title, "what is claimed", reason).stop()),
        Err(Stop::Fail(failure)) => {
            let title = format!("the statement claims {}: {}", behaviour.name(), failure.title);
            let signature = failure.signature.clone();
            let mut failure = failure.of(claimed.id).signature(signature);
            failure.title = title;
            Err(failure.stop())
        }
        outcome => outcome,
    }
}

/// Types of subscriptions of one operation that are tried.
const TYPES: usize = 16;
/// Bodies among which they are looked for.
const CANDIDATES: usize = 200;

/// A callback that an operation's body names.
#[derive(Clone, Debug)]
pub(in crate::checks) struct Asking {
    api: usize,
    operation: usize,
    /// Where in the body the object is that has the callback address.
    parent: String,
    /// The name of the address there.
    member: String,
    /// The operation that replaces what was made.
    replace: Option<usize>,
}

impl Asking {
    /// The callbacks of an API whose address stands in the body of a POST that makes something.
    fn all(suite: &Suite, api: usize) -> Vec<Self> {
        let document = &suite.apis[api].api;
        let makers = document
            .resources
            .iter()
            .filter_map(|resource| Some((resource.maker?, resource.operation("PUT"))));
        let mut all = Vec::new();
        for (operation, replace) in makers {
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
                        replace,
                    });
                }
            }
        }
        all
    }

    /// Tells the cases of one operation from each other.
    fn name(&self, what: &str) -> String {
        match self.parent.is_empty() {
            true => what.to_owned(),
            false => format!("{what}{}", self.parent.replace('/', "-")),
        }
    }

    /// Whether the schema of the body declares a property beside the callback address.
    fn declares(&self, suite: &Suite, property: &str) -> bool {
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

    /// Makes a subscription of the first type whose body can have all of this.
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

    /// The object that has the callback, in a body or an answer.
    fn object<'value>(&self, body: &'value Value) -> &'value Value {
        body.pointer(&self.parent).unwrap_or(&Value::Null)
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

/// Some releases put the notification into an object with one member.
fn unwrapped(body: &Value) -> &Value {
    let only = body.as_object().filter(|members| members.len() == 1);
    only.and_then(|members| members.values().next())
        .filter(|inner| inner.is_object())
        .unwrap_or(body)
}

/// Whether a letter is a test notification.
fn is_test(letter: &Letter) -> bool {
    let body = letter.json().unwrap_or_default();
    unwrapped(&body)["notificationType"] == "TestNotification"
}
