//! Where records wait for the commit of their batch: temporary tables of a connection of their own, so that one batch
//! is staged while another is committed.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Appender, Connection};

use super::batch::{ItemRow, appender};
use super::decide::ReadDocument;
use super::models::STAGES;
use super::record_rows::weight;
use super::room::Room;
use super::senders;
use super::working::Store;
use crate::model::item::ItemNo;

/// A connection with staging tables.
pub struct Stage {
    pub(super) connection: Connection,
    room: Arc<Room>,
    number: usize,
}

/// A batch that is being staged. Dropped without [`Staging::end`], it leaves no trace.
pub struct Staging<'stage> {
    stage: &'stage Stage,
    records: Appender<'stage>,
    staged: Staged,
}

/// A batch that waits for [`Store::commit`]; its records are in the tables of its stage.
#[derive(Default)]
pub struct Staged {
    pub(super) items: Vec<ItemRow>,
    pub(super) documents: Vec<(usize, ReadDocument)>,
    /// In usual records.
    pub(super) weight: usize,
}

impl Store {
    /// Another place to stage a batch in.
    pub fn stage(&self) -> Result<Stage> {
        let connection = self.another_connection()?;
        senders::stage(&connection, &self.config)?;
        Ok(Stage {
            connection,
            room: Arc::clone(&self.room),
            number: self.room.enter(),
        })
    }
}

impl Stage {
    /// Begins a batch with empty staging tables.
    pub fn begin(&self) -> Result<Staging<'_>> {
        for stage in STAGES {
            self.connection
                .execute_batch(stage)
                .context("making a staging table")?;
        }
        Ok(Staging {
            stage: self,
            records: appender(&self.connection, "temp", "stage_records")?,
            staged: Staged::default(),
        })
    }

    /// Lets DuckDB have room for a batch of so many records, until there are none.
    pub(super) fn make_room(&self, records: usize) -> Result<()> {
        self.room
            .batch(&self.connection, self.number, records as u64)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.room.leave(self.number);
    }
}

impl Staged {
    /// Puts one document that expired in the place of all of each of these items, by their indices.
    pub(super) fn expire(&mut self, items: &HashSet<usize>) {
        let mut replaced = None;
        self.documents.retain_mut(|(index, document)| {
            if !items.contains(index) {
                return true;
            }
            *document = ReadDocument::expired(document.load_key);
            replaced.replace(*index) != Some(*index)
        });
    }
}

impl Staging<'_> {
    /// Stages records. They count when a document with their load key is accepted.
    pub fn stage(&mut self, records: RecordBatch) -> Result<()> {
        self.staged.weight += weight(&records);
        self.stage.make_room(self.staged.weight)?;
        self.records
            .append_record_batch(records)
            .context("staging records")
    }

    /// Adds the next item with its documents in order.
    pub fn add(&mut self, item: ItemRow, documents: Vec<ReadDocument>) {
        let staged = &mut self.staged;
        let index = staged.items.len();
        staged.items.push(item);
        staged.weight += documents.iter().map(ReadDocument::weight).sum::<usize>();
        staged
            .documents
            .extend(documents.into_iter().map(|document| (index, document)));
    }

    /// The bytes of these items, which are in the batch, are kept with earlier ones.
    pub fn mark_known(&mut self, items: &[ItemNo]) {
        let rows = &mut self.staged.items;
        let first = rows.first().map_or(0, |item| item.item_no);
        for item_no in items {
            let index = item_no.checked_sub(first).map(|index| index as usize);
            if let Some(item) = index.and_then(|index| rows.get_mut(index)) {
                item.content = "known";
            }
        }
    }

    /// Rows that wait in memory or in the staging table, wide ones counted as several.
    pub fn rows(&self) -> usize {
        self.staged.weight + self.staged.items.len() + self.staged.documents.len()
    }

    /// Ends the batch: what it holds can be committed.
    pub fn end(mut self) -> Result<Staged> {
        self.stage.make_room(self.staged.weight)?;
        self.records.flush().context("staging records")?;
        Ok(self.staged)
    }
}
