//! Section `known_senders`: by domain, one mapping or a list of mappings.

use super::Config;
use super::sections::list;
use super::tree::{Node, Reader, Value, join, nearest};
use crate::model::domain;
use crate::model::sender::KnownSender;
use crate::model::service::Service;

const KEYS: [&str; 6] = [
    "aligned_dkim",
    "cidrs",
    "dkim_domains",
    "name",
    "services",
    "spf_domains",
];

/// Every sender that could be read, sorted by domain and name.
pub fn read(reader: &mut Reader<'_>, node: &Node, services: &[Service]) -> Vec<KnownSender> {
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
            let sender = sender(reader, &path, item, &domain, services);
            let is_same = |other: &KnownSender| {
                other.domain == domain && other.name == sender.name && other.has_evidence()
            };
            // Services have names of their own.
            if sender.has_evidence() && senders.iter().any(is_same) {
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

fn sender(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    domain: &str,
    services: &[Service],
) -> KnownSender {
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
            "services" => {
                let ids = list(reader, &path, node, |reader, path, node| {
                    service(reader, path, node, services)
                });
                sender.services = sorted(ids);
            }
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
    let says_nothing = !sender.has_evidence() && sender.services.is_empty();
    if says_nothing && reader.problems.len() == noted {
        reader.note(
            node.line,
            path,
            "matches nothing: give `services`, `cidrs`, `dkim_domains`, `spf_domains` or `aligned_dkim: true`",
        );
    }
    sender
}

/// The id of a well-known service.
fn service(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    services: &[Service],
) -> Option<String> {
    let id = reader.text(path, node)?;
    if services.iter().any(|service| service.id == id) {
        return Some(id);
    }
    let by_name = services
        .iter()
        .find(|service| service.name.eq_ignore_ascii_case(&id));
    let near = by_name
        .map(|service| service.id.as_str())
        .or_else(|| nearest(&id, services.iter().map(|service| service.id.as_str())));
    let message = match near {
        Some(near) => format!("there is no service \"{id}\", did you mean `{near}`?"),
        None => format!(
            "there is no service \"{id}\"; queries/seeds/services.csv lists them, and table `senders`"
        ),
    };
    reader.note(node.line, path, message);
    None
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
