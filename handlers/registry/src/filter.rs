//! The query parameters of service lists (MEC 011 clauses 8.2.3.3.1 and 8.2.6.3.1).
//!
//! Different parameters narrow: a service must pass all of them. Values of one parameter widen: a service must have
//! one of them. `ser_instance_id`, `ser_name` and `ser_category_id` exclude each other.

use mec011_service_management::{ListApplicationServicesQuery, ListServicesQuery, LocalityType};
use mecforge_runtime::server::Problem;

use crate::service::Service;

/// Which services are asked for by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    All,
    Identifiers(Vec<String>),
    Names(Vec<String>),
    Category(String),
}

/// A query, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) choice: Choice,
    scope_of_locality: Option<LocalityType>,
    consumed_local_only: Option<bool>,
    local_only: bool,
}

impl Filter {
    /// Whether a service passes.
    pub(crate) fn matches(&self, service: &Service) -> bool {
        self.chooses(service)
            && self
                .scope_of_locality
                .is_none_or(|scope| scope == service.content.scope_of_locality())
            && self
                .consumed_local_only
                .is_none_or(|wanted| wanted == service.content.consumed_local_only())
            && (!self.local_only || service.content.is_local())
    }

    fn chooses(&self, service: &Service) -> bool {
        match &self.choice {
            Choice::All => true,
            Choice::Identifiers(ids) => ids.iter().any(|id| **id == *service.id),
            Choice::Names(names) => names.contains(&service.content.info.ser_name),
            Choice::Category(id) => service.content.category() == Some(id),
        }
    }
}

/// At most one way of choosing may be given.
fn choice(ids: Vec<String>, names: Vec<String>, category: Option<String>) -> Result<Choice, Problem> {
    let given = [
        ("ser_instance_id", !ids.is_empty()),
        ("ser_name", !names.is_empty()),
        ("ser_category_id", category.is_some()),
    ];
    let mut given = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        let detail = format!(
            "parameter {second} must not be given together with {first}: \
             at most one of ser_instance_id, ser_name and ser_category_id may be"
        );
        return Err(Problem::bad_request(detail)
            .with_parameter(second)
            .with_rule("mutuallyExclusive"));
    }
    Ok(match category {
        Some(category) => Choice::Category(category),
        None if !ids.is_empty() => Choice::Identifiers(ids),
        None if !names.is_empty() => Choice::Names(names),
        None => Choice::All,
    })
}

impl TryFrom<ListServicesQuery> for Filter {
    type Error = Problem;

    fn try_from(query: ListServicesQuery) -> Result<Self, Problem> {
        Ok(Self {
            choice: choice(query.ser_instance_id, query.ser_name, query.ser_category_id)?,
            scope_of_locality: query.scope_of_locality,
            consumed_local_only: query.consumed_local_only,
            // `false` asks for local and remote services, which is no restriction.
            local_only: query.is_local.unwrap_or(false),
        })
    }
}

impl TryFrom<ListApplicationServicesQuery> for Filter {
    type Error = Problem;

    fn try_from(query: ListApplicationServicesQuery) -> Result<Self, Problem> {
        let ListApplicationServicesQuery {
            ser_instance_id,
            ser_name,
            ser_category_id,
            scope_of_locality,
            consumed_local_only,
            is_local,
        } = query;
        Self::try_from(ListServicesQuery {
            ser_instance_id,
            ser_name,
            ser_category_id,
            scope_of_locality,
            consumed_local_only,
            is_local,
        })
    }
}
