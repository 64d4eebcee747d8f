//! Passwords and tokens.

use std::fmt;

/// A password or token; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text, for a comparison or to be sent to whom it is for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A secret that stands in the environment: needed by those alone who use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromEnvironment {
    /// Name of the variable; with `_FILE` behind it, it names a file.
    pub variable: String,
    /// What it held; `None` where it is not set.
    pub secret: Option<Secret>,
}

/// A secret that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not set: put the secret into the environment ({0}_FILE names a file that holds it)"
)]
pub struct NotSet(pub String);

impl FromEnvironment {
    /// The secret.
    pub fn get(&self) -> Result<&Secret, NotSet> {
        self.secret
            .as_ref()
            .ok_or_else(|| NotSet(self.variable.clone()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
