//! Handlers of configurations.

use std::sync::Arc;

use mecforge_contracts::lifecycle::EndAction;
use mecforge_runtime::rules::{IntegerRules, StringRules};
use mecforge_runtime::server::{Call, Problem, Reply};
use mecforge_runtime::{Decode, Invalid, decode};
use mecforge_store::Revision;
use serde_json::Value;

use super::{JSON, accepted};
use crate::configuration::{Configuration, check_identifier};
use crate::manager::{Kept, Mm5, manager};
use crate::submit::Request;
use crate::task::{Record, Task, Wanted};

fn unknown() -> Problem {
    Problem::not_found("this application instance has no configuration").with_parameter("appInstanceId")
}

/// The identifier in the path, of an instance that may not exist yet.
pub(crate) fn new_identifier(call: &Call) -> Result<String, Problem> {
    call.path("appInstanceId", |json| {
        let id = decode::string(json)?;
        check_identifier(&id).map(|()| id)
    })
}

impl Mm5 {
    /// Judges the request's conditions. The state that they were judged on, if there are any.
    fn conditions(&self, call: &Call, kept: Option<&Kept>) -> Result<Option<u64>, Problem> {
        let preconditions = call.preconditions()?;
        preconditions.check(kept.map(Kept::entity_tag).as_ref())?;
        let found = kept.map_or(Revision(0), |kept| kept.touched);
        Ok((!preconditions.is_empty()).then_some(found.0))
    }

    /// Submits a configuration.
    pub(crate) async fn submit_configuration(
        &self,
        app_instance_id: &str,
        configuration: Configuration,
        found: Option<u64>,
        request: &Request,
    ) -> Result<Record, Problem> {
        configuration.check(&self.options)?;
        let wanted = Wanted::Configuration {
            configuration: Box::new(configuration),
            found,
        };
        self.submit(app_instance_id, wanted, request).await
    }
}

/// Reads the configuration of an application instance, with its rules as they are now.
#[utoipa::path(
    get,
    path = "/applications/{appInstanceId}/configuration",
    tag = "configurations",
    params(("appInstanceId" = String, Path, description = "The identifier of the application instance")),
    responses((status = 200, description = "The configuration", body = Configuration,
        headers(("etag" = String, description = "Names this state, the states of the rules included")))),
)]
pub(super) async fn get_configuration(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    let kept = mm5.kept(&id)?.ok_or_else(unknown)?;
    Ok(Reply::json(200, JSON, &kept.configuration).etag(Some(kept.entity_tag())))
}

/// Configures an application instance that has no configuration yet, also one that does not exist yet.
#[utoipa::path(
    post,
    path = "/applications/{appInstanceId}/configuration",
    tag = "configurations",
    params(
        ("appInstanceId" = String, Path, min_length = 1, max_length = 256,
            description = "The identifier of the application instance"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
            description = "A name for this request: the same again is answered with the same task"),
    ),
    request_body = Configuration,
    responses((status = 202, description = "The task that puts it into effect", body = Task,
        headers(("location" = String, description = "The task")))),
)]
pub(super) async fn create_configuration(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = new_identifier(&call)?;
    let configuration = call.json(Configuration::decode)?;
    let rules = StringRules {
        min_length: Some(1),
        max_length: Some(255),
        ..StringRules::NONE
    };
    let request = Request {
        idempotency_key: call.header("Idempotency-Key", |json| decode::string_with(json, &rules))?,
        must_be_new: true,
    };
    let record = mm5
        .submit_configuration(&id, configuration, None, &request)
        .await?;
    Ok(accepted(&record, call.caller()))
}

/// Configures an application instance: what is there is replaced, what is not is created.
#[utoipa::path(
    put,
    path = "/applications/{appInstanceId}/configuration",
    tag = "configurations",
    params(("appInstanceId" = String, Path, min_length = 1, max_length = 256,
        description = "The identifier of the application instance")),
    request_body = Configuration,
    responses((status = 202, description = "The task that puts it into effect", body = Task,
        headers(("location" = String, description = "The task")))),
)]
pub(super) async fn replace_configuration(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = new_identifier(&call)?;
    let kept = mm5.kept(&id)?;
    let found = mm5.conditions(&call, kept.as_ref())?;
    let configuration = call.json(Configuration::decode)?;
    let record = mm5
        .submit_configuration(&id, configuration, found, &Request::default())
        .await?;
    Ok(accepted(&record, call.caller()))
}

/// Changes parts of a configuration, by JSON Merge Patch (RFC 7396): lists are replaced as a whole.
#[utoipa::path(
    patch,
    path = "/applications/{appInstanceId}/configuration",
    tag = "configurations",
    params(("appInstanceId" = String, Path, description = "The identifier of the application instance")),
    request_body(content = Object, content_type = "application/merge-patch+json",
        description = "What is different; null takes a property away"),
    responses((status = 202, description = "The task that puts it into effect", body = Task,
        headers(("location" = String, description = "The task")))),
)]
pub(super) async fn patch_configuration(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    let kept = mm5.kept(&id)?.ok_or_else(unknown)?;
    mm5.conditions(&call, Some(&kept))?;
    let patch = call.json(|json| match json.to_value() {
        patch @ Value::Object(_) => Ok(patch),
        _ => Err(Invalid::new("type", "must be an object")),
    })?;
    let mut merged = serde_json::to_value(&kept.configuration).map_err(Problem::internal)?;
    merge(&mut merged, patch);
    let merged = serde_json::to_vec(&merged).map_err(Problem::internal)?;
    let configuration: Configuration = mecforge_runtime::from_slice(&merged)?;
    // What was read is what was patched: another change in between would be lost.
    let found = Some(kept.touched.0);
    let record = mm5
        .submit_configuration(&id, configuration, found, &Request::default())
        .await?;
    Ok(accepted(&record, call.caller()))
}

/// RFC 7396 section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Ends an application instance: its configuration goes, and all that belongs to it.
#[utoipa::path(
    delete,
    path = "/applications/{appInstanceId}/configuration",
    tag = "configurations",
    params(
        ("appInstanceId" = String, Path, description = "The identifier of the application instance"),
        ("gracePeriod" = Option<u64>, Query, minimum = 0, maximum = 4_294_967_295_u64,
            description = "How long the application may take, in seconds; the operator sets how long if absent, and at most"),
    ),
    responses((status = 202, description = "The task that ends it", body = Task,
        headers(("location" = String, description = "The task")))),
)]
pub(super) async fn delete_configuration(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    let kept = mm5.kept(&id)?.ok_or_else(unknown)?;
    mm5.conditions(&call, Some(&kept))?;
    let seconds = IntegerRules::range(0, i128::from(u32::MAX));
    let grace = call.query("gracePeriod", |json| decode::unsigned(json, &seconds))?;
    let grace = mm5.grace(grace).map_err(|message| {
        Problem::bad_request(format!("parameter gracePeriod {message}"))
            .with_parameter("gracePeriod")
            .with_rule("maximum")
    })?;
    let wanted = Wanted::End {
        action: EndAction::Terminating,
        grace,
    };
    let record = mm5.submit(&id, wanted, &Request::default()).await?;
    Ok(accepted(&record, call.caller()))
}
