//! Lists with a query parameter that is seen to filter them: the control of all that is asked of queries.

use std::sync::Arc;

use mecforge_api::{Location, Parameter, Style, query_pairs};
use serde_json::{Value, json};

use crate::checks::state::comparison::{is_at, items, last};
use crate::suite::{Call, Context, Exchange, Made, Role, Stop, Suite, Values, plain};

/// The most values by which a filter is looked for.
const MOST: usize = 10;

/// A query parameter of a list whose objects can be made.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) api: usize,
    pub(super) list: usize,
    pub(super) maker: usize,
    pub(super) parameter: Parameter,
}

/// The query parameters of an API's lists whose objects can be made, there or where the list is a view of.
pub(super) fn places(suite: &Suite, api: usize) -> Vec<Place> {
    let state = &suite.apis[api];
    let mut places = Vec::new();
    for list in state
        .api
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let path = list.path.text();
        let shows = |key: &str| state.knowledge.view(key).is_some_and(|(list, _)| list == path);
        let maker = state.api.operation("POST", path);
        let maker = maker.or_else(|| state.api.operations.iter().find(|other| shows(&other.key)));
        let Some(maker) = maker.map(|maker| maker.index) else {
            continue;
        };
        for parameter in list.parameters_in(Location::Query) {
            places.push(Place {
                api,
                list: list.index,
                maker,
                parameter: Parameter::clone(parameter),
            });
        }
    }
    places
}

impl Place {
    /// Whether the parameter takes a list of values, and no single one; none where it is written in no form of a query.
    pub(super) fn takes_several(&self, suite: &Suite) -> Option<bool> {
        if self.parameter.style == Style::Json {
            return None;
        }
        let schema = suite.apis[self.api].schema(&self.parameter.schema)?;
        let single = schema.is_valid(&json!("conformance"));
        match (single, schema.is_valid(&json!(["conformance", "other"]))) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        }
    }

    /// A body whose property that is called as the parameter is has a text of its own, where it may have one.
    fn body(&self, context: &mut Context, values: &Values) -> Result<Value, Stop> {
        let body = context.body(self.api, self.maker, values)?;
        let alike = |name: &str| {
            let (one, other) = (plain(name), plain(&self.parameter.name));
            one.starts_with(&other) || other.starts_with(&one)
        };
        let mut members = body.as_object().into_iter().flatten();
        let Some((name, _)) = members.find(|(name, value)| value.is_string() && alike(name)) else {
            return Ok(body);
        };
        let mut own = body.clone();
        own[name] = json!(format!("conformance-{}", context.unique()));
        let schema = context.suite.apis[self.api].body_schema(self.maker);
        match schema.is_none_or(|schema| schema.is_valid(&own)) {
            true => Ok(own),
            false => Ok(body),
        }
    }

    /// The pairs of a query that asks for these values, in the style of the document.
    pub(super) fn pairs(&self, texts: &[&str], several: bool) -> Option<Vec<(String, String)>> {
        let value = match (several, texts) {
            (true, texts) => json!(texts),
            (false, [text]) => json!(text),
            (false, _) => return None,
        };
        query_pairs(&self.parameter, &value).ok()
    }
}

/// A filter that was seen to work, and what it was seen with.
pub(super) struct Filtered {
    /// The values of the path above the objects.
    pub(super) values: Values,
    /// The list without the filter.
    pub(super) plain: Call,
    /// Whether the parameter takes a list of values.
    pub(super) several: bool,
    /// Where the objects have what the filter looks at.
    pub(super) pointer: String,
    /// Three objects, each found by its own text, and by no other's.
    pub(super) objects: Vec<(Made, String)>,
}

impl Filtered {
    /// Makes three objects, and looks for a property by which the parameter tells them apart.
    pub(super) async fn find(context: &mut Context, place: &Place) -> Result<Self, Stop> {
        let suite = Arc::clone(&context.suite);
        let Some(several) = place.takes_several(&suite) else {
            return Err(Stop::NotApplicable(
                "the parameter takes no free text, so that no values of the suite's own fit".to_owned(),
            ));
        };
        let values = context.values(place.api, place.maker).await?;
        let mut made = Vec::new();
        for _ in 0..3 {
            let body = place.body(context, &values)?;
            made.push(context.make(place.api, place.maker, &values, Some(body)).await?);
        }
        let plain = context
            .call(place.api, place.list, &values)
            .role(Role::Control)
            .query_instead(&place.parameter.name, Vec::new());
        for (pointer, texts) in candidates(&made, &place.parameter.name) {
            let mut works = true;
            for (at, text) in texts.iter().enumerate() {
                let Some(pairs) = place.pairs(&[text], several) else {
                    works = false;
                    break;
                };
                let call = plain.clone().query_instead(&place.parameter.name, pairs);
                let found = seen(&context.send(call).await?, &made);
                let own: Vec<_> = (0..made.len()).map(|other| other == at).collect();
                works = found.is_some_and(|found| found == own);
                if !works {
                    break;
                }
            }
            if works {
                return Ok(Filtered {
                    values,
                    plain,
                    several,
                    pointer,
                    objects: made.into_iter().zip(texts).collect(),
                });
            }
        }
        Err(Stop::NotApplicable(
            "no property is seen by whose text this parameter tells objects apart".to_owned(),
        ))
    }

    /// Which of the three objects an answer has; none where it is no list.
    pub(super) fn seen(&self, answer: &Exchange) -> Option<Vec<bool>> {
        let body = answer.json().filter(|_| answer.is_success())?;
        Some(self.objects.iter().map(|(made, _)| has(&body, made)).collect())
    }
}

/// Whether a list has what was made.
pub(super) fn has(list: &Value, made: &Made) -> bool {
    let mut all = items(list).into_iter().flatten();
    all.any(|item| is_at(item, last(&made.path)))
}

fn seen(answer: &Exchange, made: &[Made]) -> Option<Vec<bool>> {
    let body = answer.json().filter(|_| answer.is_success())?;
    Some(made.iter().map(|made| has(&body, made)).collect())
}

/// The texts in a value with their places.
fn texts(value: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((pointer.to_owned(), text.clone())),
        Value::Object(members) => {
            for (name, member) in members {
                texts(member, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Places at which all objects have texts of their own, those first that are called as the parameter is.
fn candidates(made: &[Made], parameter: &str) -> Vec<(String, Vec<String>)> {
    let mut first = Vec::new();
    if let Some(object) = made.first() {
        texts(&object.answered, "", &mut first);
    }
    let mut all = Vec::new();
    for (pointer, _) in first {
        let texts: Vec<String> = made
            .iter()
            .filter_map(|made| made.answered.pointer(&pointer)?.as_str().map(str::to_owned))
            .filter(|text| !text.is_empty() && !text.contains([',', '|', ' ']))
            .collect();
        let apart = |at: usize| !texts[at + 1..].contains(&texts[at]);
        if texts.len() == made.len() && (0..texts.len()).all(apart) {
            all.push((pointer, texts));
        }
    }
    all.sort_by_key(|(pointer, _)| plain(last(pointer)) != plain(parameter));
    all.truncate(MOST);
    all
}
