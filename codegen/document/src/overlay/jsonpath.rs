//! The part of JSONPath (RFC 9535) that overlays need, read into a [`Path`].
//!
//! Our own reader, because the crates for JSONPath work on `serde_json` and would lose the places of nodes, which
//! every message needs. Read are `$`, `.name`, `['name']`, `[0]`, `[-1]`, `*`, `..`, unions (`['a','b']`) and
//! filters (`[?@.a.b == 'x' && !@.c]`, also in the older form `[?(…)]`). Slices and functions are refused by name.

use thiserror::Error;

use crate::{Node, Value};

/// How deeply filters may nest; a bound on recursion, far beyond what anyone writes.
const DEPTH: usize = 32;

/// A JSONPath, read.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) segments: Vec<Segment>,
}

/// One step of a path: to children, or to descendants of any depth.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    Child(Vec<Selector>),
    Descendant(Vec<Selector>),
}

/// What a step picks among the members or elements of a node.
#[derive(Clone, Debug)]
pub(super) enum Selector {
    Name(String),
    /// Counted from the end where negative.
    Index(i64),
    Wildcard,
    Filter(Expression),
}

/// The condition of a filter.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Exists(Start, Path),
    Compare(Operand, Comparison, Operand),
}

/// Where a path inside a filter begins: `@` or `$`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    Current,
    Root,
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Query(Start, Path),
    Literal(Node),
}

/// The operator of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Why a text is no JSONPath that we read.
#[derive(Debug, Error)]
#[error("not a JSONPath that overlays can use: {message} at character {character} of {text}")]
pub(super) struct PathError {
    message: String,
    /// Counted from 1.
    character: usize,
    text: String,
}

impl Path {
    /// Reads a whole path, which begins with `$`.
    pub(super) fn parse(text: &str) -> Result<Self, PathError> {
        let mut reader = Reader {
            characters: text.chars().collect(),
            position: 0,
            depth: 0,
        };
        let path = reader.whole_path();
        path.map_err(|message| PathError {
            message,
            character: reader.position + 1,
            text: text.to_owned(),
        })
    }
}

struct Reader {
    characters: Vec<char>,
    position: usize,
    depth: usize,
}

impl Reader {
    fn whole_path(&mut self) -> Result<Path, String> {
        self.expect("$")?;
        let path = self.segments()?;
        match self.peek() {
            None => Ok(path),
            Some(_) => Err("expected \".\" or \"[\"".to_owned()),
        }
    }

    fn segments(&mut self) -> Result<Path, String> {
        let mut segments = Vec::new();
        loop {
            if self.take("..") {
                let selectors = if self.peek() == Some('[') {
                    self.bracket()?
                } else {
                    vec![self.dotted()?]
                };
                segments.push(Segment::Descendant(selectors));
            } else if self.take(".") {
                segments.push(Segment::Child(vec![self.dotted()?]));
            } else if self.peek() == Some('[') {
                segments.push(Segment::Child(self.bracket()?));
            } else {
                return Ok(Path { segments });
            }
        }
    }

    /// `name` or `*` after a dot. Hyphens are let through, though RFC 9535 wants brackets: OpenAPI is full of them.
    fn dotted(&mut self) -> Result<Selector, String> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        let start = self.position;
        let part_of_name = |character: char| {
            character.is_alphanumeric() || "_-$".contains(character) || !character.is_ascii()
        };
        while self.peek().is_some_and(part_of_name) {
            self.position += 1;
        }
        match self.position {
            end if end > start => Ok(Selector::Name(self.characters[start..end].iter().collect())),
            _ => Err("expected a name or \"*\"; other names go into brackets: ['…']".to_owned()),
        }
    }

    fn bracket(&mut self) -> Result<Vec<Selector>, String> {
        self.expect("[")?;
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if self.take("]") {
                return Ok(selectors);
            }
            if self.peek() == Some(':') {
                return Err("slices are not supported".to_owned());
            }
            if !self.take(",") {
                return Err("expected \"]\" or \",\"".to_owned());
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        match self.peek() {
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            Some('*') => {
                self.position += 1;
                Ok(Selector::Wildcard)
            }
            Some('?') => {
                self.position += 1;
                Ok(Selector::Filter(self.any()?))
            }
            Some(character) if character == '-' || character.is_ascii_digit() => {
                let text = self.number_text();
                text.parse()
                    .map(Selector::Index)
                    .map_err(|_| format!("\"{text}\" is no index"))
            }
            _ => Err("expected a quoted name, an index, \"*\" or a filter".to_owned()),
        }
    }

    fn any(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("the filter nests deeper than {DEPTH} levels"));
        }
        let mut parts = vec![self.all()?];
        while self.take_spaced("||") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expression::Any(parts)
        })
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.basic()?];
        while self.take_spaced("&&") {
            parts.push(self.basic()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Expression::All(parts)
        })
    }

    fn basic(&mut self) -> Result<Expression, String> {
        self.blanks();
        let negated = self.take("!");
        self.blanks();
        let expression = if self.take("(") {
            let inner = self.any()?;
            self.blanks();
            self.expect(")")?;
            inner
        } else {
            self.test_or_comparison()?
        };
        Ok(if negated {
            Expression::Not(Box::new(expression))
        } else {
            expression
        })
    }

    fn test_or_comparison(&mut self) -> Result<Expression, String> {
        let left = self.operand()?;
        self.blanks();
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in comparisons {
            if self.take(sign) {
                self.blanks();
                return Ok(Expression::Compare(left, comparison, self.operand()?));
            }
        }
        match left {
            Operand::Query(start, path) => Ok(Expression::Exists(start, path)),
            Operand::Literal(_) => Err("expected a comparison".to_owned()),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let literal = |value: Value| Ok(Operand::Literal(Node::new(value)));
        match self.peek() {
            Some('@') => {
                self.position += 1;
                Ok(Operand::Query(Start::Current, self.segments()?))
            }
            Some('$') => {
                self.position += 1;
                Ok(Operand::Query(Start::Root, self.segments()?))
            }
            Some('\'' | '"') => literal(self.quoted()?.into()),
            Some(character) if character == '-' || character.is_ascii_digit() => {
                let text = self.number_text();
                let number = serde_json::from_str(&text).map_err(|_| format!("\"{text}\" is no number"))?;
                literal(Value::Number(number))
            }
            _ if self.take("true") => literal(true.into()),
            _ if self.take("false") => literal(false.into()),
            _ if self.take("null") => literal(Value::Null),
            Some(character) if character.is_alphabetic() => Err("functions are not supported".to_owned()),
            _ => Err("expected @, $, a quoted text, a number, true, false or null".to_owned()),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err("the quoted text does not end".to_owned()),
                end if end == quote => return Ok(text),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(character @ ('\\' | '/' | '\'' | '"')) => text.push(character),
                    _ => return Err("unknown escape".to_owned()),
                },
                Some(character) => text.push(character),
            }
        }
    }

    fn number_text(&mut self) -> String {
        let start = self.position;
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
        {
            self.position += 1;
        }
        self.characters[start..self.position].iter().collect()
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.position += usize::from(character.is_some());
        character
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.position += 1;
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let found = self.characters[self.position..]
            .iter()
            .take(length)
            .copied()
            .eq(text.chars());
        self.position += if found { length } else { 0 };
        found
    }

    fn take_spaced(&mut self, text: &str) -> bool {
        self.blanks();
        self.take(text)
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.take(text) {
            Ok(())
        } else {
            Err(format!("expected \"{text}\""))
        }
    }
}
