//! Rules across the properties of an object ("exactly one of", "required when"), as JSON Schema writes them.

/// A rule and how to say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The rule in words, completing "the value must …", for example `have exactly one of transportId, transportInfo`.
    pub words: String,
    /// JSON Schema's keyword that the rule stands under.
    pub keyword: &'static str,
    /// The rule.
    pub predicate: Predicate,
}

/// A condition on a JSON value, as JSON Schema's applicators and assertions have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Always true (`{}`, `true`).
    True,
    /// Never true (`false`).
    False,
    /// The value equals this one (`const`).
    Constant(serde_json::Value),
    /// The value equals one of these (`enum`).
    OneOfValues(Vec<serde_json::Value>),
    /// The value is of this JSON Schema type, if it is tested at all (`type`).
    Type(String),
    /// An object has these members (`required`); true for what is no object.
    Required(Vec<String>),
    /// A member, if it is there, fulfils the predicate (`properties`).
    Property(String, Box<Predicate>),
    /// Every element fulfils the predicate (`items`).
    Items(Box<Predicate>),
    /// Some element fulfils the predicate (`contains`).
    Contains(Box<Predicate>),
    /// A list has at least so many elements (`minItems`).
    MinItems(u64),
    /// A list has at most so many elements (`maxItems`).
    MaxItems(u64),
    /// All hold (`allOf`).
    All(Vec<Predicate>),
    /// At least one holds (`anyOf`).
    Any(Vec<Predicate>),
    /// Exactly one holds (`oneOf`).
    One(Vec<Predicate>),
    /// It does not hold (`not`).
    Not(Box<Predicate>),
    /// If the first holds then the second must, else the third (`if`, `then`, `else`).
    If(Box<Predicate>, Box<Predicate>, Box<Predicate>),
}
