//! Which item keeps the bytes of a hash: by the tables, and for what is not in them yet by what passed by.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use crate::model::item::ItemNo;
use crate::store::Connection;
use crate::store::holders::kept;
use crate::store::retention::expired;

/// Items that keep their bytes.
pub(super) struct Known<'a> {
    /// Of the feeder alone: the others are in the middle of a batch.
    connection: Connection,
    /// The last item whose rows are committed.
    loaded: &'a AtomicU64,
    /// Those behind it.
    pub(super) recent: HashMap<[u8; 32], ItemNo>,
    /// Those behind it that let their bytes go, and how many.
    pub(super) pruned: HashMap<[u8; 32], (ItemNo, u64)>,
}

impl<'a> Known<'a> {
    pub(super) fn new(connection: Connection, loaded: &'a AtomicU64) -> Self {
        Self {
            connection,
            loaded,
            recent: HashMap::new(),
            pruned: HashMap::new(),
        }
    }

    /// The first item that keeps the bytes of each hash, as far as the tables have it; forgets what is recent no more.
    pub(super) fn in_tables(&mut self, hashes: &[[u8; 32]]) -> Result<HashMap<[u8; 32], ItemNo>> {
        let loaded = self.loaded.load(Ordering::Acquire);
        self.recent.retain(|_, item_no| *item_no > loaded);
        self.pruned.retain(|_, (item_no, _)| *item_no > loaded);
        if loaded == 0 {
            return Ok(HashMap::new());
        }
        kept(&self.connection, hashes)
    }

    /// The sizes of bytes that were kept until all in them expired; to be asked after [`Known::in_tables`].
    pub(super) fn expired(&self, hashes: &[[u8; 32]]) -> Result<HashMap<[u8; 32], u64>> {
        let mut expired = expired(&self.connection, hashes)?;
        for hash in hashes {
            if let Some((_, bytes)) = self.pruned.get(hash) {
                expired.insert(*hash, *bytes);
            }
        }
        Ok(expired)
    }
}
