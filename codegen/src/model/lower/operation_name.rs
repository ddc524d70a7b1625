//! Names of operations, from method and path: what the method does to what the path names.

use std::collections::BTreeSet;

use mecforge_document::Node;

use crate::model::api::Method;
use crate::model::names;

/// Whether a path names a collection: it has items below it, or answers a list.
pub(super) fn is_collection(
    document: &mecforge_document::Document,
    path: &str,
    item: &Node,
    paths: &BTreeSet<&str>,
) -> bool {
    let below = format!("{}/{{", path.trim_end_matches('/'));
    let has_items = paths.range(below.as_str()..).next().is_some_and(|next| {
        next.strip_prefix(&below)
            .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
    });
    let answers_list = || {
        let response = document.resolve(item.get("get")?.get("responses")?.get("200")?)?;
        let (_, content) = response.get("content")?.as_object()?.first()?;
        Some(document.resolve(content.get("schema")?)?.str_at("type")? == "array")
    };
    has_items || answers_list() == Some(true)
}

/// The operation's name: what the method does to what the path names. ETSI's operationIds are not used, because
/// they change with every release.
pub(super) fn operation_name(method: Method, path: &str, is_collection: bool, node: &Node) -> String {
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect::<Vec<_>>();
    let is_parameter = |segment: &str| segment.contains('{');
    let mut words: Vec<String> = Vec::new();
    for (index, segment) in segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| !is_parameter(segment))
    {
        let word = names::snake_name(segment);
        let is_followed = segments.get(index + 1).is_some_and(|next| is_parameter(next));
        words.push(if is_followed { names::singular(&word) } else { word });
    }
    let ends_with_parameter = segments.last().is_some_and(|segment| is_parameter(segment));
    let creates = node
        .get("responses")
        .is_some_and(|responses| responses.get("201").is_some());
    let last = words.pop().unwrap_or_else(|| "root".to_owned());
    let all = |verb: &str, last: &str| {
        let mut name = vec![verb.to_owned()];
        name.extend(words.iter().cloned());
        name.push(last.to_owned());
        name.join("_")
    };
    match method {
        Method::Get if !ends_with_parameter && is_collection => all("list", &last),
        Method::Get => all("get", &last),
        Method::Post if !ends_with_parameter && (is_collection || creates) => {
            all("create", &names::singular(&last))
        }
        // A POST to what is no collection starts something: the path's last word says what.
        Method::Post if !ends_with_parameter => all(&last, "").trim_end_matches('_').to_owned(),
        Method::Post => all("post", &last),
        Method::Put => all("replace", &last),
        Method::Patch => all("update", &last),
        Method::Delete => all("delete", &last),
        Method::Head => all("head", &last),
        Method::Options => all("options", &last),
        Method::Trace => all("trace", &last),
    }
}
