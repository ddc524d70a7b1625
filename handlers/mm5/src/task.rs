//! Tasks: what a manager has asked for, how far it is, and what became of it.

use mecforge_contracts::lifecycle::EndAction;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_runtime::ProblemDetails;
use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::configuration::Configuration;

/// What a task is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskOperation {
    /// Put a configuration into effect.
    Configure,
    /// End an application instance.
    End,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskState {
    /// It is stored and has not begun.
    Pending,
    /// It has begun.
    Processing,
    /// It has done all of what was asked for.
    Succeeded,
    /// It has done nothing of what was asked for; `problem` says why.
    Failed,
}

impl TaskState {
    /// The texts on the wire.
    pub(crate) const VALUES: &'static [&'static str] = &["PENDING", "PROCESSING", "SUCCEEDED", "FAILED"];

    /// Whether a task in this state changes no more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// What a task is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskPhase {
    /// Stored; a restart of the platform does not lose it.
    Accepted,
    /// Rules are judged and put in force.
    Applying,
    /// The application instance has been told of its end, or is being removed.
    Ending,
    /// Nothing is left to do.
    Finished,
}

/// Which kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleKind {
    /// A DNS rule.
    Dns,
    /// A traffic rule.
    Traffic,
}

/// What a task does with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleOperation {
    /// The rule is new.
    Add,
    /// It takes the place of one with the same identifier.
    Replace,
    /// It goes.
    Remove,
    /// It stays as it is.
    Keep,
}

/// What has become of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleOutcome {
    /// Nothing yet.
    Pending,
    /// It is in force (or gone), as was asked for.
    Done,
    /// It is why the task has failed.
    Failed,
    /// Nothing has changed, because the task has failed at something else.
    NotDone,
}

/// How far a task is with one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleProgress {
    /// Which kind of rule.
    pub kind: RuleKind,
    /// Its identifier.
    pub id: String,
    /// What is done with it.
    pub operation: RuleOperation,
    /// What has become of it.
    pub outcome: RuleOutcome,
}

/// A task of a manager.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its identifier.
    pub task_id: String,
    /// The application instance that it is about.
    pub app_instance_id: String,
    /// What it is to do.
    pub operation: TaskOperation,
    /// How it stands.
    pub state: TaskState,
    /// What it is at.
    pub phase: TaskPhase,
    /// When it was accepted, in milliseconds since 1970-01-01 UTC.
    pub created: u64,
    /// When it last changed, in milliseconds since 1970-01-01 UTC.
    pub updated: u64,
    /// When it finished, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// How often it was begun: more than once after the platform was stopped in its middle.
    pub attempts: u32,
    /// Whether a task that succeeded has changed anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
    /// What becomes of each rule, of all that are there and all that are asked for.
    #[serde(default)]
    pub rules: Vec<RuleProgress>,
    /// Why it has failed. A `pointer` is the place in the configuration that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = problem_schema)]
    pub problem: Option<ProblemDetails>,
}

fn problem_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    utoipa::openapi::Ref::from_schema_name("ProblemDetails").into()
}

/// What a task is to bring about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wanted {
    /// This configuration.
    #[serde(rename_all = "camelCase")]
    Configuration {
        /// The configuration.
        configuration: Box<Configuration>,
        /// The state of the configuration that the manager's conditions were judged on, if there were any.
        found: Option<u64>,
    },
    /// The end of the application instance.
    #[serde(rename_all = "camelCase")]
    End {
        /// What it leads to.
        action: EndAction,
        /// How long the application may take, in seconds.
        grace: u64,
    },
}

/// A task as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// What managers see.
    pub(crate) task: Task,
    /// What is wanted; forgotten when the task is finished.
    pub(crate) wanted: Option<Wanted>,
    /// SHA-256 of what was wanted, to tell a repeated request from another one.
    pub(crate) fingerprint: String,
    /// The `Idempotency-Key` that the manager has given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
}

impl Record {
    /// A task that has not begun.
    ///
    /// # Errors
    /// Those of writing JSON, which do not occur.
    pub(crate) fn new(
        app_instance_id: &str,
        wanted: Wanted,
        idempotency_key: Option<String>,
    ) -> Result<Self, Problem> {
        let now = unix_milliseconds();
        let operation = match wanted {
            Wanted::Configuration { .. } => TaskOperation::Configure,
            Wanted::End { .. } => TaskOperation::End,
        };
        Ok(Self {
            fingerprint: fingerprint(&wanted)?,
            task: Task {
                task_id: Uuid::new_v4().to_string(),
                app_instance_id: app_instance_id.to_owned(),
                operation,
                state: TaskState::Pending,
                phase: TaskPhase::Accepted,
                created: now,
                updated: now,
                finished: None,
                attempts: 0,
                changed: None,
                rules: Vec::new(),
                problem: None,
            },
            wanted: Some(wanted),
            idempotency_key,
        })
    }

    /// Marks the task as begun.
    pub(crate) fn begin(&mut self) {
        self.task.state = TaskState::Processing;
        self.task.phase = match self.task.operation {
            TaskOperation::Configure => TaskPhase::Applying,
            TaskOperation::End => TaskPhase::Ending,
        };
        self.task.attempts = self.task.attempts.saturating_add(1);
        self.task.updated = unix_milliseconds();
    }

    /// Marks the task as finished: succeeded, having changed something or nothing, or failed.
    pub(crate) fn finish(&mut self, result: Result<bool, &Problem>) {
        let now = unix_milliseconds();
        self.task.updated = now;
        self.task.finished = Some(now);
        self.task.phase = TaskPhase::Finished;
        self.wanted = None;
        match result {
            Ok(changed) => {
                self.task.state = TaskState::Succeeded;
                self.task.changed = Some(changed);
            }
            Err(problem) => {
                self.task.state = TaskState::Failed;
                self.task.problem = Some(problem.details().clone());
            }
        }
        let outcome = if result.is_ok() {
            RuleOutcome::Done
        } else {
            RuleOutcome::NotDone
        };
        for rule in &mut self.task.rules {
            if rule.outcome == RuleOutcome::Pending {
                rule.outcome = outcome;
            }
        }
    }
}

/// SHA-256 of what is wanted, in hexadecimal digits.
pub(crate) fn fingerprint(wanted: &Wanted) -> Result<String, Problem> {
    // The conditions of a request are no part of what it wants.
    let bytes = match wanted {
        Wanted::Configuration { configuration, .. } => serde_json::to_vec(configuration),
        Wanted::End { .. } => serde_json::to_vec(wanted),
    };
    let digest = Sha256::digest(bytes.map_err(Problem::internal)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
