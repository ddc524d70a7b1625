//! What a document says a server keeps: families of things, and the paths at which each is seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use mecforge_api::{Api, Content, Kind, Operation, Resource, Status, Template, resolve};
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
    Some(resolve(&api.document, pointer))
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
                seeded: resource.maker.is_none(),
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
    let requested = request
        .map(|schema| shape::property_names(document, &schema))
        .unwrap_or_default();
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
