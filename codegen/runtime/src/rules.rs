//! The rules that a document sets for values: bounds, lengths, counts, and conditions across properties.

use std::sync::OnceLock;

use crate::format::Format;
use crate::invalid::Invalid;
use crate::json::Json;

/// Rules for text; lengths count Unicode code points, as JSON Schema does.
#[derive(Debug, Default)]
pub struct StringRules {
    /// Fewest code points.
    pub min_length: Option<u64>,
    /// Most code points.
    pub max_length: Option<u64>,
    /// The pattern that must match somewhere in the text.
    pub pattern: Option<&'static Pattern>,
    /// The format.
    pub format: Option<Format>,
}

impl StringRules {
    /// No rule at all.
    pub const NONE: Self = Self {
        min_length: None,
        max_length: None,
        pattern: None,
        format: None,
    };

    /// Checks a text.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minLength`, `maxLength`, `pattern` or `format`.
    pub fn check(&self, text: &str) -> Result<(), Invalid> {
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = text.chars().count() as u64;
            if let Some(least) = self.min_length.filter(|least| length < *least) {
                return Err(Invalid::new(
                    "minLength",
                    format!("must have at least {}", count(least, "character")),
                ));
            }
            if let Some(most) = self.max_length.filter(|most| length > *most) {
                return Err(Invalid::new(
                    "maxLength",
                    format!("must have at most {}", count(most, "character")),
                ));
            }
        }
        if let Some(pattern) = self.pattern.filter(|pattern| !pattern.matches(text)) {
            return Err(Invalid::new(
                "pattern",
                format!("must match the pattern {}", pattern.source),
            ));
        }
        if let Some(format) = self.format.filter(|format| !format.matches(text)) {
            return Err(Invalid::new("format", format!("must be a {}", format.name())));
        }
        Ok(())
    }
}

/// A regular expression of a document (ECMA 262), compiled when it is first used.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<regress::Regex>>,
}

impl Pattern {
    /// A pattern from its ECMA 262 source. The generator refuses documents with patterns that don't compile.
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// The ECMA 262 source.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether the pattern matches somewhere in `text`.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self
            .compiled
            .get_or_init(|| regress::Regex::with_flags(self.source, "u").ok());
        compiled.as_ref().is_some_and(|regex| regex.find(text).is_some())
    }
}

/// Rules for an integer; both bounds are inclusive.
#[derive(Debug)]
pub struct IntegerRules {
    /// Smallest value.
    pub minimum: i128,
    /// Largest value.
    pub maximum: i128,
    /// The value is a multiple of this.
    pub multiple_of: Option<u64>,
}

impl IntegerRules {
    /// Every `u64`.
    pub const UNSIGNED: Self = Self {
        minimum: 0,
        maximum: u64::MAX as i128,
        multiple_of: None,
    };
    /// Every `i64`.
    pub const SIGNED: Self = Self {
        minimum: i64::MIN as i128,
        maximum: i64::MAX as i128,
        multiple_of: None,
    };

    /// All integers from `minimum` to `maximum`.
    pub const fn range(minimum: i128, maximum: i128) -> Self {
        Self {
            minimum,
            maximum,
            multiple_of: None,
        }
    }

    /// Checks an integer.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minimum`, `maximum` or `multipleOf`.
    pub fn check(&self, value: i128) -> Result<(), Invalid> {
        if value < self.minimum {
            return Err(Invalid::new(
                "minimum",
                format!("must be at least {}", self.minimum),
            ));
        }
        if value > self.maximum {
            return Err(Invalid::new(
                "maximum",
                format!("must be at most {}", self.maximum),
            ));
        }
        match self.multiple_of {
            Some(step) if value % i128::from(step) != 0 => Err(Invalid::new(
                "multipleOf",
                format!("must be a multiple of {step}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Rules for a number.
#[derive(Debug)]
pub struct NumberRules {
    /// Smallest value, inclusive.
    pub minimum: Option<f64>,
    /// Largest value, inclusive.
    pub maximum: Option<f64>,
    /// Lower bound, exclusive.
    pub exclusive_minimum: Option<f64>,
    /// Upper bound, exclusive.
    pub exclusive_maximum: Option<f64>,
    /// The value is a multiple of this.
    pub multiple_of: Option<f64>,
}

impl NumberRules {
    /// No rule at all.
    pub const NONE: Self = Self {
        minimum: None,
        maximum: None,
        exclusive_minimum: None,
        exclusive_maximum: None,
        multiple_of: None,
    };

    /// Checks a number.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` or `multipleOf`.
    pub fn check(&self, value: f64) -> Result<(), Invalid> {
        if let Some(bound) = self.minimum.filter(|bound| value < *bound) {
            return Err(Invalid::new("minimum", format!("must be at least {bound}")));
        }
        if let Some(bound) = self.maximum.filter(|bound| value > *bound) {
            return Err(Invalid::new("maximum", format!("must be at most {bound}")));
        }
        if let Some(bound) = self.exclusive_minimum.filter(|bound| value <= *bound) {
            return Err(Invalid::new(
                "exclusiveMinimum",
                format!("must be more than {bound}"),
            ));
        }
        if let Some(bound) = self.exclusive_maximum.filter(|bound| value >= *bound) {
            return Err(Invalid::new(
                "exclusiveMaximum",
                format!("must be less than {bound}"),
            ));
        }
        match self.multiple_of {
            Some(step) if ((value / step).round() - value / step).abs() > 1e-9 => Err(Invalid::new(
                "multipleOf",
                format!("must be a multiple of {step}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Rules for a list.
#[derive(Debug, Default)]
pub struct ArrayRules {
    /// Fewest elements.
    pub min_items: Option<u64>,
    /// Most elements.
    pub max_items: Option<u64>,
    /// Whether no two elements may be equal.
    pub unique: bool,
}

impl ArrayRules {
    /// No rule at all.
    pub const NONE: Self = Self {
        min_items: None,
        max_items: None,
        unique: false,
    };

    /// Checks a list as it came in.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minItems`, `maxItems` or `uniqueItems`; the latter at the second of two equals.
    pub fn check(&self, items: &[Json<'_>]) -> Result<(), Invalid> {
        let length = items.len() as u64;
        if let Some(least) = self.min_items.filter(|least| length < *least) {
            return Err(Invalid::new(
                "minItems",
                format!("must have at least {}", count(least, "element")),
            ));
        }
        if let Some(most) = self.max_items.filter(|most| length > *most) {
            return Err(Invalid::new(
                "maxItems",
                format!("must have at most {}", count(most, "element")),
            ));
        }
        match self.unique.then(|| repeated(items)).flatten() {
            Some((first, second)) => {
                Err(Invalid::new("uniqueItems", format!("must differ from element {first}")).at_index(second))
            }
            None => Ok(()),
        }
    }
}

/// The first pair of equal elements. Texts are hashed, so that a long list of names costs no square.
fn repeated(items: &[Json<'_>]) -> Option<(usize, usize)> {
    let mut texts = std::collections::HashMap::new();
    let mut others: Vec<usize> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let earlier = match item.as_str() {
            Some(text) => texts.insert(text, index),
            None => {
                let earlier = others
                    .iter()
                    .copied()
                    .find(|earlier| items[*earlier].equals(item));
                others.push(index);
                earlier
            }
        };
        if let Some(earlier) = earlier {
            return Some((earlier, index));
        }
    }
    None
}

/// Rules for how many members an object has, undeclared ones included.
#[derive(Debug, Default)]
pub struct MapRules {
    /// Fewest members.
    pub min_properties: Option<u64>,
    /// Most members.
    pub max_properties: Option<u64>,
}

impl MapRules {
    /// No rule at all.
    pub const NONE: Self = Self {
        min_properties: None,
        max_properties: None,
    };

    /// Checks how many members an object has.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minProperties` or `maxProperties`.
    pub fn check(&self, members: usize) -> Result<(), Invalid> {
        let members = members as u64;
        if let Some(least) = self.min_properties.filter(|least| members < *least) {
            return Err(Invalid::new(
                "minProperties",
                format!("must have at least {}", count(least, "property")),
            ));
        }
        if let Some(most) = self.max_properties.filter(|most| members > *most) {
            return Err(Invalid::new(
                "maxProperties",
                format!("must have at most {}", count(most, "property")),
            ));
        }
        Ok(())
    }
}

fn count(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// A rule across the properties of an object, with its wording.
#[derive(Debug)]
pub struct Rule {
    /// The rule in words, completing "the value must …", for example `have exactly one of transportId, transportInfo`.
    pub words: &'static str,
    /// JSON Schema's keyword that the rule stands under, for example `oneOf`.
    pub keyword: &'static str,
    /// The rule.
    pub predicate: Predicate,
}

impl Rule {
    /// Checks a value.
    ///
    /// # Errors
    /// [`Invalid`] with the rule's keyword and words.
    pub fn check(&self, json: &Json<'_>) -> Result<(), Invalid> {
        match self.predicate.holds(json) {
            true => Ok(()),
            false => Err(Invalid::new(self.keyword, format!("must {}", self.words))),
        }
    }
}

/// A condition on a JSON value, as JSON Schema's applicators and assertions have it.
#[derive(Debug)]
pub enum Predicate {
    /// Always true.
    True,
    /// Never true.
    False,
    /// The value equals this one (`const`).
    Constant(Literal),
    /// The value equals one of these (`enum`).
    OneOfValues(&'static [Literal]),
    /// The value is of this JSON Schema type (`type`).
    Type(&'static str),
    /// An object has these members (`required`); true for what is no object.
    Required(&'static [&'static str]),
    /// A member, if it is there, fulfils the predicate (`properties`).
    Property(&'static str, &'static Predicate),
    /// Every element fulfils the predicate (`items`).
    Items(&'static Predicate),
    /// Some element fulfils the predicate (`contains`).
    Contains(&'static Predicate),
    /// A list has at least so many elements (`minItems`).
    MinItems(u64),
    /// A list has at most so many elements (`maxItems`).
    MaxItems(u64),
    /// All hold (`allOf`).
    All(&'static [Predicate]),
    /// At least one holds (`anyOf`).
    Any(&'static [Predicate]),
    /// Exactly one holds (`oneOf`).
    One(&'static [Predicate]),
    /// It does not hold (`not`).
    Not(&'static Predicate),
    /// If the first holds then the second must, else the third (`if`, `then`, `else`).
    If(&'static Predicate, &'static Predicate, &'static Predicate),
}

impl Predicate {
    /// Whether the condition holds for a value.
    pub fn holds(&self, json: &Json<'_>) -> bool {
        match self {
            Predicate::True => true,
            Predicate::False => false,
            Predicate::Constant(literal) => literal.equals(json),
            Predicate::OneOfValues(literals) => literals.iter().any(|literal| literal.equals(json)),
            Predicate::Type(name) => json.kind() == *name || (*name == "number" && json.kind() == "integer"),
            Predicate::Required(names) => {
                !matches!(json, Json::Object(_)) || names.iter().all(|name| json.get(name).is_some())
            }
            Predicate::Property(name, predicate) => {
                json.get(name).is_none_or(|member| predicate.holds(member))
            }
            Predicate::Items(predicate) => match json {
                Json::Array(items) => items.iter().all(|item| predicate.holds(item)),
                _ => true,
            },
            Predicate::Contains(predicate) => match json {
                Json::Array(items) => items.iter().any(|item| predicate.holds(item)),
                _ => true,
            },
            Predicate::MinItems(least) => {
                !matches!(json, Json::Array(items) if (items.len() as u64) < *least)
            }
            Predicate::MaxItems(most) => !matches!(json, Json::Array(items) if items.len() as u64 > *most),
            Predicate::All(predicates) => predicates.iter().all(|predicate| predicate.holds(json)),
            Predicate::Any(predicates) => predicates.iter().any(|predicate| predicate.holds(json)),
            Predicate::One(predicates) => {
                predicates
                    .iter()
                    .filter(|predicate| predicate.holds(json))
                    .count()
                    == 1
            }
            Predicate::Not(predicate) => !predicate.holds(json),
            Predicate::If(condition, then, otherwise) => match condition.holds(json) {
                true => then.holds(json),
                false => otherwise.holds(json),
            },
        }
    }
}

/// A JSON value that a rule compares with.
#[derive(Debug)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(&'static str),
    /// A list.
    List(&'static [Literal]),
}

impl Literal {
    fn equals(&self, json: &Json<'_>) -> bool {
        match (self, json) {
            (Literal::Null, Json::Null) => true,
            (Literal::Bool(left), Json::Bool(right)) => left == right,
            (Literal::Integer(left), Json::Number(right)) => right.as_integer() == Some((*left).into()),
            (Literal::Float(left), Json::Number(right)) => right.as_f64() == *left,
            (Literal::Text(left), Json::String(right)) => left == right,
            (Literal::List(left), Json::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.equals(right))
            }
            _ => false,
        }
    }
}
