//! Claims about markup that hold for every page; for the tests of this room.

/// Fails unless every tag that is opened is closed in order.
pub fn check_balance(path: &str, html: &str) {
    const VOID: [&str; 5] = ["meta", "link", "!doctype", "br", "hr"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after
            .split_once('>')
            .unwrap_or_else(|| panic!("{path}: tag without end"));
        rest = after;
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{path}: closes another tag");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{path}: not closed: {open:?}");
}

/// Landmarks, one heading, captions, scopes, described drawings, unique ids.
pub fn check_accessible(path: &str, html: &str) {
    for wanted in [
        "<html lang=\"en\">",
        "<main id=\"main\"",
        "class=\"skip\" href=\"#main\"",
        "<nav aria-label=\"Main\">",
    ] {
        assert!(html.contains(wanted), "{path}: {wanted}");
    }
    assert_eq!(html.matches("<h1>").count(), 1, "{path}: one h1");
    assert_eq!(
        html.matches("<table").count(),
        html.matches("<caption").count(),
        "{path}: captions"
    );
    assert!(!html.contains("<th>"), "{path}: th without scope");
    assert_eq!(
        html.matches("role=\"img\"").count(),
        html.matches("<desc id").count(),
        "{path}: described drawings"
    );
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path}: ids are unique");
}

/// Nothing that the content security policy forbids, nothing from another host.
pub fn check_policy(path: &str, html: &str) {
    for forbidden in [
        "<script",
        "style=\"",
        "<style",
        " onload=",
        "http://",
        "https://",
        "javascript:",
    ] {
        assert!(!html.contains(forbidden), "{path}: {forbidden}");
    }
}
