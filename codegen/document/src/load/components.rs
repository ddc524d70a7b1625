//! The components of the bundled document: which names are taken, by what, and what still has to be copied.

use std::collections::{HashMap, HashSet, VecDeque};

use super::bundle::Names;
use super::files::{Files, Place};
use crate::shape::Kind;
use crate::{Node, Object, Pointer, Value};

/// The kinds that have a section in `components`.
const KINDS: [Kind; 9] = [
    Kind::Schema,
    Kind::Parameter,
    Kind::Response,
    Kind::RequestBody,
    Kind::Header,
    Kind::Callback,
    Kind::Link,
    Kind::Example,
    Kind::SecurityScheme,
];

/// How many pairs of things are compared in a document before things of one name count as different.
const MAX_COMPARED: usize = 50_000;

pub(super) struct Components {
    is_swagger: bool,
    /// What stands behind each name.
    taken: HashMap<(Kind, String), Place>,
    /// The name of each thing that another file brings in.
    names: Names,
    /// The entries that the root has itself, by where they are written.
    entries: Names,
    /// What has a name but is not copied yet.
    waiting: VecDeque<(Kind, Place, String)>,
    /// How many pairs were compared so far.
    compared: usize,
}

impl Components {
    /// Takes the names that the root document has already.
    pub(super) fn of_root(files: &mut Files<'_>) -> Self {
        let mut components = Self {
            is_swagger: files.root(0).get("swagger").is_some(),
            taken: HashMap::new(),
            names: Names::new(),
            entries: Names::new(),
            waiting: VecDeque::new(),
            compared: 0,
        };
        for kind in KINDS {
            components.take_section(files, kind);
        }
        components
    }

    fn take_section(&mut self, files: &mut Files<'_>, kind: Kind) {
        let Some(tokens) = self.section(kind) else { return };
        let mut section = Place {
            file: 0,
            pointer: Pointer::root(),
        };
        for token in tokens {
            match files.follow(section.child(token)) {
                Some(place) => section = place,
                None => return,
            }
        }
        let root = files.root(section.file);
        let Some(entries) = root.pointer(&section.pointer).and_then(Node::as_object) else {
            return;
        };
        for name in entries.keys() {
            let entry = section.child(name);
            let Some(thing) = files.follow(entry.clone()) else {
                continue;
            };
            for place in [&entry, &thing] {
                if place.file != 0 {
                    self.names
                        .entry((kind, place.clone()))
                        .or_insert_with(|| name.clone());
                }
            }
            self.entries.insert((kind, entry), name.clone());
            self.taken.insert((kind, name.clone()), thing);
        }
    }

    /// The keys that lead to the section of a kind.
    fn section(&self, kind: Kind) -> Option<Vec<&'static str>> {
        match (self.is_swagger, kind) {
            (false, _) => kind.section().map(|section| vec!["components", section]),
            (true, Kind::Schema) => Some(vec!["definitions"]),
            (true, Kind::Parameter) => Some(vec!["parameters"]),
            (true, Kind::Response) => Some(vec!["responses"]),
            (true, Kind::SecurityScheme) => Some(vec!["securityDefinitions"]),
            (true, _) => None,
        }
    }

    pub(super) fn has_section(&self, kind: Kind) -> bool {
        self.section(kind).is_some()
    }

    /// Whether `place` is the root's own entry that gives `target` its name.
    pub(super) fn is_own_entry(&self, kind: Kind, place: &Place, target: &Place) -> bool {
        self.entries
            .get(&(kind, place.clone()))
            .is_some_and(|name| self.names.get(&(kind, target.clone())) == Some(name))
    }

    /// The pointer to `place` as a component; takes a name for it where it has none yet.
    pub(super) fn pointer_to(&mut self, files: &mut Files<'_>, kind: Kind, place: Place) -> Option<Pointer> {
        let section = Pointer::from_tokens(self.section(kind)?);
        if let Some(name) = self.names.get(&(kind, place.clone())) {
            return Some(section.child(name));
        }
        let base = base_name(files, &place);
        let mut name = base.clone();
        let mut number = 2;
        while let Some(other) = self.taken.get(&(kind, name.clone())) {
            if Comparison::new(files, &mut self.compared).same_places(other.clone(), place.clone()) {
                self.names.insert((kind, place), name.clone());
                return Some(section.child(&name));
            }
            name = format!("{base}{number}");
            number += 1;
        }
        self.taken.insert((kind, name.clone()), place.clone());
        self.names.insert((kind, place.clone()), name.clone());
        self.waiting.push_back((kind, place, name.clone()));
        Some(section.child(&name))
    }

    /// The next thing to copy.
    pub(super) fn next(&mut self) -> Option<(Kind, Place, String)> {
        self.waiting.pop_front()
    }

    /// Puts a copied thing into its section of the bundled document.
    pub(super) fn insert(&self, root: &mut Node, kind: Kind, name: String, node: Node) {
        let Some(tokens) = self.section(kind) else { return };
        let mut section = root;
        for token in tokens {
            if section
                .get(token)
                .is_none_or(|member| member.as_object().is_none())
            {
                section.set(token, Node::object());
            }
            let Some(member) = section.get_mut(token) else {
                return;
            };
            section = member;
        }
        section.set(name, node);
    }
}

/// The name that a thing brings along: its key, or its file's name, in the letters that OpenAPI allows.
fn base_name(files: &Files<'_>, place: &Place) -> String {
    let name = place.pointer.last().unwrap_or_else(|| {
        let file = files.name(place.file).rsplit('/').next().unwrap_or_default();
        file.split_once('.').map_or(file, |(stem, _)| stem).to_owned()
    });
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    name.chars()
        .map(|letter| if is_allowed(letter) { letter } else { '_' })
        .collect()
}

/// Compares what stands at two places, through references, however they run in circles.
struct Comparison<'files, 'source> {
    files: &'files mut Files<'source>,
    compared: &'files mut usize,
    /// Pairs that are compared already, or will be.
    noted: HashSet<(Place, Place)>,
    waiting: Vec<(Place, Place)>,
}

impl<'files, 'source> Comparison<'files, 'source> {
    fn new(files: &'files mut Files<'source>, compared: &'files mut usize) -> Self {
        Self {
            files,
            compared,
            noted: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    fn same_places(mut self, left: Place, right: Place) -> bool {
        if !self.note(left, right) {
            return false;
        }
        while let Some((left, right)) = self.waiting.pop() {
            *self.compared += 1;
            if *self.compared > MAX_COMPARED {
                return false;
            }
            let (left_root, right_root) = (self.files.root(left.file), self.files.root(right.file));
            let same = match (
                left_root.pointer(&left.pointer),
                right_root.pointer(&right.pointer),
            ) {
                (Some(one), Some(other)) => self.same((left.file, one), (right.file, other)),
                _ => false,
            };
            if !same {
                return false;
            }
        }
        true
    }

    /// Puts a pair on the list of those that have to be the same; false where they can't be.
    fn note(&mut self, left: Place, right: Place) -> bool {
        let (Some(left), Some(right)) = (self.files.follow(left), self.files.follow(right)) else {
            return false;
        };
        if left != right && self.noted.insert((left.clone(), right.clone())) {
            self.waiting.push((left, right));
        }
        true
    }

    fn same(&mut self, left: (u32, &Node), right: (u32, &Node)) -> bool {
        match (&left.1.value, &right.1.value) {
            (Value::Array(lefts), Value::Array(rights)) => {
                lefts.len() == rights.len()
                    && lefts
                        .iter()
                        .zip(rights)
                        .all(|(one, other)| self.same((left.0, one), (right.0, other)))
            }
            (Value::Object(lefts), Value::Object(rights)) => {
                let count = |members: &Object| members.iter().filter(|member| !is_words(member)).count();
                count(lefts) == count(rights)
                    && lefts.iter().filter(|member| !is_words(member)).all(|(key, one)| {
                        rights.get(key).is_some_and(|other| match key.as_str() {
                            "$ref" => self.same_references((left.0, one), (right.0, other)),
                            _ => self.same((left.0, one), (right.0, other)),
                        })
                    })
            }
            (one, other) => one == other,
        }
    }

    fn same_references(&mut self, left: (u32, &Node), right: (u32, &Node)) -> bool {
        let target = |files: &mut Files<'_>, (file, node): (u32, &Node)| {
            node.as_str()
                .and_then(|text| files.target(text, file))
                .filter(|place| files.has(place))
        };
        match (target(self.files, left), target(self.files, right)) {
            (Some(left), Some(right)) => self.note(left, right),
            _ => left == right,
        }
    }
}

/// Whether a member only describes a thing; other words do not make it another one.
fn is_words((key, node): &(&String, &Node)) -> bool {
    *key == "description" && node.as_str().is_some()
}
