//! Rows as JSON: columns in their order, days and instants as RFC 3339, unseen characters as `\u` escapes.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::html::is_unseen;
use super::words;
use crate::model::day::rfc3339;
use crate::query::{Table, Value};

/// A value of a result.
pub struct JsonValue<'a>(pub &'a Value);

/// Columns and the values of one row, as an object.
pub struct JsonRow<'a>(pub &'a [String], pub &'a [Value]);

/// All rows, as an array of objects.
pub struct JsonRows<'a>(pub &'a Table);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Double(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Day(day) => serializer.serialize_str(&words::day(*day)),
            Value::Timestamp(utc_secs) => serializer.serialize_str(&rfc3339(*utc_secs)),
            Value::List(items) => serializer.collect_seq(items.iter().map(JsonValue)),
            Value::Struct(fields) => serializer.collect_map(
                fields
                    .iter()
                    .map(|(name, value)| (&**name, JsonValue(value))),
            ),
        }
    }
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(name, &JsonValue(value))?;
        }
        map.end()
    }
}

impl Serialize for JsonRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.rows.len()))?;
        for row in &self.0.rows {
            rows.serialize_element(&JsonRow(&self.0.columns, row))?;
        }
        rows.end()
    }
}

/// JSON text and a final line feed. Characters that change what a reader believes to see stay data, as escapes.
pub fn to_bytes<T: Serialize>(value: &T) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_string(value)?;
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        text.push('\n');
        return Ok(text.into_bytes());
    }
    let mut out = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // Outside of strings JSON is plain ASCII without control characters, so each hit lies inside of one.
        if is_unseen(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('\n');
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_leave_as_escapes_and_come_back_as_they_were() {
        let text = "a\u{202e}b\u{7f}c\u{e0041}d\u{0}é\"";
        let bytes = to_bytes(&JsonValue(&Value::Text(text.to_owned()))).unwrap();
        let written = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(
            written,
            "\"a\\u202eb\\u007fc\\udb40\\udc41d\\u0000é\\\"\"\n"
        );
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
    }
}
