//! Which alerts are asked for, where that is not simply those that want somebody first.

use super::{Listed, MOST_ALERTS};
use crate::model::alert::Status;

/// Which alerts are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertQuestion {
    /// Those that stand so; `None`: all.
    pub status: Option<Status>,
    /// Those about this policy domain, normalised; `None`: all.
    pub domain: Option<String>,
    /// So many of them.
    pub limit: usize,
    /// Behind so many.
    pub offset: usize,
}

impl Default for AlertQuestion {
    fn default() -> Self {
        Self {
            status: None,
            domain: None,
            limit: MOST_ALERTS,
            offset: 0,
        }
    }
}

impl AlertQuestion {
    /// The same with another offset, as the query of an address.
    pub fn address(&self, offset: usize) -> String {
        let mut parts = Vec::new();
        parts.extend(self.status.map(|status| format!("status={status}")));
        let domain = self.domain.as_deref();
        parts.extend(domain.map(|domain| format!("domain={}", encoded(domain))));
        if self.limit != MOST_ALERTS {
            parts.push(format!("limit={}", self.limit));
        }
        parts.push(format!("offset={offset}"));
        parts.join("&")
    }

    /// Whether an alert is one of those that are asked for.
    pub fn takes(&self, alert: &Listed) -> bool {
        self.status.is_none_or(|status| alert.status == status)
            && (self.domain.is_none() || alert.domain == self.domain)
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
