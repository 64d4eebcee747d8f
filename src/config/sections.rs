//! The sections of the file, one function each.

use std::path::PathBuf;

use super::tree::{Node, Reader, Value, join};
use super::{App, Config, Retention, Security, Server, ServerLimits, Site, addresses, senders};
use crate::model::limits::Limits;

/// Sections that are read.
const SECTIONS: [&str; 12] = [
    "addresses",
    "alerts",
    "app",
    "domains",
    "inboxes",
    "known_senders",
    "limits",
    "notify",
    "retention",
    "security",
    "server",
    "site",
];

/// Sections that a later version reads. Taking them silently would promise what does not happen.
const LATER: [&str; 1] = ["llm"];

/// Reads every section of the file into `config`, which holds the defaults.
pub fn read(reader: &mut Reader<'_>, root: Option<&Node>, config: &mut Config) {
    for (key, line, node) in reader.entries("", root) {
        match key.as_str() {
            "addresses" => addresses::read(reader, node, &mut config.addresses),
            "app" => app(reader, node, &mut config.app),
            "security" => security(reader, node, &mut config.security),
            "server" => server(reader, node, &mut config.server),
            "site" => site(reader, node, &mut config.site),
            "domains" => config.domains = domains(reader, node),
            "known_senders" => config.known_senders = senders::read(reader, node, &config.services),
            "limits" => limits(reader, node, &mut config.limits),
            "retention" => retention(reader, node, &mut config.retention),
            // Read by others.
            "alerts" | "inboxes" | "notify" => {}
            later if LATER.contains(&later) => {
                reader.note(*line, key, "is not part of this version yet: remove it")
            }
            _ => reader.unknown(*line, key, key, &SECTIONS),
        }
    }
    senders::outside_domains(reader, root, config);
}

/// Puts a value in place when it could be read.
pub fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn app(reader: &mut Reader<'_>, node: &Node, app: &mut App) {
    const KEYS: [&str; 6] = [
        "base_url",
        "data_dir",
        "log_level",
        "min_free_disk",
        "poll_interval",
        "timezone",
    ];
    for (key, line, node) in reader.entries("app", Some(node)) {
        let path = join("app", key);
        match key.as_str() {
            "base_url" => app.base_url = base_url(reader, &path, node),
            "timezone" => set(&mut app.timezone, timezone(reader, &path, node)),
            "log_level" => set(&mut app.log_level, reader.log_level(&path, node)),
            "data_dir" => set(
                &mut app.data_dir,
                reader.text(&path, node).map(PathBuf::from),
            ),
            "poll_interval" => set(
                &mut app.poll_interval_secs,
                reader.duration_secs(&path, node),
            ),
            "min_free_disk" => set(&mut app.min_free_disk_bytes, reader.size_bytes(&path, node)),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
}

fn security(reader: &mut Reader<'_>, node: &Node, security: &mut Security) {
    const KEYS: [&str; 4] = [
        "dashboard_auth",
        "homepage_token_env",
        "password_env",
        "username_env",
    ];
    for (key, line, node) in reader.entries("security", Some(node)) {
        let path = join("security", key);
        match key.as_str() {
            "dashboard_auth" => set(&mut security.dashboard_auth, reader.flag(&path, node)),
            // Read with the environment.
            "username_env" | "password_env" | "homepage_token_env" => {}
            "username" | "password" | "homepage_token" => {
                reader.note(
                    *line,
                    &path,
                    format!("secrets stay out of this file: name a variable with `{key}_env`"),
                );
            }
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
}

fn server(reader: &mut Reader<'_>, node: &Node, server: &mut Server) {
    const KEYS: [&str; 4] = ["base_path", "limits", "listen", "trusted_proxies"];
    for (key, line, node) in reader.entries("server", Some(node)) {
        let path = join("server", key);
        match key.as_str() {
            "listen" => set(&mut server.listen, reader.socket(&path, node)),
            "base_path" => set(&mut server.base_path, base_path(reader, &path, node)),
            "trusted_proxies" => {
                server.trusted_proxies = list(reader, &path, node, Reader::network)
            }
            "limits" => server_limits(reader, node, &mut server.limits),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
}

fn server_limits(reader: &mut Reader<'_>, node: &Node, limits: &mut ServerLimits) {
    const KEYS: [&str; 5] = [
        "connections",
        "head_timeout",
        "login_failures",
        "login_window",
        "write_timeout",
    ];
    for (key, line, node) in reader.entries("server.limits", Some(node)) {
        let path = join("server.limits", key);
        match key.as_str() {
            "connections" => set(
                &mut limits.connections,
                reader.count_u32(&path, node, 1).map(|n| n as usize),
            ),
            "head_timeout" => set(
                &mut limits.head_timeout_secs,
                reader.duration_secs(&path, node),
            ),
            "write_timeout" => set(
                &mut limits.write_timeout_secs,
                reader.duration_secs(&path, node),
            ),
            "login_failures" => set(&mut limits.login_failures, reader.count_u32(&path, node, 1)),
            "login_window" => set(
                &mut limits.login_window_secs,
                reader.duration_secs(&path, node),
            ),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
}

fn site(reader: &mut Reader<'_>, node: &Node, site: &mut Site) {
    for (key, line, node) in reader.entries("site", Some(node)) {
        let path = join("site", key);
        match key.as_str() {
            "report_pages" => set(&mut site.report_pages, reader.count(&path, node, 0)),
            "title" => set(&mut site.title, reader.text(&path, node)),
            _ => reader.unknown(*line, &path, key, &["report_pages", "title"]),
        }
    }
}

fn retention(reader: &mut Reader<'_>, node: &Node, retention: &mut Retention) {
    for (key, line, node) in reader.entries("retention", Some(node)) {
        let path = join("retention", key);
        match key.as_str() {
            "months" => retention.months = reader.count_u32(&path, node, 1),
            _ => reader.unknown(*line, &path, key, &["months"]),
        }
    }
}

fn domains(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let mut names = list(reader, "domains", node, Reader::domain);
    names.sort();
    names.dedup();
    names
}

/// Reads each item of a list; those with a problem are left out.
pub fn list<'r, T>(
    reader: &mut Reader<'r>,
    path: &str,
    node: &Node,
    read: impl Fn(&mut Reader<'r>, &str, &Node) -> Option<T>,
) -> Vec<T> {
    let is_list = matches!(node.value, Value::List(_));
    let mut values = Vec::new();
    for (index, item) in reader.items(node).iter().enumerate() {
        let path = if is_list {
            format!("{path}[{index}]")
        } else {
            path.to_owned()
        };
        values.extend(read(reader, &path, item));
    }
    values
}

fn limits(reader: &mut Reader<'_>, node: &Node, limits: &mut Limits) {
    const KEYS: [&str; 15] = [
        "depth",
        "document_bytes",
        "file_entries",
        "item_bytes",
        "mail_entries",
        "mime_depth",
        "mime_parts",
        "nesting",
        "part_bytes",
        "ratio",
        "ratio_from_bytes",
        "records",
        "results_per_record",
        "text_bytes",
        "total_bytes",
    ];
    for (key, line, node) in reader.entries("limits", Some(node)) {
        let path = join("limits", key);
        match key.as_str() {
            "item_bytes" => set(&mut limits.item_bytes, reader.size_bytes(&path, node)),
            "part_bytes" => set(&mut limits.part_bytes, reader.size_bytes(&path, node)),
            "document_bytes" => set(&mut limits.document_bytes, reader.size_bytes(&path, node)),
            "total_bytes" => set(&mut limits.total_bytes, reader.size_bytes(&path, node)),
            "ratio_from_bytes" => set(&mut limits.ratio_from_bytes, reader.size_bytes(&path, node)),
            "text_bytes" => set(
                &mut limits.text_bytes,
                reader.size_bytes(&path, node).map(|n| n as usize),
            ),
            "ratio" => set(&mut limits.ratio, reader.count(&path, node, 1)),
            "records" => set(&mut limits.records, reader.count(&path, node, 1)),
            "nesting" => set(&mut limits.nesting, reader.count_u32(&path, node, 1)),
            "mail_entries" => set(&mut limits.mail_entries, reader.count_u32(&path, node, 1)),
            "file_entries" => set(&mut limits.file_entries, reader.count_u32(&path, node, 1)),
            "mime_parts" => set(&mut limits.mime_parts, reader.count_u32(&path, node, 1)),
            "mime_depth" => set(&mut limits.mime_depth, reader.count_u32(&path, node, 1)),
            "depth" => set(&mut limits.depth, reader.count_u32(&path, node, 1)),
            "results_per_record" => set(
                &mut limits.results_per_record,
                reader.count_u32(&path, node, 1),
            ),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
}

/// `https://dmarc.example.com`, without a slash at the end.
fn base_url(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or_default();
    if host.is_empty()
        || host.starts_with('/')
        || text.contains(['?', '#', '@', ' ', '"', '<', '>', '\\'])
    {
        return reader.expected(
            path,
            node,
            "an address such as https://dmarc.example.com",
            &format!("\"{text}\""),
        );
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// Empty, or `/dmarc`: letters, digits, hyphens, underscores and dots between slashes.
fn base_path(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    if matches!(&node.value, Value::Text(text) if text.trim().is_empty() || text.trim() == "/") {
        return Some(String::new());
    }
    let text = reader.text(path, node)?;
    let trimmed = text.trim_end_matches('/');
    let is_segment = |s: &str| {
        !matches!(s, "" | "." | "..")
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match trimmed.strip_prefix('/') {
        Some(rest) if rest.split('/').all(is_segment) => Some(trimmed.to_owned()),
        _ => reader.expected(path, node, "a path such as /dmarc", &format!("\"{text}\"")),
    }
}

/// `UTC`, `Europe/Berlin`; whether the system knows it is seen when the schedule starts.
fn timezone(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let is_name = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
        && text.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_name {
        Some(text)
    } else {
        reader.expected(
            path,
            node,
            "a name such as Europe/Berlin",
            &format!("\"{text}\""),
        )
    }
}
