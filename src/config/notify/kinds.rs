//! The keys of each kind of channel; each function says whether the key was one of its own.

use std::path::PathBuf;

use super::channel::{Parts, set};
use super::values::{chat_id, mailbox, mailboxes, topic};
use crate::config::environment::{Environment, named_secret, secret, variable_name, with_variable};
use crate::config::inboxes::{TLS_MODES, host, port, url, word};
use crate::config::tree::{Node, Reader};
use crate::http::may_be_asked;
use crate::model::channel::Format;
use crate::model::secret::{FromEnvironment, Secret};

const FORMATS: [(&str, Format); 5] = [
    ("generic", Format::Generic),
    ("slack", Format::Slack),
    ("discord", Format::Discord),
    ("ntfy", Format::Ntfy),
    ("gotify", Format::Gotify),
];

pub(super) fn mail(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    parts: &mut Parts,
    key: &str,
    path: &str,
    node: &Node,
) -> bool {
    let mail = &mut parts.mail;
    match key {
        "host" => set(&mut mail.host, host(reader, path, node)),
        "port" => set(&mut mail.port, port(reader, path, node)),
        "tls" => set(&mut mail.tls, word(reader, path, node, &TLS_MODES)),
        "ca_file" => mail.ca_file = reader.text(path, node).map(PathBuf::from),
        "username" => parts.username = reader.text(path, node),
        "username_env" => {
            if let Some(variable) = variable_name(reader, path, node) {
                // Needed by those alone who connect.
                let read = secret(reader, environment, &variable);
                parts.username = Some(read.unwrap_or_default());
            }
        }
        "password_env" => parts.password = named_secret(reader, path, node, environment),
        "from" => set(&mut mail.from, mailbox(reader, path, node)),
        "to" => mail.to = mailboxes(reader, path, node),
        "timeout" => set(&mut mail.timeout_secs, reader.duration_secs(path, node)),
        _ => return false,
    }
    true
}

pub(super) fn telegram(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    parts: &mut Parts,
    key: &str,
    path: &str,
    node: &Node,
) -> bool {
    let telegram = &mut parts.telegram;
    match key {
        "token_env" => set(
            &mut telegram.token,
            named_secret(reader, path, node, environment),
        ),
        "chat_id" => {
            telegram.chat_id = FromEnvironment {
                variable: "chat_id".to_owned(),
                secret: chat_id(reader, path, node).map(Secret::new),
            }
        }
        "chat_id_env" => set(
            &mut telegram.chat_id,
            named_secret(reader, path, node, environment),
        ),
        "api_url" => {
            let address = url(reader, path, node);
            let address = address.map(|address| address.trim_end_matches('/').to_owned());
            set(&mut telegram.api_url, address);
        }
        _ => return false,
    }
    true
}

pub(super) fn webhook(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    parts: &mut Parts,
    key: &str,
    path: &str,
    node: &Node,
) -> bool {
    let webhook = &mut parts.webhook;
    match key {
        "format" => parts.format = word(reader, path, node, &FORMATS),
        "url" => {
            webhook.url = FromEnvironment {
                variable: "url".to_owned(),
                secret: url(reader, path, node).map(Secret::new),
            }
        }
        "url_env" => {
            let named = with_variable(reader, path, node, environment, |reader, name, text| {
                if !may_be_asked(text) {
                    reader.note_variable(
                        name,
                        "is no https address (http only within your own network)",
                    );
                }
            });
            set(&mut webhook.url, named);
        }
        "token_env" => webhook.token = named_secret(reader, path, node, environment),
        "topic" => webhook.topic = topic(reader, path, node),
        _ => return false,
    }
    true
}
