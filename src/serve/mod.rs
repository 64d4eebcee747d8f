//! A generation -> HTTP. Reads what was published, and asks its [`Desk`] how mailboxes and jobs stand; the only room
//! with an async runtime.
//!
//! A request passes, in this order: connection limit, head limits and time-outs ([`connection`]), Host and method
//! ([`admit`], [`origin`]), credentials ([`auth`], [`throttle`]), the table of paths ([`route`]), the manifest of
//! the current generation ([`published`]) or the desk ([`act`], [`wish`]), conditional headers and the fixed headers of
//! every answer ([`answer`]).
//! What has no file is made on request: older reports from the lake; of more than a thousand alerts the less grave, from
//! the published database, which is opened for nothing else.
//! The link `public/current` is resolved anew for each request, so a new generation needs no restart, and one request
//! never mixes two of them.

mod act;
mod admit;
mod alert_desk;
mod alert_question;
mod alerts;
mod answer;
mod auth;
mod connection;
mod desk;
mod jobs;
mod metrics;
mod origin;
mod paced;
mod problem;
mod published;
mod respond;
mod route;
mod settings;
mod signal;
mod status;
mod throttle;
mod wish;

#[cfg(test)]
mod tests;

pub use alert_desk::{AlertDesk, AlertForm, Undone};
pub use auth::{Auth, Credentials, Secret};
pub use connection::run;
pub use desk::{Declined, Desk, Jobs, Kind};
pub use origin::{CrossSite, Sender, check_unsafe, host_of_url};
pub use respond::Server;
pub use settings::{
    ErrorPage, InboxesPage, LastCheck, OlderReport, ReportForm, ServeConfig, ServeLimits, Sources,
    StartError, check_start,
};
pub use signal::run_until_signal;
