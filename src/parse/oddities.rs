//! Collects what a reader forgave: document order, each code a few times, then a count.

use crate::model::outcome::Oddity;

/// Each code is listed this often; the rest is one entry `and N more`.
const LISTED_PER_CODE: u64 = 8;
/// Characters of a quoted value.
const DETAIL_CHARS: usize = 120;

/// The oddities of one document.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    listed: Vec<Oddity>,
    seen: Vec<(&'static str, u64)>,
}

impl Oddities {
    /// Notes an oddity; `detail` is made only while the code is still listed.
    pub(super) fn note(&mut self, code: &'static str, detail: impl FnOnce() -> String) {
        let seen = match self.seen.iter().position(|(known, _)| *known == code) {
            Some(at) => {
                self.seen[at].1 += 1;
                self.seen[at].1
            }
            None => {
                self.seen.push((code, 1));
                1
            }
        };
        if seen <= LISTED_PER_CODE {
            self.listed.push(Oddity {
                code,
                detail: quote(&detail()),
            });
        }
    }

    /// The list, with one closing entry for each code that came more often than it is listed.
    pub(super) fn finish(mut self) -> Vec<Oddity> {
        for (code, count) in self.seen {
            if count > LISTED_PER_CODE {
                let detail = format!("and {} more", count - LISTED_PER_CODE);
                self.listed.push(Oddity { code, detail });
            }
        }
        self.listed
    }
}

/// A stranger's text for a message: one line, at most 120 characters.
pub(super) fn quote(text: &str) -> String {
    let mut chars = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    let mut quoted: String = chars.by_ref().take(DETAIL_CHARS).collect();
    if chars.next().is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_oddities_become_one_count() {
        let mut oddities = Oddities::default();
        for number in 0..1000 {
            oddities.note("count-missing", || format!("record {number}"));
        }
        let list = oddities.finish();
        assert_eq!(list.len(), 9);
        assert_eq!(list[0].detail, "record 0");
        assert_eq!(
            list[8],
            Oddity {
                code: "count-missing",
                detail: "and 992 more".into()
            }
        );
    }

    #[test]
    fn quoted_text_is_one_bounded_line() {
        assert_eq!(quote(" a\nb\u{1b}[0m "), "a b [0m");
        assert_eq!(quote(&"ä".repeat(500)).chars().count(), 121);
    }
}
