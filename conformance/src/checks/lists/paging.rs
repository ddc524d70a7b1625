//! Lists in pages: all pages together have every object once.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::PAGES;
use crate::checks::state::comparison::{is_at, items, last};
use crate::suite::{Call, Context, Exchange, Failure, Outcome, Plan, Stop, Suite};

/// The most pages that are read.
const MOST: usize = 50;
/// Objects that are made so that there is something to page.
const OBJECTS: usize = 3;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for resource in &document.resources {
        let Some(list) = resource.operation("GET").filter(|_| resource.items.is_some()) else {
            continue;
        };
        let maker = resource.operation("POST").filter(|maker| {
            let mut made = document.resources.iter();
            made.any(|made| made.maker == Some(*maker))
        });
        let case = plan.add(suite, &PAGES, api, Some(list), "pages", move |context| {
            Box::pin(async move { pages(context, api, maker, list).await })
        });
        case.read_only = maker.is_none();
        // What others make and remove meanwhile may move objects from page to page.
        case.alone();
    }
}

/// The address of the next page, if there is one: path below the base path, and query.
fn next(context: &Context, exchange: &Exchange) -> Option<(String, String)> {
    let link = exchange.header("link")?;
    let entry = link.split(",<").find(|entry| {
        let mut parameters = entry.split(';').skip(1);
        parameters.any(|parameter| {
            let parameter = parameter.trim().replace(' ', "");
            matches!(parameter.as_str(), "rel=\"next\"" | "rel=next")
        })
    })?;
    let address = entry.trim().trim_start_matches('<').split('>').next()?;
    let path = match address.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => address,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let base = &context.suite.apis[exchange.call.api].base_path;
    let own = match path {
        "" => exchange.call.path.clone(),
        path => path[path.find(base.as_str())? + base.len()..].to_owned(),
    };
    Some((own, query.to_owned()))
}

async fn pages(context: &mut Context, api: usize, maker: Option<usize>, list: usize) -> Outcome {
    let values = context.values(api, maker.unwrap_or(list)).await?;
    let mut made = Vec::new();
    if let Some(maker) = maker {
        for _ in 0..OBJECTS {
            made.push(context.make(api, maker, &values, None).await?.path);
        }
    }
    let mut call: Call = context.call(api, list, &values);
    let mut seen: Vec<Value> = Vec::new();
    let mut addresses = BTreeSet::new();
    for number in 0..MOST {
        let exchange = context.send(call.clone()).await?;
        let body = exchange.json().unwrap_or_default();
        if exchange.status() != 200 {
            return match number {
                0 => Err(Stop::Inconclusive(format!(
                    "the list was answered {}",
                    exchange.summary()
                ))),
                _ => Err(Failure::new(
                    format!("the next page of a list is answered {}", exchange.status()),
                    "200, as the page before it links to it",
                    exchange.summary(),
                )
                .stop()),
            };
        }
        let found = items(&body).cloned().unwrap_or_default();
        if number > 0
            && let Some(twice) = found.iter().find(|item| seen.contains(item))
        {
            return Err(Failure::new(
                "an object is on two pages of a list",
                "every object once",
                twice.to_string(),
            )
            .stop());
        }
        seen.extend(found);
        let Some(address) = next(context, &exchange) else {
            return all_there(&made, &seen, number);
        };
        if !addresses.insert(address.clone()) {
            return Err(Failure::new(
                "the pages of a list lead back to one that was read",
                "a last page without Link of relation next",
                format!("{}?{}", address.0, address.1),
            )
            .stop());
        }
        call.path = address.0;
        call.query.clear();
        call.raw_query = Some(address.1);
    }
    Err(Stop::Inconclusive(format!(
        "the list has more than {MOST} pages; test a platform with less in it"
    )))
}

/// What was made before the first page was read is on one of them.
fn all_there(made: &[String], seen: &[Value], pages: usize) -> Outcome {
    if pages == 0 {
        return Err(Stop::NotApplicable("the list came in one page".to_owned()));
    }
    let missing = |path: &&String| !seen.iter().any(|item| is_at(item, last(path)));
    match made.iter().find(missing) {
        None => Ok(()),
        Some(path) => Err(Failure::new(
            "an object is on no page of a list",
            format!("an item for {path}"),
            format!("{} items on {} pages, none of them it", seen.len(), pages + 1),
        )
        .stop()),
    }
}
