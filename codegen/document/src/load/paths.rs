//! Where a reference leads: its file, relative to the file that refers, and the pointer into it.

use crate::Pointer;

/// The target of a reference as its text says, before any file is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The file, from the root directory; `None` for the file that refers.
    pub(super) path: Option<String>,
    /// The place in it.
    pub(super) pointer: Pointer,
}

/// Reads a `$ref` that stands in the file `base`.
///
/// # Errors
/// What is wrong with the reference, and what to do about it.
pub(super) fn parse(reference: &str, base: &str) -> Result<Target, (String, &'static str)> {
    let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if reference.is_empty() {
        return Err((
            "the reference is empty".to_owned(),
            "name a file, a place (#/…) or both",
        ));
    }
    let fragment = decode(fragment);
    let pointer = fragment
        .as_deref()
        .and_then(Pointer::parse)
        .filter(has_sound_escapes)
        .ok_or_else(|| {
            (
                format!("the fragment of the reference {reference:?} is no JSON pointer"),
                "write #/ and the keys that lead to the place",
            )
        })?;
    if file.is_empty() {
        return Ok(Target { path: None, pointer });
    }
    let is_scheme = |scheme: &str| {
        scheme.len() > 1
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    if file.starts_with("//") || file.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
        return Err((
            format!("the reference {reference:?} leads to another machine"),
            "copy that document beside this one and refer to it by a relative path",
        ));
    }
    let path = decode(file).and_then(|file| join(base, &file)).ok_or_else(|| {
        (
            format!("the reference {reference:?} leads out of the root directory"),
            "keep all files of a document below one directory",
        )
    })?;
    Ok(Target {
        path: Some(path),
        pointer,
    })
}

/// The path of `relative` as seen from the file `base`; `None` where that is outside the root directory.
fn join(base: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains('\\') {
        return None;
    }
    let mut parts: Vec<&str> = base
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `base` without `.` and empty parts; `None` where it is outside the root directory.
pub(super) fn normalise(path: &str) -> Option<String> {
    join("", path)
}

/// The text behind its percent-encoding; `None` where it is no UTF-8. A `%` without two digits stays.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |index: usize| tail.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether each `~` is part of `~0` or `~1`.
fn has_sound_escapes(pointer: &Pointer) -> bool {
    pointer
        .as_str()
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, path: Option<&str>, pointer: &str) {
        let target = parse(reference, "api/root.yaml").expect("the reference is sound");
        assert_eq!(
            (target.path.as_deref(), target.pointer.as_str()),
            (path, pointer),
            "{reference}"
        );
    }

    #[track_caller]
    fn refuse(reference: &str, message: &str) {
        let (found, _) = parse(reference, "api/root.yaml").expect_err("the reference is unsound");
        assert!(found.contains(message), "{reference}: {found}");
    }

    #[test]
    fn paths_are_relative_to_the_file_that_refers() {
        check("#/a/b", None, "/a/b");
        check("defs.yaml#/A", Some("api/defs.yaml"), "/A");
        check("./x/../defs.yaml", Some("api/defs.yaml"), "");
        check("../common/defs.yaml#/A", Some("common/defs.yaml"), "/A");
        check("my%20defs.yaml#", Some("api/my defs.yaml"), "");
    }

    #[test]
    fn escapes_of_uris_are_undone_and_escapes_of_pointers_kept() {
        check("#/paths/~1a~1%7Bid%7D", None, "/paths/~1a~1{id}");
        check("#/a~0b", None, "/a~0b");
        check("#/100%", None, "/100%");
    }

    #[test]
    fn unsound_references_are_refused() {
        refuse("", "is empty");
        refuse("../../x.yaml", "out of the root directory");
        refuse("/etc/passwd", "out of the root directory");
        refuse("https://example.org/x.yaml", "another machine");
        refuse("file:///etc/passwd", "another machine");
        refuse("//host/x.yaml", "another machine");
        refuse("#Pet", "no JSON pointer");
        refuse("#/a~2", "no JSON pointer");
        refuse("#/%ff", "no JSON pointer");
    }
}
