//! Section `known_senders`: by domain, one mapping or a list of mappings.

use super::Config;
use super::sections::list;
use super::tree::{Node, Reader, Value, join};
use crate::model::domain;
use crate::model::sender::KnownSender;

const KEYS: [&str; 5] = [
    "aligned_dkim",
    "cidrs",
    "dkim_domains",
    "name",
    "spf_domains",
];

/// Every sender that could be read, sorted by domain and name.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<KnownSender> {
    let mut senders: Vec<KnownSender> = Vec::new();
    for (key, line, node) in reader.entries("known_senders", Some(node)) {
        let path = join("known_senders", key);
        let Some(domain) = reader.domain_name(&path, *line, key) else {
            continue;
        };
        let is_list = matches!(node.value, Value::List(_));
        for (index, item) in reader.items(node).iter().enumerate() {
            let path = if is_list {
                format!("{path}[{index}]")
            } else {
                path.clone()
            };
            let sender = sender(reader, &path, item, &domain);
            if senders
                .iter()
                .any(|other| other.domain == domain && other.name == sender.name)
            {
                let message = format!(
                    "a second sender \"{}\" of {domain}: give each a `name`",
                    sender.name
                );
                reader.note(item.line, &path, message);
            }
            senders.push(sender);
        }
    }
    senders.sort();
    senders
}

fn sender(reader: &mut Reader<'_>, path: &str, node: &Node, domain: &str) -> KnownSender {
    let mut sender = KnownSender {
        domain: domain.to_owned(),
        name: domain.to_owned(),
        ..KnownSender::default()
    };
    let noted = reader.problems.len();
    for (key, line, node) in reader.entries(path, Some(node)) {
        let path = join(path, key);
        match key.as_str() {
            "name" => sender.name = reader.text(&path, node).unwrap_or_default(),
            "cidrs" => sender.cidrs = sorted(list(reader, &path, node, Reader::network)),
            "dkim_domains" => {
                sender.dkim_domains = sorted(list(reader, &path, node, Reader::domain))
            }
            "spf_domains" => sender.spf_domains = sorted(list(reader, &path, node, Reader::domain)),
            "aligned_dkim" => sender.aligned_dkim = reader.flag(&path, node).unwrap_or_default(),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
    let says_nothing =
        sender.cidrs.is_empty() && sender.dkim_domains.is_empty() && sender.spf_domains.is_empty();
    if says_nothing && !sender.aligned_dkim && reader.problems.len() == noted {
        reader.note(
            node.line,
            path,
            "matches nothing: give `cidrs`, `dkim_domains`, `spf_domains` or `aligned_dkim: true`",
        );
    }
    sender
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values.dedup();
    values
}

/// With `domains` given, a sender of a domain outside of them never matches: most likely a typing error.
pub fn outside_domains(reader: &mut Reader<'_>, root: Option<&Node>, config: &Config) {
    if config.domains.is_empty() || !reader.problems.is_empty() {
        return;
    }
    let Some(Value::Map(sections)) = root.map(|n| &n.value) else {
        return;
    };
    let Some((_, _, node)) = sections.iter().find(|(key, ..)| key == "known_senders") else {
        return;
    };
    for (key, line, _) in reader.entries("known_senders", Some(node)) {
        let name = domain::normalise(key);
        if !config
            .domains
            .iter()
            .any(|own| domain::is_within(&name, own))
        {
            reader.note(
                *line,
                &join("known_senders", key),
                "is not one of `domains`",
            );
        }
    }
}
