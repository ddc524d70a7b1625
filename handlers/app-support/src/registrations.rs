//! Registrations of application instances (MEC 011 clauses 7.2.13 and 7.2.14).

use std::sync::Arc;

use mec011_app_support::{AppInfo, DeleteRegistration, GetRegistration, ReplaceRegistration};
use mecforge_contracts::{Presence, access, keys, outcome};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_runtime::{EntityTag, Location};
use mecforge_store::{CommitError, Entry, Expected, Transaction};
use uuid::Uuid;

use crate::core::{Core, Step};

impl Core {
    /// Registers an application instance under the identifier that it brings, or a new one.
    pub(crate) async fn register(
        &self,
        mut info: AppInfo,
        caller: &Caller,
    ) -> Result<(Location, EntityTag, AppInfo), Problem> {
        let id = match info.app_instance_id.take() {
            Some(id) => {
                check_identifier(&id)?;
                access::own(caller, &id)?;
                id
            }
            None => Uuid::new_v4().to_string(),
        };
        info.app_instance_id = Some(id.clone());
        let key = keys::application(&id);
        let transaction = Transaction::new()
            .expect(&*key, Expected::Absent)
            .put(key, encode(&info)?);
        match self.parts.store.commit(transaction).await {
            Ok(revision) => {
                let location = Location::new(caller.url(&GetRegistration::path(&id)));
                Ok((location, outcome::entity_tag(revision), info))
            }
            // 403 is what the document declares for a request that the state of the resource does not allow.
            Err(CommitError::Conflict { .. }) => Err(Problem::forbidden(
                "/appInstanceId is the identifier of an application instance that has registered already",
            )
            .with_pointer("/appInstanceId")
            .with_rule("unique")),
            Err(error) => Err(outcome::problem(error)),
        }
    }

    /// The registration of an application instance.
    pub(crate) fn registration(
        &self,
        app_instance_id: &str,
        caller: &Caller,
    ) -> Result<(AppInfo, EntityTag), Problem> {
        let entry = self.entry(app_instance_id, caller)?;
        let info = mecforge_runtime::from_slice(&entry.value).map_err(Problem::internal)?;
        Ok((info, outcome::entity_tag(entry.modified)))
    }

    /// Replaces a registration. Its identifier stays.
    pub(crate) async fn reregister(
        &self,
        request: ReplaceRegistration,
        caller: &Caller,
    ) -> Result<EntityTag, Problem> {
        let ReplaceRegistration {
            app_instance_id,
            preconditions,
            mut app_info,
        } = request;
        let entry = self.entry(&app_instance_id, caller)?;
        preconditions.check(Some(&outcome::entity_tag(entry.modified)))?;
        if app_info
            .app_instance_id
            .as_ref()
            .is_some_and(|id| *id != app_instance_id)
        {
            let detail =
                "/appInstanceId must be the identifier in the path: an application instance keeps its own";
            return Err(Problem::bad_request(detail)
                .with_pointer("/appInstanceId")
                .with_rule("const"));
        }
        app_info.app_instance_id = Some(app_instance_id.clone());
        let key = keys::application(&app_instance_id);
        let transaction = Transaction::new()
            .expect(&*key, outcome::expected(&preconditions, entry.modified))
            .put(key, encode(&app_info)?);
        match self.parts.store.commit(transaction).await {
            Ok(revision) => Ok(outcome::entity_tag(revision)),
            Err(CommitError::Conflict { .. }) => {
                // Gone, or no longer what the condition named.
                self.entry(&app_instance_id, caller)?;
                Err(Problem::precondition_failed(
                    "the registration was changed by another request at the same time",
                )
                .with_parameter("If-Match"))
            }
            Err(error) => Err(outcome::problem(error)),
        }
    }

    /// Ends a registration. Of an instance that only registered everything goes; what a manager or the platform's
    /// configuration has given to another one stays.
    pub(crate) async fn deregister(
        self: &Arc<Self>,
        request: DeleteRegistration,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let DeleteRegistration {
            app_instance_id: app,
            preconditions,
        } = request;
        access::own(caller, &app)?;
        let id = app.clone();
        let plan = move |core: &Self| -> Result<Step<()>, Problem> {
            let found = core.parts.store.get(&keys::application(&id));
            let entry = found.ok_or_else(|| access::unknown(&id))?;
            preconditions.check(Some(&outcome::entity_tag(entry.modified)))?;
            let step = match core.presence(&id) {
                Presence::Registered | Presence::Absent => core.plan_removal(&id, || ()),
                presence => core.plan_deregistration(&id, presence),
            }?;
            // What is removed is what was found: of several requests at once, one removes it.
            Ok(step.expecting(keys::application(&id), Expected::Revision(entry.modified)))
        };
        self.change(&app, plan).await
    }

    fn entry(&self, app_instance_id: &str, caller: &Caller) -> Result<Entry, Problem> {
        access::own(caller, app_instance_id)?;
        self.parts
            .store
            .get(&keys::application(app_instance_id))
            .ok_or_else(|| access::unknown(app_instance_id))
    }
}

/// Refuses identifiers that cannot stand in a path, or in a log.
fn check_identifier(id: &str) -> Result<(), Problem> {
    let refuse = |rule: &str, words: String| {
        Err(Problem::bad_request(format!("/appInstanceId {words}"))
            .with_pointer("/appInstanceId")
            .with_rule(rule))
    };
    match id {
        "" => refuse("minLength", "must not be empty".to_owned()),
        "." | ".." => refuse("pattern", "must not be a relative path".to_owned()),
        _ if id.len() > access::LONGEST_IDENTIFIER => refuse(
            "maxLength",
            format!("must have at most {} bytes", access::LONGEST_IDENTIFIER),
        ),
        _ if id.chars().any(char::is_control) => {
            refuse("pattern", "must not have control characters".to_owned())
        }
        _ => Ok(()),
    }
}

fn encode(info: &AppInfo) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(info).map_err(Problem::internal)
}
