//! What sequences write: bodies that differ, by number, so that a shorter sequence writes the same.

use fastrand::Rng;
use mecforge_instances::Schema;
use serde_json::{Value, json};

use super::family::Family;
use crate::suite::{Context, Made, Stop, Values, hash, suggested_identifier};

/// Members that make an object end by itself or let the platform call somebody: not for sequences.
const LEFT_OUT: [&str; 5] = [
    "expiryDeadline",
    "requestTestNotification",
    "websockNotifConfig",
    "livenessInterval",
    "_links",
];

/// A valid body for an operation; number 0 is the smallest one, the others are as random as their number.
pub(super) fn body(
    context: &mut Context,
    family: &Family,
    operation: usize,
    values: &Values,
    number: u16,
) -> Result<Value, Stop> {
    let mut body = context.body(family.api, operation, values)?;
    if number == 0 {
        return Ok(body);
    }
    let seed = hash(context.suite.options.seed, &["content", &number.to_string()]);
    let mut rng = Rng::with_seed(seed);
    let state = &context.suite.apis[family.api];
    if body.get("serName").is_some() && state.api.id == "mec011-service-management" {
        service(&mut body, &mut rng);
        context.fit_release(family.api, operation, &mut body);
        return Ok(body);
    }
    let Some(schema) = state.body_schema(operation) else {
        return Ok(body);
    };
    let Some(mut generated) = generate(&schema, &mut rng, number) else {
        return Ok(body);
    };
    context.bind(&mut generated, values);
    let suite = std::sync::Arc::clone(&context.suite);
    if let Some(name) = suggested_identifier(&suite, family.api, operation, &generated) {
        match body.get(&name) {
            Some(own) => generated[&name] = own.clone(),
            None => generated[&name] = json!(context.unique()),
        }
    }
    Ok(generated)
}

/// An instance with all members of a schema that neither end the object nor let the platform call somebody.
pub(in crate::checks) fn lasting(schema: &Schema) -> Option<Value> {
    generate(schema, &mut Rng::with_seed(0), 0)
}

/// An instance of a schema without the members that are not for sequences.
fn generate(schema: &Schema, rng: &mut Rng, number: u16) -> Option<Value> {
    let mut generated = match number % 3 {
        0 => schema.full(),
        _ => schema.random(rng),
    }?;
    for name in LEFT_OUT {
        let mut less = generated.clone();
        if let Some(members) = content_of(&mut less).as_object_mut()
            && members.remove(name).is_some()
            && schema.is_valid(&less)
        {
            generated = less;
        }
    }
    Some(generated)
}

/// The object of a body: some APIs put it into a member that is named as its type.
fn content_of(body: &mut Value) -> &mut Value {
    let members = body.as_object().filter(|members| members.len() == 1);
    let only = members.and_then(|members| members.iter().next());
    let wrapper = only
        .filter(|(_, content)| content.is_object())
        .map(|(name, _)| name.clone());
    match wrapper {
        Some(name) => &mut body[name.as_str()],
        None => body,
    }
}

/// What is required, and one property beside it: the first, the second and so on, counted around.
fn one_property(schema: &Schema, whole: Value, which: usize) -> Value {
    let names: Vec<String> = whole
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let without = |body: &Value, name: &String| {
        let mut less = body.clone();
        less.as_object_mut().and_then(|members| members.remove(name))?;
        schema.is_valid(&less).then_some(less)
    };
    let optional: Vec<_> = names
        .iter()
        .filter(|name| without(&whole, name).is_some())
        .collect();
    let Some(chosen) = which.checked_rem(optional.len()).map(|at| optional[at].clone()) else {
        return whole;
    };
    let others = names.iter().filter(|name| **name != chosen);
    others.fold(whole, |body, name| without(&body, name).unwrap_or(body))
}

/// A body that changes a part of an object that is shown so: what names it or something else stays as it is.
pub(super) fn patch(
    context: &mut Context,
    (family, operation): (&Family, usize),
    values: &Values,
    shown: &Value,
    number: u16,
) -> Result<Value, Stop> {
    let schema = context.suite.apis[family.api].body_schema(operation);
    let seed = hash(context.suite.options.seed, &["patch", &number.to_string()]);
    let generated = schema.as_ref().filter(|_| number > 0).and_then(|schema| {
        let mut rng = Rng::with_seed(seed);
        match number % 3 {
            1 => Some(one_property(
                schema,
                generate(schema, &mut rng, 0)?,
                usize::from(number / 3),
            )),
            _ => generate(schema, &mut rng, number),
        }
    });
    let mut body = match generated {
        Some(generated) => generated,
        None => context.body(family.api, operation, values)?,
    };
    context.bind(&mut body, values);
    if let Some(members) = body.as_object_mut() {
        // null takes a member away (RFC 7396, 2), and what depends on it may be broken then.
        members.retain(|_, value| !value.is_null());
    }
    for (name, value) in body.as_object_mut().into_iter().flatten() {
        let names = name.ends_with("Id") || name == "id";
        if let Some(own) = shown.get(name).filter(|_| names) {
            *value = own.clone();
        }
    }
    Ok(body)
}

/// Gives a service another state and version, and some of its optional properties.
fn service(body: &mut Value, rng: &mut Rng) {
    let Some(members) = body.as_object_mut() else {
        return;
    };
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set(
        "state",
        json!(["ACTIVE", "INACTIVE", "SUSPENDED"][rng.usize(0..3)]),
    );
    set("version", json!(format!("{}.{}", rng.u8(0..9), rng.u8(0..9))));
    set("serializer", json!(["JSON", "XML", "PROTOBUF3"][rng.usize(0..3)]));
    if rng.bool() {
        let category = format!("category-{}", rng.u8(0..9));
        let href = "http://192.0.2.1/catalogue";
        set(
            "serCategory",
            json!({"href": href, "id": category, "name": "conformance", "version": "1.0"}),
        );
    }
    match rng.u8(0..4) {
        0 => {}
        1 => {
            set("scopeOfLocality", json!("MEC_HOST"));
            set("consumedLocalOnly", json!(true));
            set("isLocal", json!(true));
        }
        kind => {
            let scopes = ["MEC_SYSTEM", "NFVI_POP", "ZONE", "ZONE_GROUP", "NFVI_NODE"];
            set("scopeOfLocality", json!(scopes[rng.usize(0..scopes.len())]));
            set("consumedLocalOnly", json!(false));
            if kind == 3 {
                // What is remote must be consumable from elsewhere.
                set("isLocal", json!(false));
            }
        }
    }
}

/// Lets members of a body that name the object have its identifier, as no object changes its name.
pub(super) fn keep_identifier(body: &mut Value, shown: Option<&Value>, identifier: &str) {
    let (Some(body), Some(shown)) = (body.as_object_mut(), shown.and_then(Value::as_object)) else {
        return;
    };
    for (name, value) in shown {
        if body.contains_key(name) && super::judge::text(value).as_deref() == Some(identifier) {
            body.insert(name.clone(), value.clone());
        }
    }
}

/// Whether the identifier of what was made is one that the request brought.
pub(in crate::checks) fn chosen_by_client(made: &Made, parameter: &str) -> bool {
    let identifier = made.values.get(parameter);
    let mut members = made.sent.as_object().into_iter().flatten();
    identifier.is_some_and(|identifier| {
        members.any(|(_, value)| super::judge::text(value).as_ref() == Some(identifier))
    })
}
