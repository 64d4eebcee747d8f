//! Section `notify`.

use super::Notify;
use super::environment::{Environment, child, secret, variable_name};
use super::inboxes::{is_request_url, url};
use super::tree::{Node, Reader, join};
use crate::model::secret::Secret;

const KEYS: [&str; 2] = ["heartbeat_url", "heartbeat_url_env"];

/// What the section says.
pub fn read(reader: &mut Reader<'_>, root: Option<&Node>, environment: Environment<'_>) -> Notify {
    let mut notify = Notify::default();
    let section = root.and_then(|root| child(root, "notify"));
    for (key, line, node) in reader.entries("notify", section) {
        let path = join("notify", key);
        match key.as_str() {
            "heartbeat_url" => notify.heartbeat_url = url(reader, &path, node).map(Secret::new),
            "heartbeat_url_env" => {
                let variable = variable_name(reader, &path, node);
                let read =
                    variable.and_then(|name| Some((secret(reader, environment, &name)?, name)));
                if let Some((address, name)) = read {
                    if !is_request_url(&address) {
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
