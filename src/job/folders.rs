//! Where the parts of a data folder lie.

use std::path::{Path, PathBuf};

/// A data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    data: PathBuf,
}

impl Folders {
    /// The data folder at `data`.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_path_buf(),
        }
    }

    /// The folder itself.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Truth: items.
    pub fn archive(&self) -> PathBuf {
        self.data.join("archive")
    }

    /// Truth: events.
    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger")
    }

    /// Private: refresh tokens that were renewed. Neither truth nor derived.
    pub fn tokens(&self) -> PathBuf {
        self.data.join("tokens")
    }

    /// Derived and private.
    pub fn work(&self) -> PathBuf {
        self.data.join("work")
    }

    /// The working database.
    pub fn database(&self) -> PathBuf {
        self.work().join("sentinel.duckdb")
    }

    /// Derived and published.
    pub fn public(&self) -> PathBuf {
        self.data.join("public")
    }
}
