//! JSON text → [`Node`], with positions. YAML's reader is not enough: it knows no surrogate pairs.

use super::syntax::{Faults, MAX_DEPTH, keeps_text};
use crate::{Diagnostic, Node, Object, Origin, Pointer, Value};

/// Reads one JSON text.
///
/// # Errors
/// Each fault up to the first that breaks JSON's grammar.
pub(super) fn parse(file: u32, name: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut reader = Reader {
        file,
        rest: text,
        line: 1,
        column: 1,
        depth: 0,
        faults: Faults::new(name),
    };
    let root = reader.value(&Pointer::root()).ok();
    if root.is_some() {
        reader.blanks();
        if !reader.rest.is_empty() {
            let _ = reader.fault(&Pointer::root(), "text follows the end of the JSON document");
        }
    }
    reader.faults.into_result(root)
}

struct Reader<'text> {
    file: u32,
    rest: &'text str,
    line: u32,
    column: u32,
    depth: usize,
    faults: Faults,
}

/// Stops the reading after a fault; the fault is among [`Reader::faults`].
struct Stop;

impl Reader<'_> {
    fn value(&mut self, pointer: &Pointer) -> Result<Node, Stop> {
        self.blanks();
        let origin = self.origin();
        let value = match self.rest.bytes().next() {
            Some(b'{') => self.nested(pointer, Self::object)?,
            Some(b'[') => self.nested(pointer, Self::array)?,
            Some(b'"') => Value::String(self.string(pointer)?),
            Some(_) => self.literal(pointer)?,
            None => return Err(self.fault(pointer, "the text ends where a value should be")),
        };
        Ok(Node { value, origin })
    }

    fn nested(
        &mut self,
        pointer: &Pointer,
        read: fn(&mut Self, &Pointer) -> Result<Value, Stop>,
    ) -> Result<Value, Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault(
                pointer,
                &format!("the text is nested more than {MAX_DEPTH} levels deep"),
            ));
        }
        self.depth += 1;
        self.advance(1);
        let value = read(self, pointer);
        self.depth -= 1;
        value
    }

    fn object(&mut self, pointer: &Pointer) -> Result<Value, Stop> {
        let mut members = Object::new();
        if self.eat('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blanks();
            let origin = self.origin();
            if !self.rest.starts_with('"') {
                return Err(self.fault(pointer, "a key in quotes should be here"));
            }
            let key = self.string(pointer)?;
            if !self.eat(':') {
                return Err(self.fault(pointer, "a colon should be here"));
            }
            let node = self.value(&pointer.child(&key))?;
            if let Some(first) = members.get(&key) {
                let message = format!(
                    "the key {key:?} is here a second time, first on line {}",
                    first.origin.line
                );
                self.faults
                    .push(origin, pointer.child(&key), message, "keep one of the two");
            } else {
                members.insert(key, node);
            }
            if self.eat('}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(',') {
                return Err(self.fault(pointer, "a comma or a closing brace should be here"));
            }
        }
    }

    fn array(&mut self, pointer: &Pointer) -> Result<Value, Stop> {
        let mut items = Vec::new();
        if self.eat(']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(&pointer.index(items.len()))?);
            if self.eat(']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(',') {
                return Err(self.fault(pointer, "a comma or a closing bracket should be here"));
            }
        }
    }

    fn string(&mut self, pointer: &Pointer) -> Result<String, Stop> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        });
        let Some(end) = end else {
            return Err(self.fault(pointer, "a text has no closing quote"));
        };
        match serde_json::from_str(&self.rest[..end + 2]) {
            Ok(string) => {
                self.advance(end + 2);
                Ok(string)
            }
            Err(_) => Err(self.fault(
                pointer,
                "a text holds a control character or an escape that JSON has not",
            )),
        }
    }

    fn literal(&mut self, pointer: &Pointer) -> Result<Value, Stop> {
        let is_end = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ']' | '}' | ':' | '"');
        let word = &self.rest[..self.rest.find(is_end).unwrap_or(self.rest.len())];
        let value = match word {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => match serde_json::from_str::<serde_json::Number>(word) {
                Ok(_) if keeps_text(pointer) => Some(Value::String(word.to_owned())),
                Ok(number) => Some(Value::Number(number)),
                Err(_) => None,
            },
        };
        let Some(value) = value else {
            return Err(self.fault(pointer, "a value should be here"));
        };
        self.advance(word.len());
        Ok(value)
    }

    /// Takes `letter` where it comes next after blanks.
    fn eat(&mut self, letter: char) -> bool {
        self.blanks();
        let found = self.rest.starts_with(letter);
        if found {
            self.advance(letter.len_utf8());
        }
        found
    }

    fn blanks(&mut self) {
        let end = self
            .rest
            .find(|letter| !matches!(letter, ' ' | '\t' | '\n' | '\r'));
        self.advance(end.unwrap_or(self.rest.len()));
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        for letter in passed.chars() {
            if letter == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
    }

    fn origin(&self) -> Origin {
        Origin {
            file: self.file,
            line: self.line,
            column: self.column,
        }
    }

    fn fault(&mut self, pointer: &Pointer, message: &str) -> Stop {
        self.faults.push(self.origin(), pointer.clone(), message, "");
        Stop
    }
}
