//! Tells the linker where the prebuilt DuckDB library is, computes the code hash and lists the SQL files.

#[path = "build/queries.rs"]
mod queries;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if let Ok(folder) = std::env::var("DUCKDB_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    queries::generate();
}
