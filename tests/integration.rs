//! The one integration test binary; each module is a room or a claim about the whole.

mod product;
mod reading_hostile;
mod reading_properties;
mod render_pages;
mod tidy;
mod whole_commands;
mod whole_splits;
