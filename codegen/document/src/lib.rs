//! ETSI's OpenAPI documents, made sound: read with positions, brought to one dialect, repaired visibly.
//!
//! The stages are [`load`], [`upgrade`], [`repair`], [`overlay`] and [`settle`], each a module with one
//! public function. All of them work on a [`Document`]: a tree of [`Node`]s that know where they were
//! written. Nothing here reads a network, a clock or the environment; [`load`] reads files through a trait.

mod diagnostic;
pub mod load;
mod node;
pub mod overlay;
mod pipeline;
pub mod repair;
mod report;
pub mod settle;
mod shape;
pub mod upgrade;

pub use diagnostic::{Diagnostic, Finding};
pub use node::{Node, Object, Origin, Pointer, Value};
pub use pipeline::prepare;

/// An OpenAPI document on its way through the stages.
#[derive(Clone, Debug)]
pub struct Document {
    /// The files that the document was read from, then those of the overlays that were applied, as the caller named
    /// them; [`Origin::file`] indexes them.
    pub files: Vec<String>,
    /// The document itself.
    pub root: Node,
}

impl Document {
    /// The name of the file that `origin` lies in; empty for a node that no file holds.
    pub fn file_of(&self, origin: Origin) -> &str {
        match origin.line {
            0 => "",
            _ => self.files.get(origin.file as usize).map_or("", String::as_str),
        }
    }

    /// Follows a local `$ref` (`#/…`) and the references that it leads to, up to 64 of them.
    pub fn resolve<'document>(&'document self, node: &'document Node) -> Option<&'document Node> {
        let mut node = node;
        for _ in 0..64 {
            let Some(target) = node.ref_target() else {
                return Some(node);
            };
            node = self.root.pointer(&Pointer::parse(target)?)?;
        }
        None
    }
}
