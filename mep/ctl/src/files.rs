//! Files that commands read: YAML or JSON, as a type of the API.

use std::io::Read;
use std::path::Path;

use mecforge_runtime::Decode;
use serde_json::Value;

use crate::failure::Failure;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Reads a file, or `input` where it is called `-`.
pub(crate) fn read<T: Decode>(path: &Path, input: &mut dyn Read) -> Result<T, Failure> {
    let name = path.display();
    let usage = |reason: String| Failure::Usage(format!("{name}: {reason}"));
    let mut text = String::new();
    let count = if path == Path::new("-") {
        input.take(LONGEST + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
    };
    let count = count.map_err(|error| usage(format!("cannot be read: {error}")))?;
    if count as u64 > LONGEST {
        return Err(usage(format!("is longer than {LONGEST} bytes")));
    }
    // JSON is YAML, but its own reader keeps all digits of numbers and says what is wrong in JSON's words.
    let value: Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) => serde_saphyr::from_str(&text).map_err(|error| usage(error.to_string()))?,
    };
    let json = serde_json::to_vec(&value).map_err(|error| usage(error.to_string()))?;
    mecforge_runtime::from_slice(&json).map_err(|invalid| {
        let pointer = invalid.pointer();
        let place = if pointer.is_empty() { "it" } else { &pointer };
        usage(format!("{place} {} (rule {})", invalid.message(), invalid.rule()))
    })
}
