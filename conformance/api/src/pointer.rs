//! JSON pointers (RFC 6901) into a document whose `$ref`s are local.

use std::borrow::Cow;

use serde_json::Value;

/// The pointer of a member or an element below `pointer`, escaped as RFC 6901, section 3 says.
pub fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// A token as it reads, from its escaped form.
pub fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Follows `$ref`s from a pointer: the pointer of what is meant in the end. Cycles of nothing but references, and
/// those that lead nowhere, end where they are.
pub fn resolve(document: &Value, pointer: &str) -> String {
    let mut pointer = pointer.to_owned();
    for _ in 0..64 {
        match document.pointer(&pointer).and_then(target) {
            Some(target) => pointer = target.into_owned(),
            None => break,
        }
    }
    pointer
}

/// What a node's own `$ref` means, if it has one and that leads somewhere.
pub fn referred<'document>(document: &'document Value, node: &Value) -> Option<&'document Value> {
    document.pointer(&target(node)?)
}

/// The pointer in a node's `$ref`.
fn target(node: &Value) -> Option<Cow<'_, str>> {
    let fragment = node.get("$ref")?.as_str()?.strip_prefix('#')?;
    // A fragment is percent-encoded (RFC 6901, section 6).
    Some(percent_encoding::percent_decode_str(fragment).decode_utf8_lossy())
}

/// The node at a pointer, references followed.
pub fn at<'document>(document: &'document Value, pointer: &str) -> Option<&'document Value> {
    document.pointer(&resolve(document, pointer))
}
