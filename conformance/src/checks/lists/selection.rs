//! Filters of any list: query parameters that are called as a property of the list's objects.

use std::sync::Arc;

use mecforge_api::{Location, Parameter, Style, names_subscription_type, query_pairs};
use mecforge_report::Severity;
use serde_json::{Value, json};

use super::selected::{called_otherwise, complete, judge};
use crate::checks::state::comparison::{is_part, items};
use crate::suite::{
    Check, Context, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values, path_below, plain,
    reading,
};

pub(super) static SELECT: Check = Check {
    id: "filters-select",
    group: Group::State,
    title: "a filter by a property gives the objects that have its value, and no others",
    severity: Severity::Error,
    explanation: "Of a list of any API but MEC 011's, whose filters have checks of their own: each optional query parameter that is called as a property of the listed objects is asked for by values that objects of the unfiltered list have, by two of them together where it takes several, by one beside a value that nothing has, and by a value cut short. Everything in the answer has one of the values, and nothing of the unfiltered list that has one is left out. Objects that are listed as links are read. Short names of types of subscriptions mean the type whose words they are (adj_app_info: AdjacentAppInfoSubscription). How a value that nothing has is refused is not judged, nor what is left out of a page.",
    sources: &[Source::Document, Source::Etsi("ETSI GS MEC 009", "6.19")],
};

/// Values of one parameter that are tried, and objects behind links that are read for them.
const MOST: usize = 3;
const LINKS: usize = 12;
/// Bodies among which objects with different values are looked for.
const CANDIDATES: usize = 200;

/// Query parameters that say how much of each object is shown, or have a language of their own.
const OTHERS: [&str; 6] = [
    "filter",
    "fields",
    "all_fields",
    "exclude_fields",
    "exclude_default",
    "attribute-selector",
];

/// A list, what makes its objects, and the parameter.
#[derive(Clone)]
pub(super) struct Place {
    api: usize,
    list: usize,
    maker: Option<usize>,
    pub(super) parameter: Parameter,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    if !state.knowledge.is_of_etsi() || state.api.id.starts_with("mec011") {
        return;
    }
    let lists = state.api.operations.iter().filter(|list| list.method == "GET");
    for list in lists {
        let maker = state.api.operation("POST", list.path.text());
        for parameter in list.parameters_in(Location::Query) {
            let looks = !OTHERS.contains(&parameter.name.as_str()) && parameter.style != Style::Json;
            // Without a list that has everything there is nothing to compare with.
            if !looks || parameter.required {
                continue;
            }
            let place = Place {
                api,
                list: list.index,
                maker: maker.map(|maker| maker.index),
                parameter: Parameter::clone(parameter),
            };
            let name = parameter.name.clone();
            let case = plan.add(suite, &SELECT, api, Some(list.index), &name, move |context| {
                let place = place.clone();
                Box::pin(async move { selects(context, &place).await })
            });
            case.read_only = maker.is_none();
            // What others make and remove meanwhile may come between two readings.
            case.alone();
        }
    }
}

/// A value as it stands in a query.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The single value that an object has by this name, at its root or in one of its members.
fn held<'value>(object: &'value Value, name: &str) -> Option<&'value Value> {
    let single = |value: &&Value| !value.is_object() && !value.is_array() && !value.is_null();
    let own = |object: &'value Value| {
        let mut members = object.as_object()?.iter();
        let found = members.find(|(key, _)| plain(key) == plain(name));
        found.map(|(_, value)| value).filter(single)
    };
    let inside = || {
        let members = object.as_object()?.iter();
        let mut found = members
            .filter(|(key, _)| *key != "_links")
            .filter_map(|(_, member)| own(member));
        found.next().filter(|_| found.next().is_none())
    };
    own(object).or_else(inside)
}

impl Place {
    /// The name of the property that the parameter looks at.
    fn property(&self, context: &Context) -> String {
        let knowledge = &context.suite.apis[self.api].knowledge;
        knowledge.filtered_property(&self.parameter.name).to_owned()
    }

    /// Whether the parameter takes a value, several of them in a list.
    fn takes(&self, context: &Context, value: &Value) -> bool {
        let schema = context.suite.apis[self.api].schema(&self.parameter.schema);
        schema.is_some_and(|schema| schema.is_valid(value))
    }

    /// Values in the form of the parameter: a list, or the only one; none where it does not take them.
    fn wanted(&self, context: &Context, values: &[&Value]) -> Option<Value> {
        let several = json!(values);
        let single = values
            .first()
            .filter(|_| values.len() == 1)
            .map(|value| (*value).clone());
        [Some(several), single]
            .into_iter()
            .flatten()
            .find(|value| self.takes(context, value))
    }

    /// Whether an object's value is meant by one of the query.
    pub(super) fn means(&self, wanted: &Value, has: &Value) -> bool {
        let (wanted, has) = (text(wanted), text(has));
        wanted == has
            || (plain(&self.parameter.name) == "subscriptiontype" && names_subscription_type(&wanted, &has))
    }

    /// Makes objects with different values of the property, as far as the platform lets them be made.
    async fn populate(&self, context: &mut Context, maker: usize, property: &str) -> Result<Values, Stop> {
        let values = context.values(self.api, maker).await?;
        let mut bodies = vec![context.body(self.api, maker, &values)?];
        let schema = context.suite.apis[self.api].body_schema(maker);
        let more = schema.map(|schema| schema.valid_cases_within(CANDIDATES).cases);
        for case in more.into_iter().flatten() {
            let mut body = case.value;
            context.bind(&mut body, &values);
            bodies.push(body);
        }
        let mut seen: Vec<Value> = Vec::new();
        for body in bodies {
            let value = held(&body, property).cloned().unwrap_or_default();
            if seen.contains(&value) || seen.len() >= MOST {
                continue;
            }
            match context.make(self.api, maker, &values, Some(body)).await {
                Ok(_) => seen.push(value),
                Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
                // What the platform refuses is judged elsewhere.
                Err(_) if seen.is_empty() => {}
                Err(_) => seen.push(value),
            }
        }
        Ok(values)
    }

    /// The value of each object of a list; an object that is listed as a link is read for it.
    pub(super) async fn values(
        &self,
        context: &mut Context,
        list: &Value,
        property: &str,
    ) -> Result<Vec<Option<Value>>, Stop> {
        let suite = Arc::clone(&context.suite);
        let mut all = Vec::new();
        for (at, item) in items(list).into_iter().flatten().enumerate() {
            let link = item.get("href").or(Some(item)).and_then(Value::as_str);
            let value = match (held(item, property), link) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(link)) if at < LINKS => {
                    let call = path_below(&suite, self.api, link);
                    let call = call.and_then(|path| reading(&suite, self.api, &path));
                    match call {
                        Some(call) => {
                            let read = context.send(call.role(Role::Control)).await?;
                            held(&read.json().unwrap_or_default(), property).cloned()
                        }
                        None => None,
                    }
                }
                (None, _) => None,
            };
            all.push(value);
        }
        Ok(all)
    }
}

async fn selects(context: &mut Context, place: &Place) -> Outcome {
    let property = place.property(context);
    let values = match place.maker {
        Some(maker) => place.populate(context, maker, &property).await?,
        None => context.values(place.api, place.list).await?,
    };
    let plain_list = context
        .call(place.api, place.list, &values)
        .query_instead(&place.parameter.name, Vec::new());
    let unfiltered = context.send(plain_list.clone().role(Role::Control)).await?;
    let Some(body) = unfiltered.json().filter(|_| unfiltered.status() == 200) else {
        return Err(Stop::Inconclusive(format!(
            "the list without filter was answered {}",
            unfiltered.summary()
        )));
    };
    match items(&body) {
        Some(all) if !all.is_empty() => {}
        _ => {
            return Err(Stop::Inconclusive(
                "the answer has no list with objects; test a platform that has some there".to_owned(),
            ));
        }
    }
    let held_values = place.values(context, &body, &property).await?;
    let mut distinct: Vec<Value> = Vec::new();
    for value in held_values.iter().flatten() {
        if !distinct.contains(value) && distinct.len() < MOST {
            distinct.push(value.clone());
        }
    }
    if distinct.is_empty() {
        return Err(Stop::NotApplicable(format!(
            "no object in the list has a single value that is called {property}"
        )));
    }
    let whole = !is_part(&context.suite, &unfiltered) && held_values.len() <= LINKS;
    let queries = queries(context, place, &distinct);
    if queries.is_empty() {
        return Err(Stop::NotApplicable(
            "no value of the parameter is the name of a type that is in the list".to_owned(),
        ));
    }
    for (wanted, known) in queries {
        let Some(form) = place.wanted(context, &wanted.iter().collect::<Vec<_>>()) else {
            continue;
        };
        let Ok(pairs) = query_pairs(&place.parameter, &form) else {
            continue;
        };
        let call = plain_list.clone().query_instead(&place.parameter.name, pairs);
        let intent = if known { Intent::Valid } else { Intent::Odd };
        let answer = context.send(call.intent(intent)).await?;
        let found = match judge(context, place, (&property, &wanted, known), &answer).await {
            Err(Stop::Fail(failure)) => {
                return Err(
                    called_otherwise(context, place, (&property, &wanted), &answer.call)
                        .await?
                        .unwrap_or(Stop::Fail(failure)),
                );
            }
            found => found?,
        };
        let has_known = wanted
            .iter()
            .any(|value| distinct.iter().any(|has| place.means(value, has)));
        if answer.status() == 200 && has_known && whole {
            complete(
                context,
                place,
                (&property, &wanted),
                (&answer, &found),
                (&plain_list, &held_values),
            )
            .await?;
        }
    }
    Ok(())
}

/// What is asked for, and whether each of the values is one that an object has: another one may be refused.
fn queries(context: &mut Context, place: &Place, distinct: &[Value]) -> Vec<(Vec<Value>, bool)> {
    let mut known = distinct.to_vec();
    // Types of subscriptions are asked for by the short names that the document lists. Where none of these is the name
    // of a type that is there, one of them may still mean it (MEC 013: `event` for areas).
    if plain(&place.parameter.name) == "subscriptiontype" {
        let document = &context.suite.apis[place.api].api.document;
        let schema = mecforge_api::at(document, &place.parameter.schema);
        let listed = schema
            .and_then(|schema| schema.get("enum"))
            .and_then(Value::as_array);
        if let Some(listed) = listed {
            let has = |value: &&Value| distinct.iter().any(|has| place.means(value, has));
            known = listed.iter().filter(has).cloned().collect();
        }
        if known.is_empty() {
            return Vec::new();
        }
    }
    let nothing = json!(format!("conformance-{}", context.unique()));
    let mut all: Vec<(Vec<Value>, bool)> = known.iter().map(|value| (vec![value.clone()], true)).collect();
    if let [one, two, ..] = known.as_slice() {
        all.push((vec![one.clone(), two.clone()], true));
    }
    if let Some(one) = known.first() {
        all.push((vec![nothing.clone(), one.clone()], false));
        let short = one.as_str().filter(|text| text.is_ascii() && text.len() > 3);
        if let Some(short) = short.map(|text| &text[..text.len() - 1]) {
            all.push((vec![json!(short)], false));
        }
    }
    all.push((vec![nothing], false));
    // Another value of those that are listed, for a parameter that takes no text.
    if known.len() == 1
        && let Some(other) = other_value(context, place, &known[0])
    {
        all.push((vec![other], false));
    }
    all
}

/// A value of a closed parameter that is not this one.
fn other_value(context: &Context, place: &Place, known: &Value) -> Option<Value> {
    let schema = context.suite.apis[place.api].schema(&place.parameter.schema)?;
    let cases = schema.valid_cases_within(CANDIDATES).cases;
    let single = |value: Value| match value {
        Value::Array(values) => values.into_iter().next(),
        Value::Object(_) => None,
        value => Some(value),
    };
    let mut values = cases.into_iter().filter_map(|case| single(case.value));
    values.find(|value| !place.means(value, known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::held;

    #[test]
    fn properties_are_found_at_the_root_and_in_one_member() {
        assert_eq!(held(&json!({"zoneId": "z1"}), "zone_id"), Some(&json!("z1")));
        assert_eq!(
            held(&json!({"appInfo": {"appName": "a"}}), "appName"),
            Some(&json!("a"))
        );
        let two = json!({"one": {"id": 1}, "two": {"id": 2}});
        assert_eq!(held(&two, "id"), None, "whose is meant can't be told");
        assert_eq!(held(&json!({"zoneId": ["z1"]}), "zoneId"), None);
    }
}
