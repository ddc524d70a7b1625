//! What application instances confirm: that they are up (MEC 011 clause 7.2.12), that they are done (7.2.11).

use std::sync::Arc;

use mec011_app_support::{
    AppTerminationConfirmationOperationAction, ConfirmReadyApplication, ConfirmTerminationApplication,
};
use mecforge_contracts::lifecycle::{EndAction, Life, PendingEnd};
use mecforge_contracts::outcome;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::Transaction;

use crate::core::{ATTEMPTS, Core};
use crate::endings::Cause;
use crate::lives::Found;
use crate::removal::is_conflict;

impl Core {
    /// The application instance is up and running. Saying so again changes nothing.
    pub(crate) async fn confirm_ready(
        &self,
        request: ConfirmReadyApplication,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let app = &request.app_instance_id;
        for _ in 0..ATTEMPTS {
            let presence = self.existing(caller, app)?;
            let found = Found::at(&*self.parts.store, app);
            if let Some(pending) = found.life.pending {
                return Err(Problem::conflict(format!(
                    "the application instance has been told that it is {}",
                    words(pending.action)
                )));
            }
            if found.life.ready {
                return Ok(());
            }
            let life = Life {
                ready: true,
                pending: None,
            };
            let transaction = presence.guard(Transaction::new(), app);
            match self.parts.store.commit(found.put(transaction, &life)?).await {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => tokio::task::yield_now().await,
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(busy())
    }

    /// The application instance is done with what it was told of; its end follows.
    pub(crate) async fn confirm_termination(
        self: &Arc<Self>,
        request: ConfirmTerminationApplication,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let app = &request.app_instance_id;
        let confirmed = match request.app_termination_confirmation.operation_action {
            AppTerminationConfirmationOperationAction::Stopping => EndAction::Stopping,
            AppTerminationConfirmationOperationAction::Terminating => EndAction::Terminating,
        };
        let pending = self.note_confirmation(app, confirmed, caller).await?;
        if let Err(problem) = self.bring_about(app, pending, Cause::Confirmation).await {
            // It was confirmed, durably, so it is the timer's from now on.
            tracing::error!(%problem, application = app, "a confirmed end could not be brought about yet");
        }
        Ok(())
    }

    /// Makes a pending end due, if it is the one that is confirmed.
    async fn note_confirmation(
        &self,
        app: &str,
        confirmed: EndAction,
        caller: &Caller,
    ) -> Result<PendingEnd, Problem> {
        for _ in 0..ATTEMPTS {
            self.existing(caller, app)?;
            let found = Found::at(&*self.parts.store, app);
            let Some(pending) = found.life.pending else {
                return Err(Problem::conflict(
                    "the application instance has not been told of an end, so there is none to confirm",
                ));
            };
            if pending.action != confirmed {
                return Err(Problem::conflict(format!(
                    "/operationAction must be that of the notification: the application instance has been told that it \
                     is {}",
                    words(pending.action)
                ))
                .with_pointer("/operationAction")
                .with_rule("const"));
            }
            let now = unix_milliseconds();
            if pending.deadline <= now {
                return Ok(pending);
            }
            let due = PendingEnd {
                deadline: now,
                ..pending
            };
            let life = Life {
                pending: Some(due),
                ..found.life
            };
            let transaction = found.put(Transaction::new(), &life)?;
            match self.parts.store.commit(transaction).await {
                Ok(_) => return Ok(due),
                Err(error) if is_conflict(&error) => tokio::task::yield_now().await,
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(busy())
    }
}

fn words(action: EndAction) -> &'static str {
    match action {
        EndAction::Stopping => "STOPPING",
        EndAction::Terminating => "TERMINATING",
    }
}

fn busy() -> Problem {
    Problem::service_unavailable("the state of the application instance changes too quickly; try again")
}
