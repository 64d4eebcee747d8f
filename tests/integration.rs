//! The one integration test binary; each module is a room or a claim about the whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reading_hostile;
mod reading_properties;
mod render_pages;
mod tidy;
