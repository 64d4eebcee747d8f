//! Rules over the tables -> alerts with identity, severity and evidence; and how they stand after what people did.
//!
//! A rule is a query in `queries/alerts` that gives a row for each day on which it finds something about a subject. The
//! days of one subject make one alert. What the days are is a function of the tables, the configuration and the day for
//! which things are judged; how the alert stands is a function of its days and of the ledger.
//!
//! A rule that cannot be asked has no days, and takes none from the others: that is an alert of its own.
//!
//! ```text
//! rules   catalogue + configuration -> rules with their parameters
//! scope   days that changed         -> what each rule has to be asked again
//! fold    days + actions            -> status, severity, first and last day
//! title, advice                     -> words
//! ```

mod advice;
mod fold;
mod rules;
mod scope;
mod title;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

pub use advice::{Sender, advice};
pub use fold::{State, fold};
pub use rules::{Reach, Rule, RuleProblem, Rules};
pub use scope::{Scope, Touched, scopes};
pub use title::title;

use crate::model::hex::hex;

/// Hex digits of an id.
const ID_DIGITS: usize = 32;

/// The identity of an alert: the same for the same rule, domain and subject, for good.
pub fn id(rule: &str, domain: Option<&str>, subject: &str) -> String {
    let mut hash = Sha256::new();
    for part in [rule, domain.unwrap_or_default(), subject] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut id = hex(&hash.finalize());
    id.truncate(ID_DIGITS);
    id
}

/// Whether a text can be the id of an alert.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
