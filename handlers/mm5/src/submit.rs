//! Accepting tasks: judged as far as can be told at once, stored, and only then acknowledged.

use mecforge_contracts::{keys, outcome};
use mecforge_runtime::server::Problem;
use mecforge_store::{Expected, Transaction};

use crate::configuration::Configuration;
use crate::keys as own_keys;
use crate::manager::{Mm5, TRIES, is_conflict};
use crate::task::{Record, Wanted, fingerprint};

/// After how many seconds a manager should ask again.
const RETRY_AFTER: &str = "1";

/// How a task is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The manager's name for this request: the same again is answered with the same task.
    pub(crate) idempotency_key: Option<String>,
    /// Whether the application instance must not have a configuration yet.
    pub(crate) must_be_new: bool,
}

impl Mm5 {
    /// Stores a task that brings about what is wanted, and has it begun. A request that is repeated while its task
    /// runs, or under the same `Idempotency-Key`, gets the task that is there.
    ///
    /// # Errors
    /// `409` while another task runs for the application instance, for a configuration that exists and must not, and
    /// for a name that another application instance has; `422` for an `Idempotency-Key` that was used for something
    /// else; `429` if too many tasks are unfinished; what the store says.
    pub(crate) async fn submit(
        &self,
        app_instance_id: &str,
        wanted: Wanted,
        request: &Request,
    ) -> Result<Record, Problem> {
        let fingerprint = fingerprint(&wanted)?;
        let running_key = own_keys::running(app_instance_id);
        let repeated_key = request
            .idempotency_key
            .as_ref()
            .map(|key| own_keys::idempotency(app_instance_id, key));
        for _ in 0..TRIES {
            if let Some(record) = self.repeated(repeated_key.as_deref(), &fingerprint)? {
                return Ok(record);
            }
            if let Some(record) = self.running(app_instance_id)? {
                if record.fingerprint == fingerprint && !request.must_be_new {
                    return Ok(record);
                }
                return Err(busy(&record));
            }
            self.foresee(app_instance_id, &wanted, request)?;
            let record = Record::new(app_instance_id, wanted.clone(), request.idempotency_key.clone())?;
            let id = record.task.task_id.clone();
            let mut transaction = Transaction::new()
                .expect(&*running_key, Expected::Absent)
                .put(&*running_key, id.clone());
            if let Some(key) = &repeated_key {
                transaction = transaction.expect(&**key, Expected::Absent).put(&**key, id);
            }
            match self.store.commit(self.put_record(&record, transaction)?).await {
                Ok(_) => {
                    self.bell.notify_one();
                    return Ok(record);
                }
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(Problem::conflict(
            "too many requests for this application instance at the same time; try again",
        ))
    }

    /// The task that runs for an application instance.
    pub(crate) fn running(&self, app_instance_id: &str) -> Result<Option<Record>, Problem> {
        let Some(entry) = self.store.get(&own_keys::running(app_instance_id)) else {
            return Ok(None);
        };
        let id = String::from_utf8_lossy(&entry.value);
        match self.record(&id) {
            Ok((record, _)) => Ok(Some(record)),
            // It finished between the two reads.
            Err(problem) if problem.status() == http::StatusCode::NOT_FOUND => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// The task that was begun under the same `Idempotency-Key`.
    fn repeated(&self, key: Option<&str>, fingerprint: &str) -> Result<Option<Record>, Problem> {
        let Some(entry) = key.and_then(|key| self.store.get(key)) else {
            return Ok(None);
        };
        let id = String::from_utf8_lossy(&entry.value);
        let (record, _) = self.record(&id)?;
        if record.fingerprint == fingerprint {
            return Ok(Some(record));
        }
        Err(
            Problem::unprocessable("this Idempotency-Key was used for another request")
                .with_parameter("Idempotency-Key")
                .with_rule("unique")
                .with_extension("taskId", record.task.task_id),
        )
    }

    /// Refuses what would fail anyway. The task judges again, as things may change until it runs.
    fn foresee(&self, app_instance_id: &str, wanted: &Wanted, request: &Request) -> Result<(), Problem> {
        if self.tasks.unfinished() >= self.options.unfinished_tasks {
            let problem = Problem::new(
                http::StatusCode::TOO_MANY_REQUESTS,
                "too many tasks are unfinished; try again when some are done",
            );
            return Err(problem.with_header(http::header::RETRY_AFTER, RETRY_AFTER));
        }
        let Wanted::Configuration { configuration, .. } = wanted else {
            return Ok(());
        };
        if request.must_be_new && self.store.get(&keys::configuration(app_instance_id)).is_some() {
            return Err(Problem::conflict(
                "this application instance has a configuration already; PUT replaces it",
            ));
        }
        self.check_name(app_instance_id, configuration)
    }

    /// Refuses a name that another application instance has.
    pub(crate) fn check_name(
        &self,
        app_instance_id: &str,
        configuration: &Configuration,
    ) -> Result<(), Problem> {
        match self.names.owner(&configuration.app_name, app_instance_id) {
            Some(owner) => Err(Problem::conflict(format!(
                "/appName is the name of application instance {owner:?} already"
            ))
            .with_pointer("/appName")
            .with_rule("unique")
            .with_extension("appInstanceId", owner)),
            None => Ok(()),
        }
    }
}

/// The refusal of a task while another one runs.
fn busy(record: &Record) -> Problem {
    Problem::conflict("another task runs for this application instance; try again when it is finished")
        .with_header(http::header::RETRY_AFTER, RETRY_AFTER)
        .with_extension("taskId", record.task.task_id.clone())
}
