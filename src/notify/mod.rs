//! Messages to people: mail, Telegram, webhooks.
//!
//! A [`Notice`](crate::model::notice::Notice) becomes a letter, the same for every channel; each kind of channel gives
//! it its form and sends it. The [`outbox`] decides what is due, and notes in the ledger what was sent.
//!
//! What strangers wrote (titles, facts, advice, names of reporters) is made harmless once, on its way into the letter,
//! and escaped once more by each form. Escaping is shared with pages through the model: this room knows no page.

pub use fate::{Delivery, Retry, SendError};
pub use post::{Post, reach};

mod chat;
mod connect;
mod entry;
mod fate;
mod generic;
mod harmless;
mod html;
mod letter;
mod mail;
pub mod outbox;
mod pixels;
mod plain;
mod post;
mod smtp;
mod telegram;
mod trend;
mod web;
mod webhook;

#[cfg(test)]
mod tests;
