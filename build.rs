//! Tells the linker where the prebuilt DuckDB library is, computes the code hash and lists the SQL files.

#[path = "build/queries.rs"]
mod queries;

#[path = "build/code_hash.rs"]
mod code_hash;
#[path = "build/duckdb.rs"]
mod duckdb;

fn main() {
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let bundled = std::env::var_os("CARGO_FEATURE_BUNDLED").is_some();
    if !bundled && let Err(message) = duckdb::link(&target) {
        println!("cargo::error={message}");
    }
    match code_hash::of_checkout() {
        Ok(hash) => println!("cargo::rustc-env=SENTINEL_CODE_HASH={hash}"),
        Err(error) => println!("cargo::error=computing the code hash: {error}"),
    }
    if let Err(error) = queries::generate() {
        println!("cargo::error=listing the query files: {error}");
    }
}
