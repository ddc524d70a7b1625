//! The types of an API: structs, enumerations, unions, and names for simpler shapes.

use mecforge_document::Pointer;

use super::predicate::Rule;
use super::shape::{IntegerRules, Shape, StringRules};

/// Index of a type in [`Api::types`](super::api::Api::types).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub usize);

/// One type of a generated crate.
#[derive(Clone, Debug)]
pub struct Type {
    /// Rust name, unique in the crate.
    pub name: String,
    /// Name in `components/schemas`; `None` for a type that the document writes inline.
    pub api_name: Option<String>,
    /// The place in the repaired document.
    pub pointer: Pointer,
    /// Clause of the standard, where the document names one.
    pub clause: Option<String>,
    /// ETSI's description, only for `--docs full`.
    pub description: Option<String>,
    /// What the type is.
    pub kind: TypeKind,
    /// The type whose file this one is written to: itself for the types of `components/schemas`.
    pub home: TypeId,
}

/// What a type is.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// An object with declared properties.
    Struct(Struct),
    /// One of several texts.
    Enumeration(Enumeration),
    /// One of several integers.
    IntegerEnumeration(IntegerEnumeration),
    /// One of several shapes.
    Union(Union),
    /// Another name for a shape: a newtype where rules hold, else an alias.
    Alias(Alias),
}

/// Another name for a shape.
#[derive(Clone, Debug)]
pub struct Alias {
    /// The shape.
    pub shape: Shape,
    /// Rules beyond those of the shape.
    pub rules: Vec<Rule>,
}

/// An object with declared properties.
#[derive(Clone, Debug, Default)]
pub struct Struct {
    /// The properties in the document's order.
    pub fields: Vec<Field>,
    /// What properties that are not declared may be.
    pub additional: Additional,
    /// Rules across properties.
    pub rules: Vec<Rule>,
    /// Fewest members, undeclared ones included.
    pub min_properties: Option<u64>,
    /// Most members, undeclared ones included.
    pub max_properties: Option<u64>,
}

/// One property of a [`Struct`].
#[derive(Clone, Debug)]
pub struct Field {
    /// Rust name.
    pub name: String,
    /// Name on the wire.
    pub api_name: String,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it is boxed, because the type would contain itself otherwise.
    pub boxed: bool,
    /// ETSI's description, only for `--docs full`.
    pub description: Option<String>,
}

/// What properties that are not declared may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Additional {
    /// Accepted and dropped.
    #[default]
    Ignored,
    /// Refused (`additionalProperties: false`).
    Refused,
    /// Kept, each of the given shape, in a field called `additional_properties`.
    Kept(Box<Shape>),
}

/// One of several texts.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// The values in the document's order.
    pub variants: Vec<Variant>,
    /// Whether other values are accepted, and kept.
    pub open: bool,
    /// The rules for other values.
    pub rules: StringRules,
}

/// One value of an [`Enumeration`].
#[derive(Clone, Debug)]
pub struct Variant {
    /// Rust name.
    pub name: String,
    /// Text on the wire.
    pub api_name: String,
}

/// One of several integers.
#[derive(Clone, Debug)]
pub struct IntegerEnumeration {
    /// Rust name and value, in the document's order.
    pub variants: Vec<(String, i64)>,
    /// Whether other values are accepted, and kept.
    pub open: bool,
    /// The rules for other values.
    pub rules: IntegerRules,
}

/// One of several shapes.
#[derive(Clone, Debug)]
pub struct Union {
    /// The members in the document's order.
    pub members: Vec<Member>,
    /// `oneOf` rather than `anyOf`: exactly one member may match.
    pub exclusive: bool,
    /// What tells the members apart.
    pub selector: Selector,
}

/// One member of a [`Union`].
#[derive(Clone, Debug)]
pub struct Member {
    /// Rust name of the variant.
    pub name: String,
    /// What it holds.
    pub shape: Shape,
    /// Required properties of the member, to find the one that was meant.
    pub required: Vec<String>,
    /// All declared properties of the member: of several that match, the one that keeps most is taken.
    pub declared: Vec<String>,
    /// Whether it is boxed, because the type would contain itself otherwise.
    pub boxed: bool,
}

/// What tells the members of a [`Union`] apart.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// The text of one required property: each case names a value and the member's index.
    Property {
        /// Name of the property on the wire.
        name: String,
        /// Values and the indices of the members that they select.
        cases: Vec<(String, usize)>,
    },
    /// Nothing in one place: each member is tried; an error is the one of the member that fits best.
    Trial,
}
