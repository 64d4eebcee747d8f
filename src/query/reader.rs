//! Opens a published database for strangers' SQL: read-only, and nothing else in reach.

use std::path::Path;

use anyhow::Context;
use duckdb::{AccessMode, Config, Connection};

use super::said;

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

/// Last, because what they forbid includes the statements before them. Without a temporary folder a statement that
/// needs more memory than allowed fails, instead of writing beside the published file.
const LOCK: &str =
    "set temp_directory = ''; set enable_external_access = false; set lock_configuration = true";

/// A read-only connection: no file, network or extension can be reached from its SQL, and no setting changed.
pub fn open_read_only(path: &Path, limits: ReaderLimits) -> anyhow::Result<Connection> {
    let opened = || {
        let config = Config::default()
            .access_mode(AccessMode::ReadOnly)?
            .enable_autoload_extension(false)?
            .max_memory(&format!("{}MiB", limits.memory_mib))?
            .threads(i64::from(limits.threads))?;
        let connection = Connection::open_with_flags(path, config)?;
        connection.execute_batch(LOCK)?;
        Ok(connection)
    };
    opened()
        .map_err(said)
        .with_context(|| format!("opening {} to read", path.display()))
}
