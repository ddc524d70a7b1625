//! Nothing is lost silently: what ETSI's documents declare, counted here from their trees, what the crates have,
//! counted from their sources, and the figures of `generated/COVERAGE.md` agree. No model of the generator is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::documents::{load, newest, workspace};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Figures by their names in the page: kinds, `status 200`, and keywords in backquotes.
type Counts = BTreeMap<String, usize>;

#[test]
fn the_page_counts_what_the_documents_declare() {
    let page = page();
    for (id, _) in newest() {
        let repaired = std::fs::read_to_string(crate_of(&id).join("openapi.json")).unwrap();
        let raw = count(&load(&id).root.to_json());
        let repaired = count(&serde_json::from_str(&repaired).unwrap());
        let rows = &page[&id];
        let names = raw.keys().chain(repaired.keys()).collect::<BTreeSet<_>>();
        for name in names {
            let of = |counts: &Counts| counts.get(name).copied().unwrap_or_default();
            let row = rows.get(name).unwrap_or_else(|| panic!("{id} has no row {name}"));
            assert_eq!(
                (row[0], row[4]),
                (of(&raw), of(&repaired)),
                "{id}: {name}, declared and repaired"
            );
            assert_eq!(row[0] - row[1] + row[3], row[4], "{id}: {name} does not add up");
        }
    }
}

#[test]
fn every_difference_has_a_finding() {
    let text = page_text();
    assert!(
        !text.contains("no finding tells of it"),
        "generated/COVERAGE.md tells of silent losses"
    );
    let page = page();
    for (id, _) in newest() {
        let rows = page[&id]
            .iter()
            .filter(|(name, _)| !name.starts_with("status ") && !name.starts_with('`'));
        let lost: usize = rows.map(|(_, row)| row[1] + row[2]).sum();
        let section = text
            .split(&format!("\n## {id}\n"))
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        let reasons = section
            .split("### Why what")
            .nth(1)
            .unwrap_or_default()
            .split("\n### ")
            .next()
            .unwrap_or_default();
        let explained: usize = reasons
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| figures(line)[0])
            .sum();
        assert_eq!(
            explained, lost,
            "{id}: the reasons account for other figures than the tables"
        );
    }
}

#[test]
fn server_and_client_have_every_operation_and_response() {
    let page = page();
    for (id, _) in newest() {
        let (rows, root) = (&page[&id], crate_of(&id));
        let document: Value =
            serde_json::from_str(&std::fs::read_to_string(root.join("openapi.json")).unwrap()).unwrap();
        let declared = count(&document);
        let methods = methods_of_trait(&root.join("src/server/mod.rs"));
        assert_eq!(
            methods,
            methods_of_client(&root.join("src/client.rs")),
            "{id}: server and client differ"
        );
        assert_eq!(methods.len(), declared["operations"], "{id}: operations");
        assert_eq!(
            rows["operations"][5..],
            [methods.len(), methods.len()],
            "{id}: operations in the page"
        );
        let variants: usize = files(&root.join("src/operations"))
            .iter()
            .map(|file| response_variants(file))
            .sum();
        assert_eq!(variants, declared["responses"], "{id}: responses");
        assert_eq!(
            rows["responses"][5..],
            [variants, variants],
            "{id}: responses in the page"
        );
    }
}

#[test]
fn every_property_is_a_field_and_every_notification_is_sent_and_received() {
    for (id, _) in newest() {
        let root = crate_of(&id);
        let document: Value =
            serde_json::from_str(&std::fs::read_to_string(root.join("openapi.json")).unwrap()).unwrap();
        // However the calls are broken into lines.
        let squeezed = |file| {
            std::fs::read_to_string(file)
                .unwrap()
                .split_whitespace()
                .collect::<String>()
        };
        let sources = files(&root.join("src/types"))
            .into_iter()
            .map(squeezed)
            .collect::<Vec<_>>();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas
            .iter()
            .filter(|(_, schema)| schema.get("properties").is_some())
        {
            // The type says where it comes from.
            let origin = format!("`#/components/schemas/{name}`.");
            let source = sources.iter().find(|source| source.contains(&origin));
            let source = source.unwrap_or_else(|| panic!("{id}: no type comes from {name}"));
            for property in schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(property, _)| property)
            {
                let read = ["required", "optional"]
                    .iter()
                    .any(|how| source.contains(&format!("object.{how}({property:?},")));
                assert!(read, "{id}: the type of {name} does not read {property}");
            }
        }
        let callbacks = std::fs::read_to_string(root.join("src/callbacks.rs")).unwrap();
        let sent = callbacks.matches("impl Notification for ").count();
        let listed = page_text()
            .split(&format!("\n## {id}\n"))
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap()
            .to_owned();
        assert_eq!(
            sent,
            listed.matches("a callback declares it").count()
                + listed.matches("no callback declares it").count()
        );
        for name in schemas.keys().filter(|name| name.ends_with("Notification")) {
            let marked = schemas[name]["x-mecforge-notification"] == Value::Bool(false);
            let is_object = schemas[name].get("properties").is_some();
            assert!(
                marked || !is_object || callbacks.contains(&format!("\"{name}\"")),
                "{id}: nothing sends {name}"
            );
        }
    }
}

fn crate_of(id: &str) -> PathBuf {
    workspace().join("generated").join(id)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn page_text() -> String {
    std::fs::read_to_string(workspace().join("generated/COVERAGE.md")).unwrap()
}

/// The numbers of a table's line behind its first cell.
fn figures(line: &str) -> Vec<usize> {
    line.split('|')
        .skip(2)
        .map_while(|cell| cell.trim().parse().ok())
        .collect()
}

/// The rows of each document's tables of figures.
fn page() -> BTreeMap<String, BTreeMap<String, Vec<usize>>> {
    let mut page: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    let (mut id, mut table) = (String::new(), String::new());
    for line in page_text().lines() {
        if let Some(name) = line.strip_prefix("## ") {
            (id, table) = (name.to_owned(), String::new());
        } else if let Some(name) = line.strip_prefix("### ") {
            table = name.to_owned();
        } else if line.starts_with("| ") && !line.starts_with("| ---") && figures(line).len() >= 5 {
            let name = line.split('|').nth(1).unwrap().trim();
            let name = if table == "Responses by status" {
                format!("status {name}")
            } else {
                name.to_owned()
            };
            page.entry(id.clone()).or_default().insert(name, figures(line));
        }
    }
    page
}

fn syntax(path: &Path) -> syn::File {
    syn::parse_file(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn methods_of_trait(path: &Path) -> BTreeSet<String> {
    let traits = syntax(path).items.into_iter().filter_map(|item| match item {
        syn::Item::Trait(item) => Some(item),
        _ => None,
    });
    let members = traits
        .flat_map(|item| item.items)
        .filter_map(|member| match member {
            syn::TraitItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        });
    members.collect()
}

fn methods_of_client(path: &Path) -> BTreeSet<String> {
    let blocks = syntax(path).items.into_iter().filter_map(|item| match item {
        syn::Item::Impl(block) if block.trait_.is_none() => Some(block.items),
        _ => None,
    });
    let functions = blocks.flatten().filter_map(|item| match item {
        syn::ImplItem::Fn(function) => Some(function.sig),
        _ => None,
    });
    let calls = functions.filter(|signature| match &signature.output {
        syn::ReturnType::Type(_, returned) => {
            matches!(&**returned, syn::Type::Path(path) if path.path.segments.last().unwrap().ident == "Request")
        }
        syn::ReturnType::Default => false,
    });
    calls.map(|signature| signature.ident.to_string()).collect()
}

fn response_variants(path: &Path) -> usize {
    let items = syntax(path).items.into_iter();
    let enums = items.filter_map(|item| match item {
        syn::Item::Enum(item) if item.ident.to_string().ends_with("Response") => Some(item.variants.len()),
        _ => None,
    });
    enums.sum()
}

/// Counts what a document declares.
fn count(document: &Value) -> Counts {
    let mut counts = Counts::new();
    let mut add = |name: String| *counts.entry(name).or_default() += 1;
    for item in members(&document["paths"])
        .filter(|(path, _)| !path.starts_with("x-"))
        .map(|(_, item)| item)
    {
        for operation in METHODS.iter().filter_map(|method| item.get(*method)) {
            add("operations".to_owned());
            let lists = [&item["parameters"], &operation["parameters"]];
            let mut seen = BTreeSet::new();
            for parameter in lists
                .into_iter()
                .flat_map(elements)
                .map(|parameter| resolved(document, parameter))
            {
                let name = (parameter["in"].to_string(), parameter["name"].to_string());
                let ignored = name.0 == "\"header\""
                    && ["\"accept\"", "\"content-type\"", "\"authorization\""]
                        .contains(&name.1.to_lowercase().as_str());
                if !ignored && seen.insert(name) {
                    add("parameters".to_owned());
                }
            }
            members(&resolved(document, &operation["requestBody"])["content"])
                .for_each(|_| add("request bodies".to_owned()));
            for (status, response) in members(&operation["responses"]) {
                add("responses".to_owned());
                add(format!("status {status}"));
                let response = resolved(document, response);
                members(&response["content"]).for_each(|_| add("response bodies".to_owned()));
                let headers = members(&response["headers"])
                    .filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                headers.for_each(|_| add("response headers".to_owned()));
            }
            members(&operation["callbacks"]).for_each(|_| add("callbacks".to_owned()));
        }
    }
    members(&document["components"]["schemas"]).for_each(|_| add("schemas".to_owned()));
    keywords(document, false, false, &mut add);
    counts
}

/// Counts keywords of schemas, wherever a key says that a schema follows.
fn keywords(node: &Value, is_schema: bool, in_callback: bool, add: &mut impl FnMut(String)) {
    const PLAIN: [&str; 12] = [
        "enum",
        "const",
        "format",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "pattern",
        "type",
        "uniqueItems",
    ];
    if is_schema {
        for keyword in PLAIN.iter().filter(|keyword| node.get(**keyword).is_some()) {
            add(format!("`{keyword}`"));
        }
    }
    for (key, member) in members(node) {
        match key.as_str() {
            "properties" if is_schema => members(member).for_each(|(_, schema)| {
                add("properties".to_owned());
                keywords(schema, true, in_callback, add);
            }),
            "schemas" if !is_schema => {
                members(member).for_each(|(_, schema)| keywords(schema, true, in_callback, add))
            }
            "schema" if !is_schema => keywords(member, true, in_callback, add),
            "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" if is_schema => {
                keywords(member, true, in_callback, add);
            }
            "allOf" | "anyOf" | "oneOf" if is_schema => {
                elements(member).for_each(|schema| keywords(schema, true, in_callback, add));
            }
            // What an application answers to a callback is not counted.
            "responses" if in_callback => {}
            "callbacks" => keywords(member, false, true, add),
            _ if is_schema => {}
            _ => {
                keywords(member, false, in_callback, add);
                elements(member).for_each(|item| keywords(item, false, in_callback, add));
            }
        }
    }
}

fn resolved<'document>(document: &'document Value, node: &'document Value) -> &'document Value {
    match node["$ref"].as_str() {
        Some(target) => resolved(
            document,
            document.pointer(target.trim_start_matches('#')).unwrap(),
        ),
        None => node,
    }
}

fn members(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.as_object().into_iter().flatten()
}

fn elements(node: &Value) -> impl Iterator<Item = &Value> {
    node.as_array().into_iter().flatten()
}
