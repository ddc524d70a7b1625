//! What a platform does to itself through callback addresses of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mecforge_report::Severity;
use serde_json::{Value, json};

use super::super::notifications::scene::Scene;
use super::super::state::comparison::items;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Identity, Outcome, Plan, Role, Source, Stop, Suite,
    Values, identifier, path_below,
};

static OWN: Check = Check {
    id: "callbacks-change-nothing-at-the-platform",
    group: Group::Security,
    title: "a callback at an address of the platform's own changes nothing there",
    severity: Severity::Error,
    explanation: "Subscriptions to a service are made whose callback addresses are lists of another application instance at the platform itself (its subscriptions, its services), by the target's address and by the platform's loopback address. Refusing them is right. Where they are taken, the service is registered, changed and removed, until a receiver of the suite's own has been notified of it, which is the control; then the lists must be as before. What is new in them was made by the platform's own call, with the platform's own rights. The other application instance is registered by the case, so that nobody else uses it; where that is not possible, only what tells of the notification counts. Taking such an address without an effect is not held against a platform, as an application may be behind the same address.",
    sources: &[
        Source::Practice("OWASP API Security Top 10 2023, API7"),
        Source::Etsi("ETSI GS MEC 011 V3.1.1", "8.1.3.2"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&OWN];

/// How long the lists are watched after the control was notified, at most.
const WATCHED: Duration = Duration::from_secs(2);

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    match Scene::of(suite, api) {
        Some(scene) => {
            // It waits for a notification.
            plan.add(suite, &OWN, api, Some(scene.subscribe), "own", move |context| {
                Box::pin(async move { own(context, scene).await })
            })
            .stage = 3;
        }
        None if state.knowledge.is_of_etsi() => plan.not_applicable(
            &OWN,
            api,
            None,
            "no client can cause what this API notifies of, so that no call of the platform's can be caused",
        ),
        None => {}
    }
}

/// A list at the platform that a POST would add something to.
struct Victim {
    api: usize,
    list: Call,
    /// What was in it.
    before: BTreeSet<String>,
}

/// The instance whose lists are aimed at: one that is registered for it (true), or the second one.
async fn bystander(context: &mut Context) -> Result<(String, bool), Stop> {
    let suite = Arc::clone(&context.suite);
    let registration = suite.apis.iter().enumerate().find_map(|(index, state)| {
        let operation = state.api.operation("POST", "/registrations")?;
        Some((index, operation.index))
    });
    if let Some((api, operation)) = registration {
        match context.make(api, operation, &Values::new(), None).await {
            Ok(made) => {
                if let Some(id) = made.values.get("appInstanceId") {
                    return Ok((id.clone(), true));
                }
            }
            Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
            Err(_) => {}
        }
    }
    let second = suite.second_instance().map(|second| (second, false));
    second.ok_or_else(|| {
        Stop::Inconclusive(
            "two application instances are needed; give them with --app-instance-id A,B".to_owned(),
        )
    })
}

/// The lists of an application instance, read.
async fn victims(context: &mut Context, instance: &str, reader: Identity) -> Result<Vec<Victim>, Stop> {
    let suite = Arc::clone(&context.suite);
    let values = Values::from([("appInstanceId".to_owned(), instance.to_owned())]);
    let mut victims = Vec::new();
    for (api, state) in suite.apis.iter().enumerate() {
        for name in ["subscriptions", "services"] {
            let path = format!("/applications/{{appInstanceId}}/{name}");
            let (Some(list), Some(_)) = (
                state.api.operation("GET", &path),
                state.api.operation("POST", &path),
            ) else {
                continue;
            };
            let list = context
                .call(api, list.index, &values)
                .role(Role::Control)
                .identity(reader);
            if let Some(before) = contents(&context.send(list.clone()).await?) {
                victims.push(Victim { api, list, before });
            }
        }
    }
    match victims.is_empty() {
        true => Err(Stop::Inconclusive(
            "no list of another application instance can be read, so that no effect would be seen".to_owned(),
        )),
        false => Ok(victims),
    }
}

/// What is in a list; none where it is not answered.
fn contents(answer: &Exchange) -> Option<BTreeSet<String>> {
    let body = answer.json().filter(|_| answer.is_success())?;
    let all = items(&body).into_iter().flatten();
    Some(all.map(Value::to_string).collect())
}

/// The addresses of a path at the platform: the target's, and the platform's loopback address where that is another.
fn addresses(suite: &Suite, api: usize, path: &str) -> Vec<String> {
    let below = format!("{}{path}", suite.apis[api].base_path);
    let mut all = vec![format!("{}{below}", suite.target)];
    let port = suite
        .target
        .parse::<http::Uri>()
        .ok()
        .and_then(|target| target.port_u16());
    let scheme = suite.target.split("://").next().unwrap_or("http");
    if let Some(port) = port {
        let loopback = format!("{scheme}://127.0.0.1:{port}{below}");
        if !all.contains(&loopback) {
            all.push(loopback);
        }
    }
    all
}

async fn own(context: &mut Context, scene: Scene) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let (instance, fresh) = bystander(context).await?;
    // A list of the second identity's is read with its credentials.
    let reader = if fresh { Identity::Main } else { Identity::Other };
    let victims = victims(context, &instance, reader).await?;
    let name = format!("conformance-{}", context.unique());
    let criteria = json!({"serNames": [name]});
    let mailbox = context.mailbox()?;
    let control = scene.subscribe(context, mailbox, criteria.clone()).await?;
    let values = context.values(scene.api, scene.subscribe).await?;
    let mut taken = 0;
    for victim in &victims {
        for address in addresses(&suite, victim.api, &victim.list.path) {
            let mut body = control.made.sent.clone();
            body["callbackReference"] = json!(address);
            let call = context.call(scene.api, scene.subscribe, &values).json(body);
            taken += usize::from(context.send(call).await?.is_success());
        }
    }
    if taken == 0 {
        return Ok(());
    }
    let mut service = scene.register(context, &name, |_| {}).await?;
    scene
        .replace(context, &mut service, |body| body["version"] = json!("2.0.0"))
        .await?;
    scene.remove(context, &mut service).await?;
    let told = context
        .until(&control.mailbox, |letters| !letters.is_empty())
        .await?;
    if !told {
        return Err(Stop::Inconclusive(format!(
            "nothing has come to {} either, so that it is not known whether the platform sends anything; if it can't reach that address, give --callback-listen and --callback-url",
            control.mailbox.url
        )));
    }
    watch(context, &victims, (&name, fresh)).await
}

/// Looks for what is new in the lists.
async fn watch(context: &mut Context, victims: &[Victim], (name, fresh): (&str, bool)) -> Outcome {
    let end = Instant::now() + WATCHED.min(context.patience());
    loop {
        for victim in victims {
            let read = context.send(victim.list.clone().role(Role::Judged)).await?;
            let now = contents(&read).unwrap_or_default();
            let mut added = now.difference(&victim.before);
            let tells = |item: &&String| fresh || item.contains(name) || item.contains("notificationType");
            if let Some(item) = added.find(tells).cloned() {
                remove(context, victim, &item).await;
                let title = "a notification that is sent to the platform itself makes something there";
                let expected = "the list as it was before the event";
                return Err(Failure::new(title, expected, item).stop());
            }
        }
        if Instant::now() > end {
            return Ok(());
        }
        context.pause(Duration::from_millis(250)).await?;
    }
}

/// Removes what the platform made, as nobody else knows of it.
async fn remove(context: &mut Context, victim: &Victim, item: &str) {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[victim.api].api;
    let Ok(item) = serde_json::from_str::<Value>(item) else {
        return;
    };
    let link = item.get("href").or_else(|| item.pointer("/_links/self/href"));
    let path = link
        .and_then(Value::as_str)
        .and_then(|link| path_below(&suite, victim.api, link))
        .or_else(|| {
            let id = identifier(&item, "serInstanceId")?;
            Some(format!("{}/{}", victim.list.path, mecforge_api::segment(&id)))
        });
    let found = path.and_then(|path| {
        let operation = document.resource_at(&path)?.operation("DELETE")?;
        Some((path, operation))
    });
    if let Some((path, operation)) = found {
        let call = Call {
            api: victim.api,
            operation: Some(operation),
            method: "DELETE".to_owned(),
            path,
            role: Role::CleanUp,
            identity: victim.list.identity,
            ..Call::default()
        };
        // What can't be removed is named by the clean-up of the instance.
        let _ = context.send(call).await;
    }
}
