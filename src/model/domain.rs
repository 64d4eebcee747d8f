//! Domain names: one normal form, the organizational domain, alignment (RFC 9989 section 4.4).

use std::borrow::Cow;

/// The normal form of a domain name in a report: lower case, A-labels, without trailing dots, white space or `<>`.
///
/// What is not a domain name stays as text (lower-cased, trimmed): a report must not lose what it says.
/// [`is_host_name`] tells the two apart.
pub fn normalise(text: &str) -> String {
    let trimmed = text
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .trim()
        .trim_end_matches('.');
    if trimmed.is_ascii() {
        return trimmed.to_ascii_lowercase();
    }
    idna::domain_to_ascii(trimmed).unwrap_or_else(|_| trimmed.to_lowercase())
}

/// Whether a normalised name is a host name of at least one label: letters, digits, hyphens and underscores, not hyphens
/// and underscores alone, at most 63 a label and 253 in all. Only such names get pages and file names.
pub fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().any(|b| b.is_ascii_alphanumeric())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        })
}

/// The organizational domain by the public suffix list (RFC 7489 section 3.2): the longest public suffix and one
/// label. A name that is itself a suffix, an address or no host name is returned as it is.
pub fn organizational(name: &str) -> Cow<'_, str> {
    if !is_host_name(name) || name.parse::<std::net::IpAddr>().is_ok() {
        return Cow::Borrowed(name);
    }
    psl::domain_str(name).map_or(Cow::Borrowed(name), Cow::Borrowed)
}

/// Alignment of an authenticated domain with the From domain; `strict` asks for equality, else the organizational
/// domains must be the same.
pub fn aligned(authenticated: &str, header_from: &str, strict: bool) -> bool {
    if authenticated.is_empty() || header_from.is_empty() {
        return false;
    }
    authenticated == header_from
        || (!strict && organizational(authenticated) == organizational(header_from))
}

/// Whether `name` is `parent` or lies below it, on a label boundary.
pub fn is_within(name: &str, parent: &str) -> bool {
    name == parent
        || name
            .strip_suffix(parent)
            .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_normal_form() {
        for (written, expect) in [
            ("Example.COM.", "example.com"),
            ("  example.com\n", "example.com"),
            ("<example.com>", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("", ""),
            ("no domain at all", "no domain at all"),
        ] {
            assert_eq!(normalise(written), expect, "{written:?}");
        }
    }

    #[test]
    fn organizational_domain_is_the_suffix_and_one_label() {
        for (name, expect) in [
            ("a.b.example.co.uk", "example.co.uk"),
            ("example.com", "example.com"),
            ("co.uk", "co.uk"),
            ("192.0.2.1", "192.0.2.1"),
            ("", ""),
        ] {
            assert_eq!(organizational(name), expect, "{name:?}");
        }
    }

    #[test]
    fn alignment_is_by_label_never_by_text() {
        for (authenticated, from, strict, expect) in [
            ("mail.example.com", "example.com", false, true),
            ("mail.example.com", "example.com", true, false),
            ("example.com", "example.com", true, true),
            ("notexample.com", "example.com", false, false),
            ("", "example.com", false, false),
        ] {
            assert_eq!(
                aligned(authenticated, from, strict),
                expect,
                "{authenticated} {from} {strict}"
            );
        }
        assert!(is_within("a.example.com", "example.com"));
        assert!(!is_within("notexample.com", "example.com"));
    }
}
