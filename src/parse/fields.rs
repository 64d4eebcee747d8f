//! Header-like fields: `Name: value` lines, folded or not, any line ending.

/// The fields of one block, in order; names as written, values unfolded and trimmed.
pub(super) struct Fields(Vec<(String, String)>);

/// No block of a report has more fields; the rest is passed over.
const FIELDS: usize = 1_000;

impl Fields {
    /// Reads fields until an empty line and returns what follows it. Lines that are no fields are passed over.
    pub(super) fn read(text: &str, text_bytes: usize) -> (Self, &str) {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
            {
                push_bounded(value, line.trim_start(), text_bytes);
                continue;
            }
            if let Some((name, value)) = line.split_once(':')
                && fields.len() < FIELDS
            {
                let mut bounded = String::new();
                push_bounded(&mut bounded, value.trim(), text_bytes);
                fields.push((name.trim().to_owned(), bounded));
            }
        }
        (Self(fields), rest)
    }

    /// The first value of a field.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a field.
    pub(super) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0
            .iter()
            .filter(move |(written, _)| written.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

fn push_bounded(value: &mut String, more: &str, text_bytes: usize) {
    if !value.is_empty() && !more.is_empty() && value.len() < text_bytes {
        value.push(' ');
    }
    let mut end = more.len().min(text_bytes.saturating_sub(value.len()));
    while !more.is_char_boundary(end) {
        end -= 1;
    }
    value.push_str(&more[..end]);
}

/// A value without its `(comments)`.
pub(super) fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// The domain of the last address in a value.
pub(super) fn address_domain(value: &str) -> Option<String> {
    let (_, after) = value.rsplit_once('@')?;
    let end = after
        .find(|c: char| c.is_whitespace() || matches!(c, '>' | ',' | ';' | '"' | ')' | '(' | '<'));
    let name = crate::model::domain::normalise(&after[..end.unwrap_or(after.len())]);
    (!name.is_empty()).then_some(name)
}
