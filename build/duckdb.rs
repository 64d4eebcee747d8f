//! Where the prebuilt library is, for the linker and for the loader.

use std::path::PathBuf;

/// Checks that the library is in `DUCKDB_LIB_DIR` and lets every binary find it there, or beside itself.
pub fn link(target: &str) -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    let (name, origin) = match target {
        "macos" => ("libduckdb.dylib", "@loader_path"),
        _ => ("libduckdb.so", "$ORIGIN"),
    };
    let folder = std::env::var_os("DUCKDB_LIB_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let library = folder.join(name);
    println!("cargo::rerun-if-changed={}", library.display());
    if !library.is_file() {
        return Err(format!(
            "{} is missing: run scripts/fetch-duckdb once (`make build` does), or set DUCKDB_LIB_DIR to a folder with \
             {name} of DuckDB 1.5, or build with --features bundled (half an hour)",
            library.display()
        ));
    }
    let folder = folder
        .canonicalize()
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    println!("cargo::rustc-link-arg=-Wl,-rpath,{origin}");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    Ok(())
}
