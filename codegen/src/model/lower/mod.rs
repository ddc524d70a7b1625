//! Lowering: from a settled document to the [`Api`]. Everything that can't be expressed is refused with its place.

mod body;
mod form;
mod keywords;
mod object;
mod operation;
mod operation_name;
mod parameter;
mod predicate;
mod prose;
mod recursion;
mod schema;
mod union;

use std::collections::HashMap;

use mecforge_document::{Diagnostic, Document, Node, Object, Pointer};

use super::api::{Api, Notification};
use super::names::{self, Scope};
use super::shape::Shape;
use super::types::{Alias, Type, TypeId, TypeKind};

/// What the document itself does not say.
#[derive(Clone, Debug)]
pub struct Options {
    /// The document's id, by which `cargo xtask generate` finds it, for example `mec011-app-support@v2.1.1`.
    pub id: String,
    /// Package name of the crate.
    pub crate_name: String,
    /// The document's place in its project, for references in the documentation.
    pub source: String,
    /// Whether ETSI's descriptions are kept for doc comments (`generate --docs full`).
    pub prose: bool,
}

/// Lowers a settled document.
///
/// # Errors
/// Every construct that the generated code could not represent, each with file, line and pointer.
pub fn lower(document: &Document, options: &Options) -> Result<Api, Vec<Diagnostic>> {
    let mut lowering = Lowering::new(document, options);
    lowering.check_info();
    lowering.schemas();
    let operations = lowering.operations();
    let notifications = lowering.notifications();
    recursion::box_cycles(&mut lowering.types);
    if !lowering.diagnostics.is_empty() {
        lowering.diagnostics.sort();
        lowering.diagnostics.dedup();
        return Err(lowering.diagnostics);
    }
    let info = document.root.get("info");
    let text = |key| {
        info.and_then(|info| info.str_at(key))
            .unwrap_or_default()
            .to_owned()
    };
    Ok(Api {
        id: options.id.clone(),
        crate_name: options.crate_name.clone(),
        title: text("title"),
        version: text("version"),
        base_path: base_path(document),
        source: options.source.clone(),
        trait_name: trait_name(&options.crate_name),
        types: lowering.types,
        operations,
        notifications,
        document: prose::without_prose(&document.root),
        is_etsi: is_etsi(document, options),
    })
}

/// Whether the document is ETSI's, so that what derives from it carries ETSI's licence notice: one of the manifest,
/// or one that names ETSI as its contact or licensor.
fn is_etsi(document: &Document, options: &Options) -> bool {
    let url = |key| document.root.get("info")?.get(key)?.str_at("url");
    let names_etsi = ["contact", "license"]
        .iter()
        .filter_map(|key| url(key))
        .any(|url| url.contains("etsi.org"));
    !options.id.starts_with("--input") || names_etsi
}

/// The path of the first server's URL.
fn base_path(document: &Document) -> String {
    let servers = document
        .root
        .get("servers")
        .and_then(Node::as_array)
        .unwrap_or_default();
    let url = servers
        .first()
        .and_then(|server| server.str_at("url"))
        .unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |start| &rest[start..]),
        None => url,
    };
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    match path.is_empty() || path.starts_with('/') {
        true => path.to_owned(),
        false => format!("/{path}"),
    }
}

/// The trait's name: the crate's without the number of the standard.
fn trait_name(crate_name: &str) -> String {
    let words = crate_name.split(['-', '_', '@']);
    let named = words.skip_while(|word| {
        word.strip_prefix("mec")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    });
    let name = named
        .take_while(|word| !is_version(word))
        .collect::<Vec<_>>()
        .join(" ");
    let name = names::type_name(&name);
    if name == "Unnamed" {
        names::type_name(crate_name)
    } else {
        name
    }
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The state of a lowering.
struct Lowering<'document> {
    document: &'document Document,
    options: &'document Options,
    types: Vec<Type>,
    /// Types of `components/schemas` by their names there.
    named: HashMap<String, TypeId>,
    /// Shapes of schemas outside `components/schemas` that several places refer to, by their pointers.
    shared: HashMap<Pointer, Shape>,
    /// Shapes of bodies that are written inline, by what they say.
    bodies: HashMap<String, Shape>,
    scope: Scope,
    diagnostics: Vec<Diagnostic>,
    /// The type whose file the types that are being made go to.
    home: Option<TypeId>,
}

impl<'document> Lowering<'document> {
    fn new(document: &'document Document, options: &'document Options) -> Self {
        Self {
            document,
            options,
            types: Vec::new(),
            named: HashMap::new(),
            shared: HashMap::new(),
            bodies: HashMap::new(),
            scope: Scope::for_types(),
            diagnostics: Vec::new(),
            home: None,
        }
    }

    fn refuse(&mut self, node: &Node, pointer: &Pointer, message: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::at(self.document, node, pointer, message));
    }

    /// Refuses a document that does not say what it is: OpenAPI demands title and version.
    fn check_info(&mut self) {
        let document = self.document;
        let pointer = Pointer::from_tokens(["info"]);
        let Some(info) = document
            .root
            .get("info")
            .filter(|info| info.as_object().is_some())
        else {
            self.refuse(
                &document.root,
                &Pointer::root(),
                "the document has no info with title and version",
            );
            return;
        };
        for key in ["title", "version"] {
            if info.str_at(key).is_none_or(str::is_empty) {
                self.refuse(info, &pointer.child(key), format!("info needs a {key}"));
            }
        }
    }

    /// Makes a type for each member of `components/schemas`. The names are all taken first, so that an inline
    /// type can't take the name of one that comes later.
    fn schemas(&mut self) {
        let pointer = Pointer::from_tokens(["components", "schemas"]);
        let Some(schemas) = self.document.root.pointer(&pointer).and_then(Node::as_object) else {
            return;
        };
        for (api_name, node) in schemas {
            let name = self
                .scope
                .take(names::type_name(&self.readable_name(api_name, schemas)));
            let place = pointer.child(api_name);
            let kind = TypeKind::Alias(Alias {
                shape: Shape::Any,
                rules: Vec::new(),
            });
            let id = self.push(name, Some(api_name.clone()), node, &place, kind);
            self.named.insert(api_name.clone(), id);
        }
        for (api_name, node) in schemas {
            let id = self.named[api_name];
            self.home = Some(id);
            let kind = self.kind_of_component(node, &pointer.child(api_name), id);
            self.types[id.0].kind = kind;
        }
        self.home = None;
    }

    /// The name that a type is made from. ETSI's extraction numbers the schemas of inline objects (`_links1`, …) and
    /// the numbers change with every release, so these are called after the property that refers to them first.
    fn readable_name(&self, api_name: &str, schemas: &Object) -> String {
        if !api_name.starts_with('_') {
            return api_name.to_owned();
        }
        let target = format!("#/components/schemas/{api_name}");
        let refers = |schema: &Node| schema.ref_target() == Some(target.as_str());
        let owner = schemas.iter().find_map(|(owner, schema)| {
            let mut properties = schema.get("properties").and_then(Node::as_object)?.iter();
            let (property, _) =
                properties.find(|(_, schema)| refers(schema) || schema.get("items").is_some_and(refers))?;
            Some(format!("{owner} {property}"))
        });
        owner.unwrap_or_else(|| api_name.to_owned())
    }

    /// Adds a type.
    fn push(
        &mut self,
        name: String,
        api_name: Option<String>,
        node: &Node,
        pointer: &Pointer,
        kind: TypeKind,
    ) -> TypeId {
        let id = TypeId(self.types.len());
        self.types.push(Type {
            name,
            api_name,
            pointer: pointer.clone(),
            clause: node.str_at("x-etsi-ref").map(str::to_owned),
            description: self.prose(node),
            kind,
            home: self.home.unwrap_or(id),
        });
        id
    }

    fn prose(&self, node: &Node) -> Option<String> {
        self.options
            .prose
            .then(|| node.str_at("description").map(str::to_owned))
            .flatten()
    }

    /// The notifications: schemas called so, unless marked otherwise, and bodies of declared callbacks.
    fn notifications(&mut self) -> Vec<Notification> {
        let declared = self.callback_bodies();
        let mut scope = Scope::default();
        let mut notifications = Vec::new();
        for id in (0..self.types.len()).map(TypeId) {
            let Some(api_name) = self.types[id.0].api_name.clone() else {
                continue;
            };
            let pointer = self.types[id.0].pointer.clone();
            let mark = self
                .document
                .root
                .pointer(&pointer)
                .and_then(|node| node.get("x-mecforge-notification"));
            let is_declared = declared.contains(&Shape::Named(id));
            let is_meant = match mark.and_then(Node::as_bool) {
                Some(mark) => mark,
                None => is_declared || api_name.ends_with("Notification"),
            };
            if is_meant && matches!(self.types[id.0].kind, TypeKind::Struct(_) | TypeKind::Union(_)) {
                notifications.push(Notification {
                    name: scope.take(names::snake_name(&self.types[id.0].name)),
                    shape: Shape::Named(id),
                    notification_type: self.constant_of(id, "notificationType"),
                    pointer,
                    declared: is_declared,
                });
            }
        }
        notifications
    }

    /// The only text that a property of a struct may hold, where it is fixed.
    fn constant_of(&self, id: TypeId, property: &str) -> Option<String> {
        let TypeKind::Struct(object) = &self.types[id.0].kind else {
            return None;
        };
        let field = object.fields.iter().find(|field| field.api_name == property)?;
        match self.texts_of(&field.shape)?.as_slice() {
            [text] => Some(text.clone()),
            _ => None,
        }
    }

    /// The texts that a shape allows, where it is a closed enumeration.
    fn texts_of(&self, shape: &Shape) -> Option<Vec<String>> {
        let Shape::Named(id) = shape else { return None };
        match &self.types[id.0].kind {
            TypeKind::Enumeration(enumeration) if !enumeration.open => Some(
                enumeration
                    .variants
                    .iter()
                    .map(|variant| variant.api_name.clone())
                    .collect(),
            ),
            TypeKind::Alias(alias) => self.texts_of(&alias.shape),
            _ => None,
        }
    }
}
