//! JSON pointers (RFC 6901) into a document whose `$ref`s are local.

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
        let target = document
            .pointer(&pointer)
            .and_then(|node| node.get("$ref"))
            .and_then(Value::as_str)
            .and_then(|target| target.strip_prefix('#'));
        match target {
            // A fragment is percent-encoded (RFC 6901, section 6).
            Some(target) => {
                pointer = percent_encoding::percent_decode_str(target)
                    .decode_utf8_lossy()
                    .into_owned();
            }
            None => break,
        }
    }
    pointer
}

/// The node at a pointer, references followed.
pub fn at<'document>(document: &'document Value, pointer: &str) -> Option<&'document Value> {
    document.pointer(&resolve(document, pointer))
}
