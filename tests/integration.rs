//! The one integration test binary; each module is a room or a claim about the whole.

mod cli_commands;
mod reading_hostile;
mod reading_properties;
mod render_pages;
mod tidy;
