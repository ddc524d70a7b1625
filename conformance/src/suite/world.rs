//! Things at the target: making them, finding them, and the values of path parameters that name them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mecforge_api::{Location, Part, Resource};
use serde_json::Value;

use super::call::{Call, Exchange, Intent, Payload, Role};
use super::context::Context;
use super::outcome::{Failure, Stop};
use super::whereabouts::{demands_location, identifier, is_at, items, last_segment, location_path};
use super::{Suite, seed};

/// Values of path parameters by name, not percent-encoded.
pub type Values = BTreeMap<String, String>;

/// Something that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The values that name it: those of its collection, and its own.
    pub values: Values,
    /// Its path below the API's base path.
    pub path: String,
    /// What was sent.
    pub sent: Value,
    /// What came back; `null` if it was no JSON.
    pub answered: Value,
    /// The exchange.
    pub exchange: Exchange,
}

/// Makes an object: a POST at its collection that has to answer 201 with a `Location`.
///
/// # Errors
/// [`Stop::Fail`] if the platform refuses what the document allows; [`Stop::Inconclusive`] if it refuses for a reason
/// that may lie in what the operator has to give (credentials, an application instance).
pub(super) async fn make(
    context: &mut Context,
    api: usize,
    maker: usize,
    values: &Values,
    body: Option<Value>,
) -> Result<Made, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    if let Some(reason) = suite
        .options
        .denial("", &document.id, Some(&document.operations[maker].key))
    {
        return Err(Stop::NotApplicable(reason));
    }
    let body = match body {
        Some(body) => obeying(context, api, maker, body)?,
        None => context.body(api, maker, values)?,
    };
    let call = context
        .call(api, maker, values)
        .json(body.clone())
        .role(Role::SetUp);
    let key = context.suite.apis[api].api.operations[maker].key.clone();
    let exchange = context.send(call).await?;
    if !exchange.is_success() {
        let unknown = exchange.status() == 404 && !is_parent_there(context, api, maker, values).await?;
        return Err(refused(context, api, &key, &exchange, unknown));
    }
    let path = location_path(&context.suite, &exchange);
    let template = items(&context.suite, api, maker);
    let found = template
        .zip(path)
        .and_then(|(template, path)| Some((template.matches(&path)?, path)));
    let Some((named, path)) = found else {
        return Err(nowhere(&suite, api, maker, &exchange));
    };
    Ok(Made {
        values: named,
        path,
        sent: body,
        answered: exchange.json().unwrap_or(Value::Null),
        exchange,
    })
}

/// What is to be said of an answer to a creation that does not tell where the new object is.
fn nowhere(suite: &Suite, api: usize, maker: usize, exchange: &Exchange) -> Stop {
    let key = &suite.apis[api].api.operations[maker].key;
    let actual = format!(
        "{}, Location: {}",
        exchange.status(),
        exchange.header("location").unwrap_or("(none)")
    );
    if !demands_location(suite, api, maker) {
        return Stop::Inconclusive(format!(
            "{key} was answered {actual}, and nothing in the answer tells the path of what was made"
        ));
    }
    let failure = Failure::new(
        "the answer to a creation does not say where the new object is",
        "201 with a Location below the collection that was posted to",
        actual,
    );
    failure
        .of("location")
        .at(key.clone())
        .shown_by(&exchange.call)
        .stop()
}

/// A body that a check has written itself, if the document under test allows it: documents differ, also between releases.
fn obeying(context: &Context, api: usize, maker: usize, body: Value) -> Result<Value, Stop> {
    let breach = context.suite.apis[api]
        .body_schema(maker)
        .and_then(|schema| schema.errors(&body).into_iter().next());
    match breach {
        None => Ok(body),
        Some(breach) => Err(Stop::NotApplicable(format!(
            "what this case sends is not valid by this document: {} {}",
            breach.instance_pointer, breach.message
        ))),
    }
}

/// Whether the list below which something is to be made is there: who gives an application instance that the platform
/// does not know is told so, and the platform is not blamed. Where there is no list, nobody can tell.
async fn is_parent_there(
    context: &mut Context,
    api: usize,
    maker: usize,
    values: &Values,
) -> Result<bool, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let path = &document.operations[maker].path;
    let (Some(list), true) = (
        document.operation("GET", path.text()),
        path.parameters().count() > 0,
    ) else {
        return Ok(true);
    };
    let call = context.call(api, list.index, values).role(Role::Control);
    Ok(context.send(call).await?.status() != 404)
}

/// Why a platform that refuses a valid set-up can't be tested further, or is to be blamed for it.
fn refused(context: &Context, api: usize, key: &str, exchange: &Exchange, unknown: bool) -> Stop {
    if !exchange.is_refusal() {
        // No answer, an error of the server, a redirection: other checks have said so.
        return Stop::Inconclusive(format!(
            "{key} with a valid body was answered {}",
            exchange.summary()
        ));
    }
    let state = &context.suite.apis[api];
    let environment = matches!(exchange.status(), 401 | 403 | 409 | 429 | 503)
        || (exchange.status() == 404 && context.suite.options.app_instance_ids.is_empty())
        || unknown;
    if environment {
        return Stop::Inconclusive(format!(
            "{key} with a valid body was answered {}; give credentials and application instances that the platform knows",
            exchange.summary()
        ));
    }
    if let Some(reason) = state.knowledge.may_refuse(key) {
        return Stop::Inconclusive(format!("{key} was answered {}; {reason}", exchange.summary()));
    }
    Failure::new(
        "a valid request is refused",
        "201, as the body obeys every rule of the document and the standard",
        exchange.summary(),
    )
    .of("accepts-valid")
    .at(key)
    .shown_by(&exchange.call)
    .stop()
}

/// The member of a body by which a client may choose the identifier of what it makes: it is named as the parameter of
/// the path, or as its end (`deviceId` and `{registeredDeviceId}`). Several objects need one of their own each.
pub fn suggested_identifier(suite: &Suite, api: usize, maker: usize, body: &Value) -> Option<String> {
    let template = items(suite, api, maker)?;
    let parameter = template.last_parameter()?.to_lowercase();
    let above: Vec<_> = suite.apis[api].api.operations[maker].path.parameters().collect();
    let mut members = body.as_object()?.iter();
    let fits = |name: &str| {
        name.ends_with("Id") && parameter.ends_with(&name.to_lowercase()) && !above.contains(&name)
    };
    members
        .find(|(name, value)| value.is_string() && fits(name))
        .map(|(name, _)| name.clone())
}

/// Values for all path parameters of an operation.
pub(super) async fn values(context: &mut Context, api: usize, operation: usize) -> Result<Values, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[operation].path.clone();
    let mut values = Values::new();
    let mut prefix = String::new();
    for part in template.parts() {
        match part {
            Part::Literal(text) => prefix.push_str(text),
            Part::Parameter(name) => {
                prefix.push_str(&format!("{{{name}}}"));
                values = parameter(context, (api, operation), &prefix, name, values).await?;
            }
        }
    }
    Ok(values)
}

/// Adds the value of one parameter of an operation's path: of something that is made, given, or found.
async fn parameter(
    context: &mut Context,
    (api, operation): (usize, usize),
    prefix: &str,
    name: &str,
    mut values: Values,
) -> Result<Values, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let resource = document.resource(prefix);
    if let Some(maker) = resource
        .and_then(|resource| resource.maker)
        .filter(|_| !suite.options.read_only)
    {
        let mut body = None;
        if let Some((member, value)) = suite.apis[api]
            .knowledge
            .presupposes(document.operations[operation].path.text())
        {
            let mut whole = context.body(api, maker, &values)?;
            whole[member] = value;
            body = Some(whole);
        }
        let made = Box::pin(make(context, api, maker, &values, body)).await?;
        return Ok(made.values);
    }
    if let Some(given) = suite.fixtures.resources.get(prefix).and_then(|list| list.first()) {
        values.extend(given.clone());
        return Ok(values);
    }
    if is_application(prefix, name) {
        values.insert(name.to_owned(), instance(&suite)?);
        return Ok(values);
    }
    let upsert = resource.and_then(|resource| resource.upsert);
    if let Some(put) = upsert.filter(|_| !suite.options.read_only) {
        values.insert(name.to_owned(), fresh_identifier(context, api, put, name)?);
        Box::pin(put_in_place(context, api, put, &values)).await?;
        return Ok(values);
    }
    let collection = resource.and_then(|resource| resource.collection.as_deref());
    let list = collection
        .and_then(|collection| document.operation("GET", collection))
        .map(|operation| operation.index);
    if let Some(list) = list {
        // Something may have to be made that the list then shows: services of an application are in /services.
        let own = twin(context, api, prefix).await?;
        let call = context.call(api, list, &values).role(Role::SetUp);
        let exchange = context.send(call).await?;
        let body = exchange.json();
        if let Some(own) = own.filter(|own| body.as_ref().is_some_and(|body| is_at(body, own))) {
            values.insert(name.to_owned(), own);
            return Ok(values);
        }
        if let Some(found) = body.and_then(|body| identifier(&body, name)) {
            values.insert(name.to_owned(), found);
            return Ok(values);
        }
    }
    Err(Stop::Inconclusive(format!(
        "nothing exists at {prefix}, and the API can't make it; name one in --fixtures: [resources] \"{prefix}\" = [{{ {name} = \"…\" }}]"
    )))
}

/// An identifier of the suite's own that the rules of a path's parameter allow.
fn fresh_identifier(context: &mut Context, api: usize, operation: usize, name: &str) -> Result<String, Stop> {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let declared = &state.api.operations[operation];
    let mut parameters = declared.parameters_in(Location::Path);
    let parameter = parameters.find(|parameter| parameter.name == name);
    let schema = parameter.and_then(|parameter| state.schema(&parameter.schema));
    let own = format!("conformance-{}", context.unique());
    let Some(schema) = schema.filter(|schema| !schema.is_valid(&Value::from(own.as_str()))) else {
        return Ok(own);
    };
    let plain = |text: &String| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric());
    let mut tries = (0..64).filter_map(|_| match schema.random(&mut context.rng)? {
        Value::String(text) => Some(text).filter(plain),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    });
    tries.next().ok_or_else(|| {
        Stop::Inconclusive(format!(
            "no identifier can be made that the rules of {name} allow at {}",
            declared.key
        ))
    })
}

/// Makes an object by a PUT at a path where nothing is yet.
async fn put_in_place(context: &mut Context, api: usize, put: usize, values: &Values) -> Result<(), Stop> {
    let body = context.body(api, put, values)?;
    let call = context.call(api, put, values).json(body).role(Role::SetUp);
    let key = context.suite.apis[api].api.operations[put].key.clone();
    let exchange = context.send(call).await?;
    match exchange.is_success() {
        true => Ok(()),
        // No document says under which identifiers a platform lets clients make something.
        false => Err(refused(context, api, &key, &exchange, exchange.status() == 404)),
    }
}

/// Makes a thing of the type that is at a path where another path of the API makes such things, as what is found in a
/// list may be another's, who may remove it at any time. Its identifier.
pub(crate) async fn twin(context: &mut Context, api: usize, prefix: &str) -> Result<Option<String>, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let shown = |resource: &Resource| {
        let get = &document.operations[resource.operation("GET")?];
        let schema = get
            .successes()
            .find_map(|response| response.json()?.schema.clone())?;
        Some(mecforge_api::resolve(&document.document, &schema))
    };
    let wanted = document.resource(prefix).and_then(shown);
    let maker = document
        .resources
        .iter()
        .filter(|other| wanted.is_some() && shown(other) == wanted)
        .find_map(|other| other.maker);
    let Some(maker) = maker.filter(|_| context.depth < 3 && !suite.options.read_only) else {
        return Ok(None);
    };
    context.depth += 1;
    let made = match Box::pin(values(context, api, maker)).await {
        Ok(values) => Box::pin(make(context, api, maker, &values, None)).await,
        Err(stop) => Err(stop),
    };
    context.depth -= 1;
    match made {
        Ok(made) => Ok(Some(last_segment(&made.path))),
        Err(stop @ (Stop::Gone(_) | Stop::Over)) => Err(stop),
        Err(_) => Ok(None),
    }
}

fn is_application(prefix: &str, name: &str) -> bool {
    name == "appInstanceId" || prefix.ends_with("/applications/{appInstanceId}")
}

/// The application instance that the suite acts for.
fn instance(suite: &Suite) -> Result<String, Stop> {
    let instances = suite.instances.get().and_then(|instances| instances.first());
    instances.cloned().ok_or_else(|| {
        Stop::Inconclusive("no application instance is known; give one with --app-instance-id".to_owned())
    })
}

/// Finds the application instances of a run: given ones, or two that are registered, or names that the platform may
/// accept as they are. Registrations are left to the caller to remove.
pub(crate) async fn prepare(context: &mut Context) -> Result<(), Stop> {
    let suite = Arc::clone(&context.suite);
    let mut instances = suite.options.app_instance_ids.clone();
    instances.extend(suite.fixtures.app_instance_ids.iter().cloned());
    for person in &suite.fixtures.identity {
        let id = &person.app_instance_id;
        if !id.is_empty() && !instances.contains(id) {
            instances.push(id.clone());
        }
    }
    let registration = suite.apis.iter().enumerate().find_map(|(index, state)| {
        let operation = state.api.operation("POST", "/registrations")?;
        Some((index, operation.index))
    });
    if instances.is_empty()
        && !suite.options.read_only
        && let Some((api, operation)) = registration
    {
        for _ in 0..2 {
            match make(context, api, operation, &Values::new(), None).await {
                Ok(made) => instances.extend(made.values.get("appInstanceId").cloned()),
                Err(Stop::Gone(reason)) => return Err(Stop::Gone(reason)),
                Err(_) => break,
            }
        }
    }
    if instances.is_empty() {
        // Several platforms take any identifier; one in the form of a UUID offends none.
        suite.invented.store(true, Ordering::Relaxed);
        for name in ["one", "two"] {
            let number = seed::hash(suite.options.seed, &["instance", name]);
            let low = number & 0xffff_ffff_ffff;
            instances.push(format!("{:08x}-0000-4000-8000-{low:012x}", number >> 32));
        }
    }
    let _ = suite.instances.set(instances);
    Ok(())
}

/// Gives the members of a body that are named like a parameter of the path the value that is in the path, as two names
/// for one thing would be refused; inside of a wrapper too. What stands at `except` and below is left as it is.
pub(crate) fn name_like_path(body: &mut Value, values: &Values, except: &str) {
    let Some(members) = body.as_object_mut() else {
        return;
    };
    let broken = |name: &str| except == format!("/{name}") || except.starts_with(&format!("/{name}/"));
    for (name, member) in members.iter_mut().filter(|(name, _)| !broken(name)) {
        // The `deviceId` of a `registeredDeviceId` is meant too.
        let lower = name.to_ascii_lowercase();
        let ends = |parameter: &String| {
            name.len() > 2 && name.ends_with("Id") && parameter.to_ascii_lowercase().ends_with(&lower)
        };
        let end = || values.iter().find(|(parameter, _)| ends(parameter));
        match (member, values.get_key_value(name).or_else(end)) {
            (Value::String(text), Some((_, value))) => text.clone_from(value),
            (Value::Number(number), Some((_, value))) => {
                if let Ok(same) = value.parse::<i64>() {
                    *number = same.into();
                }
            }
            _ => {}
        }
    }
    if members.len() == 1
        && let Some((name, inner @ Value::Object(_))) = members.iter_mut().next()
    {
        let except = except
            .strip_prefix(&format!("/{name}"))
            .unwrap_or_default()
            .to_owned();
        name_like_path(inner, values, &except);
    }
}

/// Gives the members of a body that look like identifiers or names a text of their own, where the schema lets them have
/// it: platforms refuse a second object of the same name, and lists can't tell them apart.
pub(crate) fn name_apart(body: &mut Value, unique: &str, valid: &dyn Fn(&Value) -> bool) {
    let mut pointers: Vec<String> = Vec::new();
    let is_name = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "id" || name.ends_with("id") || name.ends_with("name")
    };
    let mut look = |value: &Value, at: &str| {
        for (name, member) in value.as_object().into_iter().flatten() {
            // A text that stands for another one, which is put there later, stays.
            let given = member
                .as_str()
                .is_none_or(|text| text.contains("mec-conformance"));
            if is_name(name) && !given {
                pointers.push(format!("{at}/{name}"));
            }
        }
    };
    look(body, "");
    if let Some((name, inner)) = body
        .as_object()
        .filter(|members| members.len() == 1)
        .and_then(|members| members.iter().next())
    {
        look(inner, &format!("/{name}"));
    }
    for pointer in pointers {
        let mut other = body.clone();
        if let Some(text) = other.pointer_mut(&pointer) {
            *text = Value::String(format!("conformance-{unique}"));
        }
        if valid(&other) {
            *body = other;
        }
    }
}

/// A request that reads an object, for controls and comparisons; none where the API has no GET for it.
pub fn reading(suite: &Suite, api: usize, path: &str) -> Option<Call> {
    let operation = suite.apis[api].api.resource_at(path)?.operation("GET")?;
    let (query, headers) = suite.apis[api].required_parameters(operation);
    Some(Call {
        query,
        headers,
        api,
        operation: Some(operation),
        method: "GET".to_owned(),
        path: path.to_owned(),
        role: Role::Control,
        intent: Intent::Valid,
        payload: Payload::None,
        ..Call::default()
    })
}
