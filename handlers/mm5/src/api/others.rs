//! Handlers of tasks, capabilities and subscriptions.

use std::sync::Arc;

use mecforge_contracts::{keys, outcome};
use mecforge_runtime::server::{Call, Problem, Reply};
use mecforge_runtime::{Decode, Location, decode};
use mecforge_store::Revision;

use super::JSON;
use super::operations::{GET_SUBSCRIPTION, LIST_CAPABILITIES, LIST_TASKS};
use super::paging::{self, Page};
use crate::capabilities::{Capability, CapabilityFilter, CapabilityKind};
use crate::events::enumeration;
use crate::manager::{Mm5, manager};
use crate::subscriptions::{EventSubscription, EventSubscriptionRequest};
use crate::task::{Record, Task, TaskState};

/// Lists tasks, newest first.
#[utoipa::path(
    get,
    path = "/tasks",
    tag = "tasks",
    params(
        ("appInstanceId" = Option<String>, Query, description = "Only tasks about this application instance"),
        ("state" = Option<TaskState>, Query, description = "Only tasks in this state"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "The most tasks of a page, 100 if absent"),
        ("after" = Option<String>, Query, description = "The identifier behind which the page begins"),
    ),
    responses((status = 200, description = "A page", body = Vec<Task>,
        headers(("link" = Option<String>, description = "The next page, where there is one (rel=next)")))),
)]
pub(super) async fn list_tasks(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let page = Page::of(&call)?;
    let application = call.query("appInstanceId", decode::string)?;
    let state: Option<TaskState> = call.query("state", |json| enumeration(json, TaskState::VALUES))?;
    let entries = mm5.store.range(keys::TASKS, None, usize::MAX).entries;
    let mut tasks: Vec<(Revision, Task)> = entries
        .iter()
        .filter_map(|(_, entry)| {
            let record: Record = serde_json::from_slice(&entry.value).ok()?;
            Some((entry.created, record.task))
        })
        .filter(|(_, task)| application.as_ref().is_none_or(|id| *id == task.app_instance_id))
        .filter(|(_, task)| state.is_none_or(|state| state == task.state))
        .collect();
    tasks.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    let tasks = tasks.into_iter().map(|(_, task)| task).collect();
    let (tasks, more) = page.cut(tasks, |task| &task.task_id);
    let next = tasks.last().filter(|_| more).map(|task| task.task_id.as_str());
    Ok(paging::reply(&call, &LIST_TASKS, &tasks, next))
}

/// Reads a task.
#[utoipa::path(
    get,
    path = "/tasks/{taskId}",
    tag = "tasks",
    params(("taskId" = String, Path, description = "The identifier of the task")),
    responses((status = 200, description = "The task", body = Task,
        headers(("etag" = String, description = "Names this state")))),
)]
pub(super) async fn get_task(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("taskId", decode::string)?;
    let (record, modified) = mm5.record(&id)?;
    Ok(Reply::json(200, JSON, &record.task).etag(Some(outcome::entity_tag(modified))))
}

/// Lists what the platform offers, and who uses it.
#[utoipa::path(
    get,
    path = "/capabilities",
    tag = "capabilities",
    params(
        ("kind" = Option<CapabilityKind>, Query, description = "Only services, or only what the platform offers itself"),
        ("name" = Option<String>, Query, description = "Only capabilities of this name"),
        ("category" = Option<String>, Query, description = "Only services of the category with this identifier"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "The most capabilities of a page, 100 if absent"),
        ("after" = Option<String>, Query, description = "The identifier behind which the page begins"),
    ),
    responses((status = 200, description = "A page", body = Vec<Capability>,
        headers(("link" = Option<String>, description = "The next page, where there is one (rel=next)")))),
)]
pub(super) async fn list_capabilities(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let page = Page::of(&call)?;
    let filter = CapabilityFilter {
        kind: call.query("kind", |json| enumeration(json, CapabilityKind::VALUES))?,
        name: call.query("name", decode::string)?,
        category: call.query("category", decode::string)?,
    };
    let (capabilities, more) = page.cut(mm5.capabilities(&filter), |capability| &capability.capability_id);
    let next = capabilities
        .last()
        .filter(|_| more)
        .map(|capability| capability.capability_id.as_str());
    Ok(paging::reply(&call, &LIST_CAPABILITIES, &capabilities, next))
}

/// Reads one capability.
#[utoipa::path(
    get,
    path = "/capabilities/{capabilityId}",
    tag = "capabilities",
    params(("capabilityId" = String, Path, description = "The identifier of the capability")),
    responses((status = 200, description = "The capability", body = Capability)),
)]
pub(super) async fn get_capability(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("capabilityId", decode::string)?;
    Ok(Reply::json(200, JSON, &mm5.capability(&id)?))
}

/// Lists subscriptions to platform events, oldest first.
#[utoipa::path(
    get,
    path = "/subscriptions",
    tag = "subscriptions",
    responses((status = 200, description = "All of them", body = Vec<EventSubscription>)),
)]
pub(super) async fn list_subscriptions(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let subscriptions = mm5.event_subscriptions();
    let subscriptions: Vec<EventSubscription> = subscriptions
        .into_iter()
        .map(|(subscription, _)| subscription)
        .collect();
    Ok(Reply::json(200, JSON, &subscriptions))
}

/// Subscribes to platform events that happen from now on.
///
/// Each is sent once it has happened, in order, until it is acknowledged by 204 or another success.
#[utoipa::path(
    post,
    path = "/subscriptions",
    tag = "subscriptions",
    request_body = EventSubscriptionRequest,
    responses((status = 201, description = "The subscription", body = EventSubscription,
        headers(
            ("location" = String, description = "The subscription"),
            ("etag" = String, description = "Names this state"),
        ))),
)]
pub(super) async fn create_subscription(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let request = call.json(EventSubscriptionRequest::decode)?;
    let (subscription, revision) = mm5.subscribe(request).await?;
    let path = GET_SUBSCRIPTION.path_with(&[&subscription.subscription_id]);
    Ok(Reply::json(201, JSON, &subscription)
        .location(&Location::new(call.caller().url(&path)))
        .etag(Some(outcome::entity_tag(revision))))
}

/// Reads a subscription.
#[utoipa::path(
    get,
    path = "/subscriptions/{subscriptionId}",
    tag = "subscriptions",
    params(("subscriptionId" = String, Path, description = "The identifier of the subscription")),
    responses((status = 200, description = "The subscription", body = EventSubscription,
        headers(("etag" = String, description = "Names this state")))),
)]
pub(super) async fn get_subscription(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("subscriptionId", decode::string)?;
    let (subscription, modified) = mm5.event_subscription(&id)?;
    Ok(Reply::json(200, JSON, &subscription).etag(Some(outcome::entity_tag(modified))))
}

/// Ends a subscription; events that have not been delivered yet are not.
#[utoipa::path(
    delete,
    path = "/subscriptions/{subscriptionId}",
    tag = "subscriptions",
    params(("subscriptionId" = String, Path, description = "The identifier of the subscription")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete_subscription(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("subscriptionId", decode::string)?;
    mm5.unsubscribe(&id).await?;
    Ok(Reply::empty(204))
}
