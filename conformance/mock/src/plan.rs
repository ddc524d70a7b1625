//! What a document says a server keeps: families of things, and the paths at which each is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use mecforge_api::{Api, Content, Kind, Location, Operation, Resource, Status, Template};
use serde_json::Value;

use crate::MockError;
use crate::schemas::Schemas;
use crate::shape;

/// An API, made ready to be served.
pub(crate) struct Plan {
    pub(crate) api: Arc<Api>,
    pub(crate) schemas: Schemas,
    /// What is kept.
    pub(crate) families: Vec<Family>,
    /// By template of an item or a collection: the place in `families`.
    pub(crate) family_of: BTreeMap<String, usize>,
    /// By template of any path: the item templates that lead to it, with the number of their segments.
    pub(crate) ancestors: BTreeMap<String, Vec<Template>>,
}

/// Things of one type. Paths whose items have the same type show the same things: a service that was made under an
/// application is found under `/services` too.
pub(crate) struct Family {
    /// The schema of one, as answered.
    pub(crate) schema: String,
    /// The template of the path under which one is made, or the first one at which it is seen.
    pub(crate) home: Template,
    /// The property that is the identifier in the path.
    pub(crate) identity: Option<String>,
    /// The property under which everything else is, where the type is a wrapper (`{"zoneInfo": {…}}`); any of several.
    pub(crate) wrapped: bool,
    /// Nobody can make one, so there must be some already.
    pub(crate) seeded: bool,
    /// Whether any answer about one has an entity tag.
    pub(crate) tagged: bool,
}

/// The schema of a JSON content, references followed.
fn schema_of(api: &Api, content: Option<&Content>) -> Option<String> {
    let pointer = content?.schema.as_deref()?;
    Some(shape::target(&api.document, pointer))
}

/// The schema of the JSON body of the first success, if it has one.
pub(crate) fn answered(api: &Api, operation: &Operation) -> Option<String> {
    operation
        .successes()
        .find_map(|response| schema_of(api, response.json()))
}

fn item_schema(api: &Api, resource: &Resource) -> Option<String> {
    let of = |index: Option<usize>| api.operations.get(index?);
    let get = of(resource.operation("GET")).and_then(|operation| answered(api, operation));
    let made = || of(resource.maker).and_then(|operation| answered(api, operation));
    let put = || of(resource.operation("PUT")).and_then(|operation| answered(api, operation));
    get.or_else(made).or_else(put)
}

impl Plan {
    pub(crate) fn new(api: Arc<Api>) -> Result<Plan, MockError> {
        let mut plan = Plan {
            schemas: Schemas::new(api.document.clone()),
            families: Vec::new(),
            family_of: BTreeMap::new(),
            ancestors: BTreeMap::new(),
            api: api.clone(),
        };
        plan.compile_all()?;
        for resource in api
            .resources
            .iter()
            .filter(|resource| resource.kind == Kind::Item)
        {
            if let Some(schema) = item_schema(&api, resource) {
                plan.add(resource, schema);
            }
        }
        for resource in &api.resources {
            plan.add_ancestors(resource);
        }
        Ok(plan)
    }

    fn compile_all(&self) -> Result<(), MockError> {
        for operation in &self.api.operations {
            let bodies = operation
                .json_body()
                .into_iter()
                .filter_map(|content| content.schema.as_ref());
            let answers = operation
                .successes()
                .filter_map(|response| response.json()?.schema.as_ref());
            let parameters = operation.parameters.iter().map(|parameter| &parameter.schema);
            for pointer in bodies.chain(answers).chain(parameters) {
                self.schemas
                    .compile(pointer)
                    .map_err(|source| MockError::Schema {
                        operation: operation.key.clone(),
                        source: Box::new(source),
                    })?;
            }
        }
        Ok(())
    }

    fn add(&mut self, resource: &Resource, schema: String) {
        let api = self.api.clone();
        let tagged = self.is_tagged(resource);
        let known = self.families.iter().position(|family| family.schema == schema);
        let at = known.unwrap_or(self.families.len());
        match known {
            None => self.families.push(Family {
                identity: identity(&api, resource, &schema),
                wrapped: is_wrapper(&api.document, &schema),
                home: resource.path.clone(),
                seeded: resource.maker.or(resource.upsert).is_none(),
                tagged,
                schema,
            }),
            Some(at) => {
                let family = &mut self.families[at];
                family.tagged |= tagged;
                if resource.maker.is_some() && family.seeded {
                    family.seeded = false;
                    family.home = resource.path.clone();
                    family.identity = identity(&api, resource, &schema);
                }
            }
        }
        self.family_of.insert(resource.path.text().to_owned(), at);
        if let Some(collection) = &resource.collection {
            self.family_of.insert(collection.clone(), at);
        }
    }

    /// An identifier in the form that the path's parameter and the type's own property allow: digits of a hexadecimal
    /// number where they may be, else those of a UUID, else a small number, else what the rules make of the number.
    pub(crate) fn identifier(&self, family: &Family, item: &Template, number: u64, count: u64) -> String {
        let hexadecimal = format!("{number:016x}");
        let rules = self.identifier_rules(family, item);
        let low = crate::mock::stir(number);
        let uuid = format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            number >> 32,
            (number >> 16) & 0xffff,
            number & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        );
        let fits = |text: &String| {
            rules.iter().all(|rule| {
                let typed = self.schemas.typed(rule, text);
                self.schemas.is_valid(rule, &typed)
            })
        };
        let usual = [hexadecimal.clone(), uuid, count.to_string()];
        let made = || {
            let mut rng = fastrand::Rng::with_seed(number);
            let schema = self.schemas.compile(rules.first()?).ok()?;
            (0..32).find_map(|_| {
                let value = schema.random(&mut rng)?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some(text).filter(|text| !text.is_empty() && !text.contains(['/', '.']) && fits(text))
            })
        };
        usual.into_iter().find(fits).or_else(made).unwrap_or(hexadecimal)
    }

    /// The schemas that an identifier has to obey.
    fn identifier_rules(&self, family: &Family, item: &Template) -> Vec<String> {
        let name = item.last_parameter();
        let below = self
            .api
            .operations
            .iter()
            .filter(|operation| operation.path == *item);
        let mut parameters = below.flat_map(|operation| operation.parameters_in(Location::Path));
        let parameter = parameters.find(|parameter| Some(parameter.name.as_str()) == name);
        let own = family.identity.iter().flat_map(|name| {
            let schemas = [family.schema.clone()];
            shape::property(&self.api.document, &schemas, name)
        });
        parameter
            .map(|parameter| parameter.schema.clone())
            .into_iter()
            .chain(own)
            .collect()
    }

    fn is_tagged(&self, resource: &Resource) -> bool {
        let mut answers = resource
            .operations
            .values()
            .flat_map(|index| self.api.operations[*index].successes());
        answers.any(|response| response.header("etag").is_some())
    }

    fn add_ancestors(&mut self, resource: &Resource) {
        let mut found = Vec::new();
        let mut path = resource.path.clone();
        while let Some(parent) = path.parent().map(Template::new) {
            if self.family_of.contains_key(parent.text()) && parent.last_parameter().is_some() {
                found.push(parent.clone());
            }
            path = parent;
        }
        self.ancestors.insert(resource.path.text().to_owned(), found);
    }

    /// The family that a path shows, whole or one of it.
    pub(crate) fn family(&self, template: &Template) -> Option<usize> {
        self.family_of.get(template.text()).copied()
    }
}

/// Whether a type is only a name around another: every property is an object, and none of them are links.
fn is_wrapper(document: &Value, schema: &str) -> bool {
    let names = shape::property_names(document, schema);
    !names.is_empty()
        && names.iter().all(|name| {
            let schemas = shape::property(document, &[schema.to_owned()], name);
            !name.starts_with('_')
                && schemas
                    .iter()
                    .any(|schema| shape::has_type(document, schema, "object"))
        })
}

/// The property that is the identifier: the one with the name of the path's parameter, else `id`, else the only one
/// that ends in `Id`, is required, and is not the client's to give.
fn identity(api: &Api, resource: &Resource, schema: &str) -> Option<String> {
    let parameter = resource.path.last_parameter()?;
    let document = &api.document;
    let names = if is_wrapper(document, schema) {
        let inner = shape::property_names(document, schema);
        let of = |name: &String| shape::property(document, &[schema.to_owned()], name);
        inner
            .iter()
            .flat_map(of)
            .flat_map(|schema| shape::property_names(document, &schema))
            .collect()
    } else {
        shape::property_names(document, schema)
    };
    if names.iter().any(|name| name == parameter) {
        return Some(parameter.to_owned());
    }
    let maker = resource.maker.map(|index| &api.operations[index]);
    let request = maker.and_then(|maker| schema_of(api, maker.json_body()));
    let mut requested = request
        .as_ref()
        .map(|schema| shape::property_names(document, schema))
        .unwrap_or_default();
    requested.retain(|name| {
        let schemas = request.iter().cloned().collect::<Vec<_>>();
        !shape::is_read_only(document, &shape::property(document, &schemas, name))
    });
    let own =
        |name: &&String| !requested.contains(name) && !resource.path.parameters().any(|other| other == *name);
    if let Some(name) = names.iter().filter(own).find(|name| *name == "id") {
        return Some(name.clone());
    }
    let mut ids = names.iter().filter(own).filter(|name| name.ends_with("Id"));
    match (ids.next(), ids.next()) {
        (Some(name), None) => Some(name.clone()),
        _ => None,
    }
}

/// Whether an operation makes a member of a collection.
pub(crate) fn creates(operation: &Operation) -> bool {
    operation.method == "POST"
        && operation
            .responses
            .iter()
            .any(|response| response.status == Status::Code(201))
}
