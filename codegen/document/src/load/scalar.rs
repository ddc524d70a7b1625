//! What a plain YAML scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1 (`no` is text).

use serde_json::Number;

use crate::Value;

/// Why a plain scalar has no value in JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFinite;

/// The value of a plain, untagged scalar.
pub(super) fn resolve(text: &str) -> Result<Value, NotFinite> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

/// The number that `text` is by the core schema, where it is one.
///
/// Integers that 64 bits can't hold become floating-point numbers.
pub(super) fn number(text: &str) -> Result<Option<Number>, NotFinite> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(NotFinite);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let number = digits
                .starts_with(|first: char| first.is_ascii_hexdigit())
                .then(|| u64::from_str_radix(digits, radix).ok())
                .flatten();
            return Ok(number.map(Number::from));
        }
    }
    if !is_decimal(unsigned) {
        return Ok(None);
    }
    let decimal = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = decimal.parse::<u64>() {
        return Ok(Some(number.into()));
    }
    if let Ok(number) = decimal.parse::<i64>() {
        return Ok(Some(number.into()));
    }
    match decimal.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Ok(Some(number)),
        None => Err(NotFinite),
    }
}

/// Whether `text` is `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_decimal(text: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !is_digits(digits) {
            return false;
        }
    }
    match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && is_digits(mantissa),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, json: &str) {
        let value = match resolve(text) {
            Ok(value) => crate::Node::new(value).to_json().to_string(),
            Err(NotFinite) => "not finite".to_owned(),
        };
        assert_eq!(value, json, "{text}");
    }

    #[test]
    fn words_of_yaml_1_1_are_text() {
        for word in [
            "no",
            "Yes",
            "on",
            "OFF",
            "y",
            "nULL",
            "tRUE",
            "2020-01-01",
            "12:30:45",
            "1_000",
        ] {
            check(word, &format!("\"{word}\""));
        }
    }

    #[test]
    fn null_and_booleans_have_three_spellings() {
        check("", "null");
        check("~", "null");
        check("NULL", "null");
        check("True", "true");
        check("FALSE", "false");
    }

    #[test]
    fn numbers_follow_the_core_schema() {
        check("200", "200");
        check("-5", "-5");
        check("+5", "5");
        check("007", "7");
        check("0x1F", "31");
        check("0o17", "15");
        check("1.0", "1.0");
        check("1.", "1.0");
        check(".5", "0.5");
        check("-2.5e3", "-2500.0");
        check("18446744073709551615", "18446744073709551615");
        check("-9223372036854775808", "-9223372036854775808");
        check("340282366920938463463374607431768211455", "3.402823669209385e+38");
    }

    #[test]
    fn what_only_looks_like_a_number_is_text() {
        for text in [
            "1.0.0", "0x", "0xG1", "0o8", "0x+1", ".", "-", "1e", "1e+", "e5", "+-1", "5G", "0b1",
        ] {
            check(text, &format!("\"{text}\""));
        }
    }

    #[test]
    fn infinities_have_no_value() {
        for text in [".inf", "-.Inf", "+.INF", ".NaN", "1e999"] {
            check(text, "not finite");
        }
    }
}
