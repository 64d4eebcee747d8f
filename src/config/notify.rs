//! Section `notify`.

use super::Notify;
use super::environment::{Environment, child, secret, variable_name};
use super::inboxes::url;
use super::tree::{Node, Reader, join};
use crate::http::may_be_asked;
use crate::model::channel::Channel;
use crate::model::secret::Secret;

mod channel;
mod kinds;
mod values;

#[cfg(test)]
mod tests;

const KEYS: [&str; 3] = ["channels", "heartbeat_url", "heartbeat_url_env"];

/// What the section says.
pub fn read(reader: &mut Reader<'_>, root: Option<&Node>, environment: Environment<'_>) -> Notify {
    let mut notify = Notify::default();
    let section = root.and_then(|root| child(root, "notify"));
    for (key, line, node) in reader.entries("notify", section) {
        let path = join("notify", key);
        match key.as_str() {
            "channels" => notify.channels = channels(reader, &path, node, environment),
            "heartbeat_url" => notify.heartbeat_url = url(reader, &path, node).map(Secret::new),
            "heartbeat_url_env" => {
                let variable = variable_name(reader, &path, node);
                let read =
                    variable.and_then(|name| Some((secret(reader, environment, &name)?, name)));
                if let Some((address, name)) = read {
                    if !may_be_asked(&address) {
                        reader.note_variable(&name, "is no https address");
                    }
                    notify.heartbeat_url = Some(Secret::new(address));
                }
            }
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
    notify
}

/// Every channel that could be read.
fn channels(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    environment: Environment<'_>,
) -> Vec<Channel> {
    let mut channels: Vec<Channel> = Vec::new();
    for (index, item) in reader.items(node).iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Some(channel) = channel::read(reader, &path, item, environment) else {
            continue;
        };
        if channels.iter().any(|other| other.name == channel.name) {
            let message = format!("a second channel \"{}\": give each a `name`", channel.name);
            reader.note(item.line, &path, message);
        }
        channels.push(channel);
    }
    channels
}
