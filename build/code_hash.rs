//! A hash of everything that shapes a generation: rooms that read, count or draw, SQL, templates, and the locked
//! versions of the crates whose behaviour shows in the result. Another hash means that derived data is made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Folders whose every file counts.
const FOLDERS: [&str; 13] = [
    "queries",
    "src/addresses",
    "src/alert",
    "src/job",
    "src/mail",
    "src/model",
    "src/parse",
    "src/publish",
    "src/query",
    "src/render",
    "src/store",
    "src/unpack",
    "templates",
];

/// Crates whose locked version counts.
const CRATES: [&str; 13] = [
    "arrow-array",
    "base64",
    "duckdb",
    "encoding_rs",
    "flate2",
    "idna",
    "libduckdb-sys",
    "mail-parser",
    "maxminddb",
    "psl",
    "tar",
    "tera",
    "zip",
];

/// The hash, in hexadecimal digits.
pub fn of_checkout() -> io::Result<String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        let bytes = fs::read(file)?;
        hash.update(file.to_string_lossy().as_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    println!("cargo::rerun-if-changed=Cargo.lock");
    for version in locked_versions(&fs::read_to_string("Cargo.lock")?) {
        hash.update(version.as_bytes());
        hash.update(b"\n");
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Every file below `folder` but those of tests; a folder that is not there yet is empty.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir()
            && path
                .file_name()
                .is_some_and(|name| name != "tests" && name != "cases")
        {
            collect(&path, files)?;
        } else if path.is_file() && path.file_name().is_some_and(|name| name != "tests.rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// `name version` of each of [`CRATES`], in the order of the lock file.
fn locked_versions(lock: &str) -> Vec<String> {
    let value = |line: &str, key: &str| {
        line.strip_prefix(key)
            .and_then(|rest| rest.trim().strip_prefix('='))
            .map(|v| v.trim().trim_matches('"').to_owned())
    };
    let mut name = String::new();
    let mut found = Vec::new();
    for line in lock.lines() {
        if let Some(read) = value(line, "name") {
            name = read;
        } else if let Some(version) = value(line, "version")
            && CRATES.contains(&name.as_str())
        {
            found.push(format!("{name} {version}"));
        }
    }
    found
}
