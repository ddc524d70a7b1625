//! Bodies: every rule of their schemas at its limits, and broken alone.

use std::sync::Arc;
use std::time::Duration;

use mecforge_instances::{InvalidCase, Schema, ValidCase, ValidKind};
use serde_json::Value;

use super::{ACCEPTS, REFUSES, UNCHANGED, own_limits};
use crate::checks::state::comparison::{equal, same};
use crate::suite::{
    Beside, Call, Context, Exchange, Failure, Intent, Mode, Outcome, Plan, Role, Stop, Suite, Values, case,
    name_like_path, reading,
};

/// Bodies in one case: few enough that cases run side by side, and an odd number, so that a platform which turns
/// something over with each refusal does not turn it back.
const CHUNK: usize = 11;

/// Broken forms of one random body.
const BROKEN: usize = 4;

/// Broken forms of what exists already in its one case.
const MOST: usize = 120;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize, operation: usize) {
    let state = &suite.apis[api];
    let key = &state.api.operations[operation].key;
    let shared_thing = state.is_shared(operation);
    let beside = match shared_thing {
        true => Beside::Makers,
        false => Beside::All,
    };
    let Some(schema) = state.body_schema(operation) else {
        plan.inconclusive(
            &ACCEPTS,
            api,
            Some(operation),
            "its body's schema can't be generated from",
        );
        return;
    };
    match state.knowledge.may_refuse(key) {
        Some(reason) if !state.knowledge.may_try() => {
            plan.not_applicable(&ACCEPTS, api, Some(operation), reason);
        }
        _ => {
            let cases: Arc<Vec<ValidCase>> = Arc::new(schema.valid_cases());
            for at in (0..cases.len()).step_by(CHUNK) {
                let cases = Arc::clone(&cases);
                let case = plan.add(
                    suite,
                    &ACCEPTS,
                    api,
                    Some(operation),
                    &format!("valid-{at}"),
                    move |context| {
                        let cases = Arc::clone(&cases);
                        Box::pin(async move { accept(context, api, operation, &cases, at).await })
                    },
                );
                (case.stage, case.beside) = (2, beside);
            }
        }
    }
    let Some(base) = schema.full().or_else(|| schema.minimal()) else {
        return;
    };
    let mut cases = schema.invalid_cases(&base);
    let nothing = Value::Object(serde_json::Map::new());
    if !schema.is_valid(&nothing) {
        // It breaks several rules, where several members are required; each of them says that it is refused.
        cases.insert(
            CHUNK.min(cases.len()),
            InvalidCase {
                value: nothing,
                what: "an object without any member".to_owned(),
                keyword: "required".to_owned(),
                schema_pointer: schema.pointer().to_owned(),
                instance_pointer: String::new(),
            },
        );
    }
    let cases = Arc::new(cases);
    for at in (0..cases.len()).step_by(CHUNK) {
        let cases = Arc::clone(&cases);
        let case = plan.add(
            suite,
            &REFUSES,
            api,
            Some(operation),
            &format!("invalid-{at}"),
            move |context| {
                let cases = Arc::clone(&cases);
                Box::pin(async move { refuse(context, api, operation, &cases, at).await })
            },
        );
        (case.stage, case.beside) = (2, beside);
    }
    if shared_thing {
        plan.add(
            suite,
            &REFUSES,
            api,
            Some(operation),
            "existing",
            move |context| Box::pin(refuse_existing(context, api, operation)),
        )
        .alone();
    }
    let shared = Arc::clone(suite);
    plan.random.push(Arc::new(move |number| {
        let mut case = case(
            &shared,
            &REFUSES,
            api,
            Some(operation),
            &format!("random-{number}"),
            move |context| Box::pin(async move { random(context, api, operation).await }),
        );
        case.beside = beside;
        case
    }));
}

/// Sends valid bodies; each must be accepted, and what it says must be in the answer.
async fn accept(
    context: &mut Context,
    api: usize,
    operation: usize,
    cases: &[ValidCase],
    at: usize,
) -> Outcome {
    let values = context.values(api, operation).await?;
    let before = match context.suite.apis[api].is_shared(operation) {
        true => original(context, api, operation, &values).await?,
        false => None,
    };
    context.judge(own_limits::OWN_LIMITS.id, api, Some(operation));
    let (mut refused, mut accepted) = (None, false);
    for valid in cases.iter().skip(at).take(CHUNK) {
        match accept_one(context, api, operation, &values, valid).await {
            Err(Stop::Inconclusive(reason)) => refused = Some(reason),
            other => {
                other?;
                accepted = true;
            }
        }
    }
    if let Some(before) = before {
        let call = context.call(api, operation, &values).json(before);
        context.send(call.role(Role::CleanUp)).await?;
    }
    match refused.filter(|_| !accepted) {
        Some(reason) => Err(Stop::Inconclusive(reason)),
        None => Ok(()),
    }
}

/// What a PUT is about to replace that no case made, so that it can be put back.
async fn original(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
) -> Result<Option<Value>, Stop> {
    let put = context.call(api, operation, values);
    let Some(call) = reading(&context.suite, api, &put.path).filter(|_| put.method == "PUT") else {
        return Ok(None);
    };
    let schema = context.suite.apis[api].body_schema(operation);
    let body = context.send(call).await?.json();
    Ok(body.filter(|body| schema.is_some_and(|schema| schema.is_valid(body))))
}

async fn accept_one(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
    valid: &ValidCase,
) -> Outcome {
    let mut body = valid.value.clone();
    context.bind(&mut body, values);
    name_like_path(&mut body, values, "");
    // A value of the path may break a rule of the member's own.
    let rules = context.suite.apis[api].body_schema(operation);
    let obeys = rules.is_none_or(|rules| rules.is_valid(&body));
    if !obeys || !context.suite.apis[api].is_plausible(operation, &body) {
        return Ok(());
    }
    let call = context.call(api, operation, values).json(body.clone());
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        context.suite.recorder.satisfied(api, &valid.schema_pointer);
        let open = matches!(valid.kind, ValidKind::Open);
        answer_keeps(context, api, operation, &body, &exchange, open);
        return Ok(());
    }
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let permitted = state.knowledge.may_refuse(&state.api.operations[operation].key);
    if let Some(reason) = permitted.filter(|_| exchange.is_refusal()) {
        let reason = format!("a valid body was answered {}; {reason}", exchange.summary());
        return Err(Stop::Inconclusive(reason));
    }
    // 1.0 is a whole number since OpenAPI 3.1 (JSON Schema 2020-12), and was none for OpenAPI 3.0.
    if matches!(valid.kind, ValidKind::Notation) && matches!(exchange.status(), 400 | 422) {
        return Ok(());
    }
    let large = exchange.status() == 413 && body.to_string().len() > 16_384;
    if exchange.is_refusal() && !large && !matches!(exchange.status(), 401 | 403 | 404 | 409 | 429) {
        let place = (api, operation);
        let check = match valid.kind {
            ValidKind::Extension => own_limits::OWN_LIMITS.id,
            _ => own_limits::of_refusal(context, place, values, &exchange, &body).await?,
        };
        let failure = Failure::new(
            format!("a valid request is refused: {}", valid.what),
            format!("success; {}", valid.what),
            exchange.summary(),
        );
        context.report(
            failure
                .of(check)
                .signature(format!("{:?} {}", valid.kind, valid.schema_pointer))
                .pointer(valid.schema_pointer.clone())
                .shown_by(&exchange.call),
        );
    }
    Ok(())
}

/// What was sent must be in the answer, where the answer is the object.
fn answer_keeps(
    context: &mut Context,
    api: usize,
    operation: usize,
    sent: &Value,
    exchange: &crate::suite::Exchange,
    open: bool,
) {
    let Some(answered) = exchange.json().filter(Value::is_object) else {
        return;
    };
    // A POST that makes nothing may answer with anything; ETSI's answer with what was sent.
    let holds = match exchange.call.method.as_str() {
        "PUT" => exchange.status() != 202,
        "POST" if context.suite.apis[api].knowledge.is_of_etsi() => exchange.status() != 202,
        "POST" => exchange.status() == 201,
        _ => false,
    };
    if !holds {
        return;
    }
    crate::checks::state::keeps(context, (api, operation), sent, &answered, open, &exchange.call);
}

/// Sends invalid bodies; each must be refused, and change nothing.
async fn refuse(
    context: &mut Context,
    api: usize,
    operation: usize,
    cases: &[InvalidCase],
    at: usize,
) -> Outcome {
    let values = context.values(api, operation).await?;
    let chosen: Vec<_> = cases.iter().skip(at).take(CHUNK).cloned().collect();
    refuse_all(context, api, operation, &values, chosen).await
}

/// Without one member each, where that breaks a rule, be it more than one.
fn shortened(schema: &Schema, before: &Value) -> Vec<InvalidCase> {
    let names = before.as_object().into_iter().flat_map(|members| members.keys());
    let without = names.filter_map(|name| {
        let mut value = before.clone();
        value.as_object_mut()?.remove(name);
        (!schema.is_valid(&value)).then(|| InvalidCase {
            value,
            what: format!("{name} is missing"),
            keyword: "required".to_owned(),
            schema_pointer: schema.pointer().to_owned(),
            instance_pointer: format!("/{name}"),
        })
    });
    without.collect()
}

/// With another text in each member that is one, where that breaks a rule, be it more than one.
fn misnamed(schema: &Schema, before: &Value) -> Vec<InvalidCase> {
    let members = before.as_object().into_iter().flatten();
    let texts = members.filter(|(_, value)| value.is_string());
    let others = texts.filter_map(|(name, _)| {
        let mut value = before.clone();
        value[name] = Value::from("MEC_CONFORMANCE");
        let error = schema.errors(&value).into_iter().next()?;
        Some(InvalidCase {
            value,
            what: format!("{name} has a value that nobody knows"),
            keyword: error.keyword,
            schema_pointer: error.schema_pointer,
            instance_pointer: format!("/{name}"),
        })
    });
    others.collect()
}

/// Breaks what GET gives of something that no case made: what else is in a body of our own, the platform may not permit.
async fn refuse_existing(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let Some(before) = original(context, api, operation, &values).await? else {
        return Err(Stop::Inconclusive(
            "nothing can be read there that could be put back; name something that exists in --fixtures"
                .to_owned(),
        ));
    };
    let schema = context.suite.apis[api].body_schema(operation);
    let mut cases = Vec::new();
    if let Some(schema) = schema {
        cases = schema.invalid_cases_within(&before, MOST).cases;
        cases.extend(shortened(&schema, &before));
        cases.extend(misnamed(&schema, &before));
    }
    let outcome = refuse_all(context, api, operation, &values, cases).await;
    let call = context.call(api, operation, &values).json(before);
    context.send(call.role(Role::CleanUp)).await?;
    outcome
}

/// Sends bodies that break a rule; each must be refused, and a refused change must change nothing.
///
/// # Errors
/// As [`Context::send`].
pub(in crate::checks) async fn refuse_all(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
    cases: Vec<InvalidCase>,
) -> Outcome {
    let template = context.call(api, operation, values);
    let before = match template.method.as_str() {
        "PUT" | "PATCH" => match (reading(&context.suite, api, &template.path), &context.mode) {
            (Some(call), Mode::First) => Some(context.send(call).await?),
            (Some(call), Mode::Again) => Some(settled(context, call).await?),
            (None, _) => None,
        },
        _ => None,
    };
    let mut accepted = false;
    for invalid in cases {
        let open = context.suite.apis[api].knowledge.is_open(&invalid.schema_pointer);
        if open {
            continue;
        }
        let mut body = invalid.value.clone();
        context.bind(&mut body, values);
        name_like_path(&mut body, values, &invalid.instance_pointer);
        let call = template
            .clone()
            .json(body)
            .intent(Intent::Breaks(invalid.schema_pointer.clone()));
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            accepted = true;
            let place = match invalid.instance_pointer.as_str() {
                "" => "the body",
                pointer => pointer,
            };
            let failure = Failure::new(
                format!(
                    "an invalid request is accepted: {} of {place} is broken",
                    invalid.keyword
                ),
                format!("a 4xx, as the body breaks one rule: {}", invalid.what),
                exchange.summary(),
            );
            context.report(
                failure
                    .of(REFUSES.id)
                    .signature(format!("{} {}", invalid.schema_pointer, invalid.keyword))
                    .pointer(invalid.schema_pointer)
                    .shown_by(&exchange.call),
            );
        }
    }
    if let Some(before) = before.filter(|before| before.is_success() && !accepted)
        && let Some(call) = reading(&context.suite, api, &template.path)
    {
        let after = context.send(call.role(Role::Judged)).await?;
        context.judge(UNCHANGED.id, api, Some(operation));
        let (one, other) = (
            before.json().unwrap_or_default(),
            after.json().unwrap_or_default(),
        );
        if !same(&one, &other)
            && !context.suite.apis[api]
                .knowledge
                .changes_by_itself(&template.path)
        {
            let failure = Failure::new(
                "a refused change has changed the object",
                format!("as before: {one}"),
                after.summary(),
            );
            context.report(failure.of(UNCHANGED.id));
        }
    }
    Ok(())
}

/// Reads until two readings are the same: what a platform is still at work with changes by itself, and not because of
/// what is refused meanwhile.
async fn settled(context: &mut Context, call: Call) -> Result<Exchange, Stop> {
    const READINGS: u8 = 8;
    let mut before = context.send(call.clone()).await?;
    for _ in 0..READINGS {
        context.pause(Duration::from_millis(400)).await?;
        let now = context.send(call.clone()).await?;
        let stays = equal(&now, &before);
        before = now;
        if stays {
            break;
        }
    }
    Ok(before)
}

/// A random valid body and a few that break one rule of it.
async fn random(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let Some(schema) = state.body_schema(operation) else {
        return Ok(());
    };
    let Some(value) = schema.random(&mut context.rng) else {
        return Ok(());
    };
    let values = context.values(api, operation).await?;
    let invalid = schema.random_invalid(&value, &mut context.rng, BROKEN);
    refuse_all(context, api, operation, &values, invalid).await?;
    let permitted = state.knowledge.may_refuse(&state.api.operations[operation].key);
    if permitted.is_none() || state.knowledge.may_try() {
        let valid = ValidCase {
            value,
            kind: ValidKind::Pairwise,
            what: "a random valid body".to_owned(),
            schema_pointer: schema.pointer().to_owned(),
            instance_pointer: String::new(),
        };
        accept_one(context, api, operation, &values, &valid).await?;
    }
    Ok(())
}
