//! Filters by attributes: the expressions of the query parameter `filter` (ETSI GS MEC 009, 6.19).

use serde_json::{Map, Value};

/// The operators, by the names that they have in expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    In,
    Nin,
    Gt,
    Gte,
    Lt,
    Lte,
    Cont,
    Ncont,
}

/// One comparison: `(op,attribute/path,value,…)`.
#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    path: Vec<String>,
    values: Vec<String>,
}

/// An expression: comparisons that all have to hold.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Vec<Comparison>);

/// The parts of a text between separators that are in no quotes; quotes are taken away, and two of them are one.
fn parts(text: &str, separator: char, unquote: bool) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = parts.last_mut()?;
        match letter {
            '\'' if quoted && letters.peek() == Some(&'\'') => {
                last.push_str(if unquote { "'" } else { "''" });
                letters.next();
            }
            '\'' => {
                quoted = !quoted;
                if !unquote {
                    last.push(letter);
                }
            }
            letter if letter == separator && !quoted => parts.push(String::new()),
            letter => last.push(letter),
        }
    }
    (!quoted).then_some(parts)
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        let mut parts = parts(inner, ',', true)?.into_iter();
        let operator = match parts.next()?.as_str() {
            "eq" => Operator::Eq,
            "neq" => Operator::Neq,
            "in" => Operator::In,
            "nin" => Operator::Nin,
            "gt" => Operator::Gt,
            "gte" => Operator::Gte,
            "lt" => Operator::Lt,
            "lte" => Operator::Lte,
            "cont" => Operator::Cont,
            "ncont" => Operator::Ncont,
            _ => return None,
        };
        let path: Vec<_> = parts
            .next()?
            .split('/')
            .map(|name| name.replace("~1", "/").replace("~0", "~"))
            .collect();
        let values: Vec<_> = parts.collect();
        let several = matches!(
            operator,
            Operator::In | Operator::Nin | Operator::Cont | Operator::Ncont
        );
        let right =
            !path.iter().any(String::is_empty) && (values.len() == 1 || several && !values.is_empty());
        right.then_some(Comparison {
            operator,
            path,
            values,
        })
    }

    fn passes(&self, members: &Map<String, Value>) -> bool {
        let mut found = Vec::new();
        let Some((first, rest)) = self.path.split_first() else {
            return false;
        };
        leaves(members.get(first), rest, &mut found);
        // What an object does not have equals nothing, and differs from nothing.
        if found.is_empty() {
            return false;
        }
        let any = |test: &dyn Fn(&String, &String) -> bool| {
            let mut pairs = found
                .iter()
                .flat_map(|has| self.values.iter().map(move |value| (has, value)));
            pairs.any(|(has, value)| test(has, value))
        };
        let order = |has: &String, value: &String| match (has.parse::<f64>(), value.parse::<f64>()) {
            (Ok(has), Ok(value)) => has.total_cmp(&value),
            _ => has.cmp(value),
        };
        match self.operator {
            Operator::Eq | Operator::In => any(&|has, value| has == value),
            Operator::Neq | Operator::Nin => !any(&|has, value| has == value),
            Operator::Cont => any(&|has, value| has.contains(value.as_str())),
            Operator::Ncont => !any(&|has, value| has.contains(value.as_str())),
            Operator::Gt => any(&|has, value| order(has, value).is_gt()),
            Operator::Gte => any(&|has, value| order(has, value).is_ge()),
            Operator::Lt => any(&|has, value| order(has, value).is_lt()),
            Operator::Lte => any(&|has, value| order(has, value).is_le()),
        }
    }
}

/// The single values at a path; lists on the way have several.
fn leaves(value: Option<&Value>, path: &[String], found: &mut Vec<String>) {
    match (value, path.split_first()) {
        (Some(Value::Array(items)), _) => items.iter().for_each(|item| leaves(Some(item), path, found)),
        (Some(Value::Object(members)), Some((name, rest))) => leaves(members.get(name), rest, found),
        (Some(Value::String(text)), None) => found.push(text.clone()),
        (Some(value @ (Value::Number(_) | Value::Bool(_))), None) => found.push(value.to_string()),
        _ => {}
    }
}

impl Expression {
    /// Reads an expression; none where it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = parts(text, ';', false)?;
        let all = all.iter().map(|text| Comparison::parse(text));
        all.collect::<Option<Vec<_>>>().map(Expression)
    }

    /// Whether an object passes all comparisons.
    pub(crate) fn passes(&self, members: &Map<String, Value>) -> bool {
        self.0.iter().all(|comparison| comparison.passes(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Expression;

    fn passes(expression: &str) -> Option<bool> {
        let object = json!({"name": "it's, a;b", "size": 9, "inner": {"kinds": ["one", "two"]}, "on": true});
        Some(Expression::parse(expression)?.passes(object.as_object()?))
    }

    #[test]
    fn comparisons_are_judged() {
        for right in [
            "(eq,size,9)",
            "(eq,name,'it''s, a;b')",
            "(neq,size,8)",
            "(in,inner/kinds,three,two)",
            "(nin,inner/kinds,three)",
            "(gt,size,8);(lt,size,10)",
            "(gte,size,9);(lte,size,9)",
            "(cont,name,', a')",
            "(ncont,name,xyz)",
            "(eq,on,true)",
        ] {
            assert_eq!(passes(right), Some(true), "{right}");
        }
        for wrong in [
            "(eq,size,8)",
            "(neq,size,9)",
            "(eq,size,9);(eq,on,false)",
            "(gt,size,10)",
            "(neq,nothing,1)",
            "(nin,inner/kinds,two)",
        ] {
            assert_eq!(passes(wrong), Some(false), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_expression_is_none() {
        for text in [
            "",
            "size",
            "(eq,size)",
            "(is,size,9)",
            "(eq,size,9,8)",
            "(eq,,9)",
            "(eq,name,'a)",
            "(eq,size,9);",
        ] {
            assert_eq!(passes(text), None, "{text}");
        }
    }
}
