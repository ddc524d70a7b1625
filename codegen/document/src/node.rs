//! The positioned tree that every stage reads and writes: JSON values that know the line they came from.

use std::fmt;

use indexmap::IndexMap;

/// Where a [`Node`] was written: file, line and column, each as an editor counts them.
///
/// A node that no file holds (one that a repair added) has line 0; what an overlay added lies in the overlay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Index into [`Document::files`](crate::Document::files).
    pub file: u32,
    /// Line, counted from 1; 0 where the node is not from a file.
    pub line: u32,
    /// Column in characters, counted from 1; 0 where the node is not from a file.
    pub column: u32,
}

/// One value of a document together with its [`Origin`].
#[derive(Clone, Debug)]
pub struct Node {
    /// What the node holds.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

/// What a [`Node`] holds: one of JSON's six kinds. Key order is the document's.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any JSON number.
    Number(serde_json::Number),
    /// Text.
    String(String),
    /// A sequence.
    Array(Vec<Node>),
    /// A mapping with text keys, in the order in which they were written.
    Object(Object),
}

/// The members of a mapping in the order in which they were written.
pub type Object = IndexMap<String, Node>;

impl Node {
    /// A node that no file holds.
    pub fn new(value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            origin: Origin::default(),
        }
    }

    /// A node with a place, for values that stand for something written there.
    pub fn at(origin: Origin, value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            origin,
        }
    }

    /// An empty mapping that no file holds.
    pub fn object() -> Self {
        Self::new(Object::new())
    }

    /// The mapping with the single key `$ref`.
    pub fn reference(target: impl Into<String>) -> Self {
        let mut object = Object::new();
        object.insert("$ref".to_owned(), Node::new(target.into()));
        Self::new(object)
    }

    /// The members, where this node is a mapping.
    pub fn as_object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The members for changing, where this node is a mapping.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match &mut self.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements, where this node is a sequence.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The elements for changing, where this node is a sequence.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The text, where this node is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(string) => Some(string),
            _ => None,
        }
    }

    /// The truth value, where this node is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, where this node is one.
    pub fn as_number(&self) -> Option<&serde_json::Number> {
        match &self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The number as a non-negative integer, where it is one.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(serde_json::Number::as_u64)
    }

    /// The member called `key`, where this node is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_object().and_then(|object| object.get(key))
    }

    /// The member called `key` for changing, where this node is a mapping that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_object_mut().and_then(|object| object.get_mut(key))
    }

    /// The text of the member called `key`, where there is one.
    pub fn str_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_str)
    }

    /// The target of `$ref`, where this node is a reference.
    pub fn ref_target(&self) -> Option<&str> {
        self.str_at("$ref")
    }

    /// Sets member `key`; the node becomes a mapping if it was none.
    pub fn set(&mut self, key: impl Into<String>, value: Node) {
        if self.as_object().is_none() {
            self.value = Value::Object(Object::new());
        }
        if let Some(object) = self.as_object_mut() {
            object.insert(key.into(), value);
        }
    }

    /// Removes member `key`, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.as_object_mut().and_then(|object| object.shift_remove(key))
    }

    /// The node that `pointer` names below this one.
    pub fn pointer(&self, pointer: &Pointer) -> Option<&Node> {
        pointer.tokens().try_fold(self, |node, token| match &node.value {
            Value::Object(object) => object.get(token.as_str()),
            Value::Array(array) => token.parse::<usize>().ok().and_then(|index| array.get(index)),
            _ => None,
        })
    }

    /// The node that `pointer` names below this one, for changing.
    pub fn pointer_mut(&mut self, pointer: &Pointer) -> Option<&mut Node> {
        pointer
            .tokens()
            .try_fold(self, |node, token| match &mut node.value {
                Value::Object(object) => object.get_mut(token.as_str()),
                Value::Array(array) => token.parse::<usize>().ok().and_then(|index| array.get_mut(index)),
                _ => None,
            })
    }

    /// The name of this node's kind as JSON Schema has it, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// The same value without places, for output and for libraries that take `serde_json`.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(string) => string.as_str().into(),
            Value::Array(array) => array.iter().map(Node::to_json).collect(),
            Value::Object(object) => object
                .iter()
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect(),
        }
    }

    /// The tree of a value that no file holds.
    pub fn from_json(value: &serde_json::Value) -> Self {
        Self::new(match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => Value::Number(number.clone()),
            serde_json::Value::String(string) => Value::String(string.clone()),
            serde_json::Value::Array(array) => Value::Array(array.iter().map(Node::from_json).collect()),
            serde_json::Value::Object(object) => Value::Object(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), Node::from_json(value)))
                    .collect(),
            ),
        })
    }
}

/// Equality of what two nodes hold, wherever they were written; the order of keys does not count.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => left == right,
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Array(left), Value::Array(right)) => left == right,
            (Value::Object(left), Value::Object(right)) => left == right,
            _ => false,
        }
    }
}

/// Serialises the value without places; keys keep the document's order.
impl serde::Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(string) => serializer.serialize_str(string),
            Value::Array(array) => serializer.collect_seq(array),
            Value::Object(object) => serializer.collect_map(object),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Number(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Number(value.into())
    }
}

impl From<Vec<Node>> for Value {
    fn from(value: Vec<Node>) -> Self {
        Value::Array(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Value::Object(value)
    }
}

/// A JSON pointer (RFC 6901): the empty text for the whole document, else tokens that each follow a `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The pointer to the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a pointer as RFC 6901 writes it, with or without a leading `#`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('#').unwrap_or(text);
        (text.is_empty() || text.starts_with('/')).then(|| Self(text.to_owned()))
    }

    /// The pointer from its unescaped tokens.
    pub fn from_tokens<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        tokens
            .into_iter()
            .fold(Self::root(), |pointer, token| pointer.child(token.as_ref()))
    }

    /// This pointer, one level deeper.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + token.len() + 1);
        text.push_str(&self.0);
        text.push('/');
        text.push_str(&token.replace('~', "~0").replace('/', "~1"));
        Self(text)
    }

    /// This pointer, one level deeper into a sequence.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The pointer to what holds this one's target; `None` for the whole document.
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|end| Self(self.0[..end].to_owned()))
    }

    /// The unescaped tokens, outermost first.
    pub fn tokens(&self) -> impl Iterator<Item = String> + '_ {
        self.0
            .split('/')
            .skip(1)
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
    }

    /// The last unescaped token; `None` for the whole document.
    pub fn last(&self) -> Option<String> {
        self.tokens().last()
    }

    /// The pointer as RFC 6901 writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
