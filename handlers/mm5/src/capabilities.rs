//! What a platform offers, and who uses it.

use std::collections::{BTreeSet, HashMap};

use mecforge_contracts::keys;
use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::manager::Mm5;

/// What offers a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CapabilityKind {
    /// A service that an application has registered.
    Service,
    /// The platform itself.
    Platform,
}

impl CapabilityKind {
    /// The texts on the wire.
    pub(crate) const VALUES: &'static [&'static str] = &["SERVICE", "PLATFORM"];
}

/// An application instance that uses a capability.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consumer {
    /// Its identifier.
    pub application_instance_id: String,
}

/// Something that a platform offers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capability {
    /// The service's `serInstanceId`, or a name that begins with `platform.`.
    pub capability_id: String,
    /// The service's name, or what it is called.
    pub capability_name: String,
    /// What offers it.
    pub kind: CapabilityKind,
    /// The service's state, or `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// The service's version, or the platform's.
    pub version: String,
    /// The identifier of the service's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_id: Option<String>,
    /// The name of the service's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_name: Option<String>,
    /// The application instance that offers the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_instance_id: Option<String>,
    /// What can be said of a capability of the platform, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, required = false)]
    pub details: Option<Value>,
    /// Application instances that need the service as configured or registered, or that have subscribed to it.
    pub consumers: Vec<Consumer>,
}

/// Which capabilities are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct CapabilityFilter {
    pub(crate) kind: Option<CapabilityKind>,
    pub(crate) name: Option<String>,
    pub(crate) category: Option<String>,
}

/// Who consumes which services, by what they name them by.
#[derive(Debug, Default)]
struct Consumers {
    ids: HashMap<String, BTreeSet<Consumer>>,
    names: HashMap<String, BTreeSet<Consumer>>,
    categories: HashMap<String, BTreeSet<Consumer>>,
}

impl Consumers {
    fn of(&self, id: &str, name: &str, category: Option<&str>) -> BTreeSet<Consumer> {
        let by_category = category.and_then(|category| self.categories.get(category));
        let found = [self.ids.get(id), self.names.get(name), by_category];
        found.into_iter().flatten().flatten().cloned().collect()
    }
}

impl Mm5 {
    /// What the platform offers: services in the order of their keys, then what it offers itself.
    pub(crate) fn capabilities(&self, filter: &CapabilityFilter) -> Vec<Capability> {
        let mut capabilities = Vec::new();
        if filter.kind != Some(CapabilityKind::Platform) {
            let consumers = self.consumers();
            let services = self.store.range(keys::SERVICES, None, usize::MAX).entries;
            capabilities.extend(services.iter().filter_map(|(key, entry)| {
                let value = serde_json::from_slice(&entry.value).ok()?;
                service(key, &value, &consumers)
            }));
        }
        if filter.kind != Some(CapabilityKind::Service) {
            capabilities.extend(self.features());
        }
        let is = |wanted: Option<&String>, is: Option<&String>| wanted.is_none() || wanted == is;
        capabilities.retain(|capability| {
            is(filter.name.as_ref(), Some(&capability.capability_name))
                && is(filter.category.as_ref(), capability.category_id.as_ref())
        });
        capabilities
    }

    /// One capability.
    ///
    /// # Errors
    /// `404` if there is none.
    pub(crate) fn capability(&self, id: &str) -> Result<Capability, Problem> {
        self.capabilities(&CapabilityFilter::default())
            .into_iter()
            .find(|capability| capability.capability_id == id)
            .ok_or_else(|| Problem::not_found("there is no such capability").with_parameter("capabilityId"))
    }

    /// Who consumes which services: applications by what they need, subscribers by their criteria.
    fn consumers(&self) -> Consumers {
        let mut consumers = Consumers::default();
        let lists = [
            (keys::CONFIGURATIONS, ["requiredServices", "optionalServices"]),
            (keys::APPLICATIONS, ["appServiceRequired", "appServiceOptional"]),
        ];
        for (place, lists) in lists {
            for (key, entry) in self.store.range(place, None, usize::MAX).entries {
                let owner = keys::configuration_of(&key).or_else(|| keys::application_of(&key));
                let value: Value = serde_json::from_slice(&entry.value).unwrap_or_default();
                let needed = lists.iter().flat_map(|list| items(&value[*list]));
                add(
                    &mut consumers.names,
                    owner,
                    needed.map(|service| &service["serName"]),
                );
            }
        }
        for (key, entry) in self.store.range(keys::SUBSCRIPTIONS, None, usize::MAX).entries {
            let value: Value = serde_json::from_slice(&entry.value).unwrap_or_default();
            let owner = keys::subscription_at(&key).map(|(_, owner, _)| owner);
            let Some(criteria) = criteria(&value) else {
                continue;
            };
            let categories = items(&criteria["serCategories"]).map(|category| &category["id"]);
            add(&mut consumers.categories, owner.clone(), categories);
            add(&mut consumers.names, owner.clone(), items(&criteria["serNames"]));
            add(&mut consumers.ids, owner, items(&criteria["serInstanceIds"]));
        }
        consumers
    }

    /// What the platform offers itself.
    fn features(&self) -> Vec<Capability> {
        let feature = |id: &str, name: &str, is_active: bool, details: Value| Capability {
            capability_id: format!("platform.{id}"),
            capability_name: name.to_owned(),
            kind: CapabilityKind::Platform,
            status: if is_active { "ACTIVE" } else { "INACTIVE" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            category_id: None,
            category_name: None,
            app_instance_id: None,
            details: Some(details),
            consumers: Vec::new(),
        };
        let addresses = self.dns.listens_on();
        let plane = self.traffic.capabilities();
        let mut features = vec![
            feature(
                "dns",
                "DNS rules",
                !addresses.is_empty(),
                json!({"listensOn": addresses}),
            ),
            feature("traffic-rules", "Traffic rules", plane.available, json!(plane)),
        ];
        if !self.options.transports.is_empty() {
            let details = json!({"transports": self.options.transports});
            features.push(feature("transports", "Transports", true, details));
        }
        features
    }
}

/// A registered service.
fn service(key: &str, value: &Value, consumers: &Consumers) -> Option<Capability> {
    let (application, id) = keys::service_at(key)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&value["serName"])?;
    let category_id = text(&value["serCategory"]["id"]);
    let consumers = consumers.of(&id, &name, category_id.as_deref());
    Some(Capability {
        capability_id: id,
        capability_name: name,
        kind: CapabilityKind::Service,
        status: text(&value["state"]).unwrap_or_default(),
        version: text(&value["version"]).unwrap_or_default(),
        category_id,
        category_name: text(&value["serCategory"]["name"]),
        app_instance_id: Some(application),
        details: None,
        consumers: consumers.into_iter().collect(),
    })
}

/// The filtering criteria of a subscription, which may be stored as a part of something larger.
fn criteria(value: &Value) -> Option<&Value> {
    let name = "filteringCriteria";
    let nested = || value.as_object()?.values().find_map(|value| value.get(name));
    value.get(name).or_else(nested)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Adds a consumer under each text.
fn add<'a>(
    consumers: &mut HashMap<String, BTreeSet<Consumer>>,
    owner: Option<String>,
    texts: impl Iterator<Item = &'a Value>,
) {
    let Some(application_instance_id) = owner else {
        return;
    };
    let consumer = Consumer {
        application_instance_id,
    };
    for text in texts.filter_map(Value::as_str) {
        consumers
            .entry(text.to_owned())
            .or_default()
            .insert(consumer.clone());
    }
}
