//! Claims about the catalogue, the rules for SQL files, and reading.

mod cases;
mod files;
mod reading;
mod rules;
