//! The one integration test binary; each module is a room or a claim about the whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets something unexpected has to fail"
)]

mod addresses_dns;
mod addresses_known;
mod browser;
mod cli_commands;
mod dns_server;
mod http_endpoint;
mod mail_server;
mod mailbox_backlog;
mod mailbox_daemon;
mod mailbox_fetch;
mod mailbox_hostile;
mod mailbox_long;
mod mailbox_pages;
mod mailbox_states;
mod mmdb_file;
mod notify_commands;
mod notify_mail;
mod notify_outbox;
mod notify_samples;
mod notify_serving;
mod notify_web;
mod product;
mod reading_hostile;
mod reading_properties;
mod render_pages;
mod smtp_server;
mod tidy;
mod whole_alert_pages;
mod whole_alerts;
mod whole_browser;
mod whole_commands;
mod whole_hostile;
mod whole_judging;
mod whole_large;
mod whole_many_alerts;
mod whole_policy;
mod whole_retention;
mod whole_rules;
mod whole_senders;
mod whole_serving;
mod whole_splits;
mod whole_summary;
