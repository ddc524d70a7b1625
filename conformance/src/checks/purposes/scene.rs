//! What the scenarios of all test purposes are made of: the general control, objects, bodies, demands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mecforge_api::{Location, Operation, Part, Template};
use mecforge_instances::ValidKind;
use mecforge_report::Severity;
use serde_json::{Value, json};

use super::super::state::comparison::{is_at, last, same};
use crate::purposes::Purpose;
use crate::suite::{
    ApiState, Call, Context, Exchange, Failure, Intent, Made, Outcome, Role, Stop, Suite, Values,
};

/// The interval of heartbeats that is asked for where liveness is what is tested.
const INTERVAL: u32 = 60;

/// One test purpose at work.
pub(super) struct Scene<'run> {
    pub(super) context: &'run mut Context,
    pub(super) purpose: &'static Purpose,
    pub(super) api: usize,
    pub(super) operation: usize,
    pub(super) suite: Arc<Suite>,
}

/// Something that an operation's path names.
pub(super) struct Thing {
    /// The values of its path.
    pub(super) values: Values,
    /// How it was made; none where it was found.
    pub(super) made: Option<Made>,
}

impl Thing {
    /// Its identifier.
    pub(super) fn identifier(&self) -> Option<&str> {
        self.made.as_ref().map(|made| last(&made.path))
    }

    /// Whether a body is that of this thing.
    pub(super) fn is(&self, body: &Value) -> bool {
        let made = self.made.as_ref();
        made.is_none_or(|made| is_at(body, last(&made.path)) || same(body, &made.answered))
    }
}

impl<'run> Scene<'run> {
    pub(super) fn new(
        context: &'run mut Context,
        purpose: &'static Purpose,
        api: usize,
        operation: usize,
    ) -> Self {
        let suite = Arc::clone(&context.suite);
        Scene {
            context,
            purpose,
            api,
            operation,
            suite,
        }
    }

    pub(super) fn declared(&self) -> &Operation {
        &self.suite.apis[self.api].api.operations[self.operation]
    }

    pub(super) fn path(&self) -> Template {
        self.declared().path.clone()
    }

    /// The operation of a method at a path template.
    pub(super) fn at(&self, method: &str, path: &str) -> Option<usize> {
        let found = self.suite.apis[self.api].api.operation(method, path);
        found.map(|operation| operation.index)
    }

    /// A breach of the purpose.
    pub(super) fn failure(
        &self,
        title: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Failure {
        self.own(Failure::new(title, expected, actual))
    }

    /// A breach that some step reported, as one of the purpose.
    pub(super) fn own(&self, mut failure: Failure) -> Failure {
        // One finding for a purpose, in whichever of its steps it fails.
        let id = &self.purpose.id;
        if failure.signature != *id {
            failure.signature.clone_from(id);
            failure.title = format!("{id}: {}", failure.title);
        }
        failure.check = None;
        failure.operation = None;
        failure.call = None;
        failure
    }

    pub(super) fn fail(
        &self,
        title: impl Into<String>,
        expected: impl Into<String>,
        exchange: &Exchange,
    ) -> Stop {
        self.failure(title, expected, exchange.summary()).stop()
    }

    /// Notes what the target does where two readings are accepted.
    pub(super) fn observe(&self, what: impl Into<String>) {
        self.suite.observe(&self.purpose.id, what.into());
    }

    pub(super) fn call(&self, operation: usize, values: &Values) -> Call {
        let call = self.context.call(self.api, operation, values);
        let mut successes = self.suite.apis[self.api].api.operations[operation].successes();
        let foreign = successes.find(|response| !response.content.is_empty() && response.json().is_none());
        match foreign.and_then(|response| response.content.first()) {
            Some(content) => call.header(
                "Accept",
                format!("{}, application/problem+json", content.media_type),
            ),
            None => call,
        }
    }

    /// Sends a request that must succeed, and whose answer must break no rule of the document.
    pub(super) async fn good(&mut self, call: Call, what: &str) -> Result<Exchange, Stop> {
        let before = self.context.reported.len();
        let exchange = self.context.send(call).await?;
        self.sound(before)?;
        match exchange.is_success() {
            true => Ok(exchange),
            false => Err(self.refused(&exchange, what)),
        }
    }

    /// Fails if the checks of answers have reported an error since.
    pub(super) fn sound(&self, before: usize) -> Outcome {
        let new = self.context.reported.iter().skip(before);
        let severe = new.map(|reported| &reported.failure).find(|failure| {
            let check = failure.check.and_then(crate::checks::find);
            check.is_some_and(|check| check.severity == Severity::Error)
        });
        match severe {
            Some(failure) => Err(self.own(failure.clone()).stop()),
            None => Ok(()),
        }
    }

    /// Whether the purpose is about an application instance that nobody gave and no API of the run lets anybody register.
    fn lacks_instance(&self) -> bool {
        let registers = |state: &ApiState| state.api.operation("POST", "/registrations").is_some();
        self.purpose.operation.contains("{appInstanceId}")
            && self.suite.invented.load(Ordering::Relaxed)
            && !self.suite.apis.iter().any(registers)
    }

    /// Why something valid that is refused ends the case.
    pub(super) fn refused(&self, exchange: &Exchange, what: &str) -> Stop {
        let state = &self.suite.apis[self.api];
        let key = exchange.call.operation.map(|index| &state.api.operations[index]);
        if matches!(exchange.status(), 401 | 403 | 429) {
            return Stop::Inconclusive(format!(
                "{what} is answered {}; give credentials that may do it",
                exchange.summary()
            ));
        }
        if exchange.status() == 404 && self.lacks_instance() {
            return Stop::Inconclusive(format!(
                "{what} is answered {}; give an application instance that the platform knows: --app-instance-id",
                exchange.summary()
            ));
        }
        let says = !exchange.call.query.is_empty()
            || matches!(exchange.call.method.as_str(), "POST" | "PUT" | "PATCH");
        let reason = key.and_then(|operation| state.knowledge.may_refuse(&operation.key));
        match reason.filter(|_| says && exchange.is_refusal()) {
            Some(reason) => {
                Stop::Inconclusive(format!("{what} is answered {}; {reason}", exchange.summary()))
            }
            None => self.fail(
                format!("{what} is answered {}", exchange.status()),
                "a success",
                exchange,
            ),
        }
    }

    /// The control of every purpose: the API is there, and the target tells what exists from what does not.
    pub(super) async fn is_there(&mut self) -> Outcome {
        let operations = &self.suite.apis[self.api].api.operations;
        let simple = |operation: &&Operation| {
            operation.method == "GET"
                && operation.path.parameters().next().is_none()
                && !operation
                    .parameters_in(Location::Query)
                    .any(|parameter| parameter.required)
        };
        if let Some(index) = operations.iter().find(simple).map(|operation| operation.index) {
            let key = operations[index].key.clone();
            let call = self.call(index, &Values::new()).role(Role::Control);
            let exchange = self.context.send(call).await?;
            if !exchange.is_success() {
                return Err(self.refused(&exchange, &format!("{key}, which needs nothing,")));
            }
        }
        let call = Call {
            api: self.api,
            method: "GET".to_owned(),
            path: format!("/mec-conformance-{}", self.context.unique()),
            role: Role::Control,
            intent: Intent::Odd,
            ..Call::default()
        };
        let exchange = self.context.send(call).await?;
        match exchange.is_success() {
            true => Err(self.fail(
                "a path that the API does not have is answered like one that it has, so that no answer says anything",
                "404",
                &exchange,
            )),
            false => Ok(()),
        }
    }

    /// A body for an operation, of the purpose's type, with the identifiers of the path where it repeats them.
    pub(super) fn body(&mut self, operation: usize, values: &Values) -> Result<Value, Stop> {
        let mut body = self.of_type(operation, values)?;
        if let Some(members) = body.as_object_mut() {
            for (name, value) in values {
                if let Some(member) = members.get_mut(name).filter(|member| member.is_string()) {
                    *member = json!(value);
                }
            }
        }
        Ok(body)
    }

    fn of_type(&mut self, operation: usize, values: &Values) -> Result<Value, Stop> {
        let Some(variant) = &self.purpose.variant else {
            let mut body = self.context.body(self.api, operation, values)?;
            let makes_service = self.purpose.operation.ends_with("/liveness")
                && self.suite.apis[self.api].api.operations[operation].method == "POST";
            if let (true, Some(members)) = (makes_service, body.as_object_mut()) {
                members.insert("livenessInterval".to_owned(), json!(INTERVAL));
            }
            return Ok(body);
        };
        let (pointer, value) = match variant.split_once('=') {
            Some((pointer, value)) => (pointer, Some(value)),
            None => (variant.as_str(), None),
        };
        let is_of_type = |body: &Value| {
            let found = body.pointer(pointer);
            found.is_some_and(|found| value.is_none_or(|value| found.as_str() == Some(value)))
        };
        let schema = self.suite.apis[self.api].body_schema(operation);
        let found = schema.and_then(|schema| {
            let minimal = schema.minimal().filter(is_of_type);
            minimal.or_else(|| {
                let plain = |kind| {
                    matches!(
                        kind,
                        ValidKind::Minimal | ValidKind::Full | ValidKind::Branch | ValidKind::Pairwise
                    )
                };
                let cases = schema.valid_cases().into_iter();
                cases
                    .filter(|case| plain(case.kind) && is_of_type(&case.value))
                    .map(|case| case.value)
                    .min_by_key(|value| value.to_string().len())
            })
        });
        let mut body = found.ok_or_else(|| {
            Stop::Inconclusive(format!("no body with {variant} can be generated from the schema"))
        })?;
        self.context.bind(&mut body, values);
        Ok(body)
    }

    /// Makes an object.
    pub(super) async fn make(&mut self, maker: usize) -> Result<Made, Stop> {
        let values = self.context.values(self.api, maker).await?;
        let body = self.body(maker, &values)?;
        let before = self.context.reported.len();
        let made = self.context.make(self.api, maker, &values, Some(body)).await?;
        self.sound(before)?;
        Ok(made)
    }

    /// The operation that makes what a path template (or the nearest part of it) names, and the template of what it
    /// makes. Where another collection feeds this one, its operation: services of applications are in `/services`.
    pub(super) fn maker(&self, path: &Template) -> Option<(usize, Template)> {
        let document = &self.suite.apis[self.api].api;
        let mut prefixes = Vec::new();
        let mut prefix = String::new();
        for part in path.parts() {
            match part {
                Part::Literal(text) => prefix.push_str(text),
                Part::Parameter(name) => {
                    prefix.push_str(&format!("{{{name}}}"));
                    prefixes.push(prefix.clone());
                }
            }
        }
        let at = |wanted: &str| {
            let found = document.resources.iter().find(|resource| {
                resource.maker.is_some()
                    && (resource.path.text() == wanted
                        || (resource.path.text().ends_with(wanted) && wanted.matches('/').count() == 2))
            })?;
            Some((found.maker?, found.path.clone()))
        };
        prefixes.iter().rev().find_map(|wanted| at(wanted))
    }

    /// What a path template names: made where the API can make it, else given or found.
    pub(super) async fn thing(&mut self, path: &Template) -> Result<Thing, Stop> {
        if let Some((maker, _)) = self.maker(path) {
            let made = self.make(maker).await?;
            return Ok(Thing {
                values: made.values.clone(),
                made: Some(made),
            });
        }
        let owner = self.suite.apis[self.api].api.resource(path.text());
        let operation = owner
            .and_then(|resource| resource.operations.values().next().copied())
            .unwrap_or(self.operation);
        match self.context.values(self.api, operation).await {
            Ok(values) => Ok(Thing { values, made: None }),
            Err(Stop::Inconclusive(reason)) => {
                self.nothing_is_nothing(path).await?;
                Err(Stop::Inconclusive(reason))
            }
            Err(stop) => Err(stop),
        }
    }

    /// Where nothing was found at a path: then nothing must answer there either.
    async fn nothing_is_nothing(&mut self, path: &Template) -> Outcome {
        let get = self.at("GET", path.text());
        let parent = path.parent().map(Template::new);
        let list = parent.and_then(|parent| self.at("GET", parent.text()));
        let (Some(get), Some(list)) = (get, list) else {
            return Ok(());
        };
        let values = self.context.values(self.api, list).await?;
        let call = self.call(get, &values);
        self.knows_no_stranger(&call, path, &values).await
    }

    /// The values of a path whose last identifier nobody has.
    pub(super) fn stranger(&mut self, path: &Template, values: &Values) -> (Values, String) {
        let mut values: BTreeMap<_, _> = values.clone();
        let name = path.parameters().last().unwrap_or_default().to_owned();
        values.insert(name.clone(), format!("unknown-{}", self.context.unique()));
        (values, name)
    }

    /// The path of a request with the identifier that nobody has: of the document, or of the link that was followed.
    pub(super) fn path_of_stranger(
        &self,
        call: &Call,
        path: &Template,
        values: &Values,
        name: &str,
    ) -> String {
        if !call.rooted && path.matches(&call.path).is_some() {
            return path.expand(values);
        }
        // Where the link does not say which part of it tells the services apart, it is the last one.
        let nobody = values.get(name).map_or("", String::as_str);
        call.clone().with_last(nobody).path
    }

    /// The control beside something that was found: the same request with an identifier that nobody has is refused.
    pub(super) async fn knows_no_stranger(
        &mut self,
        call: &Call,
        path: &Template,
        values: &Values,
    ) -> Outcome {
        // A platform that takes any application instance fails the purposes about unknown ones, and no other.
        if path
            .parameters()
            .last()
            .is_none_or(|name| name == "appInstanceId")
        {
            return Ok(());
        }
        let (values, name) = self.stranger(path, values);
        let mut call = call.clone().role(Role::Control).intent(Intent::Odd);
        call.path = self.path_of_stranger(&call, path, &values, &name);
        let exchange = self.context.send(call).await?;
        match exchange.is_success() {
            true => Err(self.fail(
                format!(
                    "an unknown {name} is answered like one that exists, so that no answer says anything"
                ),
                "404",
                &exchange,
            )),
            false => Ok(()),
        }
    }
}
