//! The SQL files that are compiled into the binary; `build/queries.rs` lists them.

/// `(folder, name, text)`, sorted by folder and name.
pub static EMBEDDED: &[(&str, &str, &str)] = &include!(concat!(env!("OUT_DIR"), "/queries.rs"));
