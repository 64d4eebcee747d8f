//! Bounds on JSON before it is read: depth and number of values, so that a small text cannot become a large tree.

use serde_json::Value;

use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// Objects, arrays and their members in all. A large reporter's report has some ten thousand.
const VALUES: usize = 1_000_000;

/// Reads all JSON values of a text (reporters have put several reports in a row).
pub(super) fn read(text: &str, limits: &Limits) -> Result<Vec<Value>, Refusal> {
    check(text, limits)?;
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(value) => values.push(value),
            Err(_) if !values.is_empty() => break,
            Err(error) if error.is_eof() => {
                return Err(Refusal::new(
                    "json-truncated",
                    "the JSON ends in the middle; ask the reporter for a new one",
                ));
            }
            Err(error) => {
                return Err(Refusal::new(
                    "json-malformed",
                    format!("the JSON is broken: {error}"),
                ));
            }
        }
    }
    Ok(values)
}

/// One pass over the bytes; strings are skipped.
fn check(text: &str, limits: &Limits) -> Result<(), Refusal> {
    let (mut depth, mut values) = (0_u32, 0_usize);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > limits.depth {
            let message = format!(
                "JSON is nested deeper than {}; raise limits.depth to take it",
                limits.depth
            );
            return Err(Refusal::new("limit-depth", message));
        }
        if values > VALUES {
            return Err(Refusal::new(
                "limit-values",
                format!("the JSON holds more than {VALUES} values; no report does"),
            ));
        }
    }
    Ok(())
}

fn skip_string(bytes: &mut impl Iterator<Item = u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}
