//! Rust names from names on the wire, and the book that keeps them unique.

use std::collections::HashSet;

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Names of the prelude and of the runtime that a generated type must not shadow.
const RESERVED_TYPES: [&str; 30] = [
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "Vec",
    "Box",
    "String",
    "Default",
    "Clone",
    "Copy",
    "Debug",
    "Drop",
    "Eq",
    "From",
    "Into",
    "Iterator",
    "Send",
    "Sync",
    "Sized",
    "Self",
    "ToString",
    "BTreeMap",
    "Decode",
    "Generate",
    "Invalid",
    "Json",
    "ObjectReader",
    "Value",
];

/// Keywords that `r#` can't make names of.
const UNQUOTABLE: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// Keywords of the 2024 edition, reserved ones included.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A type name in upper camel case.
pub(crate) fn type_name(text: &str) -> String {
    let name = letters(text).to_upper_camel_case();
    match name.chars().next() {
        None => "Unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        Some(_) => name,
    }
}

/// A name for a field, a function or a module in snake case. Keywords are not escaped here: see [`identifier`].
pub(crate) fn snake_name(text: &str) -> String {
    let name = letters(text).to_snake_case();
    match name.chars().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name,
    }
}

/// The variant name for a text of an enumeration.
pub(crate) fn variant_name(text: &str) -> String {
    if text.is_empty() {
        return "Empty".to_owned();
    }
    let spelled = match text {
        "*" => "Any",
        "+" => "Plus",
        "-" => "Minus",
        _ => text,
    };
    match type_name(spelled) {
        name if name == "Self" => "SelfValue".to_owned(),
        name => name,
    }
}

/// The text with everything that is no letter or digit as a word boundary.
fn letters(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                ' '
            }
        })
        .collect()
}

/// A name as source code: keywords become raw identifiers.
pub(crate) fn identifier(name: &str) -> String {
    match name {
        _ if UNQUOTABLE.contains(&name) => format!("{name}_"),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

/// The singular of an English noun, as far as names of collections need it.
pub(crate) fn singular(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let cut = |suffix: usize, replacement: &str| format!("{}{replacement}", &word[..word.len() - suffix]);
    match () {
        () if lower.len() < 4 || lower.ends_with("ss") || lower.ends_with("us") || lower.ends_with("is") => {
            word.to_owned()
        }
        () if lower.ends_with("ies") => cut(3, "y"),
        () if lower.ends_with("sses")
            || lower.ends_with("xes")
            || lower.ends_with("ches")
            || lower.ends_with("shes") =>
        {
            cut(2, "")
        }
        () if lower.ends_with("caps") || lower.ends_with("series") || lower.ends_with("news") => {
            word.to_owned()
        }
        () if lower.ends_with('s') => cut(1, ""),
        () => word.to_owned(),
    }
}

/// The names of one scope: a name that is taken gets the lowest free number.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    taken: HashSet<String>,
}

impl Scope {
    /// A scope in which the names that a generated type must not shadow are taken.
    pub(crate) fn for_types() -> Self {
        Self {
            taken: RESERVED_TYPES.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Takes `name`, or the same with the lowest number from 2 that makes it free.
    pub(crate) fn take(&mut self, name: String) -> String {
        if self.taken.insert(name.clone()) {
            return name;
        }
        let mut number = 2_u32;
        loop {
            let numbered = format!("{name}{number}");
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
            number += 1;
        }
    }

    /// Gives a name back that turned out to be needed by nobody.
    pub(crate) fn release(&mut self, name: &str) {
        self.taken.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: fn(&str) -> String, input: &str, expected: &str) {
        assert_eq!(function(input), expected, "for {input:?}");
    }

    #[test]
    fn names_follow_rust_case() {
        check(type_name, "_links1", "Links1");
        check(type_name, "EndPointInfo.Address_Port", "EndPointInfoAddressPort");
        check(type_name, "5GService", "N5gService");
        check(type_name, "...", "Unnamed");
        check(snake_name, "serInstanceId", "ser_instance_id");
        check(snake_name, "_links", "links");
        check(snake_name, "802_11", "n802_11");
        check(variant_name, "GTP-U", "GtpU");
        check(variant_name, "", "Empty");
        check(variant_name, "self", "SelfValue");
        check(identifier, "type", "r#type");
        check(identifier, "self", "self_");
    }

    #[test]
    fn singulars_of_collection_names() {
        for (plural, one) in [
            ("services", "service"),
            ("addresses", "address"),
            ("policies", "policy"),
            ("timing_caps", "timing_caps"),
            ("status", "status"),
            ("boxes", "box"),
            ("access", "access"),
            ("dns", "dns"),
        ] {
            check(singular, plural, one);
        }
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut scope = Scope::for_types();
        assert_eq!(scope.take("Links".to_owned()), "Links");
        assert_eq!(scope.take("Links".to_owned()), "Links2");
        assert_eq!(scope.take("Vec".to_owned()), "Vec2");
    }
}
