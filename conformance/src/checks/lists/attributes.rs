//! Filters by attributes: the language of the query parameter `filter` (ETSI GS MEC 009, 6.19).

use std::sync::Arc;

use mecforge_api::Location;
use mecforge_report::Severity;
use serde_json::{Value, json};

use crate::checks::state::comparison::is_part;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite,
};

pub(super) static ATTRIBUTES: Check = Check {
    id: "filters-by-attributes",
    group: Group::State,
    title: "a filter by attributes gives the objects that fit its expression, and no others",
    severity: Severity::Error,
    explanation: "Lists with the query parameter filter are read without it; then with expressions made of attributes and values that the listed objects have: equal, not equal, one of several, none of several, containing, greater, less, and two comparisons together. Everything in the answer fits as far as it shows the attribute, and nothing that fits is left out. Objects without the attribute may be in the answer or not, and a platform that refuses an expression is not judged by it.",
    sources: &[Source::Etsi("ETSI GS MEC 009", "6.19"), Source::Document],
};

/// Attributes of a list that are asked for, and objects that are made so that they have different values.
const MOST: usize = 4;
const OBJECTS: usize = 3;

/// A list with a filter, and what makes its objects.
#[derive(Clone, Copy)]
struct Place {
    api: usize,
    list: usize,
    maker: Option<usize>,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    if !state.knowledge.is_of_etsi() {
        return;
    }
    for list in state.api.operations.iter().filter(|list| list.method == "GET") {
        let mut parameters = list.parameters_in(Location::Query);
        if !parameters.any(|parameter| parameter.name == "filter" && !parameter.required) {
            continue;
        }
        let maker = state.api.operation("POST", list.path.text());
        let place = Place {
            api,
            list: list.index,
            maker: maker.map(|maker| maker.index),
        };
        let case = plan.add(
            suite,
            &ATTRIBUTES,
            api,
            Some(list.index),
            "filter",
            move |context| Box::pin(async move { filters(context, place).await }),
        );
        case.read_only = maker.is_none();
        // What others make and remove meanwhile may come between two readings.
        case.alone();
    }
}

/// One comparison of an expression.
#[derive(Clone, Debug)]
struct Comparison {
    operator: &'static str,
    attribute: String,
    values: Vec<Value>,
}

/// A value as it stands in an expression; quotes keep what has a meaning there.
fn text(value: &Value) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    match value {
        Value::String(text) if text.chars().all(plain) => text.clone(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

impl Comparison {
    fn expression(&self) -> String {
        let values: Vec<_> = self.values.iter().map(text).collect();
        format!("({},{},{})", self.operator, self.attribute, values.join(","))
    }

    /// Whether an object fits; none where it does not show the attribute.
    fn fits(&self, object: &Value) -> Option<bool> {
        let has = object.pointer(&format!("/{}", self.attribute))?;
        let equal = self.values.contains(has);
        let wanted = self.values.first()?;
        Some(match self.operator {
            "eq" | "in" => equal,
            "neq" | "nin" => !equal,
            "cont" => has.as_str()?.contains(wanted.as_str()?),
            "gt" => has.as_f64()? > wanted.as_f64()?,
            "lt" => has.as_f64()? < wanted.as_f64()?,
            _ => return None,
        })
    }
}

/// The comparisons of an expression with a semicolon between them.
fn written(all: &[Comparison]) -> String {
    let all: Vec<_> = all.iter().map(Comparison::expression).collect();
    all.join(";")
}

/// Whether an object fits all comparisons; none where that can't be told.
fn fits(all: &[Comparison], object: &Value) -> Option<bool> {
    all.iter()
        .try_fold(true, |fits, one| Some(fits && one.fits(object)?))
}

/// The objects of a list; an object that has lists of its own is none.
fn listed(body: &Value) -> Vec<Value> {
    body.as_array().cloned().unwrap_or_default()
}

/// The attributes with a single value that objects have at their root or one object below, and the values.
fn attributes(objects: &[Value]) -> Vec<(String, Vec<Value>)> {
    let mut all: Vec<(String, Vec<Value>)> = Vec::new();
    let mut note = |name: String, value: &Value| {
        if name.contains(['~', ',', '(', ')', '\'']) {
            return;
        }
        let text = value
            .as_str()
            .is_some_and(|text| !text.is_empty() && text.len() <= 64);
        if !(text || value.is_i64() || value.is_boolean()) {
            return;
        }
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) if values.contains(value) => {}
            Some((_, values)) => values.push(value.clone()),
            None => all.push((name, vec![value.clone()])),
        }
    };
    for (name, value) in objects.iter().filter_map(Value::as_object).flatten() {
        if name.starts_with('_') || name.contains('/') {
            continue;
        }
        note(name.clone(), value);
        for (inner, value) in value.as_object().into_iter().flatten() {
            if !inner.contains('/') {
                note(format!("{name}/{inner}"), value);
            }
        }
    }
    // Those first that tell objects apart; then one of each kind.
    all.sort_by_key(|(name, values)| (values.len() < 2, name.contains('/')));
    let kind = |name: &str, value: &Value| (name.contains('/'), value.is_string(), value.is_boolean());
    let mut chosen: Vec<(String, Vec<Value>)> = Vec::new();
    for (name, values) in &all {
        let new = !chosen
            .iter()
            .any(|(other, has)| kind(other, &has[0]) == kind(name, &values[0]));
        if new && chosen.len() < MOST {
            chosen.push((name.clone(), values.clone()));
        }
    }
    chosen
}

/// The expressions about the attributes of a list.
fn expressions(attributes: &[(String, Vec<Value>)], nothing: &str) -> Vec<Vec<Comparison>> {
    let mut all = Vec::new();
    for (attribute, values) in attributes {
        let one = |operator, values: &[Value]| {
            vec![Comparison {
                operator,
                attribute: attribute.clone(),
                values: values.to_vec(),
            }]
        };
        let first = &values[..1];
        all.extend([one("eq", first), one("neq", first)]);
        if let Some(last) = values.last().filter(|_| values.len() > 1) {
            let two = [values[0].clone(), last.clone()];
            all.extend([
                one("eq", &two[1..]),
                one("in", &two),
                one("nin", &two),
                one("in", &two[..1]),
            ]);
        }
        match &values[0] {
            Value::String(text) => {
                all.push(one("eq", &[json!(nothing)]));
                let half: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
                all.push(one("cont", &[json!(half)]));
            }
            Value::Number(_) => all.extend([one("gt", first), one("lt", first)]),
            _ => {}
        }
    }
    if let [(one, ones), (other, others), ..] = attributes {
        let equal = |attribute: &String, value: &Value| Comparison {
            operator: "eq",
            attribute: attribute.clone(),
            values: vec![value.clone()],
        };
        let last = ones.last().unwrap_or(&ones[0]);
        all.push(vec![equal(one, &ones[0]), equal(other, &others[0])]);
        all.push(vec![equal(one, &ones[0]), equal(one, last)]);
        all.push(vec![equal(one, last), equal(other, &others[0])]);
    }
    all
}

async fn filters(context: &mut Context, place: Place) -> Outcome {
    let values = match place.maker {
        Some(maker) => {
            let values = context.values(place.api, maker).await?;
            context
                .make_some((place.api, maker), &values, OBJECTS, None)
                .await?;
            values
        }
        None => context.values(place.api, place.list).await?,
    };
    let plain = context
        .call(place.api, place.list, &values)
        .query_instead("filter", Vec::new());
    let unfiltered = context.send(plain.clone().role(Role::Control)).await?;
    let body = unfiltered.json().filter(|_| unfiltered.status() == 200);
    let objects = body.as_ref().map(listed).unwrap_or_default();
    let attributes = attributes(&objects);
    if attributes.is_empty() {
        return Err(Stop::Inconclusive(format!(
            "the list without filter has no objects with attributes to filter by; test a platform that has some there ({})",
            unfiltered.status()
        )));
    }
    let whole = !is_part(&context.suite, &unfiltered);
    let nothing = format!("conformance-{}", context.unique());
    let mut judged = 0;
    for expression in expressions(&attributes, &nothing) {
        let call = plain
            .clone()
            .query_instead("filter", vec![("filter".to_owned(), written(&expression))]);
        let answer = context.send(call).await?;
        if answer.status() != 200 {
            continue;
        }
        judged += 1;
        let found = listed(&answer.json().unwrap_or_default());
        if let Some(other) = found
            .iter()
            .find(|object| fits(&expression, object) == Some(false))
        {
            return Err(breach(
                "lets an object through that does not fit",
                &expression,
                &answer,
                other.to_string(),
            ));
        }
        if whole {
            complete(context, &expression, &answer, &found, (&plain, &objects)).await?;
        }
    }
    match judged {
        0 => Err(Stop::Inconclusive(
            "the platform refuses every expression of the parameter filter".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn breach(what: &str, expression: &[Comparison], answer: &Exchange, actual: String) -> Stop {
    let operators: Vec<_> = expression.iter().map(|one| one.operator).collect();
    let title = format!("a filter by attributes ({}) {what}", operators.join(" and "));
    let expected = format!("the objects that fit {}", written(expression));
    let failure = Failure::new(title, expected, actual).signature(what);
    failure.shown_by(&answer.call).stop()
}

/// Nothing that fits is left out, as the list without filter still has it afterwards.
async fn complete(
    context: &mut Context,
    expression: &[Comparison],
    answer: &Exchange,
    found: &[Value],
    (plain, before): (&Call, &[Value]),
) -> Outcome {
    let fitting = |objects: &[Value]| {
        let fit = objects
            .iter()
            .filter(|object| fits(expression, object) == Some(true));
        fit.count()
    };
    // An object in the answer may leave the attribute out, so all of them count.
    if found.len() >= fitting(before) {
        return Ok(());
    }
    let after = context.send(plain.clone().role(Role::Control)).await?;
    let after = listed(&after.json().unwrap_or_default());
    let wants = fitting(before).min(fitting(&after));
    if found.len() >= wants {
        return Ok(());
    }
    let actual = format!("{} of the {wants} that fit: {}", found.len(), answer.summary());
    Err(breach(
        "leaves out an object that fits",
        expression,
        answer,
        actual,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Comparison, attributes, expressions, fits, written};

    #[test]
    fn expressions_are_made_of_what_objects_have() {
        let objects = [
            json!({"id": "a1", "size": 1, "inner": {"kind": "it's"}, "_links": {"self": {"href": "/a"}}}),
            json!({"id": "a2", "size": 1, "inner": {"kind": "other"}}),
        ];
        let attributes = attributes(&objects);
        let names: Vec<_> = attributes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id", "inner/kind", "size"]);
        let all = expressions(&attributes, "nothing");
        let texts: Vec<_> = all.iter().map(|one| written(one)).collect();
        assert!(texts.contains(&"(in,id,a1,a2)".to_owned()), "{texts:?}");
        assert!(texts.contains(&"(eq,inner/kind,'it''s')".to_owned()), "{texts:?}");
        assert!(texts.contains(&"(eq,id,a1);(eq,id,a2)".to_owned()), "{texts:?}");
    }

    #[test]
    fn what_an_object_does_not_show_fits_neither_way() {
        let comparison = Comparison {
            operator: "neq",
            attribute: "size".to_owned(),
            values: vec![json!(1)],
        };
        let all = [comparison];
        assert_eq!(fits(&all, &json!({"size": 2})), Some(true));
        assert_eq!(fits(&all, &json!({"size": 1})), Some(false));
        assert_eq!(fits(&all, &json!({})), None);
    }
}
