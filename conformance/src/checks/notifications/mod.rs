//! Notifications: what the platform sends to the suite's receiver, when, how often, and to whom.

mod delivery;
mod events;
mod filters;
pub(super) mod general;
mod letters;
mod many;
mod quiet;
pub(super) mod scene;
mod termination;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use mecforge_report::Severity;

use super::time::watched::Lively;
use crate::suite::{Check, Context, Group, Outcome, Plan, Source, Suite};
use scene::Scene;

use termination::Ending;

/// The standard of application enablement.
const MEC011: &str = "ETSI GS MEC 011 V3.1.1";
/// ETSI's rules for the RESTful APIs of MEC.
const PRINCIPLES: &str = "ETSI GS MEC 009";

/// Why the end of an application can't be judged.
const NO_END: &str = "nothing lets the platform announce the end of an application; give announce_termination in --fixtures (a command or a request)";

pub(super) static DELIVERED: Check = Check {
    id: "notification-delivered",
    group: Group::Notifications,
    title: "each change of a service is notified to who has subscribed",
    severity: Severity::Error,
    explanation: "A service is registered, changed and removed; the receiver of the suite must get a notification of each within --patience (5 s), counted anew while others keep coming, and twice that when a breach is tried again. So it must of a service that is registered as INACTIVE, of each of 80 changes of 20 services, and after another subscription of the application was deleted. Each entry of serviceReferences counts: a platform may tell several changes in one notification. Where the target is on another machine and nothing ever comes, it is inconclusive: give --callback-listen and --callback-url.",
    sources: &[Source::Etsi(MEC011, "8.1.4.2"), Source::Etsi(MEC011, "5.2.5")],
};

pub(super) static FORM: Check = Check {
    id: "notification-schema",
    group: Group::Notifications,
    title: "notifications are POSTed as JSON that obeys the document",
    severity: Severity::Error,
    explanation: "Method, media type and body of every notification that comes for the suite's own subscriptions; the schema is that of the operation's callback, or the document's type of notifications before the end of a subscription. Properties that no schema names are allowed.",
    sources: &[Source::Document, Source::Etsi(MEC011, "8.1.4.2")],
};

pub(super) static CONTENT: Check = Check {
    id: "notification-content",
    group: Group::Notifications,
    title: "a notification tells what has happened",
    severity: Severity::Error,
    explanation: "changeType, serInstanceId, serName and state are those of the change; STATE_CHANGED is for a change of the state alone, ATTRIBUTES_CHANGED for any other; the links lead to the service and to the subscription.",
    sources: &[Source::Etsi(MEC011, "8.1.4.2")],
};

static TIMELY: Check = Check {
    id: "notification-in-time",
    group: Group::Notifications,
    title: "notifications come without delay",
    severity: Severity::Warning,
    explanation: "Within half of --patience from when the change was asked for. No standard says how long a notification may take.",
    sources: &[Source::Practice("a service that is gone should not be used")],
};

static ONCE: Check = Check {
    id: "notification-once",
    group: Group::Notifications,
    title: "a notification that was acknowledged does not come again",
    severity: Severity::Error,
    explanation: "The receiver answers 204, which ends the delivery; neither a notification nor an entry of serviceReferences may come again. A platform may deliver again after a crash or a lost acknowledgement; neither happens here, and a breach counts only if it repeats.",
    sources: &[Source::Etsi(PRINCIPLES, "6.12"), Source::Etsi(MEC011, "8.1.4.2")],
};

static ORDER: Check = Check {
    id: "notification-order",
    group: Group::Notifications,
    title: "notifications of one service come in the order of its changes",
    severity: Severity::Error,
    explanation: "A service changes its state several times, each change after the answer to the one before. Notifications carry neither time nor number: who gets them in another order believes in a state that the service does not have. Notifications that are missing, or several changes in one, are not held against a platform here.",
    sources: &[Source::Etsi(MEC011, "8.1.4.2")],
};

static FILTER: Check = Check {
    id: "notification-filter",
    group: Group::Notifications,
    title: "filteringCriteria of a subscription let pass what matches, and nothing else",
    severity: Severity::Error,
    explanation: "Two services differ in the criterion; the one that does not match changes first, the one that matches afterwards. Where a criterion is a list, the one that matches has its second value; the categories of both have one name and differ in id, which identifies them. isLocal is judged with true only (false is read as remote, and as local and remote), and where the platform tells services as remote.",
    sources: &[Source::Etsi(MEC011, "8.1.3.2")],
};

static UNCHANGED: Check = Check {
    id: "notification-of-no-change",
    group: Group::Notifications,
    title: "a heartbeat of a service that is ACTIVE already is notified to nobody",
    severity: Severity::Error,
    explanation: "Notifications are about changes of services, and a heartbeat in time changes none: whoever has subscribed would get one for every heartbeat of every service. Two heartbeats are sent; then the state is really changed, and the notification of that must come, alone.",
    sources: &[
        Source::Etsi(MEC011, "8.1.4.2"),
        Source::Etsi(MEC011, "8.2.10.3.3"),
    ],
};

static SAME: Check = Check {
    id: "notification-of-same",
    group: Group::Notifications,
    title: "a replacement of a service by what it is already is notified to nobody",
    severity: Severity::Warning,
    explanation: "The same body is PUT twice; the second PUT changes nothing. Then the state is really changed, and the notification of that must come, alone. The standard does not say that a replacement without a difference is no change.",
    sources: &[Source::Etsi(MEC011, "8.1.4.2")],
};

static ADDRESS: Check = Check {
    id: "notification-address",
    group: Group::Notifications,
    title: "notifications go to the callback address as it was subscribed, with path and query",
    severity: Severity::Error,
    explanation: "A callback with a path of several segments and a query.",
    sources: &[Source::Etsi(MEC011, "8.1.3.2"), Source::Rfc(3986, "3.4")],
};

static APART: Check = Check {
    id: "notification-receivers-apart",
    group: Group::Notifications,
    title: "a receiver that does not answer delays nobody else",
    severity: Severity::Error,
    explanation: "One subscriber takes connections and never answers, at a port of its own; another one must get its notifications within --patience all the same.",
    sources: &[
        Source::Etsi(MEC011, "8.1.4.2"),
        Source::Practice("isolation of tenants"),
    ],
};

static RETRIED: Check = Check {
    id: "notification-retried",
    group: Group::Notifications,
    title: "a notification that the receiver could not take is sent again",
    severity: Severity::Warning,
    explanation: "The receiver answers 503 once. No standard demands another attempt, but without one a subscriber that restarts believes in what is no more.",
    sources: &[Source::Practice("RFC 9110, 15.6.4: 503 is temporary")],
};

static REDIRECT: Check = Check {
    id: "notification-not-redirected",
    group: Group::Notifications,
    title: "a redirection by a receiver is not followed to another authority",
    severity: Severity::Warning,
    explanation: "The receiver answers 307 with an address at another port. Who follows it lets every subscriber aim the platform at addresses that it was not allowed to name.",
    sources: &[Source::Practice("OWASP API Security Top 10 2023, API7")],
};

static UNSUBSCRIBED: Check = Check {
    id: "notification-after-unsubscribing",
    group: Group::Notifications,
    title: "who has unsubscribed gets no more notifications",
    severity: Severity::Error,
    explanation: "Two have subscribed to the same; one leaves; the next change comes to the other one alone. What was on its way when the subscription was deleted is not counted.",
    sources: &[Source::Etsi(MEC011, "8.2.9.3.5")],
};

static TERMINATION: Check = Check {
    id: "notification-termination",
    group: Group::Notifications,
    title: "the end of an application is announced to it, and it can confirm it",
    severity: Severity::Error,
    explanation: "The platform is told to end the main application instance, by announce_termination of --fixtures, which ends it. The notification must come, obey its schema, tell the action that was asked for, and the confirmation must be taken.",
    sources: &[Source::Etsi(MEC011, "7.1.4.2"), Source::Etsi(MEC011, "7.2.11")],
};

/// The checks of services, and of the end of an application.
const OWN: &[&Check] = &[
    &DELIVERED,
    &FORM,
    &CONTENT,
    &TIMELY,
    &ONCE,
    &ORDER,
    &FILTER,
    &UNCHANGED,
    &SAME,
    &ADDRESS,
    &APART,
    &RETRIED,
    &REDIRECT,
    &UNSUBSCRIBED,
    &TERMINATION,
];

/// The checks of this module.
pub(super) static CHECKS: LazyLock<Vec<&'static Check>> = LazyLock::new(|| [OWN, general::CHECKS].concat());

type Step<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
type Play = for<'a> fn(&'a mut Context, Scene) -> Step<'a>;

/// The cases about services, in one list.
const PLAYS: &[(&Check, &str, Play)] = &[
    (&DELIVERED, "life", |context, scene| {
        Box::pin(events::life(context, scene))
    }),
    (&DELIVERED, "unfiltered", |context, scene| {
        Box::pin(events::unfiltered(context, scene))
    }),
    (&DELIVERED, "subscribers", |context, scene| {
        Box::pin(events::subscribers(context, scene))
    }),
    (&DELIVERED, "inactive", |context, scene| {
        Box::pin(events::inactive(context, scene))
    }),
    (&DELIVERED, "many", |context, scene| {
        Box::pin(many::many(context, scene))
    }),
    (&DELIVERED, "neighbours", |context, scene| {
        Box::pin(delivery::neighbours(context, scene))
    }),
    (&ORDER, "order", |context, scene| {
        Box::pin(events::order(context, scene))
    }),
    (&ADDRESS, "address", |context, scene| {
        Box::pin(events::address(context, scene))
    }),
    (&SAME, "same", |context, scene| {
        Box::pin(quiet::same(context, scene))
    }),
    (&APART, "hanging", |context, scene| {
        Box::pin(delivery::hanging(context, scene))
    }),
    (&RETRIED, "retried", |context, scene| {
        Box::pin(delivery::retried(context, scene))
    }),
    (&REDIRECT, "redirected", |context, scene| {
        Box::pin(delivery::redirected(context, scene))
    }),
    (&UNSUBSCRIBED, "unsubscribed", |context, scene| {
        Box::pin(delivery::unsubscribed(context, scene))
    }),
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for api in 0..suite.apis.len() {
        if let Some(scene) = Scene::of(suite, api) {
            services(suite, plan, scene);
        }
        if let Some(ending) = Ending::of(suite, api) {
            end(suite, plan, ending);
        }
        general::plan(suite, plan, api);
    }
}

fn services(suite: &Arc<Suite>, plan: &mut Plan, scene: Scene) {
    for (check, name, play) in PLAYS {
        plan.add(
            suite,
            check,
            scene.api,
            Some(scene.subscribe),
            name,
            move |context| play(context, scene),
        )
        .stage = 3;
    }
    if let Some(lively) = Lively::of(suite, scene.api) {
        plan.add(
            suite,
            &UNCHANGED,
            scene.api,
            Some(lively.beat),
            "heartbeat",
            move |context| Box::pin(quiet::heartbeat(context, lively)),
        )
        .stage = 3;
    }
    for criterion in filters::CRITERIA {
        plan.add(
            suite,
            &FILTER,
            scene.api,
            Some(scene.subscribe),
            criterion,
            move |context| Box::pin(filters::criterion(context, scene, criterion)),
        )
        .stage = 3;
    }
}

fn end(suite: &Arc<Suite>, plan: &mut Plan, ending: Ending) {
    if suite.fixtures.announce_termination.is_none() {
        return plan.inconclusive(&TERMINATION, ending.api, Some(ending.subscribe), NO_END);
    }
    let case = plan.add(
        suite,
        &TERMINATION,
        ending.api,
        Some(ending.subscribe),
        "announced",
        move |context| Box::pin(termination::announced(context, ending)),
    );
    case.stage = 4;
    case.alone();
}
