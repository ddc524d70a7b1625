//! YAML text → [`Node`]: composes the parser's events, keeps positions, and gathers every fault it can.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::anchors::{Anchors, merge_sources};
use super::scalar;
use super::syntax::{Faults, MAX_DEPTH, keeps_text};
use super::tabs::Tabs;
use crate::{Diagnostic, Node, Object, Origin, Pointer, Value};

const INDENTED_BY_TAB: &str = "a tab stands in the indentation";

/// Reads one YAML document.
///
/// # Errors
/// Each fault of the text that can be found, in the order of the text.
pub(super) fn parse(file: u32, name: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut composer = Composer::new(file, name, text);
    let mut parser = Parser::new_from_str(text);
    composer.run(&mut parser);
    composer.finish()
}

/// A mapping or sequence whose end has not come yet.
struct Frame {
    origin: Origin,
    anchor: usize,
    is_flow: bool,
    items: Items,
}

enum Items {
    Array(Vec<Node>),
    Object {
        members: Object,
        key: Option<Key>,
        merged: Vec<Object>,
    },
}

struct Key {
    /// `None` for a key that is no text and was reported.
    text: Option<String>,
    origin: Origin,
    is_merge: bool,
}

struct Composer<'text> {
    file: u32,
    faults: Faults,
    tabs: Tabs<'text>,
    frames: Vec<Frame>,
    anchors: Anchors,
    documents: usize,
    root: Option<Node>,
}

/// Stops the reading of a text after a fault that leaves no sense in what follows.
struct Stop;

impl<'text> Composer<'text> {
    fn new(file: u32, name: &str, text: &'text str) -> Self {
        Self {
            file,
            faults: Faults::new(name),
            tabs: Tabs::new(text),
            frames: Vec::new(),
            anchors: Anchors::default(),
            documents: 0,
            root: None,
        }
    }

    fn run(&mut self, parser: &mut Parser<'_, StrInput<'_>>) {
        while let Some(event) = parser.next_event() {
            let outcome = match event {
                Ok((event, span)) => self.event(event, span),
                Err(error) => {
                    self.scan_error(&error);
                    Err(Stop)
                }
            };
            if outcome.is_err() {
                return;
            }
        }
    }

    fn finish(mut self) -> Result<Node, Vec<Diagnostic>> {
        if self.faults.is_empty() && self.root.is_none() {
            self.faults
                .push(Origin::default(), Pointer::root(), "the text is empty", "");
        }
        self.faults.into_result(self.root)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let origin = self.origin(span.start);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.fault(
                        origin,
                        "the text holds several YAML documents",
                        "keep one document in a file",
                    );
                    return Err(Stop);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(origin, &text, style, anchor, tag.as_deref());
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(origin, tag.as_deref(), "seq");
                self.open(origin, anchor, Items::Array(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(origin, tag.as_deref(), "map");
                let items = Items::Object {
                    members: Object::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.open(origin, anchor, items)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(origin, anchor)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Takes in a scalar, as a key where a mapping waits for one, else as a value.
    fn scalar(&mut self, origin: Origin, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>) {
        if self.expects_key() {
            let is_block = self.frames.last().is_some_and(|frame| !frame.is_flow);
            if let Some(tab) = self.tabs.before(origin).filter(|_| is_block) {
                self.fault(tab, INDENTED_BY_TAB, "indent with blanks");
            }
            if style == ScalarStyle::Plain && text.is_empty() {
                self.fault(origin, "a key is missing", "write a key before the colon");
            }
            if anchor != 0 {
                self.anchors.name(anchor, &Node::at(origin, text));
            }
            let is_merge = text == "<<" && style == ScalarStyle::Plain;
            self.key(Key {
                text: Some(text.to_owned()),
                origin,
                is_merge,
            });
            return;
        }
        let value = self.scalar_value(origin, text, style, tag);
        let node = Node { value, origin };
        if anchor != 0 {
            self.anchors.name(anchor, &node);
        }
        self.value(node);
    }

    fn scalar_value(&mut self, origin: Origin, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
        let pointer = self.pointer();
        let resolved = match tag {
            None if style == ScalarStyle::Plain && !keeps_text(&pointer) => scalar::resolve(text),
            None => return text.into(),
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => return text.into(),
            Some(tag) if tag.is_yaml_core_schema() => match (tag.suffix.as_str(), scalar::resolve(text)) {
                ("str", _) => return text.into(),
                ("null", Ok(value @ Value::Null)) | ("bool", Ok(value @ Value::Bool(_))) => Ok(value),
                ("int" | "float", Ok(value @ Value::Number(_))) => Ok(value),
                _ => return self.unknown_tag(origin, tag),
            },
            Some(tag) => return self.unknown_tag(origin, tag),
        };
        resolved.unwrap_or_else(|scalar::NotFinite| {
            let message = format!("{text} is no number that JSON has");
            self.faults.push(
                origin,
                pointer,
                message,
                "write a finite number, or quote it to make it text",
            );
            Value::Null
        })
    }

    fn unknown_tag(&mut self, origin: Origin, tag: &Tag) -> Value {
        self.fault(
            origin,
            &format!("the tag {tag} does not fit here"),
            "remove the tag",
        );
        Value::Null
    }

    fn collection_tag(&mut self, origin: Origin, tag: Option<&Tag>, own: &str) {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == own)) {
            self.unknown_tag(origin, tag);
        }
    }

    fn open(&mut self, origin: Origin, anchor: usize, items: Items) -> Result<(), Stop> {
        if self.frames.len() >= MAX_DEPTH {
            self.fault(origin, &too_deep(), "");
            return Err(Stop);
        }
        self.frames.push(Frame {
            origin,
            anchor,
            is_flow: self.tabs.is_flow(origin),
            items,
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let value = match frame.items {
            Items::Array(items) => Value::Array(items),
            Items::Object {
                mut members, merged, ..
            } => {
                for (key, node) in merged.into_iter().flatten() {
                    members.entry(key).or_insert(node);
                }
                Value::Object(members)
            }
        };
        let node = Node {
            value,
            origin: frame.origin,
        };
        if frame.anchor != 0 {
            self.anchors.name(frame.anchor, &node);
        }
        self.value(node);
    }

    fn alias(&mut self, origin: Origin, anchor: usize) -> Result<(), Stop> {
        let node = match self.anchors.copy(anchor, self.frames.len()) {
            Ok(node) => node,
            Err(refusal) => {
                self.fault(origin, refusal.message(), &refusal.help());
                return Err(Stop);
            }
        };
        if self.expects_key() {
            let text = node.as_str().map(str::to_owned);
            if text.is_none() {
                self.fault(origin, "the key is no text", "");
            }
            self.key(Key {
                text,
                origin,
                is_merge: false,
            });
        } else {
            self.value(node);
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                items: Items::Object { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, new: Key) {
        let Some(Frame {
            items: Items::Object { members, key, .. },
            ..
        }) = self.frames.last_mut()
        else {
            return;
        };
        let first = new
            .text
            .as_deref()
            .filter(|_| !new.is_merge)
            .and_then(|text| members.get(text));
        let duplicate = first.map(|first| first.origin.line);
        let origin = new.origin;
        let text = new.text.clone().unwrap_or_default();
        *key = Some(new);
        if let Some(line) = duplicate {
            let message = format!("the key {text:?} is here a second time, first on line {line}");
            self.fault(origin, &message, "keep one of the two");
        }
    }

    /// Takes in a finished value.
    fn value(&mut self, mut node: Node) {
        let is_complex_key = self.expects_key();
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut frame.items {
            Items::Array(items) => items.push(node),
            Items::Object { .. } if is_complex_key => {
                let origin = node.origin;
                self.fault(origin, "the key is no text", "");
                self.key(Key {
                    text: None,
                    origin,
                    is_merge: false,
                });
            }
            Items::Object { members, key, merged } => {
                let Some(key) = key.take() else { return };
                // A collection starts where its key stands: that is the line that a reader looks for.
                if node.origin.line > key.origin.line {
                    node.origin = key.origin;
                }
                match key.text {
                    Some(text) if key.is_merge => match merge_sources(node) {
                        Some(sources) => merged.extend(sources),
                        None => {
                            let pointer = self.pointer().child(&text);
                            self.faults
                                .push(key.origin, pointer, "<< merges what is no mapping", "");
                        }
                    },
                    Some(text) => {
                        members.entry(text).or_insert(node);
                    }
                    None => {}
                }
            }
        }
    }

    /// The pointer to the value that is being read.
    fn pointer(&self) -> Pointer {
        self.frames
            .iter()
            .fold(Pointer::root(), |pointer, frame| match &frame.items {
                Items::Array(items) => pointer.index(items.len()),
                Items::Object {
                    key: Some(Key { text: Some(text), .. }),
                    ..
                } => pointer.child(text),
                Items::Object { .. } => pointer,
            })
    }

    fn fault(&mut self, origin: Origin, message: &str, help: &str) {
        let pointer = self.pointer();
        self.faults.push(origin, pointer, message, help);
    }

    fn scan_error(&mut self, error: &ScanError) {
        let origin = self.origin(*error.marker());
        // The parser points at the scalar before the tab where it took the line for a continuation.
        let reach = if error.info().contains("tab") { u32::MAX } else { 1 };
        if let Some(tab) = self.tabs.after(origin, reach) {
            self.fault(tab, INDENTED_BY_TAB, "indent with blanks");
        } else if error
            .info()
            .starts_with("':' must be followed by a valid YAML whitespace")
        {
            self.fault(origin, "a tab follows a colon", "write a blank behind the colon");
        } else if error.info().contains("recursion limit") {
            self.fault(origin, &too_deep(), "");
        } else {
            self.fault(origin, &format!("the text is no YAML: {}", error.info()), "");
        }
    }

    fn origin(&self, marker: Marker) -> Origin {
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Origin {
            file: self.file,
            line: clamp(marker.line()),
            column: clamp(marker.col() + 1),
        }
    }
}

fn too_deep() -> String {
    format!("the text is nested more than {MAX_DEPTH} levels deep")
}
