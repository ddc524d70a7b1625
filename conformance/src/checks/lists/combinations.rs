//! Filters that are combined: what fits all of them, and nothing else.

use std::sync::Arc;

use serde_json::{Value, json};

use super::filter::Filter;
use super::services::{self, Services};
use super::{COMBINED, EMPTY, EXCLUSIVE, WHOLE, commas};
use crate::checks::state::comparison::items;
use crate::suite::{Context, Exchange, Failure, Intent, Outcome, Plan, Stop, Suite, Values};

/// The operations that a case is about.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) api: usize,
    pub(super) maker: usize,
    pub(super) list: usize,
    /// Whether the list has the services of all applications.
    shared: bool,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    let own = "/applications/{appInstanceId}/services";
    let Some(maker) = document.operation("POST", own).map(|operation| operation.index) else {
        return;
    };
    if document.id != "mec011-service-management" {
        return;
    }
    for path in ["/services", own] {
        let Some(list) = document.operation("GET", path).map(|operation| operation.index) else {
            continue;
        };
        let place = Place {
            api,
            maker,
            list,
            shared: path != own,
        };
        plan.add(
            suite,
            &COMBINED,
            api,
            Some(list),
            "combinations",
            move |context| Box::pin(async move { combined(context, place).await }),
        )
        .read_only = false;
        plan.add(suite, &EMPTY, api, Some(list), "empty", move |context| {
            Box::pin(async move { empty(context, place).await })
        })
        .read_only = false;
        plan.add(suite, &EXCLUSIVE, api, Some(list), "exclusive", move |context| {
            Box::pin(async move { exclusive(context, place).await })
        })
        .read_only = false;
        plan.add(suite, &WHOLE, api, Some(list), "commas", move |context| {
            Box::pin(async move { commas::whole(context, place).await })
        })
        .read_only = false;
    }
}

/// Asks for the list with filters; none where the document does not have one of them in this style.
pub(super) async fn ask(
    context: &mut Context,
    place: Place,
    values: &Values,
    filters: &[Filter],
) -> Result<Option<Exchange>, Stop> {
    let suite = Arc::clone(&context.suite);
    let api = &suite.apis[place.api].api;
    let mut call = context.call(place.api, place.list, values);
    for filter in filters {
        match filter.pairs(api, place.list) {
            Some(pairs) => call.query.extend(pairs),
            None => return Ok(None),
        }
    }
    Ok(Some(context.send(call).await?))
}

fn described(filters: &[Filter]) -> String {
    let all: Vec<_> = filters.iter().map(Filter::text).collect();
    all.join(" and ")
}

/// The parameters alone, which tell two faults from each other.
fn names(filters: &[Filter]) -> String {
    let name = |filter: &Filter| match filter.values.len() {
        1 => filter.parameter.to_owned(),
        _ => format!("several {}", filter.parameter),
    };
    let all: Vec<_> = filters.iter().map(name).collect();
    all.join(" and ")
}

/// The combinations that are tried with five services.
fn combinations(own: &[Value]) -> Vec<Vec<Filter>> {
    let [one, two, upper, bare, fifth] = own else {
        return Vec::new();
    };
    let scope = |value: &str| Some(Filter::new("scope_of_locality", [json!(value)]));
    let local = |value: bool| Some(Filter::new("is_local", [json!(value)]));
    let consumed = |value: bool| Some(Filter::new("consumed_local_only", [json!(value)]));
    let name = |services: &[&Value]| Filter::of("ser_name", services);
    let instance = |services: &[&Value]| Filter::of("ser_instance_id", services);
    let category = |service: &Value| Filter::of("ser_category_id", &[service]);
    let unknown = || Filter::new("ser_name", [json!("mec-conformance-nobody")]).values;
    let with_unknown = name(&[one, two]).map(|mut filter| {
        filter.values.splice(0..0, unknown());
        filter
    });
    let all: Vec<Vec<Option<Filter>>> = vec![
        vec![local(true)],
        vec![local(false)],
        vec![scope("ZONE")],
        vec![scope("MEC_HOST")],
        vec![consumed(true)],
        vec![name(&[one, two])],
        vec![name(&[two, upper, bare])],
        vec![name(&[one, one])],
        vec![with_unknown],
        vec![instance(&[one, fifth])],
        vec![instance(&[bare, two, upper])],
        vec![name(&[one]), scope("ZONE")],
        vec![name(&[one]), scope("MEC_SYSTEM")],
        vec![name(&[one, two]), consumed(false)],
        vec![name(&[one, upper]), local(true)],
        vec![instance(&[one, two, fifth]), scope("MEC_SYSTEM")],
        vec![category(one), local(true)],
        vec![category(two), scope("ZONE")],
        vec![category(one), consumed(false), scope("MEC_SYSTEM")],
        vec![scope("MEC_SYSTEM"), consumed(false), local(true)],
        vec![scope("MEC_HOST"), consumed(false)],
        vec![name(&[bare]), scope("MEC_HOST")],
        vec![name(&[bare]), scope("ZONE")],
        vec![name(&[upper, two]), local(false)],
    ];
    let known = |filters: Vec<Option<Filter>>| filters.into_iter().collect::<Option<Vec<_>>>();
    all.into_iter().filter_map(known).collect()
}

async fn combined(context: &mut Context, place: Place) -> Outcome {
    let services = services::make(context, place.api, place.maker, place.list).await?;
    let mut readings = Vec::new();
    for filters in combinations(&services.own) {
        let Some(exchange) = ask(context, place, &services.values, &filters).await? else {
            continue;
        };
        if exchange.is_refusal() && exchange.status() != 404 {
            let failure = Failure::new(
                format!("the filter {} is refused", names(&filters)),
                format!("200, as {} is valid", described(&filters)),
                exchange.summary(),
            );
            context.report(failure.of("accepts-valid").shown_by(&exchange.call));
            continue;
        }
        let body = exchange.json().filter(|_| exchange.status() == 200);
        let Some(found) = body.as_ref().and_then(items) else {
            continue; // What an empty list is, is judged elsewhere.
        };
        if let Some(failure) = judge(place, &services, &filters, found) {
            context.report(failure);
            if context.reported.len() >= 3 {
                break;
            }
        }
        readings.extend(reading(&services, &filters, found));
    }
    if let Some(observed) = readings.first()
        && readings.iter().all(|other| other == observed)
    {
        context.suite.contradicts(
            "is-local-false",
            "MEC 011 8.2.3.3.1 lets is_local=false be read as \"remote services\" and as \"local and remote services\" (as isLocal in 8.1.3.2 says); both are accepted.",
            Some((*observed).to_owned()),
        );
    }
    Ok(())
}

/// Whether a list is what the filters let pass.
fn judge(place: Place, services: &Services, filters: &[Filter], found: &[Value]) -> Option<Failure> {
    let times = |service: &Value| {
        let same = |item: &&Value| item.get("serInstanceId") == service.get("serInstanceId");
        found.iter().filter(same).count()
    };
    let passes = |service: &Value| {
        let all: Vec<_> = filters.iter().map(|filter| filter.passes(service)).collect();
        match all.contains(&Some(false)) {
            true => Some(false),
            false => (!all.contains(&None)).then_some(true),
        }
    };
    let failure = |what: &str, service: &Value, expected: &str| {
        Failure::new(
            format!("the filter {} {what}", names(filters)),
            format!("{expected} for {}", described(filters)),
            format!("{} of {} items: {service}", times(service), found.len()),
        )
    };
    for service in &services.own {
        match (passes(service), times(service)) {
            (Some(true), 0) => return Some(failure("leaves out what fits", service, "a service that fits")),
            (_, 2..) => return Some(failure("gives a service twice", service, "a service once")),
            _ => {}
        }
    }
    if let Some(wrong) = found.iter().find(|service| passes(service) == Some(false)) {
        return Some(failure(
            "lets through what does not fit",
            wrong,
            "nothing that does not fit",
        ));
    }
    let foreign = services
        .foreign
        .as_ref()
        .filter(|service| !place.shared && times(service) > 0);
    foreign.map(|service| {
        failure(
            "gives another application's service",
            service,
            "services of one application",
        )
    })
}

/// Which of the two readings of `is_local=false` a list follows, where it can tell.
fn reading(services: &Services, filters: &[Filter], found: &[Value]) -> Option<&'static str> {
    let [filter] = filters else { return None };
    if filter.parameter != "is_local" || filter.values != [json!(false)] {
        return None;
    }
    let there = |service: &&Value| {
        let same = |item: &Value| item.get("serInstanceId") == service.get("serInstanceId");
        found.iter().any(same)
    };
    let local: Vec<_> = services
        .own
        .iter()
        .filter(|service| filter.passes(service).is_none())
        .collect();
    let seen = local.iter().filter(|service| there(service)).count();
    match seen {
        _ if local.is_empty() => None,
        0 => Some("is_local=false gives remote services alone"),
        _ if seen == local.len() => Some("is_local=false gives local and remote services"),
        _ => None,
    }
}

async fn empty(context: &mut Context, place: Place) -> Outcome {
    let services = services::make(context, place.api, place.maker, place.list).await?;
    let nobody = format!("nobody-{}", context.unique());
    for parameter in ["ser_name", "ser_instance_id", "ser_category_id"] {
        let filters = [Filter::new(parameter, [json!(nobody)])];
        let Some(exchange) = ask(context, place, &services.values, &filters).await? else {
            continue;
        };
        let body = exchange.json().unwrap_or_default();
        let what = match (exchange.status(), items(&body)) {
            (200, Some(found)) if found.is_empty() => continue,
            (200, Some(_)) => "a filter that nothing passes gives services".to_owned(),
            (200, None) => "a filter that nothing passes gives no list".to_owned(),
            (status @ (204 | 404 | 410), _) => format!("a filter that nothing passes is answered {status}"),
            // The form of the value may be wrong, and other answers are judged elsewhere.
            _ => continue,
        };
        let failure = Failure::new(what, "200 with an empty list", exchange.summary());
        context.report(failure.shown_by(&exchange.call));
    }
    Ok(())
}

async fn exclusive(context: &mut Context, place: Place) -> Outcome {
    let services = services::make(context, place.api, place.maker, place.list).await?;
    let Some(first) = services.own.first() else {
        return Ok(());
    };
    let all = ["ser_instance_id", "ser_name", "ser_category_id"];
    let filters: Vec<_> = all
        .iter()
        .filter_map(|parameter| Filter::of(parameter, &[first]))
        .collect();
    for filter in &filters {
        let alone = ask(context, place, &services.values, std::slice::from_ref(filter)).await?;
        if alone.is_none_or(|alone| !alone.is_success()) {
            return Err(Stop::Inconclusive(format!(
                "{} alone is not answered with success",
                filter.parameter
            )));
        }
    }
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let (Some(one), Some(other)) = (filters.get(one), filters.get(other)) else {
            continue;
        };
        let suite = Arc::clone(&context.suite);
        let api = &suite.apis[place.api].api;
        let mut call = context
            .call(place.api, place.list, &services.values)
            .intent(Intent::Odd);
        call.query
            .extend(one.pairs(api, place.list).into_iter().flatten());
        call.query
            .extend(other.pairs(api, place.list).into_iter().flatten());
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let failure = Failure::new(
                format!("{} and {} are taken together", one.parameter, other.parameter),
                "400, as one of them at most may be given",
                exchange.summary(),
            );
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}
