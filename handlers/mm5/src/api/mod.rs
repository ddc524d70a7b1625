//! Our own API for managers: routes, handlers and the document that describes them.

pub(crate) mod applications;
pub(crate) mod configurations;
mod document;
pub(crate) mod operations;
mod others;
mod paging;

use std::sync::Arc;

use mecforge_runtime::Location;
use mecforge_runtime::server::{ApiService, Caller, Reply, Routes};

use crate::manager::Mm5;
use crate::task::Record;

pub use document::document;

/// Where our own API hangs.
pub const BASE_PATH: &str = "/mm5/v1";

/// The media type of bodies.
pub(crate) const JSON: &str = "application/json";

impl Mm5 {
    /// Our own API, relative to [`BASE_PATH`], as a service that answers every request.
    #[must_use]
    pub fn service(self: &Arc<Self>) -> ApiService {
        self.routes().into_service()
    }

    /// Our own API, relative to [`BASE_PATH`], as a router.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        self.routes().into_router()
    }

    fn routes(self: &Arc<Self>) -> Routes {
        use operations as of;
        Routes::new()
            .route(&of::LIST_APPLICATIONS, self, applications::list_applications)
            .route(&of::GET_APPLICATION, self, applications::get_application)
            .route(
                &of::TERMINATE_APPLICATION,
                self,
                applications::terminate_application,
            )
            .route(&of::GET_CONFIGURATION, self, configurations::get_configuration)
            .route(
                &of::CREATE_CONFIGURATION,
                self,
                configurations::create_configuration,
            )
            .route(
                &of::REPLACE_CONFIGURATION,
                self,
                configurations::replace_configuration,
            )
            .route(
                &of::PATCH_CONFIGURATION,
                self,
                configurations::patch_configuration,
            )
            .route(
                &of::DELETE_CONFIGURATION,
                self,
                configurations::delete_configuration,
            )
            .route(&of::LIST_TASKS, self, others::list_tasks)
            .route(&of::GET_TASK, self, others::get_task)
            .route(&of::LIST_CAPABILITIES, self, others::list_capabilities)
            .route(&of::GET_CAPABILITY, self, others::get_capability)
            .route(&of::LIST_SUBSCRIPTIONS, self, others::list_subscriptions)
            .route(&of::CREATE_SUBSCRIPTION, self, others::create_subscription)
            .route(&of::GET_SUBSCRIPTION, self, others::get_subscription)
            .route(&of::DELETE_SUBSCRIPTION, self, others::delete_subscription)
    }
}

/// The answer to a request that a task carries out.
fn accepted(record: &Record, caller: &Caller) -> Reply {
    let path = operations::GET_TASK.path_with(&[&record.task.task_id]);
    Reply::json(202, JSON, &record.task).location(&Location::new(caller.url(&path)))
}
