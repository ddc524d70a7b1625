//! Reads the schemas of a document into a [`Model`], and cuts the smallest document that still has them all.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Number, Value};

use crate::model::{Contains, Matcher, Model, Node, NodeId, Types};
use crate::options::Unsupported;
use crate::pointer;

/// Reads the schema at `pointer` and all that it leads to.
pub(crate) fn read(document: &Value, root: &str, formats: bool) -> Result<Model, Unsupported> {
    let mut reader = Reader {
        document,
        formats,
        ids: BTreeMap::new(),
        queue: VecDeque::new(),
    };
    reader.id(root.to_owned());
    let mut nodes = Vec::new();
    while let Some(place) = reader.queue.pop_front() {
        nodes.push(reader.node(place)?);
    }
    Ok(Model { nodes })
}

/// A document with only the schemas of the model, each at the place where it was.
pub(crate) fn excerpt(document: &Value, model: &Model) -> Value {
    let mut excerpt = Value::Object(Map::new());
    let mut places: Vec<&str> = model.nodes.iter().map(|node| node.pointer.as_str()).collect();
    places.sort_unstable();
    let mut last: Option<&str> = None;
    for place in places {
        let inside = last.is_some_and(|outer| {
            place
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        if inside || last == Some("") {
            continue;
        }
        if let Some(schema) = document.pointer(place) {
            plant(&mut excerpt, document, place, schema);
            last = Some(place);
        }
    }
    excerpt
}

/// Copies one schema into the excerpt, making the objects and arrays above it.
fn plant(excerpt: &mut Value, document: &Value, place: &str, schema: &Value) {
    let mut spot = excerpt;
    let mut above = Some(document);
    for segment in pointer::segments(place) {
        let is_array = above.is_some_and(Value::is_array);
        let index = segment.parse::<usize>().unwrap_or(0);
        above = above.and_then(|value| {
            if is_array {
                value.get(index)
            } else {
                value.get(&segment)
            }
        });
        if is_array {
            if !spot.is_array() {
                *spot = Value::Array(Vec::new());
            }
            let Value::Array(items) = spot else { return };
            while items.len() <= index {
                items.push(Value::Object(Map::new()));
            }
            spot = &mut items[index];
        } else {
            if !spot.is_object() {
                *spot = Value::Object(Map::new());
            }
            let Value::Object(object) = spot else { return };
            spot = object.entry(segment).or_insert(Value::Null);
        }
    }
    *spot = schema.clone();
}

struct Reader<'a> {
    document: &'a Value,
    formats: bool,
    ids: BTreeMap<String, NodeId>,
    queue: VecDeque<String>,
}

impl Reader<'_> {
    fn id(&mut self, place: String) -> NodeId {
        if let Some(id) = self.ids.get(&place) {
            return *id;
        }
        let id = self.ids.len();
        self.queue.push_back(place.clone());
        self.ids.insert(place, id);
        id
    }

    fn node(&mut self, place: String) -> Result<Node, Unsupported> {
        let document = self.document;
        let Some(schema) = document.pointer(&place) else {
            return Err(Unsupported::new(
                &place,
                "",
                "there is nothing at this place of the document",
            ));
        };
        let object = match schema {
            Value::Bool(verdict) => {
                return Ok(Node {
                    pointer: place,
                    boolean: Some(*verdict),
                    ..Node::default()
                });
            }
            Value::Object(object) => object,
            _ => return Err(Unsupported::new(&place, "", "a schema is an object or a boolean")),
        };
        let mut node = Node {
            pointer: place,
            ..Node::default()
        };
        self.reference(&mut node, object)?;
        read_values(&mut node, object)?;
        self.texts(&mut node, object)?;
        self.arrays(&mut node, object)?;
        self.objects(&mut node, object)?;
        self.combinations(&mut node, object)?;
        Ok(node)
    }

    fn reference(&mut self, node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
        for keyword in ["$dynamicRef", "$recursiveRef", "$id"] {
            if object.contains_key(keyword) {
                return Err(fault(
                    node,
                    keyword,
                    "only references within one document are followed",
                ));
            }
        }
        let Some(reference) = object.get("$ref") else {
            return Ok(());
        };
        let target = reference
            .as_str()
            .and_then(|text| text.strip_prefix('#'))
            .filter(|target| target.is_empty() || target.starts_with('/'))
            .ok_or_else(|| {
                fault(
                    node,
                    "$ref",
                    "only JSON pointers into the same document are followed",
                )
            })?;
        let target = percent_decoded(target);
        if self.document.pointer(&target).is_none() {
            return Err(fault(node, "$ref", "it leads nowhere"));
        }
        node.reference = Some(self.id(target));
        Ok(())
    }

    fn texts(&mut self, node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
        node.min_length = count(node, object, "minLength")?;
        node.max_length = count(node, object, "maxLength")?;
        if let Some(pattern) = object.get("pattern") {
            let source = pattern
                .as_str()
                .ok_or_else(|| fault(node, "pattern", "it is not a string"))?;
            node.pattern = Some(matcher(node, "pattern", source)?);
        }
        if let Some(Value::String(format)) = object.get("format") {
            node.format_name = Some(format.clone());
            let known =
                jsonschema::draft202012::options().is_known_format(jsonschema::Draft::Draft202012, format);
            if self.formats && known {
                node.format = Some(matcher(node, "format", format)?);
            }
        }
        Ok(())
    }

    fn arrays(&mut self, node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
        node.min_items = count(node, object, "minItems")?;
        node.max_items = count(node, object, "maxItems")?;
        node.unique = object.get("uniqueItems") == Some(&Value::Bool(true));
        node.prefix = self.several(node, object, "prefixItems")?;
        node.items = self.one(node, object, "items");
        node.unevaluated_items = self.one(node, object, "unevaluatedItems");
        if let Some(id) = self.one(node, object, "contains") {
            let min = count(node, object, "minContains")?.unwrap_or(1);
            node.contains = Some(Contains {
                node: id,
                min,
                max: count(node, object, "maxContains")?,
            });
        }
        Ok(())
    }

    fn objects(&mut self, node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
        node.properties = self.named(node, object, "properties")?;
        for (source, id) in self.named(node, object, "patternProperties")? {
            let matcher = matcher(node, "patternProperties", &source)?;
            node.patterns.push((matcher, id));
        }
        node.additional = self.one(node, object, "additionalProperties");
        node.unevaluated = self.one(node, object, "unevaluatedProperties");
        node.names = self.one(node, object, "propertyNames");
        node.required = names(node, "required", object.get("required"))?;
        if let Some(Value::Object(dependents)) = object.get("dependentRequired") {
            for (name, wanted) in dependents {
                let wanted = names(node, "dependentRequired", Some(wanted))?;
                node.dependent_required.insert(name.clone(), wanted);
            }
        }
        node.dependent_schemas = self.named(node, object, "dependentSchemas")?;
        node.min_properties = count(node, object, "minProperties")?;
        node.max_properties = count(node, object, "maxProperties")?;
        Ok(())
    }

    fn combinations(&mut self, node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
        node.all_of = self.several(node, object, "allOf")?;
        node.any_of = self.several(node, object, "anyOf")?;
        node.one_of = self.several(node, object, "oneOf")?;
        node.not = self.one(node, object, "not");
        node.condition = self.one(node, object, "if");
        if node.condition.is_some() {
            node.then = self.one(node, object, "then");
            node.otherwise = self.one(node, object, "else");
        }
        Ok(())
    }

    fn one(&mut self, node: &Node, object: &Map<String, Value>, keyword: &str) -> Option<NodeId> {
        object
            .get(keyword)
            .map(|_| self.id(pointer::child(&node.pointer, keyword)))
    }

    fn several(
        &mut self,
        node: &Node,
        object: &Map<String, Value>,
        keyword: &str,
    ) -> Result<Vec<NodeId>, Unsupported> {
        let Some(value) = object.get(keyword) else {
            return Ok(Vec::new());
        };
        let Value::Array(items) = value else {
            return Err(fault(node, keyword, "it is not a list"));
        };
        let base = pointer::child(&node.pointer, keyword);
        Ok((0..items.len())
            .map(|index| self.id(pointer::item(&base, index)))
            .collect())
    }

    fn named(
        &mut self,
        node: &Node,
        object: &Map<String, Value>,
        keyword: &str,
    ) -> Result<BTreeMap<String, NodeId>, Unsupported> {
        let Some(value) = object.get(keyword) else {
            return Ok(BTreeMap::new());
        };
        let Value::Object(schemas) = value else {
            return Err(fault(node, keyword, "it is not an object"));
        };
        let base = pointer::child(&node.pointer, keyword);
        Ok(schemas
            .keys()
            .map(|name| (name.clone(), self.id(pointer::child(&base, name))))
            .collect())
    }
}

fn read_values(node: &mut Node, object: &Map<String, Value>) -> Result<(), Unsupported> {
    if let Some(types) = object.get("type") {
        node.types = Some(read_types(types).ok_or_else(|| fault(node, "type", "it names no JSON type"))?);
    }
    node.constant = object.get("const").cloned();
    node.enumeration = list(node, object, "enum")?;
    if node.enumeration.is_none() && node.constant.is_none() {
        node.extensible = list(node, object, "x-extensible-enum")?;
    }
    node.minimum = number(node, object, "minimum")?;
    node.maximum = number(node, object, "maximum")?;
    node.exclusive_minimum = number(node, object, "exclusiveMinimum")?;
    node.exclusive_maximum = number(node, object, "exclusiveMaximum")?;
    node.multiple_of = number(node, object, "multipleOf")?;
    node.read_only = object.get("readOnly") == Some(&Value::Bool(true));
    for keyword in ["example", "default"] {
        node.examples.extend(object.get(keyword).cloned());
    }
    if let Some(Value::Array(examples)) = object.get("examples") {
        node.examples.extend(examples.iter().cloned());
    }
    Ok(())
}

fn fault(node: &Node, keyword: &str, reason: &str) -> Unsupported {
    Unsupported::new(&node.pointer, keyword, reason)
}

/// A validator of one pattern or format alone: the judge's own reading of it.
pub(crate) fn judge_of(keyword: &str, source: &str) -> Option<Matcher> {
    let schema = Value::Object(Map::from_iter([(
        keyword.to_owned(),
        Value::String(source.to_owned()),
    )]));
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .ok()?;
    Some(Matcher {
        source: source.to_owned(),
        validator,
    })
}

fn matcher(node: &Node, keyword: &str, source: &str) -> Result<Matcher, Unsupported> {
    let single = if keyword == "format" { "format" } else { "pattern" };
    judge_of(single, source)
        .ok_or_else(|| fault(node, keyword, "it is not a regular expression that can be used"))
}

fn read_types(value: &Value) -> Option<Types> {
    match value {
        Value::String(name) => Types::named(name),
        Value::Array(names) => names.iter().try_fold(Types(0), |types, name| {
            Some(types.or(Types::named(name.as_str()?)?))
        }),
        _ => None,
    }
}

fn list(node: &Node, object: &Map<String, Value>, keyword: &str) -> Result<Option<Vec<Value>>, Unsupported> {
    match object.get(keyword) {
        None => Ok(None),
        Some(Value::Array(values)) => Ok(Some(values.clone())),
        Some(_) => Err(fault(node, keyword, "it is not a list")),
    }
}

fn number(node: &Node, object: &Map<String, Value>, keyword: &str) -> Result<Option<Number>, Unsupported> {
    match object.get(keyword) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.clone())),
        Some(_) => Err(fault(node, keyword, "it is not a number")),
    }
}

fn count(node: &Node, object: &Map<String, Value>, keyword: &str) -> Result<Option<u64>, Unsupported> {
    let Some(number) = number(node, object, keyword)? else {
        return Ok(None);
    };
    let whole = crate::numbers::whole(&number).and_then(|whole| u64::try_from(whole).ok());
    whole
        .map(Some)
        .ok_or_else(|| fault(node, keyword, "it is not a count"))
}

fn names(node: &Node, keyword: &str, value: Option<&Value>) -> Result<Vec<String>, Unsupported> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let strings = |items: &Vec<Value>| {
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    value
        .as_array()
        .and_then(strings)
        .ok_or_else(|| fault(node, keyword, "it is not a list of names"))
}

/// A URI fragment without its percent-encoding; malformed escapes stay as they are.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
