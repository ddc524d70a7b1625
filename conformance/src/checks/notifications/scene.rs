//! What the cases about the availability of services play with: subscriptions with mailboxes, services that change, and
//! the events that letters tell.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{CONTENT, DELIVERED, TIMELY, letters};
use crate::suite::{Call, Context, Failure, Letter, Made, Mailbox, Outcome, Role, Stop, Suite, Values};

/// How many letters about something else are judged and shown.
const SHOWN: usize = 10;

/// How many changes that came instead of an expected one are listed.
const LISTED: usize = 20;

/// The type of subscriptions (MEC 011, 8.1.3.2).
const SUBSCRIPTION: &str = "SerAvailabilityNotificationSubscription";

/// The operations of an API by which services come, change and go, and by which one subscribes to that.
#[derive(Clone, Copy, Debug)]
pub(in crate::checks) struct Scene {
    pub(in crate::checks) api: usize,
    pub(in crate::checks) subscribe: usize,
    pub(in crate::checks) unsubscribe: Option<usize>,
    pub(in crate::checks) register: usize,
    pub(in crate::checks) replace: usize,
    pub(in crate::checks) remove: usize,
    pub(in crate::checks) read: usize,
}

impl Scene {
    /// The operations of an API; none where it is not that of service availability.
    pub(in crate::checks) fn of(suite: &Suite, api: usize) -> Option<Self> {
        let document = &suite.apis[api].api;
        let find = |method: &str, path: &str| {
            let path = format!("/applications/{{appInstanceId}}{path}");
            document.operation(method, &path).map(|operation| operation.index)
        };
        Some(Scene {
            api,
            subscribe: find("POST", "/subscriptions")?,
            unsubscribe: find("DELETE", "/subscriptions/{subscriptionId}"),
            register: find("POST", "/services")?,
            replace: find("PUT", "/services/{serviceId}")?,
            remove: find("DELETE", "/services/{serviceId}")?,
            read: find("GET", "/services/{serviceId}")?,
        })
    }

    /// Subscribes a mailbox, with criteria where they are not null.
    pub(in crate::checks) async fn subscribe(
        &self,
        context: &mut Context,
        mailbox: Mailbox,
        criteria: Value,
    ) -> Result<Subscription, Stop> {
        let values = context.values(self.api, self.subscribe).await?;
        self.subscribe_for(context, &values, mailbox, criteria).await
    }

    /// The same on behalf of an application instance.
    pub(in crate::checks) async fn subscribe_for(
        &self,
        context: &mut Context,
        values: &Values,
        mailbox: Mailbox,
        criteria: Value,
    ) -> Result<Subscription, Stop> {
        let mut body = json!({"subscriptionType": SUBSCRIPTION, "callbackReference": mailbox.url});
        if !criteria.is_null() {
            body["filteringCriteria"] = criteria;
        }
        let made = match context.make(self.api, self.subscribe, values, Some(body)).await {
            Err(Stop::Fail(failure)) if failure.actual.to_lowercase().contains("callback") => {
                return Err(Stop::Inconclusive(format!(
                    "the platform refuses the callback address {} ({}); give --callback-url with one that it may call",
                    mailbox.url, failure.actual
                )));
            }
            made => made?,
        };
        Ok(Subscription {
            mailbox,
            made,
            read: Place::default(),
            told: Vec::new(),
        })
    }

    /// Registers a service of a name, changed as the case wants it.
    pub(in crate::checks) async fn register(
        &self,
        context: &mut Context,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Service, Stop> {
        let values = context.values(self.api, self.register).await?;
        let mut body = context.body(self.api, self.register, &values)?;
        body["serName"] = json!(name);
        body["state"] = json!("ACTIVE");
        change(&mut body);
        let changed = Instant::now();
        let made = context
            .make(self.api, self.register, &values, Some(body.clone()))
            .await?;
        let own = made.answered["serInstanceId"].as_str().map(str::to_owned);
        let id = own.unwrap_or_else(|| made.path.rsplit('/').next().unwrap_or_default().to_owned());
        Ok(Service {
            made,
            body,
            id,
            name: name.to_owned(),
            changed: Some(changed),
        })
    }

    /// Replaces a service.
    pub(in crate::checks) async fn replace(
        &self,
        context: &mut Context,
        service: &mut Service,
        change: impl FnOnce(&mut Value),
    ) -> Outcome {
        change(&mut service.body);
        let call = context.call(self.api, self.replace, &service.made.values);
        let call = call.json(service.body.clone()).role(Role::SetUp);
        service.changed = Some(Instant::now());
        self.done(context, self.replace, call).await
    }

    /// Removes a service.
    pub(in crate::checks) async fn remove(&self, context: &mut Context, service: &mut Service) -> Outcome {
        let call = context.call(self.api, self.remove, &service.made.values);
        service.changed = Some(Instant::now());
        self.done(context, self.remove, call.role(Role::SetUp)).await
    }

    /// Ends a subscription; false where the API has no way to.
    pub(in crate::checks) async fn unsubscribe(
        &self,
        context: &mut Context,
        of: &Subscription,
    ) -> Result<bool, Stop> {
        let Some(operation) = self.unsubscribe else {
            return Ok(false);
        };
        let call = context.call(self.api, operation, &of.made.values);
        self.done(context, operation, call.role(Role::SetUp)).await?;
        Ok(true)
    }

    /// Sends what must succeed.
    async fn done(&self, context: &mut Context, operation: usize, call: Call) -> Outcome {
        let key = context.suite.apis[self.api].api.operations[operation].key.clone();
        let exchange = context.send(call).await?;
        match (exchange.is_success(), exchange.status()) {
            (true, _) => Ok(()),
            (false, 401 | 403 | 429 | 503) => Err(Stop::Inconclusive(format!(
                "{key} was answered {}; give credentials that may change services",
                exchange.summary()
            ))),
            _ => Err(
                Failure::new("a valid request is refused", "2xx", exchange.summary())
                    .of("accepts-valid")
                    .at(key)
                    .shown_by(&exchange.call)
                    .stop(),
            ),
        }
    }

    /// Waits for the letter that tells of a change, and judges it and all before it.
    pub(in crate::checks) async fn expect(
        &self,
        context: &mut Context,
        subscription: &mut Subscription,
        service: &Service,
        expected: Expected<'_>,
    ) -> Outcome {
        let from = subscription.read;
        let told = subscription.told.clone();
        let news = |event: &Event| event.concerns(service) && !told.contains(event);
        context.judge(DELIVERED.id, self.api, Some(self.subscribe));
        let found = context
            .until(&subscription.mailbox, |letters| {
                first(letters, from, news).is_some()
            })
            .await?;
        let letters = subscription.mailbox.letters();
        let next = first(&letters, from, news);
        let Some((place, event)) = next.filter(|_| found) else {
            return Err(self.missing(context, subscription, expected, &letters[from.letter..]));
        };
        // Without criteria, letters about others' services may come in any number.
        for (index, letter) in letters
            .iter()
            .enumerate()
            .take(place.letter + 1)
            .skip(from.letter)
        {
            let begun = index == from.letter && from.event > 0;
            if !begun && (index == place.letter || index < SHOWN) {
                context.show(letter);
                letters::form(context, self, subscription, letter);
            }
        }
        self.timely(context, service, &letters[place.letter], expected);
        subscription.read = Place {
            event: place.event + 1,
            ..place
        };
        subscription.told.push(event.clone());
        context.judge(CONTENT.id, self.api, Some(self.subscribe));
        letters::content(context, self, service, &event, expected).await
    }

    /// What it means that nothing came.
    fn missing(
        &self,
        context: &mut Context,
        subscription: &Subscription,
        expected: Expected<'_>,
        others: &[Arc<Letter>],
    ) -> Stop {
        let begun = usize::from(subscription.read.event > 0);
        for letter in others.iter().skip(begun).take(SHOWN) {
            context.show(letter);
            letters::form(context, self, subscription, letter);
        }
        not_delivered(context, &subscription.mailbox, expected.what, others)
    }

    /// A letter that took longer than half of the time that there is.
    fn timely(&self, context: &mut Context, service: &Service, letter: &Letter, expected: Expected<'_>) {
        context.judge(TIMELY.id, self.api, Some(self.subscribe));
        let Some(changed) = service.changed else { return };
        let late = letter.arrived.saturating_duration_since(changed);
        if late > context.suite.options.clock.notification / 2 {
            let title = format!("the notification of {} comes late", expected.what);
            let bound = format!(
                "within half of --patience ({:?})",
                context.suite.options.clock.notification
            );
            context.report(Failure::new(title, bound, format!("after {late:.1?}")).of(TIMELY.id));
        }
    }
}

/// The breach that something was not delivered; inconclusive where the platform may not reach this machine.
pub(in crate::checks) fn not_delivered(
    context: &Context,
    mailbox: &Mailbox,
    what: &str,
    others: &[Arc<Letter>],
) -> Stop {
    let Ok(receiver) = context.receiver() else {
        return Stop::Inconclusive("nothing listens for notifications".to_owned());
    };
    if !receiver.has_heard() && !is_loopback(&context.suite.target) {
        return Stop::Inconclusive(format!(
            "nothing has come to {}; if the target can't reach that address, give --callback-listen and --callback-url",
            receiver.base()
        ));
    }
    if mailbox.has_refused() {
        return Stop::Inconclusive(
            "a delivery was larger than the receiver of the suite takes, or all that it keeps is; give it more rest or fewer services"
                .to_owned(),
        );
    }
    let actual = match others.last() {
        None => format!("nothing within {:?}", context.patience()),
        Some(last) => format!(
            "{} other deliveries within {:?}{}, the last one: {} {}",
            others.len(),
            context.patience(),
            listed(others),
            last.method,
            last.text()
        ),
    };
    let expected = format!(
        "a POST to {} (a platform in a container does not reach this machine's loopback address: then give --callback-url)",
        mailbox.url
    );
    Failure::new(format!("no notification comes of {what}"), expected, actual)
        .of(DELIVERED.id)
        .stop()
}

/// The last changes that letters tell.
fn listed(letters: &[Arc<Letter>]) -> String {
    let all = letters.iter().flat_map(|letter| events(letter));
    let mut told: Vec<_> = all
        .map(|event| format!("{} of {}, {}", event.change, event.name, event.state))
        .collect();
    let more = told.len().saturating_sub(LISTED);
    told.drain(..more);
    match (told.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(", telling {}", told.join("; ")),
        (false, more) => format!(", telling {more} changes and {}", told.join("; ")),
    }
}

/// Whether an address is one of this machine alone.
fn is_loopback(target: &str) -> bool {
    let host = target.parse::<http::Uri>().ok();
    let host = host.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A subscription and what has come for it.
pub(in crate::checks) struct Subscription {
    pub(in crate::checks) mailbox: Mailbox,
    pub(in crate::checks) made: Made,
    /// Up to where its events were judged.
    read: Place,
    /// The events that were expected and came.
    told: Vec<Event>,
}

impl Subscription {
    /// All events that have come about a service.
    pub(in crate::checks) fn events_of(&self, service: &Service) -> Vec<Event> {
        let letters = self.mailbox.letters();
        let events = letters.iter().flat_map(|letter| events(letter));
        events.filter(|event| event.concerns(service)).collect()
    }
}

/// A service of the case's own.
pub(in crate::checks) struct Service {
    pub(in crate::checks) made: Made,
    pub(in crate::checks) body: Value,
    pub(in crate::checks) id: String,
    pub(in crate::checks) name: String,
    /// When the last change was asked for; none where changes come by themselves.
    pub(in crate::checks) changed: Option<Instant>,
}

/// What a letter is expected to tell.
#[derive(Clone, Copy, Debug)]
pub(in crate::checks) struct Expected<'a> {
    /// Of what, as it stands in titles.
    pub(in crate::checks) what: &'a str,
    /// `changeType`.
    pub(in crate::checks) change: &'a str,
    /// The state; empty: any.
    pub(in crate::checks) state: &'a str,
}

/// A change of a service, as a letter tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::checks) struct Event {
    pub(in crate::checks) name: String,
    pub(in crate::checks) id: String,
    pub(in crate::checks) change: String,
    pub(in crate::checks) state: String,
    pub(in crate::checks) link: Option<String>,
}

impl Event {
    /// Whether it is about a service: one of name and identifier is enough, so that a wrong one is seen as wrong.
    pub(in crate::checks) fn concerns(&self, service: &Service) -> bool {
        self.id == service.id || self.name == service.name
    }
}

/// The place of an event: platforms may tell several changes in one letter.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    letter: usize,
    /// Within its letter.
    event: usize,
}

/// The first event from a place on that is wanted.
fn first(letters: &[Arc<Letter>], from: Place, wanted: impl Fn(&Event) -> bool) -> Option<(Place, Event)> {
    letters
        .iter()
        .enumerate()
        .skip(from.letter)
        .find_map(|(index, letter)| {
            let skipped = if index == from.letter { from.event } else { 0 };
            let mut events = events(letter).into_iter().enumerate().skip(skipped);
            let (at, event) = events.find(|(_, event)| wanted(event))?;
            let place = Place {
                letter: index,
                event: at,
            };
            Some((place, event))
        })
}

/// The events of a letter, in their order.
pub(in crate::checks) fn events(letter: &Letter) -> Vec<Event> {
    let body = letter.json().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let list = body["serviceReferences"].as_array().cloned().unwrap_or_default();
    let event = |reference: &Value| Event {
        name: text(reference, "serName"),
        id: text(reference, "serInstanceId"),
        change: text(reference, "changeType"),
        state: text(reference, "state"),
        link: reference
            .pointer("/link/href")
            .and_then(Value::as_str)
            .map(str::to_owned),
    };
    list.iter().map(event).collect()
}

impl Subscription {
    /// Events that came again. Only for cases in which no two changes are alike.
    pub(in crate::checks) fn repeated(&self) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        let mut repeated = Vec::new();
        for letter in self.mailbox.letters().iter() {
            for event in self::events(letter) {
                match events.contains(&event) {
                    true => repeated.push(event),
                    false => events.push(event),
                }
            }
        }
        repeated
    }
}
