//! JSON pointers (RFC 6901): building, escaping and following them.

use serde_json::Value;

/// A pointer's segment, escaped.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A pointer's segment, without its escapes.
pub(crate) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// `base` with one more segment.
pub(crate) fn child(base: &str, name: &str) -> String {
    format!("{base}/{}", escape(name))
}

/// `base` with one more index.
pub(crate) fn item(base: &str, index: usize) -> String {
    format!("{base}/{index}")
}

/// The segments of a pointer, unescaped.
pub(crate) fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(unescape).collect()
}

/// The pointer without its last segment, and that segment unescaped.
pub(crate) fn split_last(pointer: &str) -> Option<(&str, String)> {
    let at = pointer.rfind('/')?;
    Some((&pointer[..at], unescape(&pointer[at + 1..])))
}

/// Whether a pointer lies under a pattern's place in which `*` stands for any one segment.
pub(crate) fn matches(pattern: &str, pointer: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut found = pointer.split('/');
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if left == right || left == "*" || right == "*" => {}
            _ => return false,
        }
    }
}

/// Sets the value at a pointer whose parent exists; false if the parent doesn't.
pub(crate) fn set(root: &mut Value, pointer: &str, value: Value) -> bool {
    let Some((parent, last)) = split_last(pointer) else {
        *root = value;
        return true;
    };
    match root.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(last, value);
            true
        }
        Some(Value::Array(items)) => {
            match last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                Some(slot) => {
                    *slot = value;
                    true
                }
                None => false,
            }
        }
        _ => false,
    }
}

/// A copy of `root` with another value at `pointer`.
pub(crate) fn replaced(root: &Value, pointer: &str, value: Value) -> Option<Value> {
    let mut copy = root.clone();
    set(&mut copy, pointer, value).then_some(copy)
}

/// A copy of `root` without the property or item at `pointer`.
pub(crate) fn removed(root: &Value, pointer: &str) -> Option<Value> {
    let (parent, last) = split_last(pointer)?;
    let mut copy = root.clone();
    match copy.pointer_mut(parent)? {
        Value::Object(object) => object.remove(&last).map(|_| ()),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len())?;
            items.remove(index);
            Some(())
        }
        _ => None,
    }?;
    Some(copy)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::json;

    use super::*;

    #[test]
    fn names_with_slashes_and_tildes_survive() {
        assert_eq!(child("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(segments("/a/b~1c~0d"), ["a", "b/c~d"]);
    }

    #[test]
    fn a_star_stands_for_one_segment() {
        assert!(matches("/a/*/b", "/a/3/b"));
        assert!(!matches("/a/*", "/a/3/b"));
    }

    #[test]
    fn sets_and_removes_in_copies() {
        let value = json!({"a": [1, 2]});
        assert_eq!(replaced(&value, "/a/1", json!(3)).unwrap(), json!({"a": [1, 3]}));
        assert_eq!(removed(&value, "/a/0").unwrap(), json!({"a": [2]}));
        assert!(removed(&value, "/b").is_none());
    }
}
