//! Queries that are written in an unusual way: a parameter twice, a list of values, no value, plus signs and blanks.

use std::sync::Arc;

use mecforge_api::{Location, segment};
use mecforge_report::Severity;
use serde_json::json;

use super::filtered::{Filtered, Place, has, places};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Made, Outcome, Plan, Role, Source, Stop, Suite,
};

pub(super) static REPEATED: Check = Check {
    id: "repeated-parameters",
    group: Group::Http,
    title: "a filter that is given twice still filters, and one that takes several values looks at all of them",
    severity: Severity::Error,
    explanation: "Three objects are made, and a parameter is seen to find each by its own text. A parameter that takes one value is given twice, in both orders: any 4xx, the first value, the last one, or nothing at all is right; an object that has neither of the values is found by no reading. A parameter that takes several values is given two of them in the style of the document: both objects, or none where both values are demanded of one object, are right; one of the two means that a value was not read.",
    sources: &[Source::Document, Source::Rfc(3986, "3.4")],
};

pub(super) static UNION: Check = Check {
    id: "repeated-parameters-select-one",
    group: Group::Http,
    title: "a parameter that takes one value and is given twice is refused, or one of the values counts",
    severity: Severity::Warning,
    explanation: "A list that then has the objects of both values takes the parameter for one of several values, which the document does not say it is; who checks the first value and uses the other is deceived by it.",
    sources: &[Source::Document],
};

pub(super) static EMPTY: Check = Check {
    id: "empty-parameters",
    group: Group::Http,
    title: "a query parameter without value leads to an answer, and selects all or nothing",
    severity: Severity::Error,
    explanation: "Each query parameter of a GET is sent as name= and as name alone: a success and any 4xx are right. Where it is seen to filter, three objects that have each a text of their own are all in the answer (the parameter counts as absent) or none is (no object has the empty text).",
    sources: &[Source::Rfc(3986, "3.4"), Source::Document],
};

pub(super) static PLUS: Check = Check {
    id: "query-plus-and-blank",
    group: Group::Http,
    title: "plus signs and blanks in a query that are percent-encoded mean themselves",
    severity: Severity::Error,
    explanation: "Two objects are made whose texts differ in a plus sign and a blank alone. The one is found by %2B, the other by %20; what else a search finds is its own matter. A plus sign that is not encoded stands for itself in a URI and for a blank in the query of an HTML form; either is accepted, and the report says which it is. Judged for parameters that are seen to filter by a text that clients choose, where the platform takes such texts.",
    sources: &[Source::Rfc(3986, "2.2"), Source::Rfc(3986, "2.4")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for operation in &suite.apis[api].api.operations {
        let index = operation.index;
        if operation.method == "GET" && operation.parameters_in(Location::Query).next().is_some() {
            plan.add(suite, &EMPTY, api, Some(index), "empty", move |context| {
                Box::pin(empty(context, api, index))
            });
        }
    }
    for place in places(suite, api) {
        let (list, name) = (Some(place.list), place.parameter.name.clone());
        let of = place.clone();
        plan.add(suite, &REPEATED, api, list, &name, move |context| {
            let place = of.clone();
            Box::pin(async move { repeated(context, &place).await })
        })
        .read_only = false;
        let of = place.clone();
        plan.add(suite, &EMPTY, api, list, &name, move |context| {
            let place = of.clone();
            Box::pin(async move { all_or_nothing(context, &place).await })
        })
        .read_only = false;
        plan.add(suite, &PLUS, api, list, &name, move |context| {
            let place = place.clone();
            Box::pin(async move { plus(context, &place).await })
        })
        .read_only = false;
    }
}

/// The list with a query that is written as it is, judged.
fn written(plain: &Call, query: String) -> Call {
    let others: Vec<_> = plain
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", segment(name), segment(value)))
        .chain([query])
        .collect();
    Call {
        raw_query: Some(others.join("&")),
        role: Role::Judged,
        intent: Intent::Odd,
        ..plain.clone()
    }
}

/// Every query parameter of a GET without a value.
async fn empty(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let values = context.values(api, operation).await?;
    let plain = context.call(api, operation, &values);
    for parameter in declared.parameters_in(Location::Query) {
        let rest = plain.clone().query_instead(&parameter.name, Vec::new());
        let name = segment(&parameter.name);
        // What comes is judged as every answer is: no server error.
        for text in [format!("{name}="), name, "&&".to_owned()] {
            context.send(written(&rest, text)).await?;
        }
    }
    Ok(())
}

/// A filter without value selects all or nothing.
async fn all_or_nothing(context: &mut Context, place: &Place) -> Outcome {
    let filtered = Filtered::find(context, place).await?;
    let name = &place.parameter.name;
    let whole = context.send(filtered.plain.clone()).await?;
    if filtered.seen(&whole).is_none_or(|seen| seen.contains(&false)) {
        return Err(Stop::NotApplicable(
            "the list without the parameter does not show all objects at once".to_owned(),
        ));
    }
    for text in [format!("{}=", segment(name)), segment(name)] {
        let answer = context.send(written(&filtered.plain, text)).await?;
        if let Some(seen) = filtered.seen(&answer)
            && seen.contains(&true)
            && seen.contains(&false)
        {
            let title = format!("the parameter {name} without value selects some objects and not others");
            let expected = "all three objects of the case, or none of them";
            return Err(Failure::new(title, expected, answer.summary()).stop());
        }
    }
    Ok(())
}

async fn repeated(context: &mut Context, place: &Place) -> Outcome {
    let filtered = Filtered::find(context, place).await?;
    let name = &place.parameter.name;
    let texts: Vec<_> = filtered.objects.iter().map(|(_, text)| text.as_str()).collect();
    if filtered.several {
        return several(context, place, &filtered, &texts).await;
    }
    for [first, second] in [[texts[0], texts[1]], [texts[1], texts[0]]] {
        let pairs = [first, second].map(|text| (name.clone(), text.to_owned()));
        let call = filtered.plain.clone().query_instead(name, pairs.to_vec());
        let call = call.role(Role::Judged).intent(Intent::Odd);
        let answer = context.send(call).await?;
        context.judge(UNION.id, place.api, Some(place.list));
        match filtered.seen(&answer).as_deref() {
            Some([.., true]) => {
                let title = format!("the filter {name} that is given twice filters nothing");
                let expected = "a 4xx, or objects that have one of the two values";
                return Err(Failure::new(title, expected, answer.summary()).stop());
            }
            Some([true, true, _]) => {
                let title = format!("the filter {name} that is given twice finds the objects of both values");
                let expected = "a 4xx, or the objects of one of the two values";
                return Err(Failure::new(title, expected, answer.summary())
                    .of(UNION.id)
                    .stop());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Two values in the style of the document.
async fn several(context: &mut Context, place: &Place, filtered: &Filtered, texts: &[&str]) -> Outcome {
    let name = &place.parameter.name;
    let suite = Arc::clone(&context.suite);
    let schema = suite.apis[place.api].schema(&place.parameter.schema);
    for two in [[texts[0], texts[1]], [texts[1], texts[0]]] {
        if !schema.as_ref().is_some_and(|schema| schema.is_valid(&json!(two))) {
            return Err(Stop::NotApplicable(
                "the parameter takes one value at a time".to_owned(),
            ));
        }
        let Some(pairs) = place.pairs(&two, true) else {
            return Err(Stop::NotApplicable(
                "the style has no form for two values".to_owned(),
            ));
        };
        let call = filtered.plain.clone().query_instead(name, pairs);
        let answer = context.send(call.role(Role::Judged)).await?;
        let Some(seen) = filtered.seen(&answer) else {
            continue; // Whether it may be refused is judged with all valid values.
        };
        if seen[2] || seen[0] != seen[1] {
            let title = format!("of two values of the filter {name} not both are looked at");
            let expected = "the objects of both values, or none, and no other object of the case";
            return Err(Failure::new(title, expected, answer.summary()).stop());
        }
    }
    Ok(())
}

/// Two objects whose texts differ in one character: a plus sign, and a blank.
struct Twins {
    plus: (Made, String),
    blank: (Made, String),
}

/// Makes the twins; not applicable where the text is not the client's to choose, or may not have such characters.
async fn twins(context: &mut Context, place: &Place, filtered: &Filtered) -> Result<Twins, Stop> {
    let (sample, text) = &filtered.objects[0];
    if sample.sent.pointer(&filtered.pointer) != Some(&json!(text)) {
        return Err(Stop::NotApplicable(
            "what this parameter looks at is not the client's to choose".to_owned(),
        ));
    }
    let unique = context.unique();
    let mut made = Vec::new();
    for sign in ["+", " "] {
        let own = format!("mec{sign}{unique}");
        let mut body = context.body(place.api, place.maker, &filtered.values)?;
        if let Some(member) = body.pointer_mut(&filtered.pointer) {
            *member = json!(own);
        }
        let one = match context
            .make(place.api, place.maker, &filtered.values, Some(body))
            .await
        {
            Err(Stop::Fail(_)) => {
                return Err(Stop::NotApplicable(
                    "the platform takes no plus signs or blanks here".to_owned(),
                ));
            }
            made => made?,
        };
        if one.answered.pointer(&filtered.pointer) != Some(&json!(own)) {
            return Err(Stop::NotApplicable(
                "the platform does not keep plus signs or blanks as they are, which is judged elsewhere"
                    .to_owned(),
            ));
        }
        made.push((one, own));
    }
    match (made.pop(), made.pop()) {
        (Some(blank), Some(plus)) => Ok(Twins { plus, blank }),
        _ => Err(Stop::Inconclusive("the two objects were not made".to_owned())),
    }
}

async fn plus(context: &mut Context, place: &Place) -> Outcome {
    let filtered = Filtered::find(context, place).await?;
    let twins = twins(context, place, &filtered).await?;
    let name = segment(&place.parameter.name);
    let finds = |answer: &Exchange, made: &Made| {
        let body = answer.json().filter(|_| answer.is_success());
        body.is_some_and(|body| has(&body, made))
    };
    for (what, code, own) in [("plus sign", "%2B", &twins.plus), ("blank", "%20", &twins.blank)] {
        let answer = context
            .send(written(&filtered.plain, format!("{name}={}", segment(&own.1))).intent(Intent::Valid))
            .await?;
        if !finds(&answer, &own.0) {
            let title = format!("a {what} that is written {code} in a query is not found");
            let expected = format!("the object with {:?}", own.1);
            return Err(Failure::new(title, expected, answer.summary()).stop());
        }
    }
    let bare = format!("{name}={}", twins.plus.1);
    let answer = context.send(written(&filtered.plain, bare)).await?;
    let seen = match (finds(&answer, &twins.plus.0), finds(&answer, &twins.blank.0)) {
        (true, false) => "a plus sign",
        (false, true) => "a blank",
        (true, true) => "either",
        (false, false) => "neither",
    };
    context.suite.contradicts(
        "plus-in-queries",
        "A plus sign in a query that is not percent-encoded: RFC 3986 lets it stand for itself, HTML's form encoding for a blank.",
        Some(format!("it stands for {seen}")),
    );
    Ok(())
}
