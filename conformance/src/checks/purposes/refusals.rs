//! Purposes that send what must be refused; each beside the same request that must be accepted.

use mecforge_api::{Location, Template};
use mecforge_instances::InvalidCase;
use serde_json::{Value, json};

use super::reads::{liveness, with_query};
use super::scene::{Scene, Thing};
use super::writes::task;
use crate::suite::{Call, Exchange, Intent, Outcome, Role, Stop};

/// How many bodies are sent that break one rule each.
const BODIES: usize = 3;

/// The statuses of a bad request: ETSI's 400, and 422 of HTTP, which says the same more closely.
fn is_bad_request(exchange: &Exchange) -> bool {
    matches!(exchange.status(), 400 | 422)
}

/// A valid body is accepted; bodies that break one rule are refused.
pub(super) async fn body(scene: &mut Scene<'_>) -> Outcome {
    let (call, base) = accepted(scene).await?;
    if scene.purpose.id.ends_with("_APPSUB_002_BR") {
        return wrong_type(scene, call, &base).await;
    }
    if scene.path().text().ends_with("/liveness") {
        let inactive = call
            .clone()
            .json(json!({"state": "INACTIVE"}))
            .intent(Intent::Odd);
        let exchange = scene.context.send(inactive).await?;
        scene.observe(format!("the state INACTIVE is answered {}", exchange.status()));
        let unknown = call.json(json!({"state": "MEC-CONFORMANCE"}));
        return must_refuse(scene, unknown, "a state that no list has").await;
    }
    let schema = scene.suite.apis[scene.api].body_schema(scene.operation);
    let cases = schema
        .map(|schema| schema.invalid_cases(&base))
        .unwrap_or_default();
    let chosen = choose(&cases);
    if chosen.is_empty() {
        return Err(Stop::Inconclusive(
            "no body that breaks one rule can be generated from the schema".to_owned(),
        ));
    }
    for case in chosen {
        let mut body = case.value.clone();
        let values = scene.path().matches(&call.path).unwrap_or_default();
        scene.context.bind(&mut body, &values);
        let call = call
            .clone()
            .json(body)
            .intent(Intent::Breaks(case.schema_pointer.clone()));
        let place = if case.instance_pointer.is_empty() {
            "the body"
        } else {
            &case.instance_pointer
        };
        must_refuse(
            scene,
            call,
            &format!("a body that breaks {} at {place}", case.keyword),
        )
        .await?;
    }
    Ok(())
}

/// One case for each of the rules that ETSI's cases break: something required is missing, a type, a list of values.
fn choose(cases: &[InvalidCase]) -> Vec<&InvalidCase> {
    let wanted: [&[&str]; BODIES] = [&["required"], &["enum", "const"], &["type"]];
    let mut chosen: Vec<&InvalidCase> = wanted
        .iter()
        .filter_map(|keywords| {
            cases
                .iter()
                .find(|case| keywords.contains(&case.keyword.as_str()))
        })
        .collect();
    if chosen.is_empty() {
        chosen.extend(cases.first());
    }
    chosen
}

async fn must_refuse(scene: &mut Scene<'_>, call: Call, what: &str) -> Outcome {
    let exchange = scene.context.send(call).await?;
    match is_bad_request(&exchange) {
        true => Ok(()),
        false => Err(scene.fail(
            format!("{what} is answered {}", exchange.status()),
            "400",
            &exchange,
        )),
    }
}

/// The control: the same request with a valid body is accepted. Gives the request, and the body.
async fn accepted(scene: &mut Scene<'_>) -> Result<(Call, Value), Stop> {
    let path = scene.path();
    let items = scene.suite.apis[scene.api]
        .api
        .resource(path.text())
        .and_then(|resource| resource.items.clone());
    if let (Some(items), "POST") = (items, scene.declared().method.clone().as_str()) {
        let thing = scene.thing(&Template::new(&items)).await?;
        let base = thing
            .made
            .as_ref()
            .map(|made| made.sent.clone())
            .unwrap_or_default();
        return Ok((scene.call(scene.operation, &thing.values), base));
    }
    if path.text().ends_with("/liveness") {
        let (get, _) = liveness(scene).await?;
        let mut call = get;
        call.method = "PATCH".to_owned();
        call.operation = Some(scene.operation);
        let valid = json!({"state": "ACTIVE"});
        scene
            .good(
                call.clone().json(valid.clone()).role(Role::Control),
                "a heartbeat",
            )
            .await?;
        return Ok((call, valid));
    }
    let thing = scene.thing(&path).await?;
    let base = valid_body(scene, &path, &thing).await?;
    let call = scene.call(scene.operation, &thing.values);
    let control = task(scene, &thing, Some(base.clone())).role(Role::Control);
    scene.good(control, "a valid body").await?;
    Ok((call, base))
}

/// A body that is accepted: of something that was found, what it is already.
pub(super) async fn valid_body(scene: &mut Scene<'_>, path: &Template, thing: &Thing) -> Result<Value, Stop> {
    let get = scene
        .at("GET", path.text())
        .filter(|_| thing.made.is_none() && path.last_parameter().is_some());
    match get {
        Some(get) => {
            let call = scene.call(get, &thing.values).role(Role::Control);
            let exchange = scene.good(call, "reading what exists").await?;
            Ok(exchange.json().unwrap_or_default())
        }
        None => scene.body(scene.operation, &thing.values),
    }
}

/// The purpose that is a copy of another one: what was made can be read; a wrong type may be refused or not.
async fn wrong_type(scene: &mut Scene<'_>, call: Call, base: &Value) -> Outcome {
    let Some(items) = scene.suite.apis[scene.api]
        .api
        .resource(scene.path().text())
        .and_then(|resource| resource.items.clone())
    else {
        return Ok(());
    };
    let item = Template::new(&items);
    let thing = scene.thing(&item).await?;
    if let Some(get) = scene.at("GET", item.text()) {
        let read = scene.call(get, &thing.values);
        scene.good(read.clone(), "reading a subscription").await?;
        scene.knows_no_stranger(&read, &item, &thing.values).await?;
    }
    let mut wrong = base.clone();
    if let Some(members) = wrong.as_object_mut() {
        members.insert("subscriptionType".to_owned(), json!("MecConformanceSubscription"));
    }
    let exchange = scene.context.send(call.json(wrong).intent(Intent::Odd)).await?;
    scene.observe(format!(
        "a creation with a wrong type is answered {}",
        exchange.status()
    ));
    Ok(())
}

/// The list is read without the wrong query, and refused with it.
pub(super) async fn parameter(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    let thing = scene.thing(&path).await?;
    let declared = scene.declared().clone();
    let mut required = declared
        .parameters_in(Location::Query)
        .filter(|parameter| parameter.required);
    let mut call = scene.call(scene.operation, &thing.values);
    let demanding = required.next().is_some();
    if demanding {
        // What is wrong is that the required parameter is missing.
        call.query.clear();
    }
    if !demanding {
        scene
            .good(
                call.clone().role(Role::Control),
                "the same request without the query",
            )
            .await?;
    }
    let given = scene.purpose.query.as_deref();
    let breaks_rule = |name: &str, text: &str| {
        let parameter = declared
            .parameters_in(Location::Query)
            .find(|parameter| parameter.name == name)?;
        let schema = scene.suite.apis[scene.api].schema(&parameter.schema)?;
        // Text is invalid if no reading of it obeys the schema.
        let valid = schema.is_valid(&json!(text)) || schema.is_valid(&json!([text]));
        let number = text.parse::<i64>().ok();
        let numeric =
            number.is_some_and(|number| schema.is_valid(&json!(number)) || schema.is_valid(&json!([number])));
        (!valid && !numeric).then(|| parameter.schema.clone())
    };
    // What the document refuses: the purpose's own query, or a declared parameter with a value that it can't have.
    let mut certain = demanding;
    let mut wrong = Vec::new();
    match given.and_then(|query| query.split_once('=')) {
        Some((name, text)) if breaks_rule(name, text).is_some() => certain = true,
        _ if demanding => {}
        _ => {
            let found = declared.parameters_in(Location::Query).find_map(|parameter| {
                let pointer = breaks_rule(&parameter.name, "no such value")?;
                Some((parameter.name.clone(), pointer))
            });
            wrong.extend(found);
        }
    }
    for (name, pointer) in wrong {
        let call = call
            .clone()
            .query(&name, "no such value")
            .intent(Intent::Breaks(pointer));
        must_refuse(scene, call, &format!("a value of {name} that breaks its rule")).await?;
        certain = true;
    }
    let query = given.unwrap_or("mecConformanceUnknown=1");
    let exchange = scene
        .context
        .send(with_query(call, Some(query)).intent(Intent::Odd))
        .await?;
    let own = demanding
        || given.is_some_and(|query| {
            let (name, text) = query.split_once('=').unwrap_or((query, ""));
            let parameter = declared
                .parameters_in(Location::Query)
                .find(|parameter| parameter.name == name);
            let schema =
                parameter.and_then(|parameter| scene.suite.apis[scene.api].schema(&parameter.schema));
            schema.is_some_and(|schema| !schema.is_valid(&json!(text)) && !schema.is_valid(&json!([text])))
        });
    let title = format!("the query {query} is answered {}", exchange.status());
    if is_bad_request(&exchange) {
        scene.observe(title);
        return Ok(());
    }
    if own || !exchange.is_success() {
        return Err(scene.fail(title, "400", &exchange));
    }
    scene.observe(title.clone());
    match certain || scene.purpose.contradiction.is_some() {
        true => Ok(()),
        false => Err(Stop::Inconclusive(format!(
            "{title}, which breaks no rule of the document"
        ))),
    }
}

/// A change on the condition of an old entity tag is refused with 412, of the one that holds accepted.
pub(super) async fn stale(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    let thing = scene.thing(&path).await?;
    match precondition(scene, &path, &thing).await? {
        true => Ok(()),
        false => Err(Stop::NotApplicable(
            "the platform gives no entity tag, which is not mandatory".to_owned(),
        )),
    }
}

/// Whether the platform gives entity tags; then it heeds them.
pub(super) async fn precondition(
    scene: &mut Scene<'_>,
    path: &Template,
    thing: &Thing,
) -> Result<bool, Stop> {
    let Some(get) = scene.at("GET", path.text()) else {
        return Ok(false);
    };
    let query = scene.purpose.query.as_deref();
    let call = with_query(scene.call(get, &thing.values), query).role(Role::Control);
    let read = scene.good(call, "reading what exists").await?;
    let Some(tag) = read
        .header("etag")
        .filter(|tag| !tag.starts_with("W/"))
        .map(str::to_owned)
    else {
        scene.observe("no entity tag is given");
        return Ok(false);
    };
    let body = valid_body(scene, path, thing).await?;
    let put = scene.call(scene.operation, &thing.values).json(body);
    let old = put
        .clone()
        .header("If-Match", "\"mec-conformance-old\"")
        .intent(Intent::Odd);
    let exchange = scene.context.send(old).await?;
    if exchange.status() != 412 {
        return Err(scene.fail(
            format!(
                "a change on the condition of an old entity tag is answered {}",
                exchange.status()
            ),
            "412",
            &exchange,
        ));
    }
    scene
        .good(
            put.header("If-Match", tag),
            "a change on the condition of the entity tag that holds",
        )
        .await?;
    Ok(true)
}
