//! Numbers and names of columns in words, the same on pages and in messages.

/// Between groups of three digits: narrow and not breakable.
const THIN_SPACE: char = '\u{202f}';

/// `1234567` as `1 234 567`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() + 3);
    if number < 0 {
        out.push('\u{2212}');
    }
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(THIN_SPACE);
        }
        out.push(digit);
    }
    out
}

/// A column name as a heading: `spf_aligned_percent` as `SPF aligned`.
pub fn heading(column: &str) -> String {
    let name = column.strip_suffix("_percent").unwrap_or(column);
    let name = name.strip_suffix("_utc").unwrap_or(name);
    let mut out = String::with_capacity(name.len());
    for (at, word) in name.split('_').filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        match word {
            "asn" | "spf" | "dkim" | "dmarc" | "ip" | "id" | "tls" | "utc" | "np" | "sp"
            | "arc" => {
                out.push_str(&word.to_ascii_uppercase());
            }
            "no" if at > 0 => out.push_str("number"),
            _ if at == 0 => out.push_str(&capitalised(word)),
            _ => out.push_str(word),
        }
    }
    out
}

/// The first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, expect) in [
            (0, "0"),
            (999, "999"),
            (1000, "1\u{202f}000"),
            (-1_234_567, "\u{2212}1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(grouped(number), expect);
        }
    }

    #[test]
    fn headings_read_like_words() {
        for (column, expect) in [
            ("spf_aligned_percent", "SPF aligned"),
            ("source_ip", "Source IP"),
            ("item_no", "Item number"),
            ("begin_utc", "Begin"),
            ("day", "Day"),
        ] {
            assert_eq!(heading(column), expect);
        }
    }
}
