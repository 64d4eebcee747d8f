//! Items on their way from the archive through the readers to the store, in order and in bounded memory.
//!
//! A unit is a handful of consecutive items. Units are read in parallel, each into a channel of its own; the stager
//! empties the channels in the order of the units. A unit is taken up by a reader before any later one, so the reader
//! of the unit that the stager waits for never waits itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use super::ahead::Ahead;
use super::item_rows::{KEPT, item_row, missing};
use super::read::{ReadingSink, read_item};
use crate::archive::{Content, Item};
use crate::model::aggregate::Record;
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::model::retention::Retention;
use crate::parse::Report;
use crate::store::RecordBatch;
use crate::store::batch::ItemRow;
use crate::store::decide::{ReadDocument, Refused, day_of_report};
use crate::store::record_rows::{RecordRows, weight};
use crate::store::settings::StoreConfig;

/// Messages of a unit that may wait for the stager: all of most units, little of one with huge reports.
pub(super) const AHEAD_MESSAGES: usize = 1;
/// Units that may wait for the stager: what the readers get done while both of its stages are in use.
pub(super) const AHEAD_UNITS: usize = 32;
/// Items of a unit.
const UNIT_ITEMS: usize = 64;
/// Bytes of a unit, unless one item is larger: they may hold a thousand times as many.
const UNIT_BYTES: usize = 64 << 10;

/// Rows of the TLS reports of an item, which wait in memory until the unit is read. A large reporter's report has some
/// thousand.
const ITEM_TLS_ROWS: usize = 50_000;

/// An item, and where its bytes are.
pub(super) type Given = (ItemNo, Item, Bytes);

/// Consecutive items with their bytes, for one reader.
pub(super) struct Unit {
    /// From 0 in each load; part of the load keys.
    pub(super) unit_no: i64,
    pub(super) items: Vec<Given>,
    pub(super) out: SyncSender<Message>,
}

/// Bytes of an item.
pub(super) enum Bytes {
    /// The item's own.
    Own,
    /// Those of the earlier item that keeps them.
    Earlier(Arc<Vec<u8>>),
    /// The archive has none: the item was dropped.
    Dropped,
    /// Those of an earlier item that let them go, as all in it is older than the retention: so many.
    Expired(u64),
    /// The archive should have some and has none.
    Missing,
}

/// The next unit's worth of items.
pub(super) fn cut(items: &mut impl Iterator<Item = Given>) -> Vec<Given> {
    let mut unit = Vec::new();
    let mut bytes = 0;
    while !is_unit(unit.len(), bytes) {
        let Some(given) = items.next() else {
            break;
        };
        bytes += match (&given.1.content, &given.2) {
            (Content::Kept(kept), _) | (_, Bytes::Earlier(kept)) => kept.len(),
            _ => 0,
        };
        unit.push(given);
    }
    unit
}

/// Whether so many items with so many bytes make a unit.
pub(super) fn is_unit(items: usize, bytes: usize) -> bool {
    items >= UNIT_ITEMS || bytes >= UNIT_BYTES
}

/// What a reader says.
pub(super) enum Message {
    /// Rows for the staging table.
    Records(RecordBatch),
    /// The unit is read: the last rows, and its items in order, each with its documents.
    Items(Option<RecordBatch>, Vec<(ItemRow, Vec<ReadDocument>)>),
    /// Rows could not be built: a fault of the program.
    Failed(String),
}

impl Message {
    /// How many usual rows take the memory that it takes.
    pub(super) fn weight(&self) -> usize {
        let of_documents = |items: &[(ItemRow, Vec<ReadDocument>)]| -> usize {
            let documents = items.iter().flat_map(|(_, documents)| documents);
            documents.map(ReadDocument::weight).sum()
        };
        match self {
            Self::Records(records) => weight(records),
            Self::Items(records, items) => records.as_ref().map_or(0, weight) + of_documents(items),
            Self::Failed(_) => 0,
        }
    }
}

/// Reads units until there are none left or nobody listens any more; counts the rows in `ahead`.
pub(super) fn read_units(units: &Mutex<Receiver<Unit>>, config: &StoreConfig, ahead: &Ahead) {
    let expired_before = config.retention.as_ref().map(|had| had.expired_before);
    loop {
        let next = {
            let units = units.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.wait();
            units.recv()
        };
        let Ok(unit) = next else { return };
        let mut sink = Sink::new(unit.unit_no, &unit.out, ahead);
        sink.expired_before = expired_before;
        for (item_no, item, bytes) in unit.items {
            sink.read(item_no, item, bytes, &config.limits);
        }
        // A stager that is gone ends the load; there is nobody to tell.
        let _ = unit.out.send(match sink.take() {
            Ok(rows) => Message::Items(rows, sink.items),
            Err(failed) => failed,
        });
    }
}

struct Sink<'a> {
    out: &'a SyncSender<Message>,
    ahead: &'a Ahead,
    rows: RecordRows,
    load_key: i64,
    /// Reports of an earlier day are gone.
    expired_before: Option<Day>,
    /// Of the item that is being read.
    mail_date_utc_secs: Option<i64>,
    tls_rows: usize,
    documents: Vec<ReadDocument>,
    items: Vec<(ItemRow, Vec<ReadDocument>)>,
}

impl<'a> Sink<'a> {
    fn new(unit_no: i64, out: &'a SyncSender<Message>, ahead: &'a Ahead) -> Self {
        Self {
            out,
            ahead,
            rows: RecordRows::default(),
            load_key: unit_no << 32,
            expired_before: None,
            mail_date_utc_secs: None,
            tls_rows: 0,
            documents: Vec::new(),
            items: Vec::new(),
        }
    }

    fn read(&mut self, item_no: ItemNo, item: Item, bytes: Bytes, limits: &Limits) {
        self.tls_rows = 0;
        self.mail_date_utc_secs = item.header.date_utc_secs;
        let (mut row, own) = item_row(item_no, item, &bytes);
        let file_name = row.provenance.file_name();
        let content = match (&bytes, &own) {
            (Bytes::Own, Ok(kept)) | (Bytes::Earlier(kept), _) => Some(kept.as_slice()),
            _ => None,
        };
        match (content, own.as_ref().err()) {
            (Some(content), _) => self.read_content(&row, content, file_name.as_deref(), limits),
            (None, Some(refused)) => self.refuse(refused.clone()),
            (None, None) => self.refuse(missing()),
        }
        if self.documents.is_empty() {
            self.refuse(Refusal::new(Refusal::NOT_A_REPORT, "there is no report in it").into());
        }
        if self.documents.iter().all(ReadDocument::is_expired) {
            self.expire(&mut row);
        }
        let documents = std::mem::take(&mut self.documents);
        self.items.push((row, documents));
    }

    /// An item that holds nothing but expired reports is told of as one, whether its bytes are still there or not.
    fn expire(&mut self, row: &mut ItemRow) {
        if row.content == KEPT {
            row.content = Refusal::EXPIRED;
        }
        self.documents.clear();
        self.documents.push(ReadDocument::expired(self.load_key));
        self.load_key += 1;
    }

    /// A reader that panics costs its item, never the run.
    fn read_content(
        &mut self,
        row: &ItemRow,
        content: &[u8],
        file_name: Option<&str>,
        limits: &Limits,
    ) {
        let reading = catch_unwind(AssertUnwindSafe(|| {
            read_item(row.kind, content, file_name, limits, self)
        }));
        if reading.is_err() {
            self.restart();
            self.refuse(
                Refusal::new(
                    "reader-failed",
                    "the reader stopped at it: a fault of the program",
                )
                .into(),
            );
        }
    }

    fn refuse(&mut self, refused: Refused) {
        let load_key = self.load_key;
        self.load_key += 1;
        self.documents.push(ReadDocument {
            path: String::new(),
            sha256: None,
            load_key,
            result: Err(refused),
        });
    }

    /// Reports that are older than the retention are not looked at further.
    fn in_time(&self, report: Report) -> Result<Report, Refused> {
        let day = day_of_report(&report, self.mail_date_utc_secs);
        match self.expired_before {
            Some(cut_off) if Retention::expires(cut_off, day) => Err(Refused::expired()),
            _ => Ok(report),
        }
    }

    /// The reports of one item may be a thousand, each of thousands of rows: those beyond what fits are refused.
    fn bound(&mut self, report: Report) -> Result<Report, Refusal> {
        let Report::Tls(tls) = &report else {
            return Ok(report);
        };
        let rows = self.tls_rows + tls.rows();
        if rows > ITEM_TLS_ROWS {
            let message =
                format!("the TLS reports of one mail or file hold more than {ITEM_TLS_ROWS} rows");
            return Err(Refusal::new("limit-tls-rows", message));
        }
        self.tls_rows = rows;
        Ok(report)
    }

    fn take(&mut self) -> Result<Option<RecordBatch>, Message> {
        let rows = self.rows.take();
        let rows = rows.map_err(|error| Message::Failed(error.to_string()))?;
        self.ahead.add(rows.as_ref().map_or(0, weight));
        Ok(rows)
    }

    fn flush(&mut self) {
        let message = match self.take() {
            Ok(None) => return,
            Ok(Some(batch)) => Message::Records(batch),
            Err(failed) => failed,
        };
        let _ = self.out.send(message);
    }
}

impl ReadingSink for Sink<'_> {
    fn record(&mut self, record: Record) {
        self.rows.push(self.load_key, record);
        if self.rows.is_full() {
            self.flush();
        }
    }

    fn restart(&mut self) {
        self.rows.forget(self.load_key);
        self.load_key += 1;
    }

    fn document(
        &mut self,
        path: String,
        sha256: Option<[u8; 32]>,
        result: Result<Report, Refusal>,
    ) {
        let load_key = self.load_key;
        let result = result
            .map_err(Refused::from)
            .and_then(|report| self.in_time(report))
            .and_then(|report| Ok(self.bound(report)?));
        if !matches!(result, Ok(Report::Aggregate(_))) {
            self.rows.forget(load_key);
        }
        self.load_key += 1;
        let document = ReadDocument {
            path,
            sha256,
            load_key,
            result,
        };
        self.ahead.add(document.weight());
        self.documents.push(document);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::model::tls::{TlsPolicy, TlsReport};

    #[test]
    fn the_tls_reports_of_an_item_are_bounded_together() {
        let (out, _messages) = sync_channel(1);
        let ahead = Ahead::default();
        let mut sink = Sink::new(0, &out, &ahead);
        for rows in [ITEM_TLS_ROWS - 10, 20, 9] {
            let report = TlsReport {
                policies: vec![TlsPolicy::default(); rows - 1],
                ..TlsReport::default()
            };
            sink.document(String::new(), None, Ok(Report::Tls(report.into())));
        }
        let codes = sink
            .documents
            .iter()
            .map(|document| match &document.result {
                Err(refused) => refused.code.as_str(),
                Ok(_) => "",
            });
        assert_eq!(codes.collect::<Vec<_>>(), ["", "limit-tls-rows", ""]);
    }
}
