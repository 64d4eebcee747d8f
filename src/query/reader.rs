//! Opens a published database for strangers' SQL: read-only, and nothing else in reach.

use std::path::Path;

use anyhow::Context;
use duckdb::{AccessMode, Config, Connection};

/// What a reader may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderLimits {
    /// Memory of DuckDB's buffers, in MiB.
    pub memory_mib: u64,
    /// Worker threads.
    pub threads: u16,
}

impl Default for ReaderLimits {
    fn default() -> Self {
        Self {
            memory_mib: 1024,
            threads: 4,
        }
    }
}

/// A read-only connection: no file, network or extension can be reached from its SQL, and no setting changed.
pub fn open_read_only(path: &Path, limits: ReaderLimits) -> anyhow::Result<Connection> {
    let config = Config::default()
        .access_mode(AccessMode::ReadOnly)?
        .enable_external_access(false)?
        .enable_autoload_extension(false)?
        .max_memory(&format!("{}MiB", limits.memory_mib))?
        .threads(i64::from(limits.threads))?
        .with("temp_directory", "")?
        .with("lock_configuration", "true")?;
    Connection::open_with_flags(path, config)
        .with_context(|| format!("opening {} to read", path.display()))
}
