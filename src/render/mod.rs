//! Rows -> pages and JSON. The only user of tera.
//!
//! Enters: the catalogue and a closure that answers its queries. Leaves: files of a generation under `site/`, by a
//! closure that takes a path and bytes. Nothing is computed in templates; a page holds neither a generation number nor
//! the time at which it was made, so the same rows give the same bytes.
//!
//! ```text
//! Skin   templates, base path        error pages, report pages (also for the server)
//! Site   skin, catalogue, as_of      overview, domain, senders, sources, intake, the API
//! inboxes  how things stand          /inboxes, drawn by the server for each request
//! ```
//!
//! A panel of the catalogue with `page=overview`, `domain`, `senders`, `sources` or `intake` appears on that page without code. An
//! answer is shown by the names of its columns: `domain` and `report` are links, `*_percent` gets one decimal, NULL is
//! a dash. All text of reports passes `Html::text`, which escapes it.

pub mod alerts;
mod answers;
pub mod api;
mod assets;
mod bars;
mod cell;
mod chart;
pub mod digest;
pub mod homepage;
mod html;
pub mod inboxes;
mod json;
mod panel;
mod plot;
pub mod report;
mod report_page;
mod site;
mod skin;
mod table;
mod verdict;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fixture_answers;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod tests;

use crate::query::{Params, Query, Table};

pub use assets::{asset, write_assets, write_queries};
pub use html::{Html, escape_into, is_unseen};
pub use site::{DOMAIN_PAGES, DomainDays, Site, WINDOW_DAYS};
pub use skin::{ErrorPage, Frame, Skin};

/// Answers a query of the catalogue.
pub type Rows<'a> = &'a mut dyn FnMut(&Query, &Params) -> anyhow::Result<Table>;

/// Takes a file of the generation: its path, such as `site/overview.html`, and its bytes.
pub type Emit<'a> = &'a mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>;
