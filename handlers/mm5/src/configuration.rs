//! What a manager says about an application instance.

use std::collections::BTreeSet;

use mec011_app_support::{CategoryRef, DnsRule, ServiceDependency, TrafficRule};
use mecforge_contracts::access::LONGEST_IDENTIFIER;
use mecforge_runtime::rules::{ArrayRules, StringRules};
use mecforge_runtime::{Decode, Invalid, Json, ObjectReader, decode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};

use crate::options::Options;

/// The longest name, in characters.
const LONGEST_NAME: u64 = 128;
/// The most services of each of the three lists.
const MOST_SERVICES: u64 = 64;

/// What a manager says about an application instance: its name, what it needs and offers, and its rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// The name of the application instance; no two instances have the same.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
    )]
    pub app_name: String,
    /// Whether the application itself uses Mp1; kept and shown, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_support_mp1: Option<bool>,
    /// Services that the application cannot do without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, schema_with = required_schema)]
    pub required_services: Vec<ServiceDependency>,
    /// Services that the application uses where they exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, schema_with = optional_schema)]
    pub optional_services: Vec<ServiceDependency>,
    /// Services that the application is to register.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 64)]
    pub produced_services: Vec<ProducedService>,
    /// All its DNS rules, with identifiers that differ; the operator sets how many there may be, 32 by default.
    #[schema(required = false, schema_with = dns_rules_schema)]
    pub dns_rules: Vec<DnsRule>,
    /// All its traffic rules, with identifiers that differ; the operator sets how many there may be, 16 by default.
    #[schema(required = false, schema_with = traffic_rules_schema)]
    pub traffic_rules: Vec<TrafficRule>,
}

/// A service that an application is to register.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProducedService {
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
    )]
    pub ser_name: String,
    /// Its version.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
    )]
    pub version: String,
    /// Its category.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = category_schema)]
    pub ser_category: Option<CategoryRef>,
}

fn list_of(name: &str, most: Option<u64>, description: &str) -> RefOr<Schema> {
    let most = most.and_then(|most| usize::try_from(most).ok());
    let list = ArrayBuilder::new().items(Ref::from_schema_name(name));
    RefOr::T(list.max_items(most).description(Some(description)).into())
}

fn required_schema() -> RefOr<Schema> {
    let description = "Services that the application cannot do without";
    list_of("ServiceDependency", Some(MOST_SERVICES), description)
}

fn optional_schema() -> RefOr<Schema> {
    let description = "Services that the application uses where they exist";
    list_of("ServiceDependency", Some(MOST_SERVICES), description)
}

fn dns_rules_schema() -> RefOr<Schema> {
    let description =
        "All its DNS rules, with identifiers that differ; the operator sets how many there may be";
    list_of("DnsRule", None, description)
}

fn traffic_rules_schema() -> RefOr<Schema> {
    let description =
        "All its traffic rules, with identifiers that differ; the operator sets how many there may be";
    list_of("TrafficRule", None, description)
}

fn category_schema() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("CategoryRef"))
}

/// A text of at least one character and at most [`LONGEST_NAME`], none of which is a control character.
pub(crate) fn name(json: &Json<'_>) -> Result<String, Invalid> {
    let rules = StringRules {
        min_length: Some(1),
        max_length: Some(LONGEST_NAME),
        ..StringRules::NONE
    };
    let name = decode::string_with(json, &rules)?;
    match name.chars().any(char::is_control) {
        true => Err(Invalid::new("pattern", "must not hold control characters")),
        false => Ok(name),
    }
}

fn list<T: Decode>(object: &ObjectReader<'_, '_>, name: &str, most: Option<u64>) -> Result<Vec<T>, Invalid> {
    let rules = ArrayRules {
        max_items: most,
        ..ArrayRules::NONE
    };
    let items = object.optional(name, |json| decode::array(json, &rules, T::decode))?;
    Ok(items.unwrap_or_default())
}

impl Decode for Configuration {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        object.refuse_undeclared(&[
            "appName",
            "appSupportMp1",
            "requiredServices",
            "optionalServices",
            "producedServices",
            "dnsRules",
            "trafficRules",
        ])?;
        Ok(Self {
            app_name: object.required("appName", name)?,
            app_support_mp1: object.optional("appSupportMp1", decode::boolean)?,
            required_services: list(&object, "requiredServices", Some(MOST_SERVICES))?,
            optional_services: list(&object, "optionalServices", Some(MOST_SERVICES))?,
            produced_services: list(&object, "producedServices", Some(MOST_SERVICES))?,
            dns_rules: list(&object, "dnsRules", None)?,
            traffic_rules: list(&object, "trafficRules", None)?,
        })
    }
}

impl Decode for ProducedService {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        object.refuse_undeclared(&["serName", "version", "serCategory"])?;
        Ok(Self {
            ser_name: object.required("serName", name)?,
            version: object.required("version", name)?,
            ser_category: object.optional("serCategory", CategoryRef::decode)?,
        })
    }
}

mecforge_runtime::deserialize!(Configuration, ProducedService);

impl Configuration {
    /// Checks what the schema cannot say: the operator's limits, and identifiers that differ and can stand in a path.
    ///
    /// # Errors
    /// The place and the rule, `maxItems`, `unique` or `identifier`.
    pub(crate) fn check(&self, options: &Options) -> Result<(), Invalid> {
        let dns = self.dns_rules.iter().map(|rule| rule.dns_rule_id.as_str());
        check_rules(dns, options.dns_rules, "dnsRuleId").map_err(|invalid| invalid.within("dnsRules"))?;
        let traffic = self
            .traffic_rules
            .iter()
            .map(|rule| rule.traffic_rule_id.as_str());
        check_rules(traffic, options.traffic_rules, "trafficRuleId")
            .map_err(|invalid| invalid.within("trafficRules"))
    }

    /// The same with its rules in the order of their identifiers, in which they are shown.
    #[must_use]
    pub(crate) fn sorted(mut self) -> Self {
        self.dns_rules
            .sort_by(|left, right| left.dns_rule_id.cmp(&right.dns_rule_id));
        self.traffic_rules
            .sort_by(|left, right| left.traffic_rule_id.cmp(&right.traffic_rule_id));
        self
    }

    /// The same without its rules, which are kept by themselves.
    #[must_use]
    pub(crate) fn without_rules(&self) -> Self {
        Self {
            dns_rules: Vec::new(),
            traffic_rules: Vec::new(),
            ..self.clone()
        }
    }
}

fn check_rules<'a>(
    ids: impl ExactSizeIterator<Item = &'a str>,
    most: usize,
    property: &str,
) -> Result<(), Invalid> {
    if ids.len() > most {
        let message = format!("must have at most {most} elements, as the platform's operator has set");
        return Err(Invalid::new("maxItems", message));
    }
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        let at = |invalid: Invalid| invalid.within(property).at_index(index);
        check_identifier(id).map_err(at)?;
        if !seen.insert(id) {
            return Err(at(Invalid::new(
                "unique",
                "must differ from those of the other rules",
            )));
        }
    }
    Ok(())
}

/// Refuses an identifier that cannot stand in a path.
pub(crate) fn check_identifier(id: &str) -> Result<(), Invalid> {
    let refuse = |message: &str| Err(Invalid::new("identifier", message));
    match id {
        "" => refuse("must not be empty"),
        "." | ".." => refuse("must not be . or .., which mean something else in a path"),
        _ if id.len() > LONGEST_IDENTIFIER => refuse("must have at most 256 bytes"),
        _ if id.chars().any(char::is_control) => refuse("must not hold control characters"),
        _ => Ok(()),
    }
}
