//! Secrets: from a variable, or from the file that the variable with `_FILE` behind its name names.

use super::Security;
use super::tree::{Node, Reader, Value};
use crate::model::secret::{FromEnvironment, Secret};

/// Looks a variable up; [`process_environment`] outside of tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of the process. A value that is not UTF-8 counts as absent.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads the variables that section `security` names, or those of the default names.
pub fn read_secrets(
    reader: &mut Reader<'_>,
    root: Option<&Node>,
    environment: Environment<'_>,
    security: &mut Security,
) {
    let section = root.and_then(|node| child(node, "security"));
    let named = |reader: &mut Reader<'_>, key: &str, default: &str| {
        let node = section.and_then(|node| child(node, key));
        let name = node.and_then(|node| variable_name(reader, &format!("security.{key}"), node));
        name.unwrap_or_else(|| default.to_owned())
    };
    security.username_env = named(reader, "username_env", &security.username_env);
    security.password_env = named(reader, "password_env", &security.password_env);
    let homepage_token_env = named(reader, "homepage_token_env", "HOMEPAGE_API_TOKEN");
    security.username = secret(reader, environment, &security.username_env);
    security.password = secret(reader, environment, &security.password_env).map(Secret::new);
    security.homepage_token = secret(reader, environment, &homepage_token_env).map(Secret::new);
    if security
        .username
        .as_deref()
        .is_some_and(|name| name.contains(':'))
    {
        reader.note_variable(
            &security.username_env,
            "a user name for Basic Auth cannot hold a colon",
        );
    }
}

pub(super) fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find(|(name, ..)| name == key)
            .map(|(_, _, node)| node),
        _ => None,
    }
}

pub(super) fn variable_name(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.as_bytes()[0].is_ascii_digit();
    if is_name {
        return Some(text);
    }
    // The value may be the secret itself: not repeated.
    reader.note(
        node.line,
        path,
        "expected the name of an environment variable, such as DASHBOARD_PASSWORD",
    );
    None
}

/// A secret in the variable that `node` names.
pub(super) fn named_secret(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    environment: Environment<'_>,
) -> Option<FromEnvironment> {
    let variable = variable_name(reader, path, node)?;
    Some(secret_of(reader, environment, &variable))
}

/// As [`named_secret`], of a value that has to hold to something; `check` is given the name and the value.
pub(super) fn with_variable(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    environment: Environment<'_>,
    check: impl FnOnce(&mut Reader<'_>, &str, &str),
) -> Option<FromEnvironment> {
    let named = named_secret(reader, path, node, environment)?;
    if let Some(value) = &named.secret {
        check(reader, &named.variable, value.expose());
    }
    Some(named)
}

/// A secret in a variable of that name.
pub(super) fn secret_of(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    variable: &str,
) -> FromEnvironment {
    FromEnvironment {
        variable: variable.to_owned(),
        secret: secret(reader, environment, variable).map(Secret::new),
    }
}

/// The value, without the line end that editors put behind it; empty counts as absent.
pub(super) fn secret(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    name: &str,
) -> Option<String> {
    let file_variable = format!("{name}_FILE");
    let direct = environment(name).filter(|value| !value.is_empty());
    let file = environment(&file_variable).filter(|value| !value.is_empty());
    let value = match (direct, file) {
        (Some(_), Some(_)) => {
            reader.note_variable(name, format!("is set, and so is {file_variable}: keep one"));
            None
        }
        (Some(value), None) => Some(value),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) => {
                reader.note_variable(&file_variable, format!("{path}: {error}"));
                None
            }
        },
        (None, None) => None,
    };
    let value = value?.trim_end_matches(['\r', '\n']).to_owned();
    if value.is_empty() { None } else { Some(value) }
}
