//! Content codings (RFC 9110 clause 8.4.1), bounded in output and in ratio, so that a compressed bomb stays small.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::fault::Fault;

/// How many codings may be applied one over the other.
const MOST_CODINGS: usize = 2;

/// Below this output the ratio does not matter.
const RATIO_FREE: usize = 1 << 20;

/// Output may be this many times the input; real JSON reaches 20 to 60, a bomb 1,000.
const MOST_RATIO: usize = 200;

/// Takes the codings of `Content-Encoding` off, the last one first.
///
/// # Errors
/// The fault, with what was decoded so far.
pub(crate) fn decode(encoded: &Bytes, codings: &[&str], limit: usize) -> Result<Bytes, (Fault, Bytes)> {
    let names: Vec<String> = codings
        .iter()
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    if names.is_empty() || encoded.is_empty() {
        return Ok(encoded.clone());
    }
    if names.len() > MOST_CODINGS {
        let text = format!("{} content codings one over the other", names.len());
        return Err((Fault::BadEncoding(text), encoded.clone()));
    }
    let mut body = encoded.clone();
    for name in names.iter().rev() {
        body = decode_one(&body, name, limit)?;
    }
    Ok(body)
}

fn decode_one(input: &Bytes, name: &str, limit: usize) -> Result<Bytes, (Fault, Bytes)> {
    match name {
        "gzip" | "x-gzip" => read_bounded(MultiGzDecoder::new(&input[..]), input.len(), name, limit),
        // RFC 9110 means zlib's format; some servers send the bare one, and every browser takes it.
        "deflate" if is_zlib(input) => read_bounded(ZlibDecoder::new(&input[..]), input.len(), name, limit),
        "deflate" => read_bounded(DeflateDecoder::new(&input[..]), input.len(), name, limit),
        other => {
            let text = format!("the content coding {other:?} was not asked for and is not known");
            Err((Fault::BadEncoding(text), input.clone()))
        }
    }
}

fn is_zlib(input: &[u8]) -> bool {
    match input {
        [first, second, ..] => {
            first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31)
        }
        _ => false,
    }
}

fn read_bounded(
    mut decoder: impl Read,
    input: usize,
    name: &str,
    limit: usize,
) -> Result<Bytes, (Fault, Bytes)> {
    let mut output = Vec::new();
    let mut chunk = [0_u8; 16 << 10];
    loop {
        let read = match decoder.read(&mut chunk) {
            Ok(0) => return Ok(Bytes::from(output)),
            Ok(read) => read,
            Err(error) => {
                return Err((
                    Fault::BadEncoding(format!("broken {name} data: {error}")),
                    Bytes::from(output),
                ));
            }
        };
        output.extend(chunk.iter().take(read));
        if output.len() > limit {
            return Err((Fault::TooLarge { limit }, Bytes::from(output)));
        }
        if output.len() > RATIO_FREE && output.len() / input.max(1) > MOST_RATIO {
            let text = format!("{input} bytes of {name} grow more than {MOST_RATIO} times");
            return Err((Fault::BadEncoding(text), Bytes::from(output)));
        }
    }
}
