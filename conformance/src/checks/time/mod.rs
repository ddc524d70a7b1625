//! Time: heartbeats of services, and the platform's clock.

mod clock;
mod heartbeats;
pub(super) mod watched;

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{Check, Group, Plan, Source, Suite};
use watched::Lively;

/// The standard of application enablement.
const MEC011: &str = "ETSI GS MEC 011 V3.1.1";

static AGREES: Check = Check {
    id: "liveness-agrees",
    group: Group::Time,
    title: "a service and its liveness tell the same interval and state",
    severity: Severity::Error,
    explanation: "A service is registered, read and replaced; wherever the interval of heartbeats is told, it is the same, and it is more than 0. A platform that asks for no heartbeats at all is not judged.",
    sources: &[Source::Etsi(MEC011, "8.1.2.2"), Source::Etsi(MEC011, "8.1.2.4")],
};

static NONE: Check = Check {
    id: "no-liveness-without-heartbeats",
    group: Group::Time,
    title: "a service without heartbeats has no liveness that tells an interval",
    severity: Severity::Warning,
    explanation: "A service that offers no heartbeats is registered, and is read without livenessInterval; its liveness, if there is one, then tells no interval. The standard does not say which services have a liveness.",
    sources: &[Source::Etsi(MEC011, "8.1.2.2"), Source::Etsi(MEC011, "8.1.2.4")],
};

static COUNTS: Check = Check {
    id: "heartbeat-counts",
    group: Group::Time,
    title: "a heartbeat is taken, and its time is that of the liveness",
    severity: Severity::Error,
    explanation: "timeStamp of the liveness is later after a heartbeat than before it, and stays while the liveness is only read; it is within five minutes of the Date of the platform's own answer. The liveness is where _links.liveness of the service leads, be it outside the base path of the API.",
    sources: &[
        Source::Etsi(MEC011, "8.1.2.4"),
        Source::Etsi(MEC011, "8.2.10.3.3"),
    ],
};

static GOES: Check = Check {
    id: "liveness-goes-with-service",
    group: Group::Time,
    title: "the liveness of a service that was removed is gone",
    severity: Severity::Error,
    explanation: "A service with heartbeats is registered, its liveness read, and the service removed; two seconds after the service itself is answered 404 its liveness is not answered with a success any more.",
    sources: &[
        Source::Etsi(MEC011, "8.1.2.4"),
        Source::Etsi(MEC011, "8.2.10.3.1"),
    ],
};

static SUSPENDED: Check = Check {
    id: "silent-service-suspended",
    group: Group::Time,
    title: "a service that falls silent is suspended, neither early nor never, and comes back with a heartbeat",
    severity: Severity::Error,
    explanation: "A service proposes an interval of one second and sends no heartbeat; what the platform grants counts. It must be ACTIVE for that long, SUSPENDED after twice that and three seconds at the latest (the standard gives no period of grace), and ACTIVE again after a heartbeat; both changes must be notified. Then it is replaced, and must be suspended a second time. Where the interval that is granted is too long for --clock, it is inconclusive.",
    sources: &[
        Source::Etsi(MEC011, "8.1.2.4"),
        Source::Etsi(MEC011, "8.2.10.3.3"),
        Source::Etsi(MEC011, "8.1.6.4"),
    ],
};

static KEPT: Check = Check {
    id: "heartbeats-keep-active",
    group: Group::Time,
    title: "a service that sends its heartbeats in time stays ACTIVE",
    severity: Severity::Error,
    explanation: "Heartbeats every half of the granted interval, for more than one and a half intervals. If this machine was too slow to send them in time, it is inconclusive.",
    sources: &[Source::Etsi(MEC011, "8.2.10.3.3")],
};

static CLOCK: Check = Check {
    id: "current-time",
    group: Group::Time,
    title: "the current time is the time, in seconds since 1970, and goes on",
    severity: Severity::Error,
    explanation: "Two readings a second apart. More than five minutes from this machine's clock is a breach, unless the platform's Date field is as far away; nanoSeconds are less than a second; the second reading is later than the first.",
    sources: &[Source::Etsi(MEC011, "7.1.2.5"), Source::Etsi(MEC011, "7.2.6.3.1")],
};

static NEAR: Check = Check {
    id: "current-time-near",
    group: Group::Time,
    title: "the current time is near that of this machine",
    severity: Severity::Warning,
    explanation: "Within two seconds, besides the time that the request took. Either clock may be the wrong one.",
    sources: &[Source::Practice("clocks of one system agree")],
};

static CAPABILITIES: Check = Check {
    id: "timing-capabilities",
    group: Group::Time,
    title: "the timing capabilities can be read, and their time is a possible one",
    severity: Severity::Error,
    explanation: "The resource has no parameters, so 404 says that the platform does not have it. timeStamp, if there, is neither before 2000 nor more than five minutes in the future. 501, and refusals for lack of credentials, are not held against a platform.",
    sources: &[Source::Etsi(MEC011, "7.1.2.4"), Source::Etsi(MEC011, "7.2.5.3.1")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[
    &AGREES,
    &NONE,
    &COUNTS,
    &GOES,
    &SUSPENDED,
    &KEPT,
    &CLOCK,
    &NEAR,
    &CAPABILITIES,
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        if let Some(lively) = Lively::of(suite, api) {
            services(suite, plan, lively);
        }
        let find = |path: &str| state.api.operation("GET", path).map(|operation| operation.index);
        if let Some(operation) = find("/timing/current_time") {
            plan.add(suite, &CLOCK, api, Some(operation), "readings", move |context| {
                Box::pin(clock::current(context, api, operation))
            })
            .stage = 3;
        }
        if let Some(operation) = find("/timing/timing_caps") {
            plan.add(
                suite,
                &CAPABILITIES,
                api,
                Some(operation),
                "reading",
                move |context| Box::pin(clock::capabilities(context, api, operation)),
            )
            .stage = 3;
        }
    }
}

fn services(suite: &Arc<Suite>, plan: &mut Plan, lively: Lively) {
    let api = lively.scene.api;
    plan.add(
        suite,
        &AGREES,
        api,
        Some(lively.read),
        "interval",
        move |context| Box::pin(heartbeats::agrees(context, lively)),
    );
    plan.add(suite, &NONE, api, Some(lively.read), "none", move |context| {
        Box::pin(heartbeats::none(context, lively))
    });
    plan.add(suite, &COUNTS, api, Some(lively.beat), "counts", move |context| {
        Box::pin(heartbeats::counts(context, lively))
    });
    plan.add(suite, &GOES, api, Some(lively.read), "goes", move |context| {
        Box::pin(heartbeats::goes(context, lively))
    });
    plan.add(
        suite,
        &SUSPENDED,
        api,
        Some(lively.beat),
        "silent",
        move |context| Box::pin(heartbeats::silent(context, lively)),
    );
    plan.add(suite, &KEPT, api, Some(lively.beat), "in-time", move |context| {
        Box::pin(heartbeats::kept(context, lively))
    });
    for case in plan.cases.iter_mut().rev().take(6) {
        case.stage = 3;
        case.read_only = false;
    }
}
