//! The one integration test binary; each module is a room or a claim about the whole.

mod render_pages;
